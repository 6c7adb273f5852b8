// Proof of possession: DPoP (RFC 9449) and tokens bound to a certificate (RFC 8705).
import crypto from 'node:crypto';

import { gated, nonce, proof, request, requests, sha256, thumbprint, URL_HERE } from './gate-parts.mjs';
import { accept, claims, keys, NOW, publicJwk, refuse, token } from './signing.mjs';

const SECRET = Buffer.alloc(32, 7).toString('base64url');
/** A proof names a URL: the policy says which are ours. */
const here = (gate) => gated({ ...gate, origins: ['https://api.example'] });
const { add, file } = requests(
  'Own; RFC 9449, RFC 8705 section 3, RFC 7800, RFC 7638, RFC 3986 section 6.2.',
  {
    default: here({ dpop: {} }),
    es256: here({ dpop: { algorithms: ['ES256'], iatWindowSeconds: 10 } }),
    nonce: here({ dpop: { nonce: true, nonceSeconds: 60 } }),
    plain: here({}),
    cookie: here({ credentials: { cookie: 'session' } }),
    proxied: here({ proxies: { trusted: ['10.0.0.0/8'] } }),
  },
);

export { file };

const jkt = thumbprint('es256Other');
const bound = token({ payload: claims({ cnf: { jkt } }) });
const unbound = token();

const sent = (dpop, more = {}) =>
  request({ token: bound, scheme: 'DPoP', headers: [['DPoP', dpop]], ...more });
const first = { evidence: { replay: 'first' } };
const proven = accept({ fields: { step: 'allowed', binding: 'dpop', cacheable: false } });
const challenge = (error, sentence) => [
  `DPoP realm="api", error="${error}", error_description="${sentence}", algs="ES256 EdDSA RS256"`,
];

// Good proofs
add(
  'gate-dpop-accepts-a-proof',
  55,
  'RFC 9449 section 4.3, all checks.',
  { request: sent(proof({ of: bound })), ...first },
  proven,
);
for (const [alg, key] of [
  ['EdDSA', 'ed25519Other'],
  ['RS256', 'rsaOther'],
]) {
  const own = token({ payload: claims({ cnf: { jkt: thumbprint(key) } }) });
  add(
    `gate-dpop-accepts-a-proof-by-${alg}`,
    55,
    'By our own engines.',
    { request: sent(proof({ alg, key, of: own }), { token: own }), ...first },
    proven,
  );
}
add(
  'gate-dpop-accepts-the-scheme-in-any-case',
  55,
  'RFC 9110 section 11.1.',
  { request: sent(proof({ of: bound }), { scheme: 'dpop' }), ...first },
  proven,
);
for (const [name, htu, url] of [
  ['a-query-in-the-url', URL_HERE, `${URL_HERE}?a=b`],
  ['a-query-in-the-proof', `${URL_HERE}?c=d#e`, URL_HERE],
  ['another-case-of-scheme-and-host', 'HTTPS://API.EXAMPLE/orders/7', URL_HERE],
  ['the-port-spelled-out', 'https://api.example:443/orders/7', URL_HERE],
  ['escapes-spelled-out', 'https://api.example/%6frders/7', URL_HERE],
  ['escapes-in-lower-case', 'https://api.example/a%2fb', 'https://api.example/a%2Fb'],
  ['dot-segments', 'https://api.example/x/../orders/./7', URL_HERE],
  ['an-empty-path', 'https://api.example', 'https://api.example/'],
]) {
  add(
    `gate-dpop-compares-urls-with-${name}`,
    55,
    'RFC 9449 section 4.3 check 9: normalised as RFC 3986 section 6.2 says.',
    { request: sent(proof({ of: bound, claims: { htu } }), { url }), ...first },
    proven,
  );
}
add(
  'gate-dpop-sees-the-url-that-the-client-saw',
  55,
  'Behind a proxy that ends TLS.',
  {
    policy: 'proxied',
    request: sent(proof({ of: bound }), {
      url: URL_HERE.replace('https', 'http'),
      clientAddress: '10.0.0.1',
      headers: [
        ['dpop', proof({ of: bound })],
        ['x-forwarded-proto', 'https'],
      ],
    }),
    ...first,
  },
  proven,
);

