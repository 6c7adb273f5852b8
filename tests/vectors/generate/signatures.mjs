// Signatures: exact lengths, ranges and encodings, for ECDSA, RSA and HMAC. Ed25519 has a file of its own.
import crypto from 'node:crypto';
import {
  ALGS,
  accept,
  claims,
  collection,
  encode,
  KEY_OF,
  keys,
  privateKey,
  refuse,
  signature,
  token,
} from './signing.mjs';

const { add, file } = collection(
  'Own; the ranges are those of FIPS 186-5, the encodings those of RFC 8017 and RFC 7518.',
);

export { file };

// Lengths, of every algorithm
const LENGTHS = { HS256: 32, HS384: 48, HS512: 64, ES256: 64, EdDSA: 64 };
const expected = (alg) => LENGTHS[alg] ?? 256;
for (const alg of ALGS) {
  const good = Buffer.from(token({ alg }).split('.')[2], 'base64url');
  const klass = alg.startsWith('HS') ? 24 : 15;
  const variants = {
    empty: Buffer.alloc(0),
    'one-byte': good.subarray(0, 1),
    'one-short': good.subarray(0, -1),
    'one-long': Buffer.concat([good, Buffer.alloc(1)]),
    'leading-zero': Buffer.concat([Buffer.alloc(1), good]),
  };
  for (const [name, bytes] of Object.entries(variants)) {
    add(
      `refuses-${alg.toLowerCase()}-signature-${name}`,
      name === 'empty' ? 2 : klass,
      'CVE-2020-28042, CVE-2018-1000539: the exact length comes before any arithmetic.',
      { token: token({ alg, bytes }) },
      refuse('signature-length', { expected: expected(alg), actual: bytes.length }),
    );
  }
  add(
    `refuses-${alg.toLowerCase()}-signature-of-zeros`,
    klass,
    'Zeros of the right length.',
    { token: token({ alg, bytes: Buffer.alloc(expected(alg)) }) },
    refuse('signature-invalid'),
  );
  add(
    `refuses-${alg.toLowerCase()}-signature-of-ones`,
    klass,
    'All bits set, of the right length.',
    { token: token({ alg, bytes: Buffer.alloc(expected(alg), 0xff) }) },
    refuse('signature-invalid'),
  );
}
for (const alg of ['HS256', 'ES256']) {
  add(
    `accepts-${alg.toLowerCase()}-signature-whole`,
    alg === 'HS256' ? 24 : 2,
    'The whole signature.',
    { token: token({ alg }) },
    accept(),
  );
}
const tag = (bytes) => token({ alg: 'HS256', bytes });
const input = token({ alg: 'HS256' }).split('.').slice(0, 2).join('.');
const whole = signature('HS256', 'hs256', input);
add(
  'refuses-half-an-hmac',
  24,
  'A truncated tag is guessed sooner.',
  { token: tag(whole.subarray(0, 16)) },
  refuse('signature-length', { expected: 32, actual: 16 }),
);
add(
  'refuses-hmac-in-hexadecimal',
  24,
  'Bytes, not their digits.',
  { token: tag(Buffer.from(whole.toString('hex'))) },
  refuse('signature-length', { expected: 32, actual: 64 }),
);

// ECDSA: 1 ≤ r, s < n (CVE-2022-21449)
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const wide = (value) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
const numbers = {
  zero: 0n,
  one: 1n,
  'n-1': N - 1n,
  n: N,
  'n+1': N + 1n,
  p: P,
  'p-n': P - N,
  max: 2n ** 256n - 1n,
};
for (const [r, rValue] of Object.entries(numbers)) {
  for (const [s, sValue] of Object.entries(numbers)) {
    add(
      `refuses-ecdsa-r-${r}-s-${s}`,
      14,
      'Psychic signatures: both numbers lie between 1 and n − 1.',
      { token: token({ bytes: Buffer.concat([wide(rValue), wide(sValue)]) }) },
      refuse('signature-invalid'),
    );
  }
}
const split = (bytes) =>
  [bytes.subarray(0, 32), bytes.subarray(32)].map((half) => BigInt(`0x${half.toString('hex')}`));
