// What issuers do differently, at a gate: keys that are fetched for a token without `iss`, claims
// that are told to an origin, padded tokens in a header of their own, and what is said where there
// is no token.
import { proof, request, requests, thumbprint } from './gate-parts.mjs';
import {
  AUDIENCE,
  accept,
  claims,
  encode,
  ISSUER,
  NOW,
  publicJwk,
  refuse,
  signature,
  token,
} from './signing.mjs';

const OTHER = 'https://other.example';
const jwks = { keys: [publicJwk('es256', { kid: 'ES256', alg: 'ES256' })] };
const remote = (name) => ({ jwksUri: `${name}/jwks` });
const introspection = { endpoint: `${ISSUER}/introspect`, clientId: 'api' };
const issuer = (more, name = ISSUER) => ({ issuer: name, audience: AUDIENCE, ...more });
const told = { sub: 'x-user', jti: 'x-jti', iss: 'x-iss', 'a.b': 'x-ab' };
const gate = (more) => ({ forward: { claims: told }, origins: ['https://api.example'], ...more });
const unnamed = { deviations: ['missing-iss'] };
const { add, file } = requests(
  'Own; RFC 7519 sections 2 and 4.1, RFC 7662 section 2.2, RFC 7800 section 3.1.',
  {
    default: { issuers: [issuer({ jwks })], gate: gate() },
    lenient: {
      issuers: [issuer({ jwks, deviations: ['missing-iss', 'missing-aud', 'numeric-ids', 'null-claims'] })],
      gate: gate(),
    },
    fetched: {
      issuers: [issuer({ remote: remote(ISSUER), ...unnamed }), issuer({ remote: remote(OTHER) }, OTHER)],
      gate: gate(),
    },
    several: {
      issuers: [
        issuer({ remote: remote(ISSUER), ...unnamed }),
        issuer({ remote: remote(OTHER), ...unnamed }, OTHER),
      ],
      gate: gate(),
    },
    strict: { issuers: [issuer({ remote: remote(ISSUER) })], gate: gate() },
    opaque: {
      issuers: [issuer({ introspection, deviations: ['numeric-ids', 'null-claims'] })],
      gate: gate(),
    },
    opaqueStrict: { issuers: [issuer({ introspection })], gate: gate() },
    opaqueNamed: {
      issuers: [issuer({ introspection, deviations: ['missing-iss', 'missing-aud'] })],
      gate: gate(),
    },
    padded: {
      issuers: [issuer({ jwks, deviations: ['base64url-padding'] })],
      gate: gate({ credentials: { header: 'x-amzn-oidc-data' } }),
    },
    paddedFetched: {
      issuers: [issuer({ remote: remote(ISSUER), deviations: ['base64url-padding'] })],
      gate: gate({ credentials: { header: 'x-amzn-oidc-data' } }),
    },
    paddedBearer: { issuers: [issuer({ jwks, deviations: ['base64url-padding'] })], gate: gate() },
    unpadded: { issuers: [issuer({ jwks })], gate: gate({ credentials: { header: 'x-amzn-oidc-data' } }) },
    cookie: { issuers: [issuer({ jwks })], gate: gate({ credentials: { cookie: 'session' } }) },
    both: {
      issuers: [issuer({ jwks })],
      gate: gate({ credentials: { header: 'authorization', cookie: 'session' } }),
    },
  },
);

export { file };

const of = (more, rest = {}) => token({ payload: claims(more), ...rest });
const asked = (policy, own, more = {}) => ({ policy, request: request({ token: own }), ...more });
const step = (id, comment, input, expect) => add(id, 42, comment, { kind: 'gate-step', ...input }, expect);

// What is told to an origin is what was decided by
const headers = (set) =>
  accept({
    fields: {
      step: 'allowed',
      issuer: ISSUER,
      forward: { set, strip: ['x-ab', 'x-iss', 'x-jti', 'x-user', 'authorization', 'dpop'] },
    },
  });