// Replay
add(
  'gate-dpop-refuses-a-proof-again',
  55,
  'RFC 9449 section 11.1.',
  { request: sent(proof({ of: bound })), evidence: { replay: 'seen' } },
  refuse('dpop-replayed', {
    status: 401,
    challenges: challenge(
      'invalid_dpop_proof',
      'The DPoP proof was used before. Make a proof for each request.',
    ),
  }),
);
add(
  'gate-dpop-refuses-while-nobody-can-tell',
  53,
  'A store that fails denies, and the client may try again.',
  { request: sent(proof({ of: bound })), evidence: { replay: 'unavailable' } },
  refuse('replay-unavailable', { status: 503, retryAfter: 5, challenges: [] }),
);
const replayKey = (claims_ = {}, method = 'GET', url = URL_HERE) =>
  sha256(`${jkt}\n${method}\n${url}\n${claims_.jti ?? 'proof-1'}`);
const asks = (key, until = NOW + 61) => ({ fields: { step: 'replay', key, until } });
for (const [name, more, of] of [
  ['the-first-time', {}, [{}]],
  ['of-another-spelling', { htu: 'https://API.example:443/orders/%37' }, [{}]],
  ['of-another-jti', { jti: 'proof-2' }, [{ jti: 'proof-2' }]],
]) {
  add(
    `gate-dpop-asks-about-a-proof-${name}`,
    55,
    'The key is a hash over thumbprint, method, normalised URL and jti.',
    { kind: 'gate-step', request: sent(proof({ of: bound, claims: more })) },
    asks(replayKey(...of)),
  );
}
add(
  'gate-dpop-asks-about-a-query-once',
  55,
  'Another query is not another proof.',
  { kind: 'gate-step', request: sent(proof({ of: bound }), { url: `${URL_HERE}?again` }) },
  asks(replayKey()),
);
add(
  'gate-dpop-asks-about-another-method-apart',
  55,
  'It is another request.',
  { kind: 'gate-step', request: sent(proof({ of: bound, claims: { htm: 'PUT' } }), { method: 'PUT' }) },
  asks(replayKey({}, 'PUT')),
);
add(
  'gate-dpop-forgets-when-the-proof-is-over',
  55,
  'The window counts from its iat.',
  { kind: 'gate-step', policy: 'es256', request: sent(proof({ of: bound, claims: { iat: NOW - 3 } })) },
  asks(replayKey(), NOW + 8),
);
add(
  'gate-dpop-asks-last',
  55,
  'A proof is not used up by a request that is refused.',
  { kind: 'gate-step', request: sent(proof({ of: bound })), requirement: { scopes: ['a'] } },
  refuse('scope-insufficient'),
);

