// Tokens with two faults: the code is that of the first stage that refuses. bearer, jws, keys,
// signature, claims, policy.
import {
  AUDIENCE,
  accept,
  claims,
  collection,
  encode,
  ISSUER,
  NOW,
  policy,
  refuse,
  token,
} from './signing.mjs';

const { add, file } = collection('Own.', {
  es256: policy(['ES256']),
  tiny: { ...policy(['ES256']), limits: { tokenBytes: 10 } },
});

export { file };

const first = (id, comment, input, expect) => add(`first-${id}`, null, comment, input, expect);
const empty = Buffer.alloc(0);
const zeros = Buffer.alloc(64);
const late = { exp: NOW - 100, aud: 'https://other.example' };

// bearer before jws
const bearer = (value) => ({ kind: 'authorization', token: value });
first(
  'comma-then-scheme',
  'A comma is told before the scheme.',
  bearer('Basic a, Basic b'),
  refuse('authorization-ambiguous'),
);
first(
  'scheme-then-token',
  'The scheme before the token.',
  bearer(`Basic ${token({ header: { alg: 'none' } })}`),
  refuse('authorization-scheme'),
);
first(
  'grammar-then-size',
  'The grammar before the size.',
  bearer(['Bearer ', { repeat: '!', count: 9000 }]),
  refuse('authorization-malformed'),
);

// Inside jws: size, segments, header's encoding, header's JSON, crit, b64, alg
first(
  'size-then-segments',
  'The size before the dots.',
  { policy: 'tiny', token: '...........' },
  refuse('token-too-large', { limit: 10, actual: 11 }),
);
first(
  'segments-then-encoding',
  'The dots before the encoding.',
  { token: '!.!' },
  refuse('segment-count', { actual: 2 }),
);
first(
  'header-encoding-then-payload-encoding',
  'The header before the payload.',
  { token: '!.!.!' },
  refuse('segment-not-base64url', { segment: 'header' }),
);
first(
  'header-size-then-json',
  'The header’s size before its JSON.',
  { token: `${encode(Buffer.alloc(1025, 0x20))}.e30.AA` },
  refuse('header-too-large', { limit: 1024, actual: 1025 }),
);
first(
  'crit-then-b64',
  'crit before b64.',
  { token: token({ header: { crit: ['b64'], b64: false } }) },
  refuse('crit-unsupported'),
);
first(
  'crit-then-alg',
  'crit before alg.',
  { token: token({ header: { crit: [], alg: 'none' } }) },
  refuse('crit-unsupported'),
);
first(
  'b64-then-alg',
  'b64 before alg.',
  { token: token({ header: { b64: false, alg: 'none' } }) },
  refuse('header-member-unsupported', { member: 'b64' }),
);
first(
  'alg-then-kid',
  'alg before the keys.',
  { token: token({ header: { alg: 'none', kid: 'unknown' } }) },
  refuse('alg-unknown'),
);

// jws before keys, keys before signature
first(
  'kid-then-alg-of-key',
  'An unknown kid before anything about its algorithm.',
  { policy: 'es256', token: token({ alg: 'RS256', header: { kid: 'unknown' } }) },
  refuse('kid-unknown'),
);
first(
  'alg-of-key-then-length',
  'The algorithm of the key before the length of the signature.',
  { policy: 'es256', token: token({ alg: 'RS256', header: { kid: 'ES256' }, bytes: empty }) },
  refuse('alg-mismatch', { expected: ['ES256'], actual: 'RS256' }),
);
first(
  'length-then-arithmetic',
  'The length before the arithmetic.',
  { token: token({ bytes: zeros.subarray(1) }) },
  refuse('signature-length', { expected: 64, actual: 63 }),
);

// signature before claims: nothing of the payload is looked at before
for (const [name, payload] of Object.entries({
  'no-json': 'not json',
  duplicates: '{"iss":1,"iss":2}',
  'too-deep': `${'['.repeat(500)}`,
  'no-claims': '{}',
  'expired-claims': claims(late),
  'no-utf8': Buffer.from([0xff, 0xfe]),
  nothing: '',
})) {
  first(
    `signature-then-payload-with-${name}`,
    'A forged token is refused for its signature, whatever its payload.',
    { token: token({ payload, bytes: Buffer.alloc(64, 1) }) },
    refuse('signature-invalid', { stage: 'signature' }),
  );
}

// claims before policy
first(
  'json-then-claims',
  'The JSON before the claims in it.',
  { token: token({ payload: `{"iss":1,"exp":1,"exp":1}` }) },
  refuse('json-duplicate-member', { part: 'payload' }),
);
first(
  'claims-then-typ',
  'A malformed claim before the kind.',
  { token: token({ header: { typ: 'JWT' }, payload: claims({ exp: 'soon' }) }) },
  refuse('claim-malformed', { claim: 'exp' }),
);
first(
  'missing-claim-then-typ',
  'A missing claim before the kind.',
  { token: token({ header: { typ: 'JWT' }, payload: claims({ aud: undefined }) }) },
  refuse('claim-missing', { claim: 'aud' }),
);
first(
  'malformed-sub-then-issuer',
  'A malformed claim that no policy asks for, before the issuer.',
  { token: token({ payload: claims({ sub: 1, iss: 'https://other.example' }) }) },
  refuse('claim-malformed', { claim: 'sub' }),
);
first(
  'malformed-iat-then-expiry',
  'And before the time.',
  { token: token({ payload: claims({ iat: 'x', exp: NOW - 100 }) }) },
  refuse('claim-malformed', { claim: 'iat' }),
);

// Inside policy: typ, iss, aud, then exp, nbf, iat
first(
  'typ-then-aud',
  'The kind before the audience.',
  { token: token({ header: { typ: 'JWT' }, payload: claims({ aud: 'x' }) }) },
  refuse('type-mismatch', { actual: 'JWT' }),
);
first(
  'typ-then-expiry',
  'The kind before the time.',
  { token: token({ header: { typ: 'JWT' }, payload: claims({ exp: 1 }) }) },
  refuse('type-mismatch'),
);
first(
  'iss-then-aud',
  'The issuer before the audience.',
  { token: token({ payload: claims({ iss: 'x', aud: 'x' }) }) },
  refuse('issuer-mismatch', { expected: [ISSUER], actual: 'x' }),
);
first(
  'iss-then-expiry',
  'The issuer before the time.',
  { token: token({ payload: claims({ iss: 'x', exp: 1 }) }) },
  refuse('issuer-mismatch'),
);
first(
  'aud-then-expiry',
  'The audience before the time.',
  { token: token({ payload: claims(late) }) },
  refuse('audience-mismatch', { expected: [AUDIENCE], actual: [late.aud] }),
);
first(
  'exp-then-nbf',
  'The expiry before nbf.',
  { token: token({ payload: claims({ exp: NOW - 100, nbf: NOW + 100 }) }) },
  refuse('expired', { now: NOW, expires: NOW - 100 }),
);
first(
  'nbf-then-iat',
  'nbf before iat.',
  { token: token({ payload: claims({ nbf: NOW + 100, iat: NOW + 200 }) }) },
  refuse('not-yet-valid', { notBefore: NOW + 100 }),
);
first(
  'exp-then-iat',
  'The expiry before iat.',
  { token: token({ payload: claims({ exp: NOW - 100, iat: NOW + 200 }) }) },
  refuse('expired', { leeway: 5 }),
);
first(
  'none-of-these',
  'And a token without a fault.',
  { token: token() },
  accept({ claims: { iss: ISSUER, aud: AUDIENCE } }),
);