const ecdsa = token().split('.');
const made = Buffer.from(ecdsa[2], 'base64url');
const [r, s] = split(made);
const again = (bytes) => [...ecdsa.slice(0, 2), encode(bytes)].join('.');
add('accepts-ecdsa-r-and-s-in-range', 14, 'A valid pair.', { token: again(made) }, accept());
add(
  'accepts-ecdsa-with-n-minus-s',
  19,
  'ECDSA is malleable: JWA takes both, so a denylist must name the token and never its text.',
  { token: again(Buffer.concat([wide(r), wide(N - s)])) },
  accept(),
);
add(
  'refuses-ecdsa-with-r-plus-n',
  14,
  'Past the order, where it fits 256 bits or wraps.',
  { token: again(Buffer.concat([wide((r + N) % 2n ** 256n), wide(s)])) },
  refuse('signature-invalid'),
);
add(
  'refuses-ecdsa-with-r-and-s-exchanged',
  14,
  'In this order alone.',
  { token: again(Buffer.concat([wide(s), wide(r)])) },
  refuse('signature-invalid'),
);
const der = crypto.sign('sha256', Buffer.from(ecdsa.slice(0, 2).join('.')), privateKey('es256'));
add(
  'refuses-ecdsa-in-der',
  15,
  'CVE-2020-13822: IEEE P1363 is the one encoding (RFC 7518 section 3.4).',
  { token: again(der) },
  refuse('signature-length', { expected: 64 }),
);
add('accepts-ecdsa-in-p1363', 15, 'Two numbers of 32 bytes.', { token: token() }, accept());

// RSA PKCS#1 v1.5: the whole block is compared
const EM = 256;
const prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex');
const withoutNull = Buffer.from('302f300b0609608648016503040201' + '0420', 'hex');
const rsa = token({ alg: 'RS256' }).split('.').slice(0, 2).join('.');
const digest = crypto.createHash('sha256').update(rsa).digest();
const raw = (block) =>
  crypto.privateEncrypt({ key: privateKey('rsa'), padding: crypto.constants.RSA_NO_PADDING }, block);
const ff = (count) => Buffer.alloc(count, 0xff);
const block = (...parts) => {
  const bytes = Buffer.concat(parts);
  if (bytes.length !== EM) throw new Error(`a block of ${bytes.length} bytes`);
  return bytes;
};
const info = Buffer.concat([prefix, digest]);
const fill = (tail, front = 3) => ff(EM - tail.length - front);
const blocks = {
  'garbage-after-the-hash': block(
    Buffer.from([0, 1]),
    ff(8),
    Buffer.from([0]),
    info,
    Buffer.alloc(EM - 11 - info.length, 1),
  ),
  'short-padding-and-leading-zeros': block(
    Buffer.alloc(EM - info.length - 11),
    Buffer.from([0, 1]),
    ff(8),
    Buffer.from([0]),
    info,
  ),
  'no-null-in-the-algorithm': block(
    Buffer.from([0, 1]),
    fill(Buffer.concat([withoutNull, digest])),
    Buffer.from([0]),
    withoutNull,
    digest,
  ),
  'block-type-2': block(Buffer.from([0, 2]), fill(info), Buffer.from([0]), info),
  'a-padding-byte-changed': block(
    Buffer.from([0, 1]),
    ff(100),
    Buffer.from([0xfe]),
    ff(EM - info.length - 104),
    Buffer.from([0]),
    info,
  ),
  'no-separator': block(Buffer.from([0, 1]), ff(EM - info.length - 2), info),
  'the-hash-alone': block(Buffer.from([0, 1]), fill(digest), Buffer.from([0]), digest),
  'another-hash-named': block(
    Buffer.from([0, 1]),
    fill(info),
    Buffer.from([0]),
    Buffer.from('3031300d060960864801650304020205000420', 'hex'),
    digest,
  ),
};
for (const [name, bytes] of Object.entries(blocks)) {
  add(
    `refuses-pkcs1-with-${name}`,
    20,
    'CVE-2006-4339 and its kin: the encoded block is built and compared whole.',
    { token: `${rsa}.${encode(raw(bytes))}` },
    refuse('signature-invalid'),
  );
}
add(
  'accepts-pkcs1-built-by-hand',
  20,
  'The one right block, built the same way.',
  { token: `${rsa}.${encode(raw(block(Buffer.from([0, 1]), fill(info), Buffer.from([0]), info)))}` },
  accept(),
);
const n = BigInt(`0x${Buffer.from(keys.rsa.n, 'base64url').toString('hex')}`);
const rsaWide = (value) => Buffer.from(value.toString(16).padStart(512, '0').slice(-512), 'hex');
for (const [name, value] of Object.entries({ zero: 0n, one: 1n, 'n-1': n - 1n, n, 'n+1': n + 1n })) {
  add(
    `refuses-rsa-signature-${name}`,
    20,
    'Representatives at the edges (RFC 8017 section 5.2.2).',
    { token: token({ alg: 'RS256', bytes: rsaWide(value) }) },
    refuse('signature-invalid'),
  );
}
const small = crypto.sign('sha256', Buffer.from(rsa), privateKey('rsa'));
const lifted = BigInt(`0x${small.toString('hex')}`) + n;
if (lifted < 2n ** 2048n)
  add(
    'refuses-rsa-signature-plus-n',
    20,
    'A second representative of the same signature.',
    { token: `${rsa}.${encode(rsaWide(lifted))}` },
    refuse('signature-invalid'),
  );