// Bad proofs
const invalid = (reason) => refuse('dpop-proof-invalid', { status: 401, stage: 'binding', reason });
for (const [name, dpop, expect] of [
  [
    'another-method',
    proof({ of: bound, claims: { htm: 'POST' } }),
    refuse('dpop-method-mismatch', { status: 401 }),
  ],
  [
    'another-case-of-the-method',
    proof({ of: bound, claims: { htm: 'get' } }),
    refuse('dpop-method-mismatch'),
  ],
  [
    'another-path',
    proof({ of: bound, claims: { htu: 'https://api.example/orders/8' } }),
    refuse('dpop-url-mismatch', { status: 401 }),
  ],
  [
    'a-path-in-another-case',
    proof({ of: bound, claims: { htu: 'https://api.example/Orders/7' } }),
    refuse('dpop-url-mismatch'),
  ],
  [
    'an-escaped-slash',
    proof({ of: bound, claims: { htu: 'https://api.example/orders%2F7' } }),
    refuse('dpop-url-mismatch'),
  ],
  [
    'another-host',
    proof({ of: bound, claims: { htu: 'https://api.example.attacker.example/orders/7' } }),
    refuse('dpop-url-mismatch'),
  ],
  [
    'plain-http',
    proof({ of: bound, claims: { htu: URL_HERE.replace('https', 'http') } }),
    refuse('dpop-url-mismatch'),
  ],
  [
    'another-port',
    proof({ of: bound, claims: { htu: 'https://api.example:8443/orders/7' } }),
    refuse('dpop-url-mismatch'),
  ],
  ['a-relative-url', proof({ of: bound, claims: { htu: '/orders/7' } }), invalid('htu')],
  ['another-token', proof({ of: unbound }), refuse('dpop-token-mismatch', { status: 401 })],
  ['no-token', proof({ of: bound, claims: { ath: undefined } }), invalid('ath')],
  ['no-jti', proof({ of: bound, claims: { jti: undefined } }), invalid('jti')],
  ['an-empty-jti', proof({ of: bound, claims: { jti: '' } }), invalid('jti')],
  ['a-long-jti', proof({ of: bound, claims: { jti: 'j'.repeat(257) } }), invalid('jti')],
  ['no-method', proof({ of: bound, claims: { htm: undefined } }), invalid('htm')],
  ['no-time', proof({ of: bound, claims: { iat: undefined } }), invalid('iat')],
  ['a-text-for-a-time', proof({ of: bound, claims: { iat: String(NOW) } }), invalid('iat')],
  ['a-time-below-zero', proof({ of: bound, claims: { iat: -0.5 } }), invalid('iat')],
  [
    'too-old-a-time',
    proof({ of: bound, claims: { iat: NOW - 61 } }),
    refuse('dpop-time-mismatch', { now: NOW, issuedAt: NOW - 61, window: 60 }),
  ],
  [
    'a-time-to-come',
    proof({ of: bound, claims: { iat: NOW + 6 } }),
    refuse('dpop-time-mismatch', { issuedAt: NOW + 6 }),
  ],
  ['another-kind', proof({ of: bound, header: { typ: 'JWT' } }), invalid('typ')],
  ['its-kind-spelled-out', proof({ of: bound, header: { typ: 'application/dpop+jwt' } }), invalid('typ')],
  ['no-kind', proof({ of: bound, header: { typ: undefined } }), invalid('typ')],
  ['no-key', proof({ of: bound, header: { jwk: undefined } }), invalid('jwk')],
  ['a-private-key', proof({ of: bound, header: { jwk: keys.es256Other } }), invalid('jwk')],
  ['a-secret-for-a-key', proof({ of: bound, header: { jwk: keys.hs256 } }), invalid('jwk')],
  ['a-key-of-another-kind', proof({ of: bound, header: { jwk: publicJwk('ed25519Other') } }), invalid('jwk')],
  ['a-key-by-name', proof({ of: bound, header: { jwk: undefined, kid: 'ES256' } }), invalid('jwk')],
  [
    'a-key-to-be-fetched',
    proof({ of: bound, header: { jwk: undefined, jku: 'https://attacker.example/' } }),
    invalid('jwk'),
  ],
  [
    'a-key-that-did-not-sign',
    proof({ of: bound, header: { jwk: publicJwk('es256') } }),
    invalid('signature-invalid'),
  ],
  ['an-empty-signature', proof({ of: bound, bytes: Buffer.alloc(0) }), invalid('signature-length')],
  ['an-algorithm-that-is-not-taken', proof({ alg: 'ES384', key: 'es384', of: bound }), invalid('alg')],
  ['an-hmac', proof({ alg: 'HS256', key: 'hs256', of: bound, header: { jwk: keys.hs256 } }), invalid('alg')],
  ['alg-none', proof({ of: bound, header: { alg: 'none' } }), invalid('alg-unknown')],
  ['crit', proof({ of: bound, header: { crit: ['x'] } }), invalid('crit-unsupported')],
  ['no-form', 'abc', invalid('segment-count')],
]) {
  add(
    `gate-dpop-refuses-a-proof-with-${name}`,
    55,
    'RFC 9449 section 4.3.',
    { request: sent(dpop), ...first },
    expect,
  );
}
add(
  'gate-dpop-accepts-the-edge-of-its-window',
  55,
  'Sixty seconds by default.',
  { request: sent(proof({ of: bound, claims: { iat: NOW - 60 } })), ...first },
  proven,
);
add(
  'gate-dpop-accepts-a-clock-that-is-fast',
  55,
  'By the leeway.',
  { request: sent(proof({ of: bound, claims: { iat: NOW + 5 } })), ...first },
  proven,
);
add(
  'gate-dpop-narrows-its-algorithms',
  55,
  'The policy takes ES256 alone.',
  { policy: 'es256', request: sent(proof({ alg: 'EdDSA', key: 'ed25519Other', of: bound })), ...first },
  invalid('alg'),
);
add(
  'gate-dpop-narrows-its-window',
  55,
  'Ten seconds there.',
  { policy: 'es256', request: sent(proof({ of: bound, claims: { iat: NOW - 11 } })), ...first },
  refuse('dpop-time-mismatch', { window: 10 }),
);
add(
  'gate-dpop-refuses-another-key-than-the-tokens',
  55,
  'A thief has the token and not its key.',
  { request: sent(proof({ key: 'es256', of: bound })), ...first },
  refuse('dpop-key-mismatch', {
    status: 401,
    challenges: challenge(
      'invalid_token',
      'The DPoP proof is signed by another key than the one the token is bound to. Sign it with that key.',
    ),
  }),
);

