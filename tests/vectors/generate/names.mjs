// Names: of algorithms that no key here can have, of kinds of token, of members written almost
// right; and secrets that are none.
import crypto from 'node:crypto';
import {
  ALGS,
  accept,
  claims,
  collection,
  encode,
  KEY_OF,
  keys,
  policy,
  publicJwk,
  refuse,
  spki,
  token,
} from './signing.mjs';

const es256 = policy(['ES256']);
const { add, file } = collection('Own; classes as in the advisories named by each comment.', {
  es256,
  rsa: policy(['RS256', 'PS256', 'HS256']),
  onlyEs256: { issuers: [{ ...policy(['ES256', 'RS256']).issuers[0], algorithms: ['ES256'] }] },
});

export { file };

/** Part of an id: letters and digits as they are, anything else by its number. */
const slug = (text) =>
  text
    .replace(/[^A-Za-z0-9-]/gu, (letter) => `-u${letter.codePointAt(0).toString(16)}-`)
    .replace(/^-|-$/g, '');

// alg: registered elsewhere, deprecated, or nearly a name of ours
const UNKNOWN = [
  'ES256k',
  'ES224',
  'ES521',
  'ES256K ',
  'Ed448',
  'ML-DSA-44',
  'HS1',
  'RS1',
  'HS256/64',
  'RSA-OAEP',
  'dir',
  'A128KW',
  'ECDH-ES',
  'es256',
  'Es256',
  'ES256 ',
  ' ES256',
  'ES256\u0000',
  'ES-256',
  'ED25519',
  'ed25519',
  'eddsa',
  'EDDSA',
  'rs256',
  'hs256',
  'RSA',
  'SHA256',
  'undefined',
  'null',
  '__proto__',
  'toString',
  'ЕS256',
];
for (const alg of UNKNOWN) {
  add(
    `alg-unknown-${slug(alg)}`,
    alg.startsWith('__') || alg === 'toString' ? 40 : 8,
    'Names are compared byte for byte with a closed list.',
    { policy: 'es256', token: token({ header: { alg } }) },
    refuse('alg-unknown', { stage: 'jws' }),
  );
}
for (const [name, alg] of Object.entries({
  null: null,
  number: 256,
  true: true,
  object: { ES256: true },
  array: ['ES256'],
})) {
  add(
    `alg-as-${name}`,
    8,
    'alg is a string (RFC 7515 section 4.1.1).',
    { policy: 'es256', token: token({ header: { alg } }) },
    refuse('header-member-malformed', { member: 'alg', stage: 'jws' }),
  );
}
add(
  'alg-in-another-case-of-its-name',
  8,
  'Alg is an unknown member, so there is no alg.',
  { policy: 'es256', token: token({ header: '{"Alg":"ES256","typ":"at+jwt","kid":"ES256"}' }) },
  refuse('alg-missing'),
);
add(
  'alg-by-escapes',
  8,
  'Escapes in JSON are spelling: the string is the same.',
  { policy: 'es256', token: token({ header: '{"\\u0061lg":"\\u0045S256","typ":"at+jwt","kid":"ES256"}' }) },
  accept(),
);
for (const none of ['none', 'NoNe', 'NONE']) {
  add(
    `alg-${none}-with-three-parts-and-a-tag`,
    1,
    'CVE-2022-23540: none with the tag of a secret that is known.',
    { policy: 'rsa', token: hmacOf({ alg: none, kid: 'HS256' }) },
    refuse('alg-unknown'),
  );
}
function hmacOf(header) {
  const input = `${encode({ typ: 'at+jwt', ...header })}.${encode(claims())}`;
  return `${input}.${encode(crypto.createHmac('sha256', Buffer.from(keys.hs256.k, 'base64url')).update(input).digest())}`;
}
// Each algorithm with every hash of its family
for (const family of ['HS', 'RS', 'PS']) {
  for (const said of [256, 384, 512]) {
    for (const made of [256, 384, 512]) {
      if (said === made) continue;
      const header = { alg: `${family}${said}`, typ: 'at+jwt', kid: `${family}${said}` };
      const lied = token({ alg: `${family}${made}`, key: KEY_OF[`${family}${said}`], header });
      const expect =
        family === 'HS'
          ? refuse('signature-length', { expected: said / 8, actual: made / 8 })
          : refuse('signature-invalid');
      add(
        `alg-${family.toLowerCase()}${said}-made-with-${made}`,
        8,
        'The hash is the one that the key’s algorithm names.',
        { token: lied },
        expect,
      );
    }
  }
}
for (const [said, made] of [
  ['RS256', 'PS256'],
  ['PS256', 'RS256'],
]) {
  add(
    `alg-${said.toLowerCase()}-made-with-${made.toLowerCase()}`,
    8,
    'And so is the padding.',
    { token: token({ alg: made, header: { alg: said, kid: said } }) },
    refuse('signature-invalid'),
  );
}
add(
  'alg-left-out-by-the-issuer',
  7,
  'algorithms leaves out the RSA key, so nothing has its kid.',
  { policy: 'onlyEs256', token: token({ alg: 'RS256' }) },
  refuse('kid-unknown'),
);
add(
  'alg-left-out-by-the-issuer-without-kid',
  7,
  'And without a kid its algorithm fits no key.',
  { policy: 'onlyEs256', token: token({ alg: 'RS256', header: { kid: undefined } }) },
  refuse('alg-mismatch', { expected: ['ES256'], actual: 'RS256' }),
);
add(
  'alg-kept-by-the-issuer',
  7,
  'The other one is there.',
  { policy: 'onlyEs256', token: token() },
  accept(),
);

