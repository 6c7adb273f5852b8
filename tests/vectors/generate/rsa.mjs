// RSA: the encoded block is compared whole (RFC 8017 sections 8.1.2 and 8.2.2), and a signature is
// as wide as its modulus, whatever the width.

import { bitsOf, digestInfo, pkcs1Block, pssBlock, raise } from './rsa-blocks.mjs';
import {
  AUDIENCE,
  accept,
  claims,
  collection,
  encode,
  holds,
  ISSUER,
  keys,
  publicJwk,
  publicKey,
  refuse,
  token,
} from './signing.mjs';

const KEYS = ['rsa2049', 'rsa2055', 'rsa3072', 'rsa4096'];
const widths = {
  issuers: [
    {
      issuer: ISSUER,
      audience: AUDIENCE,
      jwks: {
        keys: KEYS.flatMap((name) =>
          ['RS256', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) => publicJwk(name, { kid: name, alg })),
        ),
      },
    },
  ],
};
const { add, file } = collection(
  'Own; the encodings are those of RFC 8017 section 9, as narrowed by RFC 7518 sections 3.3 and 3.5.',
  { widths },
);

export { file };

const inputOf = (alg) => token({ alg }).split('.').slice(0, 2).join('.');
const hashOf = (alg) => `sha${alg.slice(2)}`;
const signed = (input, block, name = 'rsa') => `${input}.${encode(raise(keys[name], block))}`;

/**
 * A vector about an encoded block under the key `rsa`, held against OpenSSL unless OpenSSL is
 * known to be laxer.
 */
function about(id, comment, alg, block, valid = false) {
  const text = signed(inputOf(alg), block);
  const bytes = Buffer.from(text.split('.')[2], 'base64url');
  if (holds(alg, publicKey('rsa'), inputOf(alg), bytes) !== valid)
    throw new Error(`${id}: OpenSSL says otherwise`);
  add(
    id,
    20,
    comment,
    { token: text },
    valid ? accept() : refuse('signature-invalid', { stage: 'signature' }),
  );
}

// PKCS#1 v1.5
const rs = inputOf('RS256');
const info = digestInfo('sha256', rs);
const ff = (count) => Buffer.alloc(count, 0xff);
const at = (block, index, byte) =>
  Buffer.concat([block.subarray(0, index), Buffer.from([byte]), block.subarray(index + 1)]);
const right = pkcs1Block(2048, info);
const hash = info.subarray(-32);
const long = Buffer.concat([Buffer.from([0x30, 0x81, info[1]]), info.subarray(2)]);
const blocks = {
  'garbage-after-the-hash': Buffer.concat([
    Buffer.from([0, 1]),
    ff(8),
    Buffer.from([0]),
    info,
    Buffer.alloc(256 - 11 - info.length, 1),
  ]),
  'garbage-in-the-parameters': pkcs1Block(
    2048,
    digestInfo('sha256', rs, Buffer.concat([Buffer.from([4, 20]), Buffer.alloc(20, 1)])),
  ),
  'short-padding-and-leading-zeros': Buffer.concat([
    Buffer.alloc(256 - 11 - info.length),
    Buffer.from([0, 1]),
    ff(8),
    Buffer.from([0]),
    info,
  ]),
  'no-null-in-the-algorithm': pkcs1Block(2048, digestInfo('sha256', rs, Buffer.alloc(0))),
  'a-length-in-its-long-form': pkcs1Block(2048, long),
  'block-type-0': at(right, 1, 0),
  'block-type-2': at(right, 1, 2),
  'a-first-byte-of-one': at(right, 0, 1),
  'a-padding-byte-changed': at(right, 102, 0xfe),
  'the-last-padding-byte-changed': at(right, 256 - info.length - 2, 0xfe),
  'a-separator-of-one': at(right, 256 - info.length - 1, 1),
  'no-separator': Buffer.concat([Buffer.from([0, 1]), ff(254 - info.length), info]),
  'the-hash-alone': pkcs1Block(2048, hash),
  'another-hash-named': pkcs1Block(2048, at(info, 14, 2)),
  'sha-1': pkcs1Block(2048, digestInfo('sha1', rs)),
  'sha-512': pkcs1Block(2048, digestInfo('sha512', rs)),
  'a-bit-of-the-hash-changed': at(right, 255, right[255] ^ 1),
};
for (const [name, block] of Object.entries(blocks)) {
  about(
    `refuses-pkcs1-with-${name}`,
    'CVE-2006-4339 and its kin: the encoded block is built and compared whole.',
    'RS256',
    block,
  );
}
for (const alg of ['RS256', 'RS384', 'RS512']) {
  const suffix = alg === 'RS256' ? '' : `-for-${alg.toLowerCase()}`;
  about(
    `accepts-pkcs1-built-by-hand${suffix}`,
    'The one right block, built the same way.',
    alg,
    pkcs1Block(2048, digestInfo(hashOf(alg), inputOf(alg))),
    true,
  );
}
about('refuses-pss-where-pkcs1-is-due', 'One scheme a key.', 'RS256', pssBlock('sha256', 2048, rs));

