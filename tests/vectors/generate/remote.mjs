// What an issuer publishes. Sets of keys are handed over one after the other (`remoteKeys`); a
// step with `error` is refused there, and one with `changed` says whether other keys are used
// afterwards.
import {
  AUDIENCE,
  accept,
  collection,
  ISSUER,
  keys,
  misuse,
  policy,
  publicJwk,
  refuse,
  token,
  without,
} from './signing.mjs';

const OTHER = 'https://other.example';
const remote = { jwksUri: `${ISSUER}/jwks.json` };
const fetched = (more = {}) => ({ issuers: [{ issuer: ISSUER, audience: AUDIENCE, remote, ...more }] });
const es256 = (more) => publicJwk('es256', { kid: 'ES256', alg: 'ES256', ...more });
const other = (more) => publicJwk('es256Other', { kid: 'ES256', alg: 'ES256', ...more });
const rs256 = (more) => publicJwk('rsa', { kid: 'RS256', alg: 'RS256', ...more });
const set = (...jwks) => ({ issuer: ISSUER, jwks: { keys: jwks } });

const { add, file: collected } = collection('Own.', { fetched: fetched() });

export const file = { own: true, ...collected };

const withKeys = (id, klass, comment, steps, expect, more = {}) =>
  add(id, klass, comment, { policy: 'fetched', remoteKeys: steps, token: token(), ...more }, expect);
const asPolicy = (id, klass, comment, value, expect, more = {}) =>
  add(id, klass, comment, { kind: 'policy', policy: value, ...more }, expect);

