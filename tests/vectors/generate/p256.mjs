// P-256 in plain integers (FIPS 186-5, SP 800-186): slow, short, and only for making vectors. It signs with numbers of our choosing, which
// no library does, and without randomness, so that regenerating the vectors changes none of them.
import crypto from 'node:crypto';

export const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
export const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
export const G = [
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
];

export const mod = (a, m) => ((a % m) + m) % m;

export function power(base, exponent, m) {
  let result = 1n;
  for (let b = mod(base, m), e = exponent; e > 0n; e >>= 1n, b = (b * b) % m)
    if (e & 1n) result = (result * b) % m;
  return result;
}

export const invert = (a, m) => power(a, m - 2n, m);

/** Points are `[x, y]`; `null` is the point at infinity. */
export function plus(a, b) {
  if (!a || !b) return a ?? b;
  const [[x1, y1], [x2, y2]] = [a, b];
  if (x1 === x2 && y1 !== y2) return null;
  const slope = x1 === x2 ? (3n * x1 * x1 - 3n) * invert(2n * y1, P) : (y2 - y1) * invert(x2 - x1, P);
  const x = mod(slope * slope - x1 - x2, P);
  return [x, mod(slope * (x1 - x) - y1, P)];
}

export const minus = (point) => point && [point[0], mod(-point[1], P)];

// In Jacobian coordinates, [X, Y, Z] for (X / Z², Y / Z³): one inversion a multiplication instead of one an addition.
const INFINITY = [1n, 1n, 0n];

function twice([x, y, z]) {
  const zz = (z * z) % P;
  const slope = mod(3n * (x - zz) * (x + zz), P);
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

export function times(scalar, point) {
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
export function pointAt(x) {
  const square = mod(x * x * x - 3n * x + B, P);
  const y = power(square, (P + 1n) / 4n, P);
  if ((y * y) % P !== square) return undefined;
  return [x, y & 1n ? P - y : y];
}

export const wide = (value) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
export const integer = (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
export const digest = (input) => integer(crypto.createHash('sha256').update(input).digest());
export const pair = (r, s) => Buffer.concat([wide(r), wide(s)]);

export function jwkOf([x, y]) {
  return { kty: 'EC', crv: 'P-256', x: wide(x).toString('base64url'), y: wide(y).toString('base64url') };
}

/** The key under which (r, s) is what `point` and the hash `e` give: Q = (s·R − e·G) / r (SEC 1 section 4.1.6). */
export function keyFor(e, point, r, s) {
  return times(invert(r, N), plus(times(s, point), minus(times(e, G))));
}

/** A signature whose nonce is a function of the key, the message and `round` alone. */
export function sign(d, input, round = 0) {
  const seed = crypto.createHmac('sha512', wide(d)).update(`${round}`).update(input).digest();
  const k = mod(integer(seed), N - 1n) + 1n;
  const r = times(k, G)[0] % N;
  return pair(r, mod(invert(k, N) * (digest(input) + r * d), N));
}

/** What OpenSSL says, as a second opinion on every vector. */
export function holds(point, input, signature) {
  const key = crypto.createPublicKey({ key: jwkOf(point), format: 'jwk' });
  return crypto.verify('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }, signature);
}
