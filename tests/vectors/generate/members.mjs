// JWKs: the member at fault by its JSON pointer (RFC 6901), and what a set leaves out.
import crypto from 'node:crypto';
import {
  AUDIENCE,
  accept,
  claims,
  collection,
  encode,
  ISSUER,
  keys,
  misuse,
  publicJwk,
  refuse,
  token,
} from './signing.mjs';

const { add, file } = collection(
  'Own; JWK members after RFC 7517, RFC 7518 section 6 and RFC 8037 section 2.',
);

export { file };

const es256 = publicJwk('es256', { kid: 'ES256' });
const text = (bytes) => Buffer.from(bytes).toString('base64url');
const of = (more) => ({ issuers: [{ issuer: ISSUER, audience: AUDIENCE, ...more }] });
const inSet = (id, klass, comment, jwk, pointer) =>
  add(
    `set-${id}`,
    klass,
    comment,
    { kind: 'policy', policy: of({ jwks: { keys: [es256, jwk] } }) },
    misuse(`/issuers/0/jwks/keys/1${pointer}`),
  );
const single = (id, klass, comment, jwk, pointer, alg = 'ES256') =>
  add(`jwk-${id}`, klass, comment, { kind: 'jws', jwk, token: token({ alg }) }, misuse(pointer));
function both(...all) {
  inSet(...all);
  single(...all);
}

// Private members, each by its name, in a set and alone
const PRIVATE = { es256: ['d'], ed25519: ['d'], rsa: ['d', 'p', 'q', 'dp', 'dq', 'qi'] };
const ALG = { es256: 'ES256', ed25519: 'EdDSA', rsa: 'RS256' };
for (const [name, members] of Object.entries(PRIVATE)) {
  for (const member of members) {
    both(
      `private-${name}-${member}`,
      5,
      'A private key is a mistake wherever a public one is due.',
      publicJwk(name, { alg: ALG[name], [member]: keys[name][member] }),
      `/${member}`,
    );
  }
}
both(
  'private-rsa-oth',
  5,
  'Further primes are private too (RFC 7518 section 6.3.2.7).',
  publicJwk('rsa', { alg: 'RS256', oth: [{ r: 'AQ', d: 'AQ', t: 'AQ' }] }),
  '/oth',
);
both(
  'private-null',
  5,
  'It is the member that counts, whatever its value.',
  { ...es256, kid: 'b', d: null },
  '/d',
);
for (const [name, jwk] of Object.entries({
  es256,
  ed25519: publicJwk('ed25519'),
  rsa: publicJwk('rsa', { alg: 'RS256' }),
})) {
  both(`secret-in-${name}`, 6, 'k belongs to oct alone.', { ...jwk, kid: 'b', k: keys.hs256.k }, '/k');
}
inSet(
  'private-key-for-encryption',
  5,
  'Also in a key that would be left out.',
  { ...keys.x25519, use: 'enc' },
  '/d',
);
inSet('private-key-of-an-unknown-kind', 5, 'And of a kind nobody knows.', { kty: 'NEW', d: 'AA' }, '/d');