// Keys that are fetched
add(
  'refuses-until-a-key-was-fetched',
  43,
  'An issuer whose keys nobody fetched yet has none.',
  { policy: 'fetched', token: token() },
  refuse('keys-not-set', { issuer: ISSUER }),
);
withKeys('accepts-by-a-fetched-key', 43, 'Then it has.', [set(es256())], accept());
withKeys(
  'refuses-a-kid-that-was-not-fetched',
  42,
  'A random kid finds nothing.',
  [set(es256())],
  refuse('kid-unknown'),
  { token: token({ header: { kid: 'random' } }) },
);
withKeys(
  'keeps-the-keys-when-the-same-come-again',
  43,
  'The same keys, in another order of members, are no change.',
  [
    { ...set(es256()), changed: true },
    { ...set(Object.fromEntries(Object.entries(es256()).reverse())), changed: false },
  ],
  accept(),
);
withKeys(
  'refuses-a-key-that-was-rotated-out',
  43,
  'The set that was fetched last counts.',
  [set(es256()), { ...set(rs256()), changed: true }],
  refuse('kid-unknown'),
);
withKeys(
  'accepts-by-a-key-that-was-rotated-in',
  43,
  'Both during the overlap.',
  [set(rs256()), { ...set(rs256(), es256()), changed: true }],
  accept(),
);
withKeys(
  'refuses-the-former-key-of-a-kid-that-was-given-anew',
  43,
  'A kid may come to name another key.',
  [set(es256()), { ...set(other()), changed: true }],
  refuse('signature-invalid'),
);
for (const [name, jwks, error] of [
  ['that-is-empty-text', '', ''],
  ['that-is-a-web-page', '<!doctype html><title>502</title>', ''],
  ['that-is-an-array', [es256()], ''],
  ['without-keys', { key: es256() }, '/keys'],
  ['whose-keys-are-an-object', { keys: es256() }, '/keys'],
  ['of-no-keys', { keys: [] }, ''],
  ['of-no-usable-keys', { keys: [es256({ use: 'enc' }), keys.es256Other] }, ''],
  ['that-names-a-member-twice', '{"keys":[],"keys":[]}', ''],
  ['that-is-cut-off', JSON.stringify({ keys: [es256()] }).slice(0, -3), ''],
  ['of-257-keys', { keys: Array.from({ length: 257 }, (_, index) => ({ kid: `${index}` })) }, '/keys'],
]) {
  withKeys(
    `keeps-good-keys-after-a-document-${name}`,
    43,
    'CVE-2025-64527: a bad document never replaces a good one.',
    [set(es256()), { issuer: ISSUER, jwks, error }],
    accept(),
  );
  asPolicy(`refuses-a-fetched-document-${name}`, 43, 'And is told as what it is.', 'fetched', misuse(error), {
    remoteKeys: [{ issuer: ISSUER, jwks }],
  });
}
for (const [name, jwk] of Object.entries({
  private: { ...keys.es256Other, kid: 'p', alg: 'ES256' },
  'weak-rsa': publicJwk('rsa1024', { kid: 'w', alg: 'RS256' }),
  'small-exponent': publicJwk('rsaSmallExponent', { kid: 'e', alg: 'RS256' }),
  'another-curve': { kty: 'EC', crv: 'P-224', kid: 'c', x: 'AA', y: 'AA' },
  'another-kind': { kty: 'NEW', kid: 'k' },
  'off-the-curve': { ...es256(), kid: 'o', y: es256().x },
  'another-use': publicJwk('rsa', { kid: 'u', alg: 'RSA-OAEP', use: 'enc' }),
  'without-a-kind': { kid: 'n' },
  'that-is-no-object': 'key',
})) {
  withKeys(
    `leaves-out-a-fetched-key-${name}`,
    43,
    'One defective key of an issuer does not take the others down.',
    [set(jwk, es256())],
    accept(),
  );
}
asPolicy(
  'refuses-that-key-in-the-policy-itself',
  43,
  'In a policy it is a mistake of the writer.',
  {
    issuers: [
      { issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [{ ...es256(), y: es256().x }, rs256()] } },
    ],
  },
  misuse('/issuers/0/jwks/keys/0/x'),
);
withKeys(
  'leaves-out-a-published-secret',
  4,
  'A secret that is published is none: whoever reads it could sign.',
  [set({ ...keys.hs256, kid: 'HS256', alg: 'HS256' }, es256())],
  refuse('kid-unknown'),
  { token: token({ alg: 'HS256' }) },
);
withKeys(
  'takes-the-first-of-two-keys-with-one-kid',
  43,
  'Which of the two is meant nobody knows; the second is left out.',
  [set(es256(), other())],
  accept(),
);
withKeys(
  'leaves-out-the-second-of-two-keys-with-one-kid',
  43,
  'So it signs nothing.',
  [set(es256(), other())],
  refuse('signature-invalid'),
  { token: token({ key: 'es256Other' }) },
);
withKeys(
  'settles-the-alg-of-fetched-keys-by-the-policy',
  7,
  'Microsoft publishes RSA keys without alg.',
  [set(rs256({ alg: undefined }))],
  accept(),
  { policy: fetched({ algorithms: ['RS256'] }), token: token({ alg: 'RS256' }) },
);
asPolicy(
  'refuses-fetched-keys-whose-alg-nobody-settles',
  7,
  'Without that, several would fit.',
  'fetched',
  misuse(''),
  { remoteKeys: [set(rs256({ alg: undefined }))] },
);
withKeys(
  'leaves-out-fetched-keys-outside-the-algorithms',
  7,
  "The issuer's algorithms narrow what is fetched as well.",
  [set(es256(), rs256())],
  refuse('kid-unknown'),
  { policy: fetched({ algorithms: ['RS256'] }) },
);

// Embedded and fetched
const [embedded] = policy(['ES256'], { remote }).issuers;
withKeys(
  'accepts-by-an-embedded-key-before-anything-is-fetched',
  43,
  'Embedded keys need no network.',
  [],
  accept(),
  { policy: { issuers: [embedded] } },
);
withKeys(
  'accepts-by-a-fetched-key-beside-embedded-ones',
  43,
  'What is fetched is taken besides.',
  [set(rs256())],
  accept(),
  { policy: { issuers: [embedded] }, token: token({ alg: 'RS256' }) },
);
withKeys(
  'keeps-an-embedded-key-that-is-not-published',
  43,
  'What is built in stays.',
  [set(rs256())],
  accept(),
  { policy: { issuers: [embedded] } },
);
withKeys(
  'refuses-a-fetched-key-in-the-name-of-an-embedded-one',
  13,
  'Whoever takes over the key set cannot replace a pinned key.',
  [{ ...set(other()), changed: false }],
  refuse('signature-invalid'),
  { policy: { issuers: [embedded] }, token: token({ key: 'es256Other' }) },
);

