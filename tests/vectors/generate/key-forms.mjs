// Keys as they come: out of environment variables, certificates and other libraries. The same key,
// and a token that it has signed.
import crypto from 'node:crypto';

import {
  AUDIENCE,
  accept,
  collection,
  encode,
  ISSUER,
  KEY_OF,
  keys,
  misuse,
  pem,
  privateKey,
  publicJwk,
  publicKey,
  refuse,
  spki,
  token,
} from './signing.mjs';

const issuer = (more) => ({ issuers: [{ issuer: ISSUER, audience: AUDIENCE, ...more }] });
const one = (...list) => issuer({ keys: list });
const set = (...list) => issuer({ jwks: { keys: list } });
const remote = { jwksUri: `${ISSUER}/jwks.json` };
const { add, file: collected } = collection('Own, keys and DER made by OpenSSL through Node.', {
  fetched: issuer({ remote }),
  fetchedRs256: issuer({ remote, algorithms: ['RS256', 'ES256', 'EdDSA'] }),
});
export const file = { own: true, ...collected };

const NAME = /\W+/g;
const unnamed = (alg) => token({ alg, header: { kid: undefined } });
function taken(id, comment, key, klass = 5) {
  const policy = one(key);
  add(`key-form-${id}`, klass, comment, { policy, token: unnamed(key.alg) }, accept());
  const other = token({ alg: key.alg, key: `${KEY_OF[key.alg]}Other`, header: { kid: undefined } });
  add(
    `key-form-${id}-is-that-key`,
    klass,
    'And no other key.',
    { policy, token: other },
    refuse('signature-invalid'),
  );
}
const refused = (id, comment, key, member, klass = 5) =>
  add(
    `key-form-${id}`,
    klass,
    comment,
    { kind: 'policy', policy: one(key) },
    misuse(`/issuers/0/keys/0/${member}`),
  );

// PEM
const body = (text) => text.trim().split('\n').slice(1, -1).join('\n');
const escaped = (text) => text.replaceAll('\n', '\\n');
const FORMS = {
  'with-escaped-line-breaks': escaped,
  'with-escaped-line-breaks-of-windows': (text) => text.replaceAll('\n', '\\r\\n'),
  'in-double-quotes': (text) => `"${escaped(text)}"`,
  'in-single-quotes': (text) => `'${text}'`,
  'with-line-breaks-of-windows': (text) => text.replaceAll('\n', '\r\n'),
  'with-white-space-around-it': (text) => `  \n${text}\t\n\n`,
  'on-one-line': (text) => text.replaceAll('\n', ' '),
  'without-any-line-break': (text) => text.replaceAll('\n', ''),
  'without-its-lines': body,
  'without-its-lines-and-line-breaks': (text) => body(text).replaceAll('\n', ''),
  'without-its-lines-in-quotes': (text) => `"${escaped(body(text))}\\n"`,
};
for (const alg of ['ES256', 'RS256']) {
  for (const [name, form] of Object.entries(FORMS)) {
    taken(`pem-of-${alg.toLowerCase()}-${name}`, 'As it survives an environment variable.', {
      alg,
      pem: form(pem(KEY_OF[alg])),
    });
  }
}
const pkcs1 = publicKey('rsa').export({ format: 'pem', type: 'pkcs1' });
taken('pem-of-pkcs1', 'RSA PUBLIC KEY (RFC 8017 appendix A.1.1).', { alg: 'RS256', pem: pkcs1 });
taken('pem-of-pkcs1-escaped', 'The same out of a variable.', { alg: 'PS256', pem: escaped(pkcs1) });
taken('pem-of-pkcs1-without-its-lines', 'The same without its lines.', { alg: 'RS256', pem: body(pkcs1) });
for (const [id, text] of Object.entries({
  'a-private-key': privateKey('es256').export({ format: 'pem', type: 'pkcs8' }),
  'a-private-key-of-sec1': privateKey('es256').export({ format: 'pem', type: 'sec1' }),
  'a-private-key-of-pkcs1': privateKey('rsa').export({ format: 'pem', type: 'pkcs1' }),
  'a-private-key-without-its-lines': body(privateKey('rsa').export({ format: 'pem', type: 'pkcs8' })),
  'a-private-key-labelled-public': `-----BEGIN PUBLIC KEY-----\n${body(privateKey('es256').export({ format: 'pem', type: 'pkcs8' }))}\n-----END PUBLIC KEY-----`,
  'an-encrypted-private-key':
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----',
  'a-key-of-openssh': 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA a@b',
  'two-keys': pem('es256') + pem('es256Other'),
  'pkcs1-labelled-otherwise': pkcs1.replaceAll('RSA PUBLIC', 'PUBLIC'),
  'another-label': pem('es256').replaceAll('PUBLIC KEY', 'EC PUBLIC KEY'),
  'two-labels': pem('es256').replace('END PUBLIC', 'END RSA PUBLIC'),
  'text-before-it': `Public key:\n${pem('es256')}`,
  'text-within-it': pem('es256').replace('\n', '\nProc-Type: 4,CLEAR\n'),
  'a-quote-on-one-side': `"${escaped(pem('es256'))}`,
  'a-url': 'https://issuer.example/key.pem',
  'a-digit-too-few': body(pem('es256')).slice(0, -1),
})) {
  refused(
    `pem-of-${id}`,
    'What is not unambiguous is not guessed.',
    { alg: id.includes('rsa') || id.includes('pkcs1') ? 'RS256' : 'ES256', pem: text },
    'pem',
  );
}
refused(
  'pem-for-a-secret',
  'CVE-2016-10555: a public key is never a secret, in whatever form.',
  { alg: 'HS256', pem: body(pem('rsa')) },
  'alg',
  4,
);

