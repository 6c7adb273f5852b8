// The JOSE header: what changes the meaning is refused, what carries a key is never read.
import crypto from 'node:crypto';
import { accept, collection, encode, keys, misuse, policy, publicJwk, refuse, token } from './signing.mjs';

const { add, file } = collection('Own; classes as in the advisories named by each comment.', {
  es256: policy(['ES256']),
});

export { file };

for (const [name, crit] of Object.entries({
  'an-unknown-name': ['x'],
  exp: ['exp'],
  b64: ['b64'],
  empty: [],
  null: null,
  object: {},
  string: 'exp',
  numbers: [1],
  false: false,
})) {
  add(
    `refuses-crit-${name}`,
    9,
    'CVE-2025-59420: no extension is understood, so any crit refuses.',
    { token: token({ header: { crit, exp: 1, x: 1 } }) },
    refuse('crit-unsupported', { stage: 'jws' }),
  );
}
add(
  'accepts-an-unknown-member-without-crit',
  9,
  'Members that are not critical are ignored (RFC 7515 section 4).',
  { token: token({ header: { x: 1, 'https://example.com/y': [] } }) },
  accept(),
);
add(
  'refuses-crit-in-another-case-no-less-than-needed',
  9,
  'Names are case-sensitive: Crit is an unknown member.',
  { token: token({ header: { Crit: ['x'] } }) },
  accept(),
);
for (const b64 of [false, true]) {
  add(
    `refuses-b64-${b64}`,
    9,
    'RFC 7797 without its crit: read two ways, so refused.',
    { token: token({ header: { b64 } }) },
    refuse('header-member-unsupported', { member: 'b64' }),
  );
}

// Keys that arrive with the token
const attacker = publicJwk('es256Other', { kid: 'ES256', alg: 'ES256' });
const forged = (header) => token({ key: 'es256Other', header });
const thumb = crypto.createHash('sha256').update('certificate').digest('base64url');
for (const [name, header] of Object.entries({
  jwk: { jwk: attacker },
  'jwk-without-kid': { jwk: attacker, kid: undefined },
  jku: { jku: 'https://attacker.example/jwks.json' },
  'jku-of-the-issuer': { jku: 'https://issuer.example/jwks.json' },
  x5u: { x5u: 'https://attacker.example/cert.pem' },
  x5c: { x5c: ['MIIB'] },
  x5t: { x5t: thumb, 'x5t#S256': thumb },
})) {
  add(
    `refuses-a-key-from-the-header-${name}`,
    10,
    'CVE-2018-0114, CVE-2026-27962: a key that arrives with the token proves nothing.',
    { policy: 'es256', token: forged(header) },
    refuse('signature-invalid'),
  );
}
add(
  'accepts-a-good-token-with-a-foreign-jwk',
  10,
  'Those members are not read at all, so they do no harm either.',
  { policy: 'es256', token: token({ header: { jwk: attacker, jku: 'https://attacker.example', x5c: [] } }) },
  accept(),
);
add(
  'refuses-a-jwk-with-a-private-part',
  10,
  'Whatever it holds.',
  { policy: 'es256', token: forged({ jwk: keys.es256Other }) },
  refuse('signature-invalid'),
);

// kid
for (const [name, kid] of Object.entries({
  'a-path': '../../../../dev/null',
  sql: "ES256' OR '1'='1",
  newline: 'ES256\r\nX-Injected: 1',
  nul: 'ES256\u0000',
  'another-case': 'es256',
  'a-space': 'ES256 ',
  empty: '',
  'a-url': 'https://attacker.example/key',
  proto: '__proto__',
  constructor: 'constructor',
  toString: 'toString',
})) {
  const klass = ['proto', 'constructor', 'toString'].includes(name) ? 40 : 12;
  add(
    `refuses-kid-${name}`,
    klass,
    'A kid is compared, byte for byte, and used for nothing else.',
    { token: token({ header: { kid } }) },
    refuse('kid-unknown', { stage: 'keys' }),
  );
}
for (const [name, kid] of Object.entries({ object: {}, array: ['ES256'], number: 1, null: null })) {
  add(
    `refuses-kid-as-${name}`,
    12,
    'A kid is a string (RFC 7515 section 4.1.4).',
    { token: token({ header: { kid } }) },
    refuse('header-member-malformed', { member: 'kid' }),
  );
}
add('accepts-a-kid-that-is-known', 12, 'The kid of the key.', { token: token() }, accept());
const odd = (kid) => ({
  issuers: [{ ...policy(['ES256']).issuers[0], jwks: { keys: [publicJwk('es256', { kid })] } }],
});
for (const kid of ['__proto__', 'constructor', 'hasOwnProperty']) {
  add(
    `accepts-a-key-whose-kid-is-${kid}`,
    40,
    'CVE-2024-34273: such a name is a name like another.',
    { policy: odd(kid), token: token({ header: { kid } }) },
    accept(),
  );
}
add(
  'accepts-claims-named-as-prototype-members',
  40,
  'And so in claims.',
  {
    token: token({
      payload: `{"iss":"https://issuer.example","aud":"https://api.example","exp":1700000290,"__proto__":{"sub":"admin"},"constructor":1}`,
    }),
  },
  accept({ claims: { constructor: 1 } }),
);
add(
  'refuses-exp-by-way-of-proto',
  40,
  'A member of __proto__ is no claim.',
  {
    token: token({
      payload: `{"iss":"https://issuer.example","aud":"https://api.example","__proto__":{"exp":1700000290}}`,
    }),
  },
  refuse('claim-missing', { claim: 'exp' }),
);