// One issuer decides nothing about the tokens of another
const theirs = { issuer: OTHER, audience: AUDIENCE, remote: { jwksUri: `${OTHER}/jwks` } };
const both = { issuers: [...fetched().issuers, theirs] };
const foreign = (...jwks) => ({ issuer: OTHER, jwks: { keys: jwks } });
withKeys(
  'accepts-two-issuers-with-one-kid',
  13,
  'CVE-2026-49998: keys belong to (issuer, kid).',
  [set(es256()), foreign(other())],
  accept(),
  { policy: both },
);
withKeys(
  'refuses-the-other-issuers-key-of-that-kid',
  13,
  'It speaks for the other issuer alone.',
  [set(es256()), foreign(other())],
  refuse('issuer-mismatch', { expected: [OTHER], actual: ISSUER }),
  { policy: both, token: token({ key: 'es256Other' }) },
);
const unnamed = { issuers: [policy(['ES256']).issuers[0], theirs] };
unnamed.issuers[0].jwks = { keys: [es256({ kid: undefined })] };
withKeys(
  'accepts-by-an-unnamed-key-whose-kid-another-issuer-publishes',
  13,
  "A kid that another issuer publishes does not push aside this one's key without a kid.",
  [foreign(other())],
  accept(),
  { policy: unnamed },
);
const many = ['es256Other', 'rsa', 'ed25519', 'es384', 'rsa3072', 'rsa4096', 'es512', 'k256'].map(
  (name, index) => publicJwk(name, { kid: `m${index}`, ...(name.startsWith('rsa') && { alg: 'RS256' }) }),
);
withKeys(
  'accepts-a-token-without-kid-beside-an-issuer-of-many-keys',
  13,
  'Nor do many keys that another issuer publishes crowd it out.',
  [foreign(...many)],
  accept(),
  { policy: unnamed, token: token({ header: without('kid') }) },
);
withKeys(
  'accepts-a-token-without-kid-by-the-only-published-key',
  43,
  'OpenID Connect Core §10.1: a kid is needed where there are several keys.',
  [set(es256(), rs256())],
  accept(),
  { token: token({ header: without('kid') }) },
);
withKeys(
  'refuses-a-token-without-kid-where-several-keys-are-published',
  42,
  'Which of them is meant has to be said.',
  [set(es256(), other({ kid: 'second' }))],
  refuse('kid-required', { limit: 1, candidates: 2 }),
  { token: token({ header: without('kid') }) },
);
asPolicy(
  'refuses-keys-of-an-issuer-without-remote',
  11,
  'Keys are taken where the policy says so and nowhere else.',
  policy(['ES256']),
  misuse('/issuer'),
  { remoteKeys: [set(rs256())] },
);
asPolicy(
  'refuses-keys-of-an-issuer-that-is-not-in-the-policy',
  11,
  'Nor of a stranger.',
  'fetched',
  misuse('/issuer'),
  { remoteKeys: [foreign(es256())] },
);

