// Sets of keys, formats of keys, and whose key it is.
import {
  AUDIENCE,
  accept,
  claims,
  collection,
  ISSUER,
  keys,
  misuse,
  pem,
  publicJwk,
  refuse,
  spki,
  token,
} from './signing.mjs';

const jwks = (...list) => ({ issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: list } }] });
const other = (...list) => ({ issuers: [{ issuer: ISSUER, audience: AUDIENCE, keys: list }] });
const two = {
  issuers: [
    { issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [publicJwk('es256', { kid: 'shared' })] } },
    {
      issuer: 'https://second.example',
      audience: AUDIENCE,
      jwks: { keys: [publicJwk('es256Other', { kid: 'shared' })] },
    },
  ],
};
const sameKey = {
  issuers: [
    { issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [publicJwk('es256', { kid: 'shared' })] } },
    {
      issuer: 'https://second.example',
      audience: AUDIENCE,
      jwks: { keys: [publicJwk('es256', { kid: 'shared' })] },
    },
  ],
};
const { add, file } = collection('Own, keys made by OpenSSL through Node.', { two, sameKey });

export { file };

// Sets: what is not supported is left out, what is broken is said (RFC 7517 section 5)
const useful = publicJwk('es256', { kid: 'ES256' });
const noise = [
  publicJwk('es384', { crv: 'P-224' }),
  publicJwk('rsa', { alg: 'RSA-OAEP', use: 'enc' }),
  { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA' },
  publicJwk('x25519'),
  publicJwk('rsa', { alg: 'RS256', key_ops: ['encrypt'] }),
];
add(
  'accepts-a-set-with-keys-of-other-kinds',
  8,
  'Keys that are not supported are left out.',
  { policy: jwks(...noise, useful), token: token() },
  accept(),
);
add(
  'refuses-a-set-with-keys-of-other-kinds-alone',
  3,
  'A set without a usable key trusts nobody, and is a mistake.',
  { kind: 'policy', policy: jwks(...noise) },
  misuse('/issuers/0/jwks'),
);
add(
  'refuses-an-empty-set',
  3,
  'So is an empty one.',
  { kind: 'policy', policy: jwks() },
  misuse('/issuers/0/jwks'),
);
add(
  'refuses-one-kid-for-two-keys',
  13,
  'Two keys of one issuer and algorithm under one kid.',
  { kind: 'policy', policy: jwks(publicJwk('es256', { kid: 'a' }), publicJwk('es256Other', { kid: 'a' })) },
  misuse('/issuers/0/jwks/keys/1/kid'),
);
add(
  'accepts-one-kid-for-two-algorithms',
  13,
  'A kid may name keys of different algorithms (RFC 7517 section 4.5).',
  {
    policy: jwks(publicJwk('es256', { kid: 'a' }), publicJwk('ed25519', { kid: 'a' })),
    token: token({ header: { kid: 'a' } }),
  },
  accept(),
);
add(
  'refuses-use-enc-of-a-jws-key',
  8,
  'A single key must be for signatures.',
  { kind: 'jws', jwk: { ...useful, use: 'enc' }, token: token() },
  misuse('/use'),
);
add(
  'refuses-key-ops-without-verify',
  8,
  'And for verifying.',
  { kind: 'jws', jwk: { ...useful, key_ops: ['sign'] }, token: token() },
  misuse('/key_ops'),
);
add(
  'accepts-key-ops-with-verify',
  8,
  'key_ops may name more.',
  { kind: 'jws', jwk: { ...useful, key_ops: ['sign', 'verify'] }, token: token() },
  accept({ payloadUtf8: JSON.stringify(claims()) }),
);
add(
  'refuses-a-key-without-kty',
  5,
  'kty is required (RFC 7517 section 4.1).',
  { kind: 'jws', jwk: { ...useful, kty: undefined }, token: token() },
  misuse('/kty'),
);
add(
  'refuses-a-coordinate-as-number',
  32,
  'Members have types.',
  { kind: 'jws', jwk: { ...useful, x: 1 }, token: token() },
  misuse('/x'),
);

// Formats: one importer each, none guesses
for (const [alg, name] of [
  ['ES256', 'es256'],
  ['EdDSA', 'ed25519'],
  ['RS256', 'rsa'],
  ['PS512', 'rsa3072'],
]) {
  add(
    `accepts-${alg.toLowerCase()}-from-pem`,
    5,
    'SubjectPublicKeyInfo in PEM.',
    { policy: other({ kid: alg, alg, pem: pem(name) }), token: token({ alg, key: name }) },
    accept(),
  );
  add(
    `accepts-${alg.toLowerCase()}-from-der`,
    5,
    'And in DER.',
    { policy: other({ alg, spki: spki(name).toString('base64url') }), token: token({ alg, key: name }) },
    accept(),
  );
}
const wrongFormats = {
  'der-as-pem': [{ alg: 'ES256', pem: spki('es256').toString('latin1') }, 'pem'],
  'pem-as-der': [{ alg: 'ES256', spki: pem('es256') }, 'spki'],
  'jwk-as-pem': [{ alg: 'ES256', pem: JSON.stringify(useful) }, 'pem'],
  'a-truncated-der': [{ alg: 'ES256', spki: spki('es256').subarray(0, -1).toString('base64url') }, 'spki'],
  'a-der-with-a-tail': [
    { alg: 'ES256', spki: Buffer.concat([spki('es256'), Buffer.from([0])]).toString('base64url') },
    'spki',
  ],
  'rsa-as-es256': [{ alg: 'ES256', pem: pem('rsa') }, 'alg'],
  'p384-as-es256': [{ alg: 'ES256', pem: pem('es384') }, 'alg'],
  'rsa-of-1024-bits': [{ alg: 'RS256', pem: pem('rsa1024') }, 'pem'],
  'a-certificate': [{ alg: 'RS256', pem: pem('rsa').replaceAll('PUBLIC KEY', 'CERTIFICATE') }, 'pem'],
  'none-at-all': [{ alg: 'ES256' }, undefined],
  'two-formats': [{ alg: 'ES256', pem: pem('es256'), spki: spki('es256').toString('base64url') }, undefined],
  'an-unknown-algorithm': [{ alg: 'none', pem: pem('es256') }, 'alg'],
  'no-algorithm': [{ pem: pem('es256') }, 'alg'],
};
for (const [name, [key, member]] of Object.entries(wrongFormats)) {
  add(
    `refuses-a-key-that-is-${name}`,
    5,
    'CVE-2026-34950: the format is named, never guessed.',
    { kind: 'policy', policy: other(key) },
    misuse(`/issuers/0/keys/0${member ? `/${member}` : ''}`),
  );
}

// Two issuers, one kid (CVE-2026-49998)
const by = (iss, key) => token({ key, header: { kid: 'shared' }, payload: claims({ iss }) });
add(
  'accepts-the-first-issuer-of-a-shared-kid',
  13,
  'Keys belong to (issuer, kid).',
  { policy: 'two', token: by(ISSUER, 'es256') },
  accept(),
);
add(
  'accepts-the-second-issuer-of-a-shared-kid',
  13,
  'Each issuer with its own.',
  { policy: 'two', token: by('https://second.example', 'es256Other') },
  accept(),
);
add(
  'refuses-one-issuer-in-the-name-of-another',
  13,
  'A key speaks for its issuer alone.',
  { policy: 'two', token: by(ISSUER, 'es256Other') },
  refuse('issuer-mismatch', { expected: ['https://second.example'], actual: ISSUER }),
);
for (const iss of [ISSUER, 'https://second.example']) {
  add(
    `accepts-one-key-of-two-issuers-for-${new URL(iss).host}`,
    13,
    'Two issuers may publish the same key.',
    { policy: 'sameKey', token: by(iss, 'es256') },
    accept(),
  );
}
add(
  'refuses-a-third-issuer-under-a-shared-key',
  13,
  'It speaks for those two.',
  { policy: 'sameKey', token: by('https://third.example', 'es256') },
  refuse('issuer-mismatch', { expected: [ISSUER, 'https://second.example'] }),
);
// A tenant in the payload that names its own secret
add(
  'refuses-a-tenant-that-picks-its-secret',
  25,
  'Nothing of an unverified payload takes part in the choice of a key.',
  {
    token: token({
      alg: 'HS256',
      key: 'hs384',
      payload: claims({ tenant: 'hs384', kid: 'HS384', key: keys.hs384.k }),
    }),
  },
  refuse('signature-invalid'),
);
add(
  'refuses-an-issuer-that-picks-its-key',
  25,
  'Not even iss: the kid and the algorithm choose, the signature proves, then iss is compared.',
  {
    policy: 'two',
    token: token({ key: 'es256Other', payload: claims({ iss: ISSUER }), header: { kid: 'shared' } }),
  },
  refuse('issuer-mismatch'),
);
add(
  'accepts-a-payload-that-names-a-key',
  25,
  'It is ignored.',
  { token: token({ payload: claims({ kid: 'RS256', jwk: publicJwk('es256Other') }) }) },
  accept(),
);
