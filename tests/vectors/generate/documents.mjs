// A policy as a document: the JSON pointer (RFC 6901) of the member at fault, no switch that skips
// anything, and each key in the format it names.
import crypto from 'node:crypto';
import {
  AUDIENCE,
  accept,
  collection,
  ISSUER,
  keys,
  misuse,
  pem,
  policy,
  publicJwk,
  refuse,
  spki,
  token,
} from './signing.mjs';

const { add, file } = collection('Own.');

export { file };

const [issuer] = policy(['ES256']).issuers;
const es256 = publicJwk('es256', { kid: 'ES256' });
const text = (bytes) => Buffer.from(bytes).toString('base64url');
const of = (more) => ({ issuers: [{ issuer: ISSUER, audience: AUDIENCE, ...more }] });

// Pointers are escaped (RFC 6901 section 3), and lead through indices
const at = (id, comment, value, pointer, klass = 49) =>
  add(`pointer-${id}`, klass, comment, { kind: 'policy', policy: value }, misuse(pointer));
const base = { issuers: [issuer] };
at('with-a-slash', 'A slash is ~1.', { ...base, 'a/b': 1 }, '/a~1b');
at('with-a-tilde', 'A tilde is ~0.', { ...base, 'a~b': 1 }, '/a~0b');
at('with-both', 'In this order.', { ...base, '~1/': 1 }, '/~01~1');
at('of-an-empty-name', 'The empty name is a name.', { ...base, '': 1 }, '/');
at(
  'of-the-second-issuer',
  'The index of the issuer.',
  { issuers: [issuer, { ...issuer, issuer: 'b', audience: undefined }] },
  '/issuers/1/audience',
  36,
);
at(
  'of-the-third-key',
  'The index of the key.',
  of({ jwks: { keys: [es256, publicJwk('ed25519'), { ...es256, kid: 'c', x: 'AA' }] } }),
  '/issuers/0/jwks/keys/2/x',
  5,
);
at(
  'of-a-key-beside-a-set',
  'keys and jwks are counted apart.',
  of({
    jwks: { keys: [es256] },
    keys: [
      { alg: 'ES256', pem: pem('es256') },
      { alg: 'ES256', pem: 'x' },
    ],
  }),
  '/issuers/0/keys/1/pem',
  5,
);
at(
  'of-one-kid-in-both',
  'One kid and algorithm in the set and beside it.',
  of({ jwks: { keys: [es256] }, keys: [{ kid: 'ES256', alg: 'ES256', pem: pem('es256Other') }] }),
  '/issuers/0/keys/0/kid',
  13,
);
at(
  'of-one-kid-beside-a-set',
  'The same twice beside it.',
  of({
    keys: [
      { kid: 'a', alg: 'ES256', pem: pem('es256') },
      { kid: 'a', alg: 'ES256', pem: pem('es256Other') },
    ],
  }),
  '/issuers/0/keys/1/kid',
  13,
);
at('of-a-key-as-text', 'A key is an object.', of({ keys: [pem('es256')] }), '/issuers/0/keys/0', 5);
at(
  'of-a-jwk-as-text',
  'And so is a JWK.',
  of({ jwks: { keys: [JSON.stringify(es256)] } }),
  '/issuers/0/jwks/keys/0',
  6,
);
at(
  'of-a-jwk-as-key',
  'A JWK belongs into jwks.',
  of({ keys: [{ alg: 'ES256', jwk: es256 }] }),
  '/issuers/0/keys/0/jwk',
  5,
);
at('of-a-set-as-array', 'A set is an object with keys.', of({ jwks: [es256] }), '/issuers/0/jwks', 5);
at('of-keys-as-object', 'keys is an array.', of({ jwks: { keys: es256 } }), '/issuers/0/jwks/keys', 5);
at('of-limits-as-number', 'limits is an object.', { ...base, limits: 8192 }, '/limits', 33);
at('of-limits-as-null', 'null is no object.', { ...base, limits: null }, '/limits', 33);
at(
  'of-requiredClaims-empty-name',
  'A claim has a name.',
  of({ jwks: { keys: [es256] }, requiredClaims: ['sub', ''] }),
  '/issuers/0/requiredClaims',
  35,
);
at(
  'of-a-second-audience-empty',
  'Each audience is a non-empty string.',
  of({ jwks: { keys: [es256] }, audience: [AUDIENCE, ''] }),
  '/issuers/0/audience',
  36,
);
at(
  'of-an-audience-as-number',
  'And a string.',
  of({ jwks: { keys: [es256] }, audience: 5 }),
  '/issuers/0/audience',
  36,
);
at(
  'of-a-null-audience',
  'null is none.',
  of({ jwks: { keys: [es256] }, audience: null }),
  '/issuers/0/audience',
  36,
);
at(
  'of-a-null-issuer',
  'Nor an issuer.',
  of({ jwks: { keys: [es256] }, issuer: null }),
  '/issuers/0/issuer',
  37,
);