// Where and how it comes
const headers = (...pairs) => ({
  request: request({ token: bound, scheme: 'DPoP', headers: pairs }),
  ...first,
});
add(
  'gate-dpop-refuses-no-proof',
  55,
  'The scheme promises one.',
  headers(),
  refuse('dpop-proof-missing', {
    status: 401,
    challenges: challenge(
      'invalid_dpop_proof',
      'The token is bound to a key, and the request has no DPoP header. Send a proof with each request.',
    ),
  }),
);
add(
  'gate-dpop-refuses-two-proofs',
  46,
  'RFC 9449 section 4.3 check 1.',
  headers(['DPoP', proof({ of: bound })], ['dpop', proof({ of: bound })]),
  refuse('dpop-proof-ambiguous', { status: 401 }),
);
add(
  'gate-dpop-refuses-two-joined-proofs',
  46,
  'As runtimes join them.',
  headers(['DPoP', `${proof({ of: bound })}, ${proof({ of: bound })}`]),
  refuse('dpop-proof-ambiguous'),
);
add(
  'gate-dpop-refuses-a-bound-token-as-bearer',
  46,
  'RFC 9449 section 7.1: a stolen token must not be weakened to a bearer token.',
  { request: request({ token: bound }) },
  refuse('dpop-scheme-required', {
    status: 401,
    challenges: challenge(
      'invalid_token',
      'The token is bound to a key and came with the scheme Bearer. Send it with the scheme DPoP and a proof.',
    ),
  }),
);
add(
  'gate-dpop-refuses-a-bound-token-as-bearer-with-its-proof',
  46,
  'Even then.',
  { request: request({ token: bound, headers: [['DPoP', proof({ of: bound })]] }), ...first },
  refuse('dpop-scheme-required'),
);
add(
  'gate-dpop-refuses-a-bound-token-in-a-cookie',
  46,
  'There is no proof to go with it.',
  { policy: 'cookie', request: request({ headers: [['cookie', `session=${bound}`]] }) },
  refuse('dpop-scheme-required'),
);
add(
  'gate-dpop-refuses-an-unbound-token-with-a-proof',
  55,
  'RFC 9449 section 7.1: the scheme is for tokens that are bound.',
  { request: sent(proof({ of: unbound }), { token: unbound }), ...first },
  refuse('binding-required', { status: 401, expected: 'dpop' }),
);
add(
  'gate-dpop-ignores-a-proof-beside-a-bearer-token',
  55,
  'Nobody asked for it.',
  { request: request({ token: unbound, headers: [['DPoP', 'abc']] }) },
  accept({ fields: { binding: null } }),
);
add(
  'gate-dpop-asks-whoever-sent-nothing',
  46,
  'Both schemes, where the policy speaks of proofs (RFC 9449 section 7.1).',
  { request: request() },
  refuse('authorization-missing', {
    challenges: ['Bearer realm="api"', 'DPoP realm="api", algs="ES256 EdDSA RS256"'],
  }),
);
add(
  'gate-dpop-asks-for-a-proof-alone',
  46,
  'Where one is required.',
  { policy: 'plain', request: request(), requirement: { binding: 'dpop' } },
  refuse('authorization-missing', { challenges: ['DPoP realm="api", algs="ES256 EdDSA RS256"'] }),
);
add(
  'gate-dpop-is-required',
  55,
  'A bearer token is not enough there.',
  { request: request({ token: unbound }), requirement: { binding: 'dpop' } },
  refuse('binding-required', { expected: 'dpop', status: 401 }),
);
add(
  'gate-dpop-is-any-binding',
  55,
  'Either will do.',
  { request: sent(proof({ of: bound })), requirement: { binding: 'any' }, ...first },
  proven,
);
add(
  'gate-dpop-needs-no-section',
  55,
  'A token with cnf must always be proven.',
  { policy: 'plain', request: request({ token: bound }) },
  refuse('dpop-scheme-required'),
);

// cnf
for (const [name, cnf, expect] of [
  ['a-string', 'x', refuse('claim-malformed', { claim: 'cnf' })],
  ['null', null, refuse('claim-malformed', { claim: 'cnf' })],
  ['a-number-inside', { jkt: 7 }, refuse('claim-malformed', { claim: 'cnf' })],
  ['nothing-inside', {}, refuse('binding-unsupported', { status: 401 })],
  ['a-kid', { kid: 'a' }, refuse('binding-unsupported')],
  ['a-jwk', { jwk: publicJwk('es256Other') }, refuse('binding-unsupported')],
  ['another-case', { JKT: jkt, X5T: jkt }, refuse('binding-unsupported')],
  ['a-jkt-that-nobody-proves', { jkt, osc: {} }, refuse('dpop-scheme-required')],
  ['a-malformed-one-beside-it', { jkt, 'x5t#S256': [] }, refuse('claim-malformed', { claim: 'cnf' })],
]) {
  const own = token({ payload: claims({ cnf }) });
  add(
    `gate-refuses-cnf-with-${name}`,
    32,
    'RFC 7800 section 3.1: what cannot be checked is not ignored.',
    { request: request({ token: own }) },
    expect,
  );
}