// Where keys and answers come from
const introspection = { endpoint: `${ISSUER}/introspect`, clientId: 'api' };
for (const [name, value, pointer] of [
  ['plain-http', { jwksUri: 'http://issuer.example/jwks' }, '/jwksUri'],
  ['a-loopback-prefix', { jwksUri: 'http://localhost.issuer.example/jwks' }, '/jwksUri'],
  ['a-user-before-the-host', { jwksUri: 'http://localhost@issuer.example/jwks' }, '/jwksUri'],
  ['a-file', { jwksUri: 'file:///etc/jwks.json' }, '/jwksUri'],
  ['a-relative-url', { jwksUri: '/jwks' }, '/jwksUri'],
  ['a-backslash', { jwksUri: 'https://issuer.example\\@localhost/' }, '/jwksUri'],
  ['neither-url-nor-discovery', {}, ''],
  ['both-url-and-discovery', { ...remote, discovery: 'oidc' }, ''],
  ['another-discovery', { discovery: 'webfinger' }, '/discovery'],
  ['an-unknown-member', { ...remote, followRedirects: true }, '/followRedirects'],
  ['a-shorter-longest-time', { ...remote, minTtlSeconds: 600, maxTtlSeconds: 300 }, '/minTtlSeconds'],
  ['no-time-at-all', { ...remote, minTtlSeconds: 0 }, '/minTtlSeconds'],
  ['a-timeout-as-text', { ...remote, timeoutMs: '3000' }, '/timeoutMs'],
  ['endless-bytes', { ...remote, maxBytes: 1e9 }, '/maxBytes'],
]) {
  asPolicy(
    `refuses-remote-with-${name}`,
    11,
    'Only configured URLs are fetched, over TLS, or on a loopback name.',
    fetched({ remote: value }),
    misuse(`/issuers/0/remote${pointer}`),
  );
}
for (const [name, value] of Object.entries({
  'on-localhost': { jwksUri: 'http://localhost:8080/jwks' },
  'on-127.0.0.1': { jwksUri: 'http://127.0.0.1:8080/jwks' },
  'on-ipv6-loopback': { jwksUri: 'http://[::1]:8080/jwks' },
  'by-oidc': { discovery: 'oidc' },
  'by-oauth': { discovery: 'oauth' },
  'with-all-bounds': {
    ...remote,
    minTtlSeconds: 30,
    maxTtlSeconds: 3600,
    staleSeconds: 0,
    timeoutMs: 100,
    maxBytes: 1024,
  },
})) {
  asPolicy(`accepts-remote-${name}`, 11, 'A near miss.', fetched({ remote: value }), accept());
}
asPolicy(
  'refuses-discovery-of-an-issuer-that-is-no-url',
  11,
  'There is nowhere to look.',
  fetched({ issuer: 'accounts', remote: { discovery: 'oidc' } }),
  misuse('/issuers/0/issuer'),
);
for (const [name, value, pointer] of [
  ['plain-http', { endpoint: 'http://issuer.example/introspect' }, '/endpoint'],
  ['no-endpoint', { endpoint: undefined }, '/endpoint'],
  ['no-client', { clientId: undefined }, '/clientId'],
  ['a-secret', { clientSecret: 'x' }, '/clientSecret'],
  ['another-authentication', { authentication: 'none' }, '/authentication'],
  ['no-concurrency', { concurrency: 0 }, '/concurrency'],
]) {
  asPolicy(
    `refuses-introspection-with-${name}`,
    11,
    'The endpoint is configured, over TLS; its secret is no part of a policy.',
    fetched({ remote: undefined, introspection: { ...introspection, ...value } }),
    misuse(`/issuers/0/introspection${pointer}`),
  );
}
add(
  'refuses-a-jwt-of-an-issuer-with-introspection-alone',
  11,
  'A verifier asks nobody: without keys it accepts nothing.',
  { policy: fetched({ remote: undefined, introspection }), token: token() },
  refuse('kid-unknown'),
);
for (const [name, value, pointer] of [
  ['an-array', [], '/gate'],
  ['text', 'public', '/gate'],
  ['null', null, '/gate'],
]) {
  asPolicy(
    `refuses-a-gate-as-${name}`,
    49,
    'It is an object.',
    { ...fetched(), gate: value },
    misuse(pointer),
  );
}
asPolicy(
  'accepts-a-gate-without-reading-it',
  49,
  'One document for both; a verifier decides about tokens alone.',
  { ...fetched(), gate: { realm: 'api' } },
  accept(),
);