// Representatives (RFC 8017 section 5.2.2)
const n = BigInt(`0x${Buffer.from(keys.rsa.n, 'base64url').toString('hex')}`);
const wide = (value) => Buffer.from(value.toString(16).padStart(512, '0'), 'hex');
for (const alg of ['RS256', 'PS256']) {
  for (const [name, value] of Object.entries({ zero: 0n, one: 1n, 'n-1': n - 1n, n, 'n+1': n + 1n })) {
    const id = alg === 'RS256' ? `refuses-rsa-signature-${name}` : `refuses-pss-signature-${name}`;
    add(
      id,
      20,
      'Representatives at the edges.',
      { token: token({ alg, bytes: wide(value) }) },
      refuse('signature-invalid'),
    );
  }
}
const integerOf = (text) => BigInt(`0x${Buffer.from(text.split('.')[2], 'base64url').toString('hex')}`);
/** The first token whose signature passes a test: `jti` is what varies. */
function search(alg, test) {
  for (let jti = 0; ; jti++) {
    const text = token({ alg, payload: claims({ jti: `${jti}` }) });
    if (test(integerOf(text))) return text;
  }
}
for (const alg of ['RS256', 'PS256']) {
  const fits = search(alg, (value) => value + n < 2n ** 2048n);
  const lower = alg.toLowerCase();
  add(
    `accepts-${lower}-signature-below-n`,
    20,
    'A representative below the modulus.',
    { token: fits },
    accept(),
  );
  const lifted = `${fits.split('.').slice(0, 2).join('.')}.${encode(wide(integerOf(fits) + n))}`;
  const id = alg === 'RS256' ? 'refuses-rsa-signature-plus-n' : 'refuses-pss-signature-plus-n';
  add(
    id,
    20,
    'A second representative of the same signature.',
    { token: lifted },
    refuse('signature-invalid'),
  );
  const short = search(alg, (value) => value < 2n ** 2040n);
  add(
    `accepts-${lower}-signature-with-a-zero-byte`,
    18,
    'A signature has the width of its modulus, zeros included.',
    { token: short },
    accept(),
  );
  const stripped = `${short.split('.').slice(0, 2).join('.')}.${encode(wide(integerOf(short)).subarray(1))}`;
  add(
    `refuses-${lower}-signature-without-its-zero-byte`,
    15,
    'And without them it is another text.',
    { token: stripped },
    refuse('signature-length', { expected: 256, actual: 255 }),
  );
}

