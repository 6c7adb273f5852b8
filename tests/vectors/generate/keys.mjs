// Keys: what is weak, private, broken or of the wrong kind is refused when it is imported, at the
// member at fault.
import { AUDIENCE, accept, collection, ISSUER, keys, misuse, publicJwk, token } from './signing.mjs';

const jwks = (...list) => ({ issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: list } }] });
const other = (...list) => ({ issuers: [{ issuer: ISSUER, audience: AUDIENCE, keys: list }] });
const { add, file } = collection('Own, keys made by OpenSSL through Node.');

export { file };

const refused = (id, klass, comment, jwk, pointer) => {
  add(id, klass, comment, { kind: 'policy', policy: jwks(jwk) }, misuse(`/issuers/0/jwks/keys/0${pointer}`));
};

// Secrets
for (const [name, bytes, least] of [
  ['HS256', 31, 32],
  ['HS384', 47, 48],
  ['HS512', 63, 64],
  ['HS256', 0, 32],
  ['HS256', 1, 32],
]) {
  const secret = Buffer.alloc(bytes, 7).toString('base64url');
  refused(
    `refuses-${name.toLowerCase()}-with-${bytes}-bytes`,
    bytes === 0 ? 3 : 23,
    `CVE-2026-44351: a secret has at least ${least} bytes (RFC 7518 section 3.2).`,
    { kty: 'oct', k: secret, alg: name },
    '/k',
  );
}
for (const [name, bytes] of [
  ['HS256', 32],
  ['HS384', 48],
  ['HS512', 64],
]) {
  add(
    `accepts-${name.toLowerCase()}-with-${bytes}-bytes`,
    23,
    'As long as the hash.',
    {
      kind: 'policy',
      policy: jwks({ kty: 'oct', k: Buffer.alloc(bytes, 7).toString('base64url'), alg: name }),
    },
    accept(),
  );
}
refused(
  'refuses-a-secret-of-zeros',
  3,
  'CVE-2019-20933: what an unset variable looks like.',
  { kty: 'oct', k: Buffer.alloc(32).toString('base64url'), alg: 'HS256' },
  '/k',
);
refused('refuses-a-secret-that-is-null', 3, 'No secret.', { kty: 'oct', k: null, alg: 'HS256' }, '/k');
refused('refuses-a-secret-that-is-missing', 3, 'No secret.', { kty: 'oct', alg: 'HS256' }, '/k');
add(
  'refuses-an-empty-raw-secret',
  3,
  'The same as raw bytes.',
  { kind: 'policy', policy: other({ alg: 'HS256', secret: { base64url: '' } }) },
  misuse('/issuers/0/keys/0/secret/base64url'),
);
add(
  'accepts-a-raw-secret',
  3,
  'Raw bytes, long enough.',
  { policy: other({ alg: 'HS256', secret: { base64url: keys.hs256.k } }), token: token({ alg: 'HS256' }) },
  accept(),
);
add(
  'refuses-a-short-raw-secret',
  23,
  'Raw bytes, one too few.',
  {
    kind: 'policy',
    policy: other({ alg: 'HS512', secret: { base64url: Buffer.alloc(63, 7).toString('base64url') } }),
  },
  misuse('/issuers/0/keys/0/secret'),
);