// RSA PSS: the salt is as long as the hash
const pss = token({ alg: 'PS256' }).split('.').slice(0, 2).join('.');
for (const saltLength of [0, 20, 31, 33, 64, 222]) {
  const bytes = crypto.sign('sha256', Buffer.from(pss), {
    key: privateKey('rsa'),
    padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
    saltLength,
  });
  add(
    `refuses-pss-with-a-salt-of-${saltLength}`,
    20,
    'JWA fixes the salt at the length of the hash (RFC 7518 section 3.5).',
    { token: `${pss}.${encode(bytes)}` },
    refuse('signature-invalid'),
  );
}
add(
  'refuses-pkcs1-where-pss-is-due',
  20,
  'One scheme a key.',
  { token: `${pss}.${encode(crypto.sign('sha256', Buffer.from(pss), privateKey('rsa')))}` },
  refuse('signature-invalid'),
);
const mgf1sha1 = crypto.sign('sha512', Buffer.from(pss), {
  key: privateKey('rsa'),
  padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
  saltLength: 32,
});
add(
  'refuses-pss-with-another-hash',
  20,
  'One hash an algorithm.',
  { token: `${pss}.${encode(mgf1sha1)}` },
  refuse('signature-invalid'),
);

// A mutant on each check: signatures of others
for (const [alg, other] of [
  ['ES256', 'es256Other'],
  ['EdDSA', 'ed25519Other'],
  ['RS256', 'rsaOther'],
  ['PS256', 'rsaOther'],
]) {
  add(
    `refuses-${alg.toLowerCase()}-by-another-key`,
    35,
    'A valid signature of somebody else.',
    { token: token({ alg, key: other }) },
    refuse('signature-invalid'),
  );
}
add(
  'refuses-hs256-by-another-secret',
  35,
  'The same for HMAC.',
  { token: token({ alg: 'HS256', key: 'hs384' }) },
  refuse('signature-invalid'),
);
add(
  'refuses-a-signature-over-the-payload-alone',
  35,
  'The signature covers the header too.',
  {
    token: (() => {
      const [h, b] = token().split('.');
      return `${h}.${b}.${encode(signature('ES256', KEY_OF.ES256, b))}`;
    })(),
  },
  refuse('signature-invalid'),
);
add(
  'refuses-a-signature-over-the-decoded-texts',
  35,
  'It covers the encoded texts.',
  {
    token: (() => {
      const [h, b] = token({ payload: claims() }).split('.');
      return `${h}.${b}.${encode(signature('ES256', 'es256', Buffer.from(b, 'base64url')))}`;
    })(),
  },
  refuse('signature-invalid'),
);