// RS to HS, with every text of the public key that an attacker has (CVE-2016-10555 and its kin)
const pemOf = (label, der, line, end = '\n') => {
  const text = der
    .toString('base64')
    .match(new RegExp(`.{1,${line}}`, 'g'))
    .join(end);
  return `-----BEGIN ${label}-----${end}${text}${end}-----END ${label}-----`;
};
const pkcs1 = crypto
  .createPublicKey({ key: publicJwk('rsa'), format: 'jwk' })
  .export({ format: 'der', type: 'pkcs1' });
const { n, e } = publicJwk('rsa');
const texts = {
  'pem-with-crlf': pemOf('PUBLIC KEY', spki('rsa'), 64, '\r\n'),
  'pem-on-one-line': pemOf('PUBLIC KEY', spki('rsa'), 10_000),
  'pkcs1-pem': `${pemOf('RSA PUBLIC KEY', pkcs1, 64)}\n`,
  'pkcs1-der': pkcs1,
  'der-in-base64': spki('rsa').toString('base64'),
  'der-in-base64url': spki('rsa').toString('base64url'),
  'jwk-of-the-thumbprint': JSON.stringify({ e, kty: 'RSA', n }),
  'modulus-text': n,
  'exponent-bytes': Buffer.from([1, 0, 1]),
  'empty-bytes': Buffer.alloc(0),
};
for (const [name, secret] of Object.entries(texts)) {
  const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: 'RS256' })}.${encode(claims())}`;
  const forged = `${input}.${encode(crypto.createHmac('sha256', secret).update(input).digest())}`;
  add(
    `confusion-with-${name}`,
    4,
    'CVE-2022-29217, CVE-2024-33663: the public key in yet another spelling as a secret.',
    { policy: 'rsa', token: forged },
    refuse('alg-mismatch', { expected: ['RS256'], actual: 'HS256' }),
  );
}
const ecInput = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: 'ES256' })}.${encode(claims())}`;
add(
  'confusion-with-an-ec-key',
  4,
  'An EC key is a text too.',
  {
    policy: 'es256',
    token: `${ecInput}.${encode(crypto.createHmac('sha256', spki('es256')).update(ecInput).digest())}`,
  },
  refuse('alg-mismatch', { expected: ['ES256'], actual: 'HS256' }),
);