// Skipping (row 49), by further names of other libraries and at every level
for (const name of [
  'verifySignature',
  'skipVerification',
  'ignoreAud',
  'ignoreIss',
  'noVerify',
  'unsafe',
  'debug',
  'dangerouslySkip',
  'allowUnsigned',
  'validate_exp',
  'maxTokenAge',
  'currentDate',
  'currentTimestamp',
  'clockTimestamp',
]) {
  at(
    `no-${name}`,
    'There is nothing that skips a check, or moves the clock, by policy.',
    { ...base, [name]: false },
    `/${name}`,
  );
  at(
    `no-issuer-${name}`,
    'Nor within an issuer.',
    of({ jwks: { keys: [es256] }, [name]: false }),
    `/issuers/0/${name}`,
  );
}
at(
  'no-jwks-uri',
  'Nothing is fetched (row 11).',
  of({ jwks_uri: 'https://issuer.example/jwks.json' }),
  '/issuers/0/jwks_uri',
);
at('no-jwksUri', 'By no name.', of({ jwksUri: 'https://issuer.example/jwks.json' }), '/issuers/0/jwksUri');
at(
  'no-jwks-as-url',
  'A set is not its address.',
  of({ jwks: 'https://issuer.example/jwks.json' }),
  '/issuers/0/jwks',
);

// Formats: one key, each importer handed the format of another
const der = (name) => text(spki(name));
for (const [id, key, member] of [
  [
    'pem-of-a-private-key',
    {
      alg: 'ES256',
      pem: crypto
        .createPrivateKey({ key: keys.es256, format: 'jwk' })
        .export({ format: 'pem', type: 'pkcs8' }),
    },
    'pem',
  ],
  [
    'der-of-a-private-key',
    {
      alg: 'ES256',
      spki: text(
        crypto.createPrivateKey({ key: keys.es256, format: 'jwk' }).export({ format: 'der', type: 'pkcs8' }),
      ),
    },
    'spki',
  ],
  [
    'der-of-pkcs1',
    {
      alg: 'RS256',
      spki: text(
        crypto
          .createPublicKey({ key: publicJwk('rsa'), format: 'jwk' })
          .export({ format: 'der', type: 'pkcs1' }),
      ),
    },
    'spki',
  ],
  ['pem-empty', { alg: 'ES256', pem: '' }, 'pem'],
  ['spki-empty', { alg: 'ES256', spki: '' }, 'spki'],
  ['spki-padded', { alg: 'ES256', spki: spki('es256').toString('base64') }, 'spki'],
  ['spki-as-array', { alg: 'ES256', spki: [...spki('es256')] }, 'spki'],
  ['spki-of-a-small-exponent', { alg: 'RS256', spki: der('rsaSmallExponent') }, 'spki'],
  ['spki-of-p-384', { alg: 'ES256', spki: der('es384') }, 'alg'],
  ['spki-of-p-256-for-es256k', { alg: 'ES256K', spki: der('es256') }, 'alg'],
  ['spki-of-secp256k1-for-es256', { alg: 'ES256', spki: der('k256') }, 'alg'],
  ['spki-of-x25519', { alg: 'EdDSA', spki: der('x25519') }, 'spki'],
  ['spki-of-rsa-for-eddsa', { alg: 'EdDSA', spki: der('rsa') }, 'alg'],
  ['spki-for-hs256', { alg: 'HS256', spki: der('rsa') }, 'alg'],
  ['pem-for-hs256', { alg: 'HS256', pem: pem('rsa') }, 'alg'],
  ['secret-for-rs256', { alg: 'RS256', secret: { base64url: keys.hs512.k } }, 'alg'],
  ['secret-as-object', { alg: 'HS256', secret: { k: keys.hs256.k } }, 'secret/k'],
  ['secret-as-the-jwk-of-a-key', { alg: 'HS256', secret: JSON.stringify(keys.hs256) }, 'secret'],
  ['secret-as-base64', { alg: 'HS256', secret: Buffer.alloc(32, 0xff).toString('base64') }, 'secret'],
  ['kid-as-number', { alg: 'ES256', kid: 1, pem: pem('es256') }, 'kid'],
  ['alg-in-another-case', { alg: 'es256', pem: pem('es256') }, 'alg'],
]) {
  add(
    `key-${id}`,
    id.startsWith('secret') ? 6 : id.includes('hs256') ? 4 : 5,
    'CVE-2026-34950: the format is named by its member, never guessed.',
    { kind: 'policy', policy: of({ keys: [key] }) },
    misuse(`/issuers/0/keys/0/${member}`),
  );
}
add(
  'key-text-of-a-jwk-in-utf8',
  6,
  'CVE-2026-48526: spelled out, the text of a JWK is bytes like others: only its keeper can tell. It works as those bytes and as nothing else.',
  {
    policy: of({ keys: [{ alg: 'HS256', secret: { utf8: JSON.stringify(keys.hs256) } }] }),
    token: token({ alg: 'HS256', header: { kid: undefined } }),
  },
  refuse('signature-invalid'),
);
add(
  'key-named-ed25519',
  8,
  'RFC 9864’s name in a policy.',
  {
    policy: of({ algorithms: ['Ed25519'], keys: [{ alg: 'Ed25519', spki: der('ed25519') }] }),
    token: token({ alg: 'EdDSA' }),
  },
  accept(),
);
add(
  'jwk-named-ed25519',
  8,
  'And in a JWK.',
  { kind: 'jws', jwk: publicJwk('ed25519', { alg: 'Ed25519' }), token: token({ alg: 'EdDSA' }) },
  accept(),
);