// PSS
const ps = inputOf('PS256');
const pss = (how) => pssBlock('sha256', 2048, ps, how);
about('accepts-pss-built-by-hand', 'The one shape of a block, built the same way.', 'PS256', pss(), true);
about(
  'accepts-pss-with-a-salt-of-zeros',
  'Any salt of the right length.',
  'PS256',
  pss({ salt: Buffer.alloc(32) }),
  true,
);
for (const length of [0, 20, 31, 33, 64, 222]) {
  about(
    `refuses-pss-with-a-salt-of-${length}`,
    'JWA fixes the salt at the length of the hash (RFC 7518 section 3.5).',
    'PS256',
    pss({ salt: Buffer.alloc(length, 7) }),
  );
}
for (const [name, how] of Object.entries({
  'another-trailer': { trailer: 0xcc },
  'another-separator': { separator: 2 },
  'a-byte-in-the-padding': { padding: 1 },
  'other-zeros-in-front': { prefix: 1 },
  'mgf1-of-sha-1': { mgf: 'sha1' },
  'mgf1-of-sha-512': { mgf: 'sha512' },
  'another-digest-of-the-message': { digest: 'sha1' },
})) {
  about(
    `refuses-pss-with-${name}`,
    'Every part of the block is checked (RFC 8017 section 9.1.2).',
    'PS256',
    pss(how),
  );
}
about(
  'refuses-pss-with-another-hash',
  'One hash an algorithm.',
  'PS256',
  pssBlock('sha512', 2048, ps, { salt: Buffer.alloc(32, 7) }),
);
about(
  'refuses-pkcs1-where-pss-is-due',
  'One scheme a key.',
  'PS256',
  pkcs1Block(2048, digestInfo('sha256', ps)),
);
about(
  'refuses-pss-of-sha-256-where-sha-384-is-due',
  'One hash an algorithm.',
  'PS384',
  pssBlock('sha256', 2048, inputOf('PS384')),
);
// The highest bit of the block lies above the mask; the block still has to be below the modulus.
const topped = pss({ top: 0x80 });
if (BigInt(`0x${topped.toString('hex')}`) < n)
  about(
    'refuses-pss-with-a-bit-above-the-mask',
    'The bits above 8·emLen − emBits are zero.',
    'PS256',
    topped,
  );

// Widths: in a modulus of 8k + 1 bits a PSS block is one byte shorter than the signature
for (const name of KEYS) {
  const bits = bitsOf(keys[name]);
  const width = Math.ceil(bits / 8);
  for (const alg of ['RS256', 'RS512', 'PS256', 'PS384', 'PS512']) {
    const text = token({ alg, key: name, header: { kid: name } });
    add(
      `accepts-${alg.toLowerCase()}-under-${bits}-bits`,
      18,
      'Every width from 2048 to 4096 bits.',
      { policy: 'widths', token: text },
      accept({ claims: { sub: 'user-1' } }),
    );
  }
  const text = token({ alg: 'PS256', key: name, header: { kid: name } });
  const [head, body, last] = text.split('.');
  const bytes = Buffer.from(last, 'base64url');
  add(
    `refuses-a-short-signature-under-${bits}-bits`,
    15,
    'The width of the modulus, rounded up.',
    { policy: 'widths', token: `${head}.${body}.${encode(bytes.subarray(1))}` },
    refuse('signature-length', { expected: width, actual: width - 1 }),
  );
  add(
    `refuses-the-negated-signature-under-${bits}-bits`,
    20,
    'n − s.',
    { policy: 'widths', token: `${head}.${body}.${encode(negated(name, bytes))}` },
    refuse('signature-invalid'),
  );
}
function negated(name, bytes) {
  const modulus = BigInt(`0x${Buffer.from(keys[name].n, 'base64url').toString('hex')}`);
  const value = modulus - BigInt(`0x${bytes.toString('hex')}`);
  return Buffer.from(value.toString(16).padStart(bytes.length * 2, '0'), 'hex');
}
// Under 2049 bits the block has 256 bytes, and the byte in front of it must be zero.
const head2049 = token({ alg: 'PS256', key: 'rsa2049', header: { kid: 'rsa2049' } })
  .split('.')
  .slice(0, 2)
  .join('.');
const n2049 = BigInt(`0x${Buffer.from(keys.rsa2049.n, 'base64url').toString('hex')}`);
for (let round = 0; round < 256; round++) {
  const block = Buffer.concat([
    Buffer.from([1]),
    pssBlock('sha256', 2049, head2049, { salt: Buffer.alloc(32, round) }),
  ]);
  if (BigInt(`0x${block.toString('hex')}`) >= n2049) continue;
  // The one disagreement with an oracle: the crate rsa takes it (tests/fuzz/bodies.rs), OpenSSL
  // does not (RFC 8017 section 8.1.2 step 2c).
  if (holds('PS256', publicKey('rsa2049'), head2049, raise(keys.rsa2049, block)))
    throw new Error('OpenSSL takes a PSS block with a byte in front of it');
  add(
    'refuses-pss-with-a-byte-in-front-of-the-block',
    20,
    'A modulus of 8k + 1 bits leaves a whole byte above the block, and it is zero.',
    { policy: 'widths', token: signed(head2049, block, 'rsa2049') },
    refuse('signature-invalid'),
  );
  break;
}