add(
  'gate-forwards-the-normal-form',
  32,
  'A number as its text, the issuer that was found, and nothing for null.',
  asked('lenient', of({ iss: undefined, aud: undefined, sub: 42, jti: null, a: { b: 1 } })),
  headers({ 'x-user': '42', 'x-iss': ISSUER, 'x-ab': '1' }),
);
add(
  'gate-hands-over-the-normal-form',
  32,
  'And so do the claims.',
  asked('lenient', of({ iss: undefined, sub: 42, jti: null })),
  accept({ claims: { iss: ISSUER, sub: '42' }, fields: { step: 'allowed' } }),
);
for (const [id, more, expect] of [
  ['no-iss', { iss: undefined }, refuse('claim-missing', { claim: 'iss', status: 401 })],
  ['no-aud', { aud: undefined }, refuse('claim-missing', { claim: 'aud', status: 401 })],
  ['a-number-for-sub', { sub: 42 }, refuse('claim-malformed', { claim: 'sub', found: 'a number' })],
  ['null-for-jti', { jti: null }, refuse('claim-malformed', { claim: 'jti', found: 'null' })],
]) {
  add(`gate-refuses-${id}-by-default`, 32, 'Unless the policy says so.', asked('default', of(more)), expect);
}

// Keys for a token that names no issuer
const nameless = of({ iss: undefined });
step(
  'gate-keys-are-asked-of-the-only-issuer-whose-tokens-name-none',
  'It is the only one that can have signed it.',
  asked('fetched', nameless),
  { fields: { step: 'keys', issuer: ISSUER, kid: 'ES256' } },
);
step(
  'gate-keys-are-asked-of-that-issuer-for-null',
  'RFC 7519 has no null for an issuer: it names none.',
  asked('fetched', of({ iss: null })),
  { fields: { step: 'keys', issuer: ISSUER, kid: 'ES256' } },
);
add(
  'gate-keys-accept-a-token-that-names-no-issuer',
  25,
  'By the keys of that issuer.',
  asked('fetched', nameless, { remoteKeys: [{ issuer: ISSUER, jwks }] }),
  accept({ fields: { step: 'allowed', issuer: ISSUER } }),
);
add(
  'gate-keys-refuse-such-a-token-by-keys-of-another',
  25,
  'The issuer beside has no tokens without a name.',
  asked('fetched', nameless, {
    kind: 'gate-step',
    remoteKeys: [{ issuer: OTHER, jwks }],
    evidence: { keys: 'unchanged' },
  }),
  refuse('claim-missing', { claim: 'iss' }),
);
for (const [policy, own] of [
  ['several', nameless],
  ['strict', nameless],
  ['fetched', of({ iss: 7 })],
]) {
  add(
    `gate-keys-are-asked-for-no-token-without-a-name-by-${policy}`,
    11,
    'Nothing says whose they would be.',
    asked(policy, own),
    refuse('kid-unknown'),
  );
}

// What an authorization server says
const answered = (more) => ({ introspection: JSON.stringify({ active: true, aud: AUDIENCE, ...more }) });
const opaque = (policy, more) => asked(policy, 'opaque', { evidence: answered(more) });
add(
  'gate-introspection-has-a-normal-form',
  32,
  'What is said of a token is read as its issuer writes it.',
  opaque('opaque', { sub: 42, nbf: null }),
  accept({
    claims: { sub: '42', active: true },
    fields: {
      step: 'allowed',
      forward: {
        set: { 'x-user': '42' },
        strip: ['x-ab', 'x-iss', 'x-jti', 'x-user', 'authorization', 'dpop'],
      },
    },
  }),
);
add(
  'gate-introspection-takes-fractions-of-time',
  34,
  'Exactly.',
  opaque('opaqueStrict', { exp: NOW - 4.5 }),
  accept(),
);
add(
  'gate-introspection-refuses-by-fractions-of-time',
  34,
  'Five seconds of leeway are no more.',
  opaque('opaqueStrict', { exp: NOW - 5.5 }),
  refuse('expired', { expires: NOW - 5 }),
);
for (const [policy, more, claim] of [
  ['opaqueStrict', { sub: 42 }, 'sub'],
  ['opaqueStrict', { nbf: null }, 'nbf'],
  ['opaque', { cnf: null }, 'cnf'],
  ['opaque', { iss: 7 }, 'iss'],
]) {
  add(
    `gate-introspection-refuses-the-type-of-${claim}-by-${policy}`,
    32,
    'Present and malformed.',
    opaque(policy, more),
    refuse('claim-malformed', { claim }),
  );
}
add(
  'gate-introspection-may-name-no-audience',
  36,
  'Where the policy says so.',
  opaque('opaqueNamed', { aud: undefined }),
  accept(),
);
add(
  'gate-introspection-refuses-another-audience',
  36,
  'One that is there is compared.',
  opaque('opaqueNamed', { aud: OTHER }),
  refuse('audience-mismatch'),
);
add(
  'gate-introspection-refuses-no-audience-by-default',
  36,
  'A token that is active may be meant for another API.',
  opaque('opaqueStrict', { aud: undefined }),
  refuse('claim-missing', { claim: 'aud' }),
);