// typ
const TYPES = {
  'At+jwt': false,
  'at+JWT': false,
  'application/AT+JWT': false,
  'Application/at+jwt': false,
  'APPLICATION/at+jwt': false,
  'application/at+jwt': true,
  'application/at+jwt;charset=utf-8': false,
  'application//at+jwt': false,
  '/at+jwt': false,
  'at+jwt\u0000': false,
  'at jwt': false,
  'at%2Bjwt': false,
  JOSE: false,
  'logout+jwt': false,
  'secevent+jwt': false,
  'dpop+jwt': false,
  'token-introspection+jwt': false,
  'reset+jwt': false,
};
for (const [typ, fine] of Object.entries(TYPES)) {
  add(
    `typ-${slug(typ)}`,
    38,
    'typ is compared byte for byte apart from one application/ in front (CVE-2026-41164).',
    { token: token({ header: { typ } }) },
    fine ? accept() : refuse('type-mismatch', { expected: ['at+jwt'], actual: typ }),
  );
}

// JWE's parameters cost nothing where no JWE is read (rows 26 and 27)
for (const [name, header] of Object.entries({
  p2c: { p2c: 2 ** 31 },
  p2s: { p2s: 'AAAA' },
  epk: { epk: {} },
  apu: { apu: 'x', apv: 'y' },
  iv: { iv: 'AA', tag: 'AA' },
})) {
  add(
    `jwe-member-${name}-in-a-jws`,
    26,
    'Members of JWE mean nothing in a JWS and are ignored (RFC 7515 section 4); nothing is derived from them.',
    { token: token({ header }) },
    accept(),
  );
}
for (const alg of ['PBES2-HS256+A128KW', 'PBES2-HS384+A192KW', 'PBES2-HS512+A256KW']) {
  const five = [
    encode({ alg, enc: 'A128CBC-HS256', p2c: 2 ** 31 - 1, p2s: encode('salt') }),
    'AA',
    'AA',
    'AA',
    'AA',
  ].join('.');
  add(
    `jwe-with-${slug(alg)}`,
    26,
    'CVE-2022-36083, CVE-2023-52428: five parts are refused before p2c is read.',
    { token: five },
    refuse('segment-count', { expected: 3, actual: 5 }),
  );
}
add(
  'jwe-zip-of-another-name',
  27,
  'Zip is an unknown member and nothing is inflated.',
  { token: token({ header: { Zip: 'DEF' } }) },
  accept(),
);
add(
  'jwe-zip-as-null',
  27,
  'zip is refused whatever its value.',
  { token: token({ header: { zip: null } }) },
  refuse('header-member-unsupported', { member: 'zip' }),
);
add(
  'jwe-with-a-nested-jws',
  27,
  'Nor is a token inside a token unpacked: cty says what it is, the claims are looked for and missing.',
  { token: token({ header: { cty: 'JWT' }, payload: { nested: token() } }) },
  refuse('claim-missing', { claim: 'iss' }),
);
add(
  'jwe-payload-that-is-a-token',
  28,
  'A signed text that is a token is no JSON object.',
  { token: token({ header: { cty: 'JWT' }, payload: token() }) },
  refuse('json-malformed', { part: 'payload', stage: 'claims' }),
);

// Wrong secrets of every algorithm that takes one (row 3): no secret at all, or the wrong end of
// one
for (const alg of ['HS256', 'HS384', 'HS512']) {
  const hash = `sha${alg.slice(2)}`;
  for (const [name, secret] of Object.entries({
    empty: Buffer.alloc(0),
    zeros: Buffer.alloc(Number(alg.slice(2)) / 8),
    'its-own-text': keys[KEY_OF[alg]].k,
    'the-word-undefined': 'undefined',
  })) {
    const input = `${encode({ alg, typ: 'at+jwt', kid: alg })}.${encode(claims())}`;
    add(
      `secret-${alg.toLowerCase()}-${name}`,
      3,
      'CVE-2019-20933: a tag made with what an unset secret looks like.',
      { token: `${input}.${encode(crypto.createHmac(hash, secret).update(input).digest())}` },
      refuse('signature-invalid'),
    );
  }
}
if (ALGS.length !== 14) throw new Error('the list of algorithms has changed: look through UNKNOWN');