// Certificates
function der(tag, ...parts) {
  const content = Buffer.concat(parts);
  const { length } = content;
  const bytes = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...bytes]), content]);
}
const sequence = (...parts) => der(0x30, ...parts);
const ED25519 = sequence(der(0x06, Buffer.from([0x2b, 0x65, 0x70])));
const called = (text) =>
  sequence(der(0x31, sequence(der(0x06, Buffer.from([0x55, 0x04, 0x03])), der(0x0c, Buffer.from(text)))));
/**
 * A certificate of 1999 that a key nobody knows has signed: nothing of it is judged but its form.
 */
function certificate(
  name,
  { version = [der(0xa0, der(0x02, Buffer.from([2])))], extensions = [], key = spki(name) } = {},
) {
  const time = (text) => der(0x17, Buffer.from(text));
  const signed = sequence(
    ...version,
    der(0x02, Buffer.from([7])),
    ED25519,
    called('Nobody'),
    sequence(time('980101000000Z'), time('990101000000Z')),
    called('somebody.example'),
    key,
    ...extensions,
  );
  const signature = crypto.sign(null, signed, privateKey('ed25519Other'));
  return sequence(signed, ED25519, der(0x03, Buffer.from([0]), signature));
}
const asPem = (bytes, label = 'CERTIFICATE') =>
  [
    `-----BEGIN ${label}-----`,
    ...bytes.toString('base64').match(/.{1,64}/g),
    `-----END ${label}-----`,
    '',
  ].join('\n');
const extensions = [
  der(0xa3, sequence(sequence(der(0x06, Buffer.from([0x55, 0x1d, 0x13])), der(0x04, sequence())))),
];
for (const alg of ['ES256', 'RS256', 'EdDSA']) {
  const whole = certificate(KEY_OF[alg], { extensions });
  taken(
    `certificate-of-${alg.toLowerCase()}`,
    'Its public key is taken; who signed it and when it ended is not judged.',
    { alg, certificate: asPem(whole) },
  );
}
const plain = certificate('es256');
for (const [id, text] of Object.entries({
  'without-its-lines': plain.toString('base64'),
  'as-bytes': encode(plain),
  escaped: `"${escaped(asPem(plain))}"`,
  'of-the-first-version': asPem(certificate('es256', { version: [] })),
})) {
  taken(`certificate-${id.replaceAll(NAME, '-')}`, 'The forms that PEM has.', {
    alg: 'ES256',
    certificate: text,
  });
}
for (const [id, text] of Object.entries({
  'a-public-key': pem('es256'),
  'a-public-key-without-its-lines': body(pem('es256')),
  'a-private-key': privateKey('es256').export({ format: 'pem', type: 'pkcs8' }),
  'a-request': asPem(plain, 'CERTIFICATE REQUEST'),
  'a-chain': asPem(plain) + asPem(plain),
  'a-cut': plain.subarray(0, -1).toString('base64'),
  'a-byte-more': Buffer.concat([plain, Buffer.alloc(1)]).toString('base64'),
  'no-key': asPem(certificate('es256', { key: Buffer.alloc(0) })),
  'another-order': asPem(sequence(ED25519, plain, der(0x03, Buffer.alloc(65)))),
  nothing: 'AAAA',
})) {
  refused(
    `certificate-of-${id}`,
    'A certificate and nothing else.',
    { alg: 'ES256', certificate: text },
    'certificate',
  );
}
refused('certificate-as-pem', 'The member names the format.', { alg: 'ES256', pem: asPem(plain) }, 'pem');
refused(
  'certificate-of-another-algorithm',
  'The key has one algorithm.',
  { alg: 'RS256', certificate: asPem(plain) },
  'alg',
  8,
);
refused(
  'certificate-of-a-weak-key',
  'A weak key stays one.',
  { alg: 'RS256', certificate: asPem(certificate('rsa1024')) },
  'certificate',
  21,
);
refused(
  'certificate-for-a-secret',
  'No secret either.',
  { alg: 'HS256', certificate: asPem(plain) },
  'alg',
  4,
);
refused(
  'certificate-of-x25519',
  'A key that signs nothing.',
  { alg: 'EdDSA', certificate: asPem(certificate('x25519')) },
  'certificate',
);

