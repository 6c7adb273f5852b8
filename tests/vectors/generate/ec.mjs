// Curves in plain integers (FIPS 186-5, SP 800-186, SEC 2): slow, short, and only for making
// vectors. It signs with numbers of our choosing, which no library does, and without randomness,
// so that regenerating the vectors changes none of them.
import crypto from 'node:crypto';

export const mod = (a, m) => ((a % m) + m) % m;

export function power(base, exponent, m) {
  let result = 1n;
  for (let b = mod(base, m), e = exponent; e > 0n; e >>= 1n, b = (b * b) % m)
    if (e & 1n) result = (result * b) % m;
  return result;
}

export const invert = (a, m) => power(a, m - 2n, m);

export const integer = (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);

/**
 * y² = x³ + A·x + B modulo P with a base point G of order N; `bytes` is the width of a coordinate.
 */
function curve({ crv, alg, hash, bytes, P, N, A, B, G }) {
  /** Points are `[x, y]`; `null` is the point at infinity. */
  function plus(a, b) {
    if (!a || !b) return a ?? b;
    const [[x1, y1], [x2, y2]] = [a, b];
    if (x1 === x2 && y1 !== y2) return null;
    const slope = x1 === x2 ? (3n * x1 * x1 + A) * invert(2n * y1, P) : (y2 - y1) * invert(x2 - x1, P);
    const x = mod(slope * slope - x1 - x2, P);
    return [x, mod(slope * (x1 - x) - y1, P)];
  }

  const minus = (point) => point && [point[0], mod(-point[1], P)];

  // In Jacobian coordinates, [X, Y, Z] for (X / Z², Y / Z³): one inversion a multiplication
  // instead of one an addition.
  const INFINITY = [1n, 1n, 0n];

  function twice([x, y, z]) {
    const zz = (z * z) % P;
    const slope = mod(3n * x * x + A * zz * zz, P);
    const yy = (y * y) % P;
    const s = (4n * x * yy) % P;
    const x3 = mod(slope * slope - 2n * s, P);
    return [x3, mod(slope * (s - x3) - 8n * yy * yy, P), (2n * y * z) % P];
  }

  /** `a` and the affine point `b`. */
  function mixed(a, b) {
    const [x1, y1, z1] = a;
    if (z1 === 0n) return [...b, 1n];
    const zz = (z1 * z1) % P;
    const h = mod(b[0] * zz - x1, P);
    const r = mod(b[1] * zz * z1 - y1, P);
    if (h === 0n) return r === 0n ? twice(a) : INFINITY;
    const hh = (h * h) % P;
    const [hhh, v] = [(h * hh) % P, (x1 * hh) % P];
    const x3 = mod(r * r - hhh - 2n * v, P);
    return [x3, mod(r * (v - x3) - y1 * hhh, P), (z1 * h) % P];
  }

  function times(scalar, point) {
    if (!point) return null;
    let result = INFINITY;
    for (const bit of mod(scalar, N).toString(2)) {
      result = twice(result);
      if (bit === '1') result = mixed(result, point);
    }
    if (result[2] === 0n) return null;
    const inverse = invert(result[2], P);
    const square = (inverse * inverse) % P;
    return [(result[0] * square) % P, (result[1] * square * inverse) % P];
  }

  /** The point with that x and an even y, if the curve has one. */
  function pointAt(x) {
    const square = mod(x * x * x + A * x + B, P);
    const y = power(square, (P + 1n) / 4n, P);
    if ((y * y) % P !== square) return undefined;
    return [x, y & 1n ? P - y : y];
  }

  const wide = (value) => Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex');
  const digest = (input) => integer(crypto.createHash(hash).update(input).digest());
  const pair = (r, s) => Buffer.concat([wide(r), wide(s)]);

  function jwkOf([x, y]) {
    return { kty: 'EC', crv, x: wide(x).toString('base64url'), y: wide(y).toString('base64url') };
  }

  /**
   * The key under which (r, s) is what `point` and the hash `e` give: Q = (s·R − e·G) / r (SEC 1
   * section 4.1.6).
   */
  function keyFor(e, point, r, s) {
    return times(invert(r, N), plus(times(s, point), minus(times(e, G))));
  }

  /** A signature whose nonce is a function of the key, the message and `round` alone. */
  function sign(d, input, round = 0) {
    const seed = crypto.createHmac('sha512', wide(d)).update(`${round}`).update(input).digest();
    const k = mod(integer(seed), N - 1n) + 1n;
    const r = times(k, G)[0] % N;
    return pair(r, mod(invert(k, N) * (digest(input) + r * d), N));
  }

  /** What OpenSSL says, as a second opinion on every vector. */
  function holds(point, input, signature) {
    const key = crypto.createPublicKey({ key: jwkOf(point), format: 'jwk' });
    return crypto.verify(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }, signature);
  }

  return {
    crv,
    alg,
    bytes,
    P,
    N,
    G,
    wide,
    plus,
    minus,
    times,
    pointAt,
    digest,
    pair,
    jwkOf,
    keyFor,
    sign,
    holds,
  };
}

export const p256 = curve({
  crv: 'P-256',
  alg: 'ES256',
  hash: 'sha256',
  bytes: 32,
  P: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  N: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  A: -3n,
  B: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  G: [
    0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
    0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  ],
});

export const p384 = curve({
  crv: 'P-384',
  alg: 'ES384',
  hash: 'sha384',
  bytes: 48,
  P: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
  N: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  A: -3n,
  B: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  G: [
    0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
    0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
  ],
});

export const p521 = curve({
  crv: 'P-521',
  alg: 'ES512',
  hash: 'sha512',
  bytes: 66,
  P: 0x1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffn,
  N: 0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  A: -3n,
  B: 0x51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  G: [
    0xc6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66n,
    0x11839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650n,
  ],
});

export const k256 = curve({
  crv: 'secp256k1',
  alg: 'ES256K',
  hash: 'sha256',
  bytes: 32,
  P: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2fn,
  N: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  A: 0n,
  B: 0x7n,
  G: [
    0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
    0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
  ],
});
