// ECDSA where the arithmetic has corners: numbers at the ends of their range, sums that double or
// vanish, an x past the order. Keys are made to fit the signature, so every corner has a signature
// that must be accepted, or one that a shortcut would accept and that must be refused.

import { integer, invert, k256, mod, p256, p384, p521 } from './ec.mjs';
import { accept, collection, encode, refuse } from './signing.mjs';

const { add, file } = collection(
  'Own: keys computed from the signature (SEC 1 section 4.1.6), every outcome checked against OpenSSL.',
);

export { file };

/** The corners of one curve. */
function corners(id, curve) {
  const { alg, crv, bytes, P, N, G, plus, minus, times, pointAt, digest, pair, jwkOf, keyFor, sign, holds } =
    curve;
  const bits = BigInt(N.toString(2).length);
  const input = `${encode({ alg })}.${encode(`corners of ${crv}`)}`;
  const e = digest(input);

  function vector(name, klass, comment, key, bytes, valid) {
    if (holds(key, input, bytes) !== valid) throw new Error(`${name}: OpenSSL says otherwise`);
    const expect = valid
      ? accept({ payloadUtf8: `corners of ${crv}` })
      : refuse('signature-invalid', { stage: 'signature' });
    add(name, klass, comment, { kind: 'jws', jwk: jwkOf(key), token: `${input}.${encode(bytes)}` }, expect);
  }
  const accepts = (name, comment, key, bytes) =>
    vector(`accepts-${id}-${name}`, 18, comment, key, bytes, true);
  const refuses = (name, comment, key, bytes) =>
    vector(`refuses-${id}-${name}`, 14, comment, key, bytes, false);

  const firstFrom = (start) => {
    for (let x = start; ; x++) if (pointAt(x)) return pointAt(x);
  };
  const some = times(0x1234567890abcdef1234567890abcdefn, G);
  const xOf = (point) => point[0] % N;

  // x(R) at or past the order: r is x − n, and x itself is no r
  const high = firstFrom(N + 1n);
  const highR = high[0] - N;
  const highKey = keyFor(e, high, highR, 7n);
  accepts(
    'x-past-the-order',
    'x(R) ≥ n: r is its remainder, so a comparison without inversion has to try r + n too.',
    highKey,
    pair(highR, 7n),
  );
  refuses('x-past-the-order-as-r', 'The same x unreduced: r ≥ n.', highKey, pair(high[0], 7n));
  // r small enough that r + n fits the width
  const low = firstFrom(1n);
  const lowKey = keyFor(e, low, low[0], 11n);
  accepts('smallest-r', 'The smallest x on the curve as r.', lowKey, pair(low[0], 11n));
  refuses(
    'smallest-r-plus-n',
    'r + n would hold if the range were not checked.',
    lowKey,
    pair(low[0] + N, 11n),
  );
  refuses(
    'smallest-s-plus-n',
    's + n would hold if the range were not checked.',
    lowKey,
    pair(low[0], 11n + N),
  );
  refuses('both-plus-n', 'Both past the order.', lowKey, pair(low[0] + N, 11n + N));
  // r + n ≡ x(R) modulo p although r + n ≥ p: a wrap that a shortcut forgets
  const wrapped = mod(some[0] + P - N, P);
  if (wrapped >= N || wrapped + N < P) throw new Error('choose another point');
  refuses(
    'r-plus-n-wraps-at-p',
    'r + n ≥ p, and its remainder modulo p is x(R): r + n counts only below p.',
    keyFor(e, some, wrapped, 13n),
    pair(wrapped, 13n),
  );

  // s at the ends of its range, and with high zero bytes
  for (const [name, s] of Object.entries({
    one: 1n,
    two: 2n,
    'n-1': N - 1n,
    'n-2': N - 2n,
    'of-one-byte': 0xfdn,
    'of-128-bits': 2n ** 127n,
    'a-power-of-two': 2n ** (bits - 1n),
    'just-past-half': (N + 1n) / 2n,
  })) {
    accepts(
      `s-${name}`,
      'Every s from 1 to n − 1 has its key.',
      keyFor(e, some, xOf(some), s),
      pair(xOf(some), s),
    );
  }
  for (const less of [8n, 16n, bits / 2n, bits - 64n]) {
    const width = bits - less;
    const short = firstFrom(2n ** width - 2n ** (width - 8n));
    accepts(
      `r-of-${width}-bits`,
      'r has its full width, zeros included (RFC 7518 section 3.4).',
      keyFor(e, short, short[0], 17n),
      pair(short[0], 17n),
    );
  }

  // Keys next to the generator
  for (const [name, d] of Object.entries({
    g: 1n,
    '2g': 2n,
    '3g': 3n,
    '16g': 16n,
    'minus-g': N - 1n,
    'minus-2g': N - 2n,
    'half-g': (N + 1n) / 2n,
    '2-to-128-g': 2n ** 128n,
  })) {
    accepts(
      `key-${name}`,
      'A key among the multiples that a table of the generator holds.',
      times(d, G),
      sign(d, input),
    );
  }

  // u1·G + u2·Q where the two are equal, opposite, or one is the generator itself
  const scalars = {
    one: 1n,
    two: 2n,
    'n-1': N - 1n,
    'low-bits': 2n ** (bits / 2n) - 1n,
    'high-bits': mod(-(2n ** (bits / 2n)), N),
    alternating: (2n ** (bits - (bits % 2n)) - 1n) / 3n,
    'top-bit': 2n ** (bits - 1n),
    'all-windows-full': 2n ** (bits - 1n) - 1n,
  };
  for (const [name, u1] of Object.entries(scalars)) {
    const s = mod(e * invert(u1, N), N);
    accepts(
      `u1-${name}`,
      'u1 = e / s as a table of windows finds it hard.',
      keyFor(e, some, xOf(some), s),
      pair(xOf(some), s),
    );
    const u2 = u1;
    const own = mod(xOf(some) * invert(u2, N), N);
    accepts(`u2-${name}`, 'The same for u2 = r / s.', keyFor(e, some, xOf(some), own), pair(xOf(some), own));
    const point = times(2n * u1, G);
    const r = xOf(point);
    accepts(
      `sum-doubles-at-u1-${name}`,
      'u1·G = u2·Q: the last addition is a doubling.',
      times(mod(e * invert(r, N), N), G),
      pair(r, s),
    );
    const opposite = times(mod(-e * invert(r, N), N), G);
    refuses(
      `sum-vanishes-at-u1-${name}`,
      'u1·G = −u2·Q: the sum is the point at infinity, which has no x.',
      opposite,
      pair(r, s),
    );
  }
  const same = xOf(some);
  accepts('r-equal-to-s', 'u2 = 1.', keyFor(e, some, same, same), pair(same, same));
  accepts('s-equal-to-the-hash', 'u1 = 1.', keyFor(e, some, same, mod(e, N)), pair(same, mod(e, N)));

  // Near misses of one valid pair
  const key = times(99n, G);
  const good = sign(99n, input);
  const [r, s] = [integer(good.subarray(0, bytes)), integer(good.subarray(bytes))];
  refuses('key-negated', 'The key with the other y.', minus(key), good);
  refuses('key-plus-g', 'The next key.', plus(key, G), good);
  refuses('r-negated', 'n − r is no second r, unlike n − s.', key, pair(N - r, s));
  refuses('r-plus-1', 'The next r.', key, pair(r + 1n, s));
  refuses('s-plus-1', 'The next s.', key, pair(r, s + 1n));
  refuses('r-zero-s-valid', 'r = 0 alone (CVE-2022-21449).', key, pair(0n, s));
  refuses('s-zero-r-valid', 's = 0 alone.', key, pair(r, 0n));
  refuses('s-inverted', '1 / s in the place of s.', key, pair(r, invert(s, N)));
}

for (const [id, curve] of Object.entries({ p256, p384, p521, k256 })) corners(id, curve);