// JWKs of a certificate alone
const x5c = (name, more) => ({
  kid: more.alg,
  x5c: [certificate(name, { extensions }).toString('base64')],
  ...more,
});
for (const [alg, kty, crv] of [
  ['ES256', 'EC', 'P-256'],
  ['RS256', 'RSA'],
  ['EdDSA', 'OKP', 'Ed25519'],
]) {
  const jwk = x5c(KEY_OF[alg], { kty, alg, use: 'sig' });
  const forms = { '': set(jwk), '-with-crv': set({ ...jwk, crv }) };
  for (const [id, policy] of Object.entries(forms)) {
    if (id !== '' && crv === undefined) continue;
    add(
      `jwk-of-a-certificate-${alg.toLowerCase()}${id}`,
      10,
      'RFC 7517 section 4.7: a key of the set, which nobody sent with a token.',
      { policy, token: token({ alg }) },
      accept(),
    );
  }
  add(
    `jwk-of-a-certificate-${alg.toLowerCase()}-is-that-key`,
    10,
    'And no other.',
    { policy: set(jwk), token: token({ alg, key: `${KEY_OF[alg]}Other` }) },
    refuse('signature-invalid'),
  );
}
add(
  'jwk-of-a-certificate-by-the-issuers-algorithms',
  7,
  'The curve or the policy settles the algorithm, as it does elsewhere.',
  {
    policy: issuer({ algorithms: ['RS256'], jwks: { keys: [x5c('rsa', { kty: 'RSA', kid: 'RS256' })] } }),
    token: token({ alg: 'RS256' }),
  },
  accept(),
);
add(
  'jwk-with-a-key-beside-a-certificate',
  10,
  'The members of the key are the key; the certificate is not looked at.',
  {
    policy: set({ ...x5c('es256Other', { kty: 'EC', alg: 'ES256' }), ...publicJwk('es256') }),
    token: token(),
  },
  accept(),
);
add(
  'refuses-a-certificate-of-the-token',
  10,
  'CVE-2018-0114: the header of a token brings no key.',
  { token: token({ key: 'es256Other', header: { x5c: [certificate('es256Other').toString('base64')] } }) },
  refuse('signature-invalid'),
);
for (const [id, jwk, pointer] of [
  ['of-another-kty', x5c('rsa', { kty: 'EC', alg: 'ES256' }), '/x5c'],
  ['of-another-crv', x5c('es384', { kty: 'EC', crv: 'P-256', alg: 'ES256' }), '/alg'],
  ['of-another-alg', x5c('es384', { kty: 'EC', alg: 'ES256' }), '/alg'],
  ['that-is-none', { kty: 'EC', kid: 'a', alg: 'ES256', x5c: ['AAAA'] }, '/x5c'],
  ['that-is-a-key', { kty: 'EC', kid: 'a', alg: 'ES256', x5c: [spki('es256').toString('base64')] }, '/x5c'],
  ['in-base64url', { kty: 'RSA', kid: 'a', alg: 'RS256', x5c: [encode(certificate('rsa'))] }, '/x5c'],
  ['of-a-weak-key', x5c('rsa1024', { kty: 'RSA', alg: 'RS256' }), '/n'],
]) {
  add(
    `refuses-a-jwk-with-a-certificate-${id}`,
    8,
    'One closed table.',
    { kind: 'policy', policy: set(jwk) },
    misuse(`/issuers/0/jwks/keys/0${pointer}`),
  );
}
for (const [id, jwk, pointer] of [
  ['an-empty-x5c', { kty: 'RSA', alg: 'RS256', x5c: [] }, '/n'],
  ['an-x5c-of-numbers', { kty: 'EC', alg: 'ES256', x5c: [1] }, '/crv'],
  ['a-private-member-beside-x5c', { ...x5c('es256', { kty: 'EC', alg: 'ES256' }), d: 'AA' }, '/d'],
]) {
  add(
    `refuses-a-jwk-with-${id}`,
    5,
    'No key in it, or too much.',
    { kind: 'policy', policy: set(jwk) },
    misuse(`/issuers/0/jwks/keys/0${pointer}`),
  );
}