// Padding
const pad = (text) => text.padEnd(Math.ceil(text.length / 4) * 4, '=');
function padded(more = {}, name = 'es256') {
  const input = [{ alg: 'ES256', typ: 'at+jwt', kid: 'ES256' }, claims(more)]
    .map((part) => pad(encode(part)))
    .join('.');
  return `${input}.${pad(encode(signature('ES256', name, input)))}`;
}
const inHeader = (policy, value, more = {}) => ({
  policy,
  request: request({ headers: [['x-amzn-oidc-data', value]] }),
  ...more,
});
/** With padding in the middle: its payload's length is no multiple of three. */
const odd = ['', 'x'].map((more) => padded({ more })).find((text) => /=\.[^.]*$/.test(text));
add(
  'gate-accepts-padding-in-a-header',
  30,
  'As an AWS load balancer sends it.',
  inHeader('padded', odd),
  accept(),
);
add('gate-accepts-no-padding-in-that-header', 30, 'It may be missing.', inHeader('padded', of()), accept());
add('gate-accepts-padding-behind-bearer', 30, 'Wherever the token is.', asked('paddedBearer', odd), accept());
add(
  'gate-refuses-padding-in-a-header-by-default',
  46,
  'No bearer token has it in the middle (RFC 6750 section 2.1).',
  inHeader('unpadded', odd),
  refuse('authorization-malformed'),
);
add(
  'gate-refuses-padding-behind-bearer-by-default',
  46,
  'The same.',
  asked('default', odd),
  refuse('authorization-malformed'),
);
for (const [id, value] of [
  ['two-tokens', `${odd},${odd}`],
  ['a-space', odd.replace('=', '= ')],
  ['padding-in-front', `=${odd}`],
  ['an-empty-segment', odd.replace('.', '.==.')],
]) {
  add(
    `gate-refuses-${id}-where-tokens-are-padded`,
    46,
    'Padding at the end of a segment, and nothing else.',
    inHeader('padded', value),
    refuse(id === 'two-tokens' ? 'authorization-ambiguous' : 'authorization-malformed'),
  );
}
// The header is padded and its segment is the first to be so.
const paddedHeader = (() => {
  const input = [{ alg: 'EdDSA', typ: 'at+jwt', kid: 'EdDSA', x: 'xx' }, claims({ iss: OTHER })];
  const [header, body] = input.map((part, index) => (index === 0 ? pad(encode(part)) : encode(part)));
  if (!header.endsWith('=')) throw new Error('the header is to be padded');
  return `${header}.${body}.${encode(signature('EdDSA', 'ed25519', `${header}.${body}`))}`;
})();
add(
  'gate-introspects-no-padded-token-of-an-issuer-that-does-not-pad',
  30,
  'It is a JWT that is refused, and no opaque token: nobody else is asked to vouch for it.',
  {
    policy: {
      issuers: [
        issuer({ jwks, deviations: ['base64url-padding'] }),
        issuer(
          { jwks: { keys: [publicJwk('ed25519', { kid: 'EdDSA', alg: 'EdDSA' })] }, introspection },
          OTHER,
        ),
      ],
      gate: gate(),
    },
    request: request({ token: paddedHeader }),
  },
  refuse('segment-not-base64url', { segment: 'header', found: 'padding' }),
);
step(
  'gate-keys-are-asked-for-by-a-padded-token',
  'Its issuer and kid are read in spite of the padding.',
  inHeader('paddedFetched', odd),
  { fields: { step: 'keys', issuer: ISSUER, kid: 'ES256' } },
);

