// Every algorithm accepted, and every way of making one pass for another.
import crypto from 'node:crypto';
import {
  ALGS,
  AUDIENCE,
  accept,
  claims,
  collection,
  encode,
  ISSUER,
  KEY_OF,
  keys,
  misuse,
  pem,
  policy,
  publicJwk,
  refuse,
  spki,
  token,
} from './signing.mjs';

const { add, file } = collection(
  'Own, signed with OpenSSL through Node; classes as in the advisories named by each comment.',
  {
    rsaAndSecret: policy(['RS256', 'HS256']),
  },
);

export { file };

for (const alg of ALGS) {
  add(
    `accepts-${alg.toLowerCase()}`,
    18,
    `A valid ${alg} token is accepted.`,
    { token: token({ alg }) },
    accept({ claims: { sub: 'user-1' } }),
  );
  const good = token({ alg });
  const [head, , last] = good.split('.');
  const other = token({ alg, payload: claims({ sub: 'user-2' }) }).split('.')[1];
  add(
    `refuses-${alg.toLowerCase()}-over-another-payload`,
    18,
    'A signature holds for its own payload alone.',
    { token: `${head}.${other}.${last}` },
    refuse('signature-invalid'),
  );
}
add(
  'accepts-ed25519-by-its-fully-specified-name',
  8,
  'RFC 9864 names the same algorithm Ed25519.',
  { token: token({ alg: 'EdDSA', header: { alg: 'Ed25519' } }) },
  accept(),
);

for (const none of ['none', 'None', 'NONE', 'nOnE', 'none ', '']) {
  add(
    `refuses-alg-${JSON.stringify(none)}`,
    1,
    'CVE-2015-2951, CVE-2022-23540: none in any spelling, with an empty signature.',
    { token: token({ header: { alg: none }, bytes: Buffer.alloc(0) }) },
    refuse('alg-unknown', { stage: 'jws' }),
  );
}
add(
  'refuses-none-over-a-valid-signature',
  1,
  'none is refused whatever the signature is.',
  { token: token({ header: { alg: 'none' } }) },
  refuse('alg-unknown'),
);
add(
  'accepts-what-none-imitates',
  1,
  'The same token with its algorithm is accepted.',
  { token: token() },
  accept(),
);
add(
  'refuses-alg-as-array',
  1,
  'alg must be a string.',
  { token: token({ header: { alg: ['none', 'ES256'] } }) },
  refuse('header-member-malformed', { member: 'alg' }),
);
add(
  'refuses-no-alg',
  1,
  'alg must be there (RFC 7515 section 4.1.1).',
  { token: token({ header: { alg: undefined } }) },
  refuse('alg-missing'),
);