// RSA numbers of libraries that write them with a sign
const zeros = (count, name = 'rsa') =>
  Buffer.concat([Buffer.alloc(count), Buffer.from(keys[name].n, 'base64url')]).toString('base64url');
for (const count of [1, 2, 40]) {
  const jwk = publicJwk('rsa', { kid: 'RS256', alg: 'RS256', n: zeros(count) });
  add(
    `accepts-a-modulus-with-${count}-leading-zeros`,
    21,
    'The number is the same (Firebase App Check, Cloud Foundry, Jenkins).',
    { policy: set(jwk), token: token({ alg: 'RS256' }) },
    accept(),
  );
  add(
    `fetches-a-modulus-with-${count}-leading-zeros`,
    21,
    'The same in a published set.',
    {
      policy: 'fetched',
      remoteKeys: [{ issuer: ISSUER, jwks: { keys: [jwk] } }],
      token: token({ alg: 'RS256' }),
    },
    accept(),
  );
}
for (const [id, n] of [
  ['of-zeros', Buffer.alloc(256).toString('base64url')],
  ['that-is-short-behind-its-zeros', zeros(130, 'rsa1024')],
  ['of-2047-bits-behind-a-zero', zeros(1, 'rsa2047')],
]) {
  add(
    `refuses-a-modulus-${id}`,
    21,
    'Zeros are no bits.',
    { kind: 'policy', policy: set(publicJwk('rsa', { alg: 'RS256', n })) },
    misuse('/issuers/0/jwks/keys/0/n'),
  );
}
add(
  'refuses-a-signature-longer-than-its-modulus',
  2,
  'Zeros in front of the modulus make no longer signatures.',
  {
    policy: set(publicJwk('rsa', { kid: 'RS256', alg: 'RS256', n: zeros(1) })),
    token: token({ alg: 'RS256', bytes: Buffer.alloc(257, 1) }),
  },
  refuse('signature-length', { expected: 256, actual: 257 }),
);

// A published set with what is of no use here, beside what is
const unusable = [
  { kty: 'OKP', crv: 'X25519', x: keys.x25519.x, kid: 'x25519', use: 'enc' },
  { kty: 'OKP', crv: 'Ed448', x: 'AA', kid: 'ed448', alg: 'EdDSA' },
  { kty: 'AKP', alg: 'ML-DSA-65', pub: 'AA', kid: 'akp' },
  { kty: 'NEW', kid: 'new' },
  publicJwk('rsa', { kid: 'enc', use: 'enc', alg: 'RSA-OAEP' }),
  publicJwk('rsa1024', { kid: 'weak', alg: 'RS256' }),
  publicJwk('rsa', { kid: 'private', alg: 'RS256', d: 'AA' }),
  { kty: 'RSA', kid: 'no-certificate', alg: 'RS256', x5c: ['AAAA'] },
  { kty: 'EC', crv: 'P-256', kid: 7, x: 'AA', y: 'AA' },
  { ...publicJwk('es256'), kid: 'padded', x: `${keys.es256.x}=` },
  null,
  'key',
];
add(
  'keeps-the-good-keys-of-a-published-set',
  43,
  'Each key that cannot be used is left out by itself.',
  {
    policy: 'fetched',
    remoteKeys: [
      {
        issuer: ISSUER,
        jwks: { keys: [...unusable, publicJwk('es256', { kid: 'ES256', alg: 'ES256' })] },
        changed: true,
      },
    ],
    token: token(),
  },
  accept(),
);
add(
  'refuses-a-published-set-without-a-good-key',
  43,
  'There is nothing to keep, and the keys that were there stay.',
  {
    policy: 'fetched',
    remoteKeys: [
      { issuer: ISSUER, jwks: { keys: [publicJwk('es256', { kid: 'ES256', alg: 'ES256' })] } },
      { issuer: ISSUER, jwks: { keys: unusable }, error: '' },
    ],
    token: token(),
  },
  accept(),
);
const certified = [x5c('rsa', { kty: 'RSA' }), x5c('es256', { kty: 'EC' })].map((jwk, index) => ({
  ...jwk,
  kid: ['RS256', 'ES256'][index],
}));
add(
  'takes-a-published-set-of-certificates',
  43,
  'Keys of x5c alone.',
  {
    policy: 'fetchedRs256',
    remoteKeys: [{ issuer: ISSUER, jwks: { keys: certified } }],
    token: token({ alg: 'RS256' }),
  },
  accept(),
);
add(
  'forgets-the-key-of-a-certificate-that-was-replaced',
  13,
  'Another certificate of another key under the same kid is another key.',
  {
    policy: 'fetched',
    remoteKeys: [
      { issuer: ISSUER, jwks: { keys: [x5c('es256', { kty: 'EC', alg: 'ES256' })] }, changed: true },
      { issuer: ISSUER, jwks: { keys: [x5c('es256', { kty: 'EC', alg: 'ES256' })] }, changed: false },
      { issuer: ISSUER, jwks: { keys: [x5c('es256Other', { kty: 'EC', alg: 'ES256' })] }, changed: true },
    ],
    token: token(),
  },
  refuse('signature-invalid'),
);