// Malformed members of keys that are supported
const flipped = Buffer.from(keys.es256.x, 'base64url');
flipped[0] ^= 1;
const p = Buffer.from('ffffffff00000001000000000000000000000000ffffffffffffffffffffffff', 'hex');
const broken = [
  ['ec-x-off-the-curve', { ...es256, x: text(flipped) }, '/x'],
  ['ec-x-of-p', { ...es256, x: text(p) }, '/x'],
  ['ec-y-of-p', { ...es256, y: text(p) }, '/y'],
  [
    'ec-x-of-33-bytes',
    { ...es256, x: text(Buffer.concat([Buffer.alloc(1), Buffer.from(keys.es256.x, 'base64url')])) },
    '/x',
  ],
  [
    'ec-y-of-33-bytes',
    { ...es256, y: text(Buffer.concat([Buffer.alloc(1), Buffer.from(keys.es256.y, 'base64url')])) },
    '/y',
  ],
  ['ec-x-empty', { ...es256, x: '' }, '/x'],
  ['ec-y-empty', { ...es256, y: '' }, '/y'],
  ['ec-x-missing', { ...es256, x: undefined }, '/x'],
  ['ec-y-missing', { ...es256, y: undefined }, '/y'],
  ['ec-y-null', { ...es256, y: null }, '/y'],
  ['ec-x-of-the-other-alphabet', { ...es256, x: `+/${keys.es256.x.slice(2)}` }, '/x'],
  ['okp-x-of-33-bytes', publicJwk('ed25519', { x: text(Buffer.alloc(33, 1)) }), '/x'],
  ['okp-x-empty', publicJwk('ed25519', { x: '' }), '/x'],
  ['okp-x-missing', publicJwk('ed25519', { x: undefined }), '/x'],
  ['okp-x-padded', publicJwk('ed25519', { x: `${keys.ed25519.x}=` }), '/x'],
  ['rsa-n-missing', publicJwk('rsa', { alg: 'RS256', n: undefined }), '/n'],
  ['rsa-e-missing', publicJwk('rsa', { alg: 'RS256', e: undefined }), '/e'],
  ['rsa-e-as-number', publicJwk('rsa', { alg: 'RS256', e: 65537 }), '/e'],
  ['rsa-n-as-number', publicJwk('rsa', { alg: 'RS256', n: 35 }), '/n'],
  ['rsa-n-of-the-other-alphabet', publicJwk('rsa', { alg: 'RS256', n: `+/${keys.rsa.n.slice(2)}` }), '/n'],
  ['rsa-of-2047-bits', publicJwk('rsa2047', { alg: 'PS256' }), '/n'],
  ['oct-k-missing', { kty: 'oct', alg: 'HS256' }, '/k'],
  ['oct-k-as-array', { kty: 'oct', alg: 'HS256', k: [1, 2] }, '/k'],
  ['oct-k-padded', { kty: 'oct', alg: 'HS256', k: `${keys.hs256.k}=` }, '/k'],
  ['oct-k-of-31-bytes', { kty: 'oct', alg: 'HS256', k: text(Buffer.alloc(31, 9)) }, '/k'],
  ['oct-k-of-47-bytes', { kty: 'oct', alg: 'HS384', k: text(Buffer.alloc(47, 9)) }, '/k'],
  ['oct-k-of-63-bytes', { kty: 'oct', alg: 'HS512', k: text(Buffer.alloc(63, 9)) }, '/k'],
  ['kty-missing', { crv: 'P-256', x: keys.es256.x, y: keys.es256.y }, '/kty'],
  ['kty-as-array', { ...es256, kty: ['EC'] }, '/kty'],
  ['crv-as-number', { ...es256, crv: 256 }, '/crv'],
  ['alg-as-array', { ...es256, alg: ['ES256'] }, '/alg'],
  ['kid-as-number', { ...es256, kid: 1 }, '/kid'],
  ['use-as-array', { ...es256, use: ['sig'] }, '/use'],
  ['key-ops-as-text', { ...es256, key_ops: 'verify' }, '/key_ops'],
  ['alg-of-another-kind', { ...es256, alg: 'EdDSA' }, '/alg'],
  ['alg-of-hmac-on-rsa', publicJwk('rsa', { alg: 'HS256' }), '/alg'],
  ['alg-of-rsa-on-a-secret', { ...keys.hs512, alg: 'RS256' }, '/alg'],
];
for (const [id, jwk, pointer] of broken) {
  const klass = id.startsWith('rsa') ? 21 : id.startsWith('oct') ? 23 : id.startsWith('alg') ? 8 : 5;
  both(id, klass, 'The pointer names the member at fault.', { kid: 'b', ...jwk }, pointer);
}
for (const [name, e] of Object.entries({
  2: 2n,
  3: 3n,
  17: 17n,
  65536: 65536n,
  65539: 65539n,
  '2-to-32-plus-1': 2n ** 32n + 1n,
})) {
  const digits = e.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  both(
    `rsa-e-${name}`,
    21,
    '65537 is the one exponent.',
    publicJwk('rsa', { kid: 'b', alg: 'RS256', e: text(bytes) }),
    '/e',
  );
}
for (const [id, bits] of [
  ['512', 512],
  ['2040', 2040],
  ['4097', 4097],
  ['8192', 8192],
]) {
  const width = Math.ceil(bits / 8);
  const n = Buffer.alloc(width, 0xab);
  n[0] = 0xff >> (8 * width - bits);
  both(
    `rsa-of-${id}-bits`,
    21,
    '2048 to 4096 bits.',
    publicJwk('rsa', { kid: 'b', alg: 'RS256', n: text(n) }),
    '/n',
  );
}

