// Signatures: exact lengths, ranges and encodings. RSA, Ed25519 and the corners of the curves have
// files of their own.
import { p256 } from './ec.mjs';
import { ALGS, accept, claims, collection, encode, KEY_OF, refuse, signature, token } from './signing.mjs';

const { N, P, wide } = p256;

const { add, file } = collection('Own; the ranges are those of FIPS 186-5, the encodings those of RFC 7518.');

export { file };

// Lengths, of every algorithm
const LENGTHS = { HS256: 32, HS384: 48, HS512: 64, ES256: 64, ES384: 96, ES512: 132, ES256K: 64, EdDSA: 64 };
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
const derInteger = (value) => {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  const body = bytes[0] & 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
  return Buffer.concat([Buffer.from([2, body.length]), body]);
};
const numbersInDer = Buffer.concat([derInteger(r), derInteger(s)]);
const der = Buffer.concat([Buffer.from([0x30, numbersInDer.length]), numbersInDer]);
add(
  'refuses-ecdsa-in-der',
  15,
  'CVE-2020-13822: IEEE P1363 is the one encoding (RFC 7518 section 3.4).',
  { token: again(der) },
  refuse('signature-length', { expected: 64, actual: der.length }),
);
add('accepts-ecdsa-in-p1363', 15, 'Two numbers of 32 bytes.', { token: token() }, accept());

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