// Secrets, their encoding spelled out
const bytes = Buffer.from('ÿ?>~ a secret that has 32 bytes..', 'latin1').subarray(0, 32);
const text = 'a secret of a text: thirty-two bytes or so — more';
const signedBy = (secret) => {
  const input = token({ alg: 'HS256', header: { kid: undefined } })
    .split('.')
    .slice(0, 2)
    .join('.');
  return `${input}.${crypto.createHmac('sha256', secret).update(input).digest('base64url')}`;
};
const spelled = {
  hex: bytes.toString('hex'),
  base64: bytes.toString('base64'),
  base64url: bytes.toString('base64url'),
};
for (const [id, secret, signer] of [
  ['in-utf8', { utf8: text }, Buffer.from(text)],
  ['in-hex', { hex: spelled.hex }, bytes],
  ['in-hex-of-capitals', { hex: spelled.hex.toUpperCase() }, bytes],
  ['in-base64', { base64: spelled.base64 }, bytes],
  ['in-base64-without-padding', { base64: spelled.base64.replaceAll('=', '') }, bytes],
  ['in-base64url', { base64url: spelled.base64url }, bytes],
  ['in-base64url-with-padding', { base64url: `${spelled.base64url}=` }, bytes],
  ['in-utf8-that-looks-like-hex', { utf8: spelled.hex }, Buffer.from(spelled.hex)],
  ['in-utf8-that-looks-like-base64', { utf8: spelled.base64 }, Buffer.from(spelled.base64)],
]) {
  const policy = one({ alg: 'HS256', secret });
  add(
    `accepts-a-secret-${id}`,
    6,
    'The bytes that its spelling says.',
    { policy, token: signedBy(signer) },
    accept(),
  );
  const [other] = [bytes, Buffer.from(text)].filter((candidate) => !candidate.equals(signer));
  add(
    `refuses-another-secret-${id}`,
    6,
    'And no others.',
    { policy, token: signedBy(other) },
    refuse('signature-invalid'),
  );
}
for (const [id, secret, member] of [
  ['as-a-text', spelled.base64url, 'secret'],
  ['as-an-empty-text', '', 'secret'],
  ['as-null', null, 'secret'],
  ['as-an-array', [...bytes], 'secret'],
  ['with-two-spellings', { hex: spelled.hex, base64: spelled.base64 }, 'secret'],
  ['without-a-spelling', {}, 'secret'],
  ['in-latin1', { latin1: text }, 'secret/latin1'],
  ['in-capitals', { HEX: spelled.hex }, 'secret/HEX'],
  ['of-a-number', { utf8: 7 }, 'secret/utf8'],
  ['in-odd-hex', { hex: spelled.hex.slice(1) }, 'secret/hex'],
  ['in-hex-with-0x', { hex: `0x${spelled.hex}` }, 'secret/hex'],
  ['in-base64-of-the-other-alphabet', { base64: spelled.base64url.replace(/^./, '-') }, 'secret/base64'],
  [
    'in-base64url-of-the-other-alphabet',
    { base64url: spelled.base64url.replace(/^./, '+') },
    'secret/base64url',
  ],
  ['in-base64-with-white-space', { base64: `${spelled.base64} ` }, 'secret/base64'],
  ['too-short-in-hex', { hex: spelled.hex.slice(2) }, 'secret'],
  ['too-short-in-utf8', { utf8: text.slice(0, 31) }, 'secret'],
  ['of-zero-bytes', { hex: '00'.repeat(32) }, 'secret'],
]) {
  add(
    `refuses-a-secret-${id}`,
    id.startsWith('too-short') ? 23 : 6,
    'Spelled out, or not taken.',
    { kind: 'policy', policy: one({ alg: 'HS256', secret }) },
    misuse(`/issuers/0/keys/0/${member}`),
  );
}
