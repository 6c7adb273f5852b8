// Tokens our keys say nothing of: keys that are fetched (RFC 7517), and servers that are asked
// (RFC 7662).
import { proof, request, requests, thumbprint } from './gate-parts.mjs';
import {
  AUDIENCE,
  accept,
  claims,
  ISSUER,
  misuse,
  NOW,
  policy,
  publicJwk,
  refuse,
  token,
} from './signing.mjs';

const OTHER = 'https://other.example';
const remote = { jwksUri: 'https://issuer.example/jwks' };
const introspection = {
  endpoint: 'https://issuer.example/introspect',
  clientId: 'api',
  authentication: 'client_secret_basic',
};
const issuer = (more) => ({ issuer: ISSUER, audience: AUDIENCE, ...more });
const jwks = { keys: [publicJwk('es256', { kid: 'ES256', alg: 'ES256' })] };

const { add, file } = requests(
  'Own; RFC 7517 section 5, RFC 7662 section 2.2, OpenID Connect Core section 10.1.1.',
  {
    default: { issuers: [issuer({ remote })] },
    both: {
      issuers: [
        issuer({ jwks, remote }),
        { issuer: OTHER, audience: AUDIENCE, remote: { jwksUri: 'https://other.example/jwks' } },
      ],
    },
    embedded: policy(['ES256']),
    opaque: {
      issuers: [issuer({ introspection })],
      gate: { forward: { claims: { sub: 'x-user' } }, origins: ['https://api.example'] },
    },
    mixed: { issuers: [issuer({ jwks, introspection })] },
    client: { issuers: [issuer({ introspection, audienceClaim: 'client_id', audience: 'c' })] },
  },
);

export { file };

// Keys
const own = token();
const stranger = token({ key: 'es256Other', header: { kid: 'new' } });
const published = [{ issuer: ISSUER, jwks }];
const step = (comment, id, klass, input, expect) =>
  add(id, klass, comment, { kind: 'gate-step', ...input }, expect);
const needs = (kid, of = ISSUER) => ({ fields: { step: 'keys', issuer: of, kid } });
step(
  'Nothing has been fetched yet.',
  'gate-keys-are-asked-for',
  42,
  { request: request({ token: own }) },
  needs('ES256'),
);
step(
  'Embedded first, remote on an unknown kid.',
  'gate-keys-are-asked-for-by-an-unknown-kid',
  42,
  { policy: 'both', request: request({ token: stranger }) },
  needs('new'),
);
step(
  'The token names another issuer of the policy, so that one’s keys are due.',
  'gate-keys-are-asked-of-the-issuer-the-token-names',
  42,
  {
    policy: 'both',
    request: request({ token: token({ header: { kid: 'x' }, payload: claims({ iss: OTHER }) }) }),
  },
  needs('x', OTHER),
);
step(
  'Rotation without names.',
  'gate-keys-are-asked-for-without-a-kid',
  42,
  { request: request({ token: token({ header: { kid: undefined } }) }) },
  needs(null),
);
add(
  'gate-keys-that-are-embedded-need-no-others',
  42,
  'Nothing is fetched for them.',
  { policy: 'both', request: request({ token: own }) },
  accept(),
);
add(
  'gate-keys-that-were-fetched-are-used',
  42,
  'Like embedded ones.',
  { request: request({ token: own }), remoteKeys: published },
  accept(),
);
add(
  'gate-keys-that-are-there-have-answered',
  42,
  'A forged signature fetches nothing.',
  { request: request({ token: token({ key: 'es256Other' }) }), remoteKeys: published },
  refuse('signature-invalid', { status: 401 }),
);
add(
  'gate-keys-of-nobody-are-not-asked-for',
  11,
  'An issuer the policy does not name: nothing is fetched (CVE-2026-32301).',
  {
    policy: 'both',
    request: request({
      token: token({ header: { kid: 'x' }, payload: claims({ iss: 'https://attacker.example' }) }),
    }),
  },
  refuse('issuer-unknown', { status: 401 }),
);
add(
  'gate-keys-are-not-asked-for-where-none-are-published',
  42,
  'The policy has them all.',
  { policy: 'embedded', request: request({ token: stranger }) },
  refuse('kid-unknown'),
);
for (const [name, header] of Object.entries({
  'a-jku': { jku: 'https://attacker.example/' },
  'an-x5u': { x5u: 'https://attacker.example/' },
  'a-jwk': { jwk: publicJwk('es256Other') },
})) {
  add(
    `gate-keys-are-not-taken-from-${name}`,
    11,
    'A header names no place.',
    {
      policy: 'embedded',
      request: request({ token: token({ key: 'es256Other', header: { kid: 'x', ...header } }) }),
    },
    refuse('kid-unknown'),
  );
}
const unchanged = { evidence: { keys: 'unchanged' } };
add(
  'gate-keys-that-cannot-be-had-are-nobodys-fault',
  43,
  'Nothing is known of the token: 503, and come again.',
  { request: request({ token: own }), ...unchanged },
  refuse('keys-unavailable', { status: 503, challenges: [] }),
);
add(
  'gate-keys-of-which-nobody-says-when-to-come-again',
  43,
  'Then in half a minute.',
  { kind: 'gate-step', request: request({ token: own }), ...unchanged },
  refuse('keys-unavailable', { status: 503, retryAfter: 30, reason: null }),
);
add(
  'gate-keys-that-cannot-be-had-say-why-and-when-to-come-again',
  43,
  'For whoever runs the gate: what its origin answered. The client is told when.',
  {
    kind: 'gate-step',
    request: request({ token: own }),
    evidence: { keys: 'unchanged', keysFailure: 'bad-document: /keys: is required', keysRetrySeconds: 4 },
  },
  refuse('keys-unavailable', { status: 503, retryAfter: 4, reason: 'bad-document: /keys: is required' }),
);
for (const [seconds, retryAfter] of [
  [0, 1],
  [1, 1],
  [30, 30],
  [31, 30],
]) {
  add(
    `gate-keys-are-tried-again-in-${seconds}-seconds-at-most-30`,
    43,
    'No client is sent away for longer than we wait ourselves.',
    {
      kind: 'gate-step',
      request: request({ token: own }),
      evidence: { keys: 'unchanged', keysFailure: 'timeout', keysRetrySeconds: seconds },
    },
    refuse('keys-unavailable', { status: 503, retryAfter }),
  );
}
add(
  'gate-keys-that-are-the-same-refuse',
  43,
  'The kid is nobody’s.',
  { request: request({ token: stranger }), remoteKeys: published, ...unchanged },
  refuse('kid-unknown', { status: 401 }),
);
add(
  'gate-keys-of-one-issuer-prove-nothing-for-another',
  13,
  'CVE-2026-49998.',
  {
    policy: 'both',
    request: request({ token: token({ payload: claims({ iss: OTHER }) }) }),
    remoteKeys: [
      { issuer: OTHER, jwks: { keys: [publicJwk('es256Other', { kid: 'ES256', alg: 'ES256' })] } },
    ],
  },
  refuse('issuer-mismatch'),
);