// RSA
refused(
  'refuses-rsa-of-1024-bits',
  21,
  'At least 2048 bits (RFC 7518 section 3.3).',
  publicJwk('rsa1024', { alg: 'RS256' }),
  '/n',
);
refused(
  'refuses-rsa-with-exponent-3',
  21,
  'CVE-2006-4339 needed a small exponent; 65537 is the only one.',
  publicJwk('rsaSmallExponent', { alg: 'RS256' }),
  '/e',
);
refused(
  'refuses-rsa-with-exponent-1',
  21,
  'Every message is its own signature.',
  publicJwk('rsa', { alg: 'RS256', e: 'AQ' }),
  '/e',
);
refused('refuses-rsa-with-exponent-0', 21, 'No exponent.', publicJwk('rsa', { alg: 'RS256', e: '' }), '/e');
refused(
  'refuses-rsa-with-a-padded-exponent',
  21,
  'The shortest form of an integer (RFC 7518 section 2).',
  publicJwk('rsa', { alg: 'RS256', e: 'AAEAAQ' }),
  '/e',
);
const even = Buffer.from(keys.rsa.n, 'base64url');
even[even.length - 1] &= 0xfe;
refused(
  'refuses-an-even-modulus',
  21,
  'No product of two odd primes.',
  publicJwk('rsa', { alg: 'RS256', n: even.toString('base64url') }),
  '/n',
);
refused(
  'refuses-a-modulus-of-4104-bits',
  21,
  'At most 4096 bits: a larger one is for making us compute.',
  publicJwk('rsa', { alg: 'RS256', n: Buffer.alloc(513, 0xab).toString('base64url') }),
  '/n',
);
refused('refuses-an-empty-modulus', 3, 'No modulus.', publicJwk('rsa', { alg: 'RS256', n: '' }), '/n');
for (const name of ['rsa', 'rsa3072']) {
  const policy = jwks(publicJwk(name, { kid: 'RS256', alg: 'RS256' }));
  add(
    `accepts-${name === 'rsa' ? 'rsa-of-2048' : name.replace('rsa', 'rsa-of-')}-bits`,
    21,
    'Within the range.',
    { policy, token: token({ alg: 'RS256', key: name }) },
    accept(),
  );
}

// EC and OKP
const flipped = Buffer.from(keys.es256.y, 'base64url');
flipped[31] ^= 1;
refused(
  'refuses-a-point-off-the-curve',
  3,
  'An invalid point leaks or forges.',
  publicJwk('es256', { y: flipped.toString('base64url') }),
  '/x',
);
refused(
  'refuses-the-point-of-zeros',
  3,
  'The usual encoding of infinity.',
  publicJwk('es256', {
    x: Buffer.alloc(32).toString('base64url'),
    y: Buffer.alloc(32).toString('base64url'),
  }),
  '/x',
);
refused(
  'refuses-a-short-coordinate',
  8,
  'Coordinates have the full length (RFC 7518 section 6.2.1.2).',
  publicJwk('es256', { y: Buffer.alloc(31, 1).toString('base64url') }),
  '/y',
);
refused(
  'refuses-a-padded-coordinate',
  5,
  'base64url without padding.',
  publicJwk('es256', { x: `${keys.es256.x}=` }),
  '/x',
);
refused(
  'refuses-an-ed25519-key-of-31-bytes',
  8,
  'Exactly 32 bytes.',
  publicJwk('ed25519', { x: Buffer.alloc(31, 1).toString('base64url') }),
  '/x',
);

// Private members
for (const [name, member] of [
  ['es256', 'd'],
  ['ed25519', 'd'],
  ['rsa', 'd'],
  ['rsa', 'p'],
  ['rsa', 'qi'],
]) {
  const jwk = publicJwk(name, {
    alg: { es256: 'ES256', ed25519: 'EdDSA', rsa: 'RS256' }[name],
    [member]: keys[name][member],
  });
  refused(
    `refuses-the-private-member-${member}-of-${name}`,
    5,
    'A verifier that is handed a private key has been handed a secret by mistake.',
    jwk,
    `/${member}`,
  );
}
refused(
  'refuses-k-on-a-public-key',
  6,
  'An RSA key with a secret in it: two kinds in one.',
  publicJwk('rsa', { alg: 'RS256', k: keys.hs256.k }),
  '/k',
);
refused(
  'refuses-a-private-key-among-unsupported-ones',
  5,
  'Even where the key would be left out.',
  { ...keys.es384, use: 'enc' },
  '/d',
);
add(
  'refuses-a-private-jws-key',
  5,
  'The same for a single key.',
  { kind: 'jws', jwk: { ...keys.es256 }, token: token() },
  misuse('/d'),
);