// No kid: at most four keys are tried
const many = (count) => ({
  issuers: [
    {
      ...policy(['ES256']).issuers[0],
      jwks: {
        keys: Array.from({ length: count }, (_, index) =>
          publicJwk(index === count - 1 ? 'es256' : 'es256Other', { kid: `k${index}` }),
        ),
      },
    },
  ],
});
add(
  'accepts-no-kid-among-four-keys',
  42,
  'The fourth fits.',
  { policy: many(4), token: token({ header: { kid: undefined } }) },
  accept(),
);
add(
  'refuses-no-kid-among-five-keys',
  42,
  'Work is bounded, and an answer does not depend on the order of keys.',
  { policy: many(5), token: token({ header: { kid: undefined } }) },
  refuse('kid-required', { limit: 4, candidates: 5 }),
);
add(
  'accepts-a-kid-among-five-keys',
  42,
  'With a kid the one is tried.',
  { policy: many(5), token: token({ header: { kid: 'k4' } }) },
  accept(),
);
add(
  'refuses-a-random-kid',
  42,
  'An unknown kid costs a comparison.',
  {
    policy: many(5),
    token: token({ header: { kid: encode(crypto.createHash('sha256').update('kid').digest()) } }),
  },
  refuse('kid-unknown'),
);

for (const [name, header, member] of [
  ['typ-as-number', { typ: 1 }, 'typ'],
  ['typ-as-null', { typ: null }, 'typ'],
  ['cty-as-array', { cty: [] }, 'cty'],
]) {
  add(
    `refuses-${name}`,
    32,
    'Present but malformed is refused.',
    { token: token({ header }) },
    refuse('header-member-malformed', { member }),
  );
}

// Nothing in a rejection comes from the token before its signature has held
const canary = 'canary-7d1f';
const leaks = {
  'in-kid': token({ header: { kid: canary } }),
  'in-alg': token({ header: { alg: canary } }),
  'in-typ-of-a-forged-token': forged({ typ: canary }),
  'in-the-claims-of-a-forged-token': token({ key: 'es256Other', payload: { iss: canary, aud: canary } }),
  'in-a-broken-header': token({ header: `{"alg":"ES256","${canary}"` }),
  'in-a-duplicate': token({ header: `{"alg":"ES256","${canary}":1,"${canary}":2}` }),
  'in-a-broken-payload': token({ payload: `{"${canary}"` }),
  'in-a-malformed-claim': token({
    payload: { iss: 'https://issuer.example', aud: 'https://api.example', exp: canary },
  }),
  'in-other-claims': token({
    payload: {
      iss: 'https://issuer.example',
      aud: 'https://api.example',
      exp: 1,
      sub: canary,
      jti: canary,
      [canary]: canary,
    },
  }),
  'in-a-text-that-is-no-token': canary,
};
const codes = [
  'kid-unknown',
  'alg-unknown',
  'signature-invalid',
  'signature-invalid',
  'json-malformed',
  'json-duplicate-member',
  'json-malformed',
  'claim-malformed',
  'expired',
  'segment-count',
];
for (const [index, [name, text]] of Object.entries(leaks).entries()) {
  add(
    `keeps-a-canary-${name}`,
    47,
    'CVE-2022-39304: what is logged of a refusal holds nothing of the token.',
    { canary, token: text },
    refuse(codes[index]),
  );
}
add(
  'keeps-a-canary-in-a-secret',
  47,
  'A policy error does not repeat a secret.',
  {
    kind: 'policy',
    canary: 'Y2FuYXJ5',
    policy: {
      issuers: [{ issuer: 'i', audience: 'a', keys: [{ alg: 'HS256', secret: { base64url: 'Y2FuYXJ5' } }] }],
    },
  },
  misuse('/issuers/0/keys/0/secret'),
);
add(
  'shows-an-authentic-audience',
  47,
  'Once the signature has held, both compared values are shown.',
  {
    token: token({
      payload: { iss: 'https://issuer.example', aud: 'https://other.example', exp: 1700000290 },
    }),
  },
  refuse('audience-mismatch', { expected: ['https://api.example'], actual: ['https://other.example'] }),
);