// Introspection
const opaque = (more = {}) => ({ policy: 'opaque', request: request({ token: 'opaque-token-1', ...more }) });
const answer = (response, more = {}) => ({
  ...opaque(more),
  evidence: { introspection: typeof response === 'string' ? response : JSON.stringify(response) },
});
const active = (more = {}) => ({
  active: true,
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'user-1',
  exp: NOW + 60,
  ...more,
});
step('It is no JWT.', 'gate-introspection-is-asked-for', 53, opaque(), {
  fields: { step: 'introspect', issuer: ISSUER, token: 'opaque-token-1' },
});
step(
  'A JWT whose issuer has no keys here.',
  'gate-introspection-is-asked-about-a-jwt-without-keys',
  53,
  { policy: 'opaque', request: request({ token: own }) },
  { fields: { step: 'introspect', issuer: ISSUER } },
);
add(
  'gate-introspection-is-not-asked-about-a-jwt-with-keys',
  53,
  'It is judged by them.',
  { policy: 'mixed', request: request({ token: own }) },
  accept({ fields: { source: 'jwt' } }),
);
add(
  'gate-introspection-is-not-asked-about-a-forged-jwt',
  53,
  'Nor is a JWT that does not hold.',
  { policy: 'mixed', request: request({ token: token({ key: 'es256Other' }) }) },
  refuse('signature-invalid'),
);
add(
  'gate-introspection-is-not-asked-about-alg-none',
  1,
  'What says it is a JWT is one.',
  { policy: 'mixed', request: request({ token: token({ header: { alg: 'none' } }) }) },
  refuse('alg-unknown'),
);
add(
  'gate-introspection-that-says-yes',
  53,
  'By the same rules.',
  answer(active()),
  accept({
    claims: { sub: 'user-1' },
    fields: {
      source: 'introspection',
      header: null,
      cacheable: false,
      forward: { set: { 'x-user': 'user-1' }, strip: ['x-user', 'authorization', 'dpop'] },
    },
  }),
);
add(
  'gate-introspection-without-iss-and-exp',
  53,
  'Both are optional there: who answers is known, and it answers about now.',
  answer(active({ iss: undefined, exp: undefined })),
  accept(),
);
add(
  'gate-introspection-that-says-no',
  53,
  'RFC 7662 section 2.2.',
  answer({ active: false }),
  refuse('token-inactive', {
    status: 401,
    stage: 'introspection',
    challenges: [
      'Bearer realm="api", error="invalid_token", error_description="The authorization server reports that the token is not active. Request a new one."',
    ],
  }),
);
for (const [name, response, code, fields] of [
  ['another-audience', active({ aud: 'https://other.example' }), 'audience-mismatch', {}],
  ['no-audience', active({ aud: undefined }), 'claim-missing', { claim: 'aud' }],
  ['another-issuer', active({ iss: OTHER }), 'issuer-mismatch', { expected: [ISSUER] }],
  ['an-expiry-that-is-over', active({ exp: NOW - 6 }), 'expired', {}],
  ['a-beginning-to-come', active({ nbf: NOW + 6 }), 'not-yet-valid', {}],
  ['an-expiry-as-a-string', active({ exp: String(NOW + 60) }), 'claim-malformed', { claim: 'exp' }],
]) {
  add(
    `gate-introspection-with-${name}`,
    36,
    'Active is not enough: the policy’s rules hold.',
    answer(response),
    refuse(code, { status: 401, ...fields }),
  );
}
for (const [name, response] of [
  ['a-string-for-yes', { ...active(), active: 'true' }],
  ['a-number-for-yes', { ...active(), active: 1 }],
  ['no-answer', { sub: 'user-1' }],
  ['an-array', '[true]'],
  ['no-json', 'active'],
  ['two-answers', '{"active":false,"active":true}'],
]) {
  add(
    `gate-introspection-with-${name}`,
    53,
    'What is no answer denies.',
    answer(response),
    refuse('introspection-unavailable', { status: 503, reason: 'malformed', retryAfter: 5 }),
  );
}
add(
  'gate-introspection-by-client',
  53,
  'Where the answer has no aud, another claim can stand for it.',
  { ...answer(active({ aud: undefined, client_id: 'c' })), policy: 'client' },
  accept(),
);
add(
  'gate-introspection-that-is-down',
  53,
  'Deny, 503.',
  { ...opaque(), evidence: { introspectionFailed: 'unavailable' } },
  refuse('introspection-unavailable', { status: 503, reason: 'unavailable', retryAfter: 5, challenges: [] }),
);
add(
  'gate-introspection-that-is-busy',
  53,
  'As many questions as the policy allows are under way.',
  { kind: 'gate-step', ...opaque(), evidence: { introspectionFailed: 'busy' } },
  refuse('introspection-unavailable', { status: 503, reason: 'busy', retryAfter: 1 }),
);
add(
  'gate-introspection-is-held-to-requirements',
  36,
  'Like any token.',
  { ...answer(active({ scope: 'a b' })), requirement: { scopes: ['c'] } },
  refuse('scope-insufficient'),
);
add(
  'gate-introspection-grants-scopes',
  36,
  'As its scope says.',
  { ...answer(active({ scope: 'a c' })), requirement: { scopes: ['c'] } },
  accept(),
);
add(
  'gate-introspection-has-no-kind',
  38,
  'A route that asks for a kind of JWT takes no opaque token.',
  { ...answer(active()), requirement: { types: ['at+jwt'] } },
  refuse('type-mismatch', { actual: null }),
);
add(
  'gate-introspection-of-a-bound-token',
  55,
  'RFC 9449 section 6.2.',
  { ...answer(active({ cnf: { jkt: thumbprint('es256Other') } })) },
  refuse('dpop-scheme-required'),
);
const proven = answer(active({ cnf: { jkt: thumbprint('es256Other') } }), {
  scheme: 'DPoP',
  headers: [['dpop', proof({ of: 'opaque-token-1' })]],
});
add(
  'gate-introspection-of-a-proven-token',
  55,
  'And with its proof.',
  { ...proven, evidence: { ...proven.evidence, replay: 'first' } },
  accept({ fields: { binding: 'dpop', source: 'introspection' } }),
);
add(
  'gate-policy-with-two-introspections',
  49,
  'An opaque token does not say whose it is.',
  {
    policy: { issuers: [issuer({ introspection }), { ...issuer({ introspection }), issuer: OTHER }] },
    request: request(),
  },
  misuse('/issuers'),
);
add(
  'gate-opaque-token-without-introspection',
  28,
  'Three segments, or it is no JWT.',
  { policy: 'embedded', request: request({ token: 'opaque-token-1' }) },
  refuse('segment-count', { status: 401 }),
);