// Nonces
const fresh = nonce(SECRET);
const nonces = (claims_, rest = {}) => ({
  policy: 'nonce',
  nonceSecret: SECRET,
  request: sent(proof({ of: bound, claims: claims_ })),
  ...first,
  ...rest,
});
const required = refuse('dpop-nonce-required', {
  status: 401,
  nonce: fresh,
  challenges: challenge(
    'use_dpop_nonce',
    'The DPoP proof has no current nonce. Make a proof with the nonce of the DPoP-Nonce header.',
  ),
});
add('gate-nonce-is-asked-for', 55, 'RFC 9449 section 8.', nonces({}), required);
add(
  'gate-nonce-is-accepted',
  55,
  'Ours, of the present step.',
  nonces({ nonce: fresh }),
  accept({ fields: { binding: 'dpop' } }),
);
add(
  'gate-nonce-of-the-step-before-is-accepted',
  55,
  'And the next one is told (section 8.2).',
  nonces({ nonce: nonce(SECRET, NOW - 60) }),
  accept({ fields: { nonce: fresh } }),
);
for (const [name, value] of Object.entries({
  'two-steps-old': nonce(SECRET, NOW - 120),
  'of-the-next-step': nonce(SECRET, NOW + 60),
  'of-another-secret': nonce(Buffer.alloc(32, 8).toString('base64url')),
  'cut-short': fresh.slice(0, -1),
  empty: '',
  number: 7,
})) {
  add(`gate-nonce-${name}-is-not-accepted`, 55, 'Not ours, or over.', nonces({ nonce: value }), required);
}

// Certificates
const der = Buffer.from('certificates are only hashed here');
const x5t = sha256(der);
const certified = token({ payload: claims({ cnf: { 'x5t#S256': x5t } }) });
const hex = crypto.createHash('sha256').update(der).digest('hex');
const connection = (certificate, more = {}) => ({
  request: request({ token: certified, certificate }),
  ...more,
});
for (const [name, certificate] of Object.entries({
  thumbprint: x5t,
  hexadecimal: hex,
  'hexadecimal-with-colons': hex.toUpperCase().match(/../g).join(':'),
  pem: `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`,
  'a-byte-sequence': `:${der.toString('base64')}:`,
})) {
  add(
    `gate-mtls-accepts-its-certificate-as-${name}`,
    55,
    'RFC 8705 section 3, as platforms hand it over.',
    connection(certificate),
    accept({ fields: { binding: 'mtls', cacheable: true } }),
  );
}
add(
  'gate-mtls-refuses-no-certificate',
  55,
  'The token is of no use without it.',
  connection(undefined),
  refuse('certificate-missing', { status: 401 }),
);
add(
  'gate-mtls-refuses-another-certificate',
  55,
  'A thief’s.',
  connection(sha256('other')),
  refuse('certificate-mismatch', { status: 401 }),
);
add(
  'gate-mtls-refuses-what-is-no-certificate',
  55,
  'What cannot be read is not there.',
  connection('x'),
  refuse('certificate-missing'),
);
add(
  'gate-mtls-is-required',
  55,
  'A bearer token is not enough there.',
  { request: request({ token: unbound, certificate: x5t }), requirement: { binding: 'mtls' } },
  refuse('binding-required', { expected: 'mtls' }),
);
add(
  'gate-mtls-is-any-binding',
  55,
  'Either will do.',
  connection(x5t, { requirement: { binding: 'any' } }),
  accept(),
);
add(
  'gate-mtls-is-no-dpop',
  55,
  'One is not the other.',
  connection(x5t, { requirement: { binding: 'dpop' } }),
  refuse('binding-required', { expected: 'dpop' }),
);
const twice = token({ payload: claims({ cnf: { jkt, 'x5t#S256': x5t } }) });
add(
  'gate-binding-of-both-kinds-needs-both',
  55,
  'The certificate alone is half.',
  { request: request({ token: twice, certificate: x5t }) },
  refuse('dpop-scheme-required'),
);
add(
  'gate-binding-of-both-kinds-is-accepted-with-both',
  55,
  'Both are there.',
  { request: sent(proof({ of: twice }), { token: twice, certificate: x5t }), ...first },
  proven,
);