const hmac = (secret, header = {}) => {
  const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: 'RS256', ...header })}.${encode(claims())}`;
  return `${input}.${encode(crypto.createHmac('sha256', secret).update(input).digest())}`;
};
const disguises = {
  pem: pem('rsa'),
  'pem-without-newline': pem('rsa').trim(),
  der: spki('rsa'),
  jwk: JSON.stringify(publicJwk('rsa', { kid: 'RS256', alg: 'RS256' })),
  modulus: Buffer.from(keys.rsa.n, 'base64url'),
};
for (const [name, secret] of Object.entries(disguises)) {
  add(
    `refuses-hs256-with-the-rsa-key-as-${name}`,
    4,
    'CVE-2016-10555 and its kin: the public key as an HMAC secret.',
    { policy: 'rsaAndSecret', token: hmac(secret) },
    refuse('alg-mismatch', { expected: ['RS256'], actual: 'HS256' }),
  );
  add(
    `refuses-hs256-with-the-rsa-key-as-${name}-without-kid`,
    4,
    'Without a kid only the real secret is tried.',
    { policy: 'rsaAndSecret', token: hmac(secret, { kid: undefined }) },
    refuse('signature-invalid'),
  );
}
add(
  'accepts-rs256-that-confusion-imitates',
  4,
  'The RSA key still works for what it is for.',
  { policy: 'rsaAndSecret', token: token({ alg: 'RS256' }) },
  accept(),
);
add(
  'accepts-hs256-with-the-secret',
  4,
  'And so does the secret.',
  { policy: 'rsaAndSecret', token: token({ alg: 'HS256' }) },
  accept(),
);
add(
  'refuses-jwk-text-as-a-secret',
  6,
  'CVE-2026-48526: the text of a JWK is not a secret; secrets are bytes in base64url.',
  {
    kind: 'policy',
    policy: {
      issuers: [
        {
          issuer: ISSUER,
          audience: AUDIENCE,
          keys: [{ alg: 'HS256', secret: { base64url: JSON.stringify(publicJwk('rsa')) } }],
        },
      ],
    },
  },
  misuse('/issuers/0/keys/0/secret/base64url'),
);
add(
  'refuses-pem-text-as-a-secret',
  6,
  'Nor is a PEM.',
  {
    kind: 'policy',
    policy: {
      issuers: [
        { issuer: ISSUER, audience: AUDIENCE, keys: [{ alg: 'HS256', secret: { base64: pem('rsa') } }] },
      ],
    },
  },
  misuse('/issuers/0/keys/0/secret/base64'),
);
add(
  'accepts-oct-as-a-secret',
  6,
  'A secret may come as an oct JWK.',
  { kind: 'policy', policy: policy(['HS256']) },
  accept(),
);

// What the header names against what the key is: the whole matrix, and each confusion inside the
// RSA family.
for (const said of ALGS) {
  for (const alg of ['HS256', 'ES256', 'EdDSA', 'RS256', 'PS256']) {
    if (said === alg) continue;
    const lied = token({ alg, header: { alg: said, kid: alg } });
    add(
      `refuses-${said.toLowerCase()}-under-an-${alg.toLowerCase()}-key`,
      8,
      'An algorithm belongs to a key; the header cannot change it.',
      { token: lied },
      refuse('alg-mismatch', { expected: [alg], actual: said }),
    );
  }
}
const wrongKeys = [
  ['ec-with-rs256', publicJwk('es256', { alg: 'RS256' }), 'alg'],
  ['ec-with-eddsa', publicJwk('es256', { alg: 'EdDSA' }), 'alg'],
  ['okp-with-es256', publicJwk('ed25519', { alg: 'ES256' }), 'alg'],
  ['rsa-with-es256', publicJwk('rsa', { alg: 'ES256' }), 'alg'],
  ['rsa-with-hs256', publicJwk('rsa', { alg: 'HS256' }), 'alg'],
  ['oct-with-rs256', { ...keys.hs512, alg: 'RS256' }, 'alg'],
  ['p384-with-es256', publicJwk('es384', { alg: 'ES256' }), 'alg'],
  ['p256-with-es384', publicJwk('es256', { alg: 'ES384' }), 'alg'],
  ['p256-with-es512', publicJwk('es256', { alg: 'ES512' }), 'alg'],
  ['p521-with-es384', publicJwk('es512', { alg: 'ES384' }), 'alg'],
  ['secp256k1-with-es256', publicJwk('k256', { alg: 'ES256' }), 'alg'],
  ['p256-with-es256k', publicJwk('es256', { alg: 'ES256K' }), 'alg'],
  ['p256-named-secp256k1', publicJwk('es256', { crv: 'secp256k1' }), 'x'],
  ['secp256k1-named-p256', publicJwk('k256', { crv: 'P-256' }), 'x'],
  ['p256-named-p384', publicJwk('es256', { crv: 'P-384' }), 'x'],
  ['p384-named-p521', publicJwk('es384', { crv: 'P-521' }), 'x'],
  ['x25519-with-eddsa', publicJwk('x25519', { alg: 'EdDSA' }), 'crv'],
  ['okp-named-ec', { ...publicJwk('ed25519'), kty: 'EC' }, 'crv'],
  ['ec-without-crv', { ...publicJwk('es256'), crv: undefined }, 'crv'],
];
for (const [name, jwk, member] of wrongKeys) {
  add(
    `refuses-jwk-${name}`,
    8,
    'One closed table of kty, crv and alg (CVE-2022-23539, CVE-2022-23541).',
    { kind: 'jws', jwk, token: token() },
    misuse(`/${member}`),
  );
}

// A JWK without alg: settled when it is imported, never by a token.
const bare = (name, more = {}) => ({
  issuers: [
    {
      issuer: ISSUER,
      audience: AUDIENCE,
      jwks: { keys: [publicJwk(name, { kid: KEY_OF.RS256 === name ? 'RS256' : 'ES256' })] },
      ...more,
    },
  ],
});
add(
  'refuses-rsa-jwk-without-alg',
  7,
  'CVE-2026-22817: several algorithms fit, so the policy has to say which.',
  { kind: 'policy', policy: bare('rsa') },
  misuse('/issuers/0/jwks/keys/0/alg'),
);
add(
  'refuses-rsa-jwk-without-alg-among-two',
  7,
  'Two algorithms that fit settle nothing.',
  { kind: 'policy', policy: bare('rsa', { algorithms: ['RS256', 'PS256'] }) },
  misuse('/issuers/0/jwks/keys/0/alg'),
);
add(
  'accepts-rsa-jwk-without-alg-once-settled',
  7,
  'One algorithm in the policy settles it, as for JWKS that carry no alg.',
  { policy: bare('rsa', { algorithms: ['RS256', 'ES256'] }), token: token({ alg: 'RS256' }) },
  accept(),
);
add(
  'refuses-ps256-under-a-key-settled-as-rs256',
  7,
  'The header cannot settle it otherwise.',
  {
    policy: bare('rsa', { algorithms: ['RS256'] }),
    token: token({ alg: 'PS256', header: { kid: 'RS256' } }),
  },
  refuse('alg-mismatch', { expected: ['RS256'], actual: 'PS256' }),
);
add(
  'accepts-ec-jwk-without-alg',
  7,
  'P-256 has one algorithm.',
  { policy: bare('es256'), token: token() },
  accept(),
);
add(
  'refuses-rsa-jws-key-without-alg',
  7,
  'The same for a single key.',
  { kind: 'jws', jwk: publicJwk('rsa'), token: token({ alg: 'RS256' }) },
  misuse('/alg'),
);