// Kinds that are not supported: left out of a set, refused alone
const foreign = {
  'kty-unknown': [{ kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA' }, '/kty'],
  'kty-in-another-case': [{ ...es256, kty: 'ec' }, '/kty'],
  'crv-p-224': [{ ...es256, crv: 'P-224' }, '/crv'],
  'crv-brainpool': [{ ...es256, crv: 'BP-256' }, '/crv'],
  'crv-p-384-in-another-case': [publicJwk('es384', { crv: 'p-384' }), '/crv'],
  'crv-x25519': [publicJwk('x25519'), '/crv'],
  'crv-in-another-case': [{ ...es256, crv: 'p-256' }, '/crv'],
  'crv-ed25519-on-ec': [publicJwk('ed25519', { kty: 'EC' }), '/crv'],
  'crv-p-256-on-okp': [{ ...es256, kty: 'OKP' }, '/crv'],
  'alg-es256k-in-another-case': [publicJwk('k256', { alg: 'ES256k' }), '/alg'],
  'alg-none': [{ ...es256, alg: 'none' }, '/alg'],
  'alg-in-another-case': [{ ...es256, alg: 'es256' }, '/alg'],
  'alg-rsa-oaep': [publicJwk('rsa', { alg: 'RSA-OAEP' }), '/alg'],
  'use-enc': [{ ...es256, use: 'enc' }, '/use'],
  'use-in-another-case': [{ ...es256, use: 'SIG' }, '/use'],
  'key-ops-of-signing': [{ ...es256, key_ops: ['sign'] }, '/key_ops'],
  'key-ops-of-encryption': [publicJwk('rsa', { alg: 'RS256', key_ops: ['encrypt', 'wrapKey'] }), '/key_ops'],
};
for (const [id, [jwk, pointer]] of Object.entries(foreign)) {
  single(
    `foreign-${id}`,
    8,
    'Alone, a key that is not supported is a mistake.',
    { ...jwk, kid: 'b' },
    pointer,
  );
  add(
    `set-foreign-${id}`,
    8,
    'In a set it is left out (RFC 7517 section 5).',
    { policy: of({ jwks: { keys: [{ ...jwk, kid: 'b' }, es256] } }), token: token() },
    accept(),
  );
  add(
    `set-foreign-${id}-alone`,
    8,
    'And its kid is not known.',
    { policy: of({ jwks: { keys: [{ ...jwk, kid: 'b' }, es256] } }), token: token({ header: { kid: 'b' } }) },
    refuse('kid-unknown'),
  );
  add(
    `set-foreign-${id}-only`,
    3,
    'A set with nothing else has no usable key.',
    { kind: 'policy', policy: of({ jwks: { keys: [{ ...jwk, kid: 'b' }] } }) },
    misuse('/issuers/0/jwks'),
  );
}
add(
  'set-weak-key-for-encryption',
  21,
  'What is left out may be as weak as it likes.',
  { policy: of({ jwks: { keys: [publicJwk('rsa1024', { kid: 'b', use: 'enc' }), es256] } }), token: token() },
  accept(),
);
add(
  'set-key-with-members-of-others',
  10,
  'x5c, x5u and the like say nothing here.',
  {
    policy: of({
      jwks: {
        keys: [
          {
            ...es256,
            x5c: ['MIIB'],
            x5u: 'https://x.example',
            x5t: 'AA',
            ext: true,
            use: 'sig',
            key_ops: ['verify'],
            custom: {},
          },
        ],
      },
    }),
    token: token(),
  },
  accept(),
);
add(
  'set-with-members-beside-keys',
  8,
  'Members of a set that are not known are ignored (RFC 7517 section 5).',
  { policy: of({ jwks: { keys: [es256], uri: 'x' } }), token: token() },
  accept(),
);

// One secret of each length around the block of its hash
for (const [alg, sizes] of [
  ['HS256', [32, 33, 63, 64, 65, 128]],
  ['HS384', [48, 127, 128, 129]],
  ['HS512', [64, 127, 128, 129, 256]],
]) {
  for (const size of sizes) {
    const secret = crypto.createHash('shake256', { outputLength: size }).update(alg).digest();
    const input = `${encode({ alg, typ: 'at+jwt' })}.${encode(claims())}`;
    const tag = crypto
      .createHmac(`sha${alg.slice(2)}`, secret)
      .update(input)
      .digest();
    add(
      `secret-of-${size}-bytes-for-${alg.toLowerCase()}`,
      23,
      'Secrets around the block of their hash, as raw bytes.',
      {
        policy: of({ keys: [{ alg, secret: { base64url: text(secret) } }] }),
        token: `${input}.${encode(tag)}`,
      },
      accept(),
    );
    add(
      `jwk-secret-of-${size}-bytes-for-${alg.toLowerCase()}`,
      23,
      'The same as a JWK.',
      { kind: 'jws', jwk: { kty: 'oct', alg, k: text(secret) }, token: `${input}.${encode(tag)}` },
      accept(),
    );
  }
}