// Where there is no token
for (const [policy, expected, message] of [
  ['default', ['Authorization header'], 'The request has no Authorization header.'],
  ['padded', ['x-amzn-oidc-data header'], 'The request has no x-amzn-oidc-data header.'],
  ['cookie', ['cookie "session"'], 'The request has no cookie "session".'],
  [
    'both',
    ['Authorization header', 'cookie "session"'],
    'The request has no Authorization header and no cookie "session".',
  ],
]) {
  add(
    `gate-names-where-no-token-is-by-${policy}`,
    46,
    'What was looked for is named.',
    { policy, request: request() },
    refuse('authorization-missing', { status: 401, expected, message }),
  );
}

// cnf with more in it than is known
const jkt = thumbprint('es256Other');
const first = { evidence: { replay: 'first' } };
for (const [id, more] of Object.entries({
  'what-keycloak-writes': { 'kc-jkt-type': 'dpop' },
  'what-nobody-knows': { osc: {}, jwk: publicJwk('es256') },
  'a-kid': { kid: 'a' },
})) {
  const own = of({ cnf: { jkt, ...more } });
  const sent = (dpop) => request({ token: own, scheme: 'DPoP', headers: [['DPoP', dpop]] });
  add(
    `gate-accepts-cnf-with-${id}`,
    55,
    'RFC 7800 section 3.1: what stands beside a method that is proven is ignored.',
    { policy: 'default', request: sent(proof({ of: own })), ...first },
    accept({ fields: { step: 'allowed', binding: 'dpop' } }),
  );
  add(
    `gate-refuses-cnf-with-${id}-and-another-key`,
    55,
    'The method still has to be proven.',
    { policy: 'default', request: sent(proof({ of: own, key: 'rsaOther', alg: 'RS256' })), ...first },
    refuse('dpop-key-mismatch'),
  );
}

// Fractions of time elsewhere
const bound = of({ cnf: { jkt } });
for (const [iat, expect] of [
  [NOW - 59.5, accept()],
  [NOW - 60.5, refuse('dpop-time-mismatch', { issuedAt: NOW - 61 })],
  [NOW + 4.5, accept()],
  [NOW + 5.5, refuse('dpop-time-mismatch', { issuedAt: NOW + 5 })],
]) {
  add(
    `gate-dpop-${expect.ok ? 'accepts' : 'refuses'}-a-proof-of-${String(iat).replace('.', '-and-')}`,
    34,
    'The window is compared exactly.',
    {
      policy: 'default',
      request: request({
        token: bound,
        scheme: 'DPoP',
        headers: [['DPoP', proof({ of: bound, claims: { iat } })]],
      }),
      ...first,
    },
    expect,
  );
}
for (const [at, expect] of [
  [NOW - 304.5, accept()],
  [NOW - 305, accept()],
  [NOW - 305.5, refuse('authentication-too-old', { authenticatedAt: NOW - 306 })],
  [NOW + 4.5, accept()],
  [NOW + 5.5, refuse('authentication-too-old', { authenticatedAt: NOW + 5 })],
]) {
  add(
    `gate-${expect.ok ? 'accepts' : 'refuses'}-an-authentication-of-${String(at).replace('.', '-and-')}`,
    34,
    'An age of 300 seconds and a leeway of 5, compared exactly.',
    {
      policy: 'default',
      request: request({ token: of({ auth_time: at }) }),
      requirement: { maxAgeSeconds: 300 },
    },
    expect,
  );
}
