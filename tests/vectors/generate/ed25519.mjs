// Ed25519 in plain integers (RFC 8032 section 5.1): slow, short, and only for making vectors,
// since no library signs with points of small or mixed order. Points are affine, `[x, y]`.
import crypto from 'node:crypto';

export const P = 2n ** 255n - 19n;
export const L = 2n ** 252n + 27742317777372353535851937790883648493n;
export const mod = (a, m = P) => ((a % m) + m) % m;
const power = (base, exponent) => {
  let result = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b))
    if (e & 1n) result = mod(result * b);
  return result;
};
const invert = (a) => power(a, P - 2n);
const D = mod(-121665n * invert(121666n));
const ROOT = power(2n, (P - 1n) / 4n);

// In extended coordinates, [X, Y, Z, T] for (X / Z, Y / Z) with T = X·Y / Z (RFC 8032
// section 5.1.4): the sum needs no inversion.
const extended = ([x, y]) => [x, y, 1n, mod(x * y)];

function sum([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2));
  const b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * D * mod(t1 * t2));
  const d = mod(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function affine([x, y, z]) {
  const inverse = invert(z);
  return [mod(x * inverse), mod(y * inverse)];
}

export const addPoints = (a, b) => affine(sum(extended(a), extended(b)));

export function times(scalar, point) {
  let result = extended([0n, 1n]);
  let doubled = extended(point);
  for (let k = scalar; k > 0n; k >>= 1n, doubled = sum(doubled, doubled))
    if (k & 1n) result = sum(result, doubled);
  return affine(result);
}

export function pointAt(y, odd) {
  const square = mod((y * y - 1n) * invert(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * ROOT);
  if (mod(x * x) !== square) return undefined;
  if ((x & 1n) !== odd) x = mod(-x);
  return [x, y];
}
export const little = (value) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
const number = (bytes) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
export const compress = ([x, y], shift = 0n) => little((y + shift) | ((x & 1n) << 255n));

export const BASE = pointAt(mod(4n * invert(5n)), 0n);
if (times(L, BASE)[1] !== 1n) throw new Error('the base point does not have order L');
/** A point of order 8: what is left of a point when its part of order L is taken away. */
export const torsion = (() => {
  for (let y = 2n; ; y++) {
    const point = pointAt(y, 0n);
    const rest = point && times(L, point);
    if (rest && times(4n, rest)[1] !== 1n) return rest;
  }
})();
export const small = Array.from({ length: 8 }, (_, index) => times(BigInt(index), torsion));

/** The secret scalar of a private JWK (RFC 8032 section 5.1.5). */
export function scalarOf(jwk) {
  const seed = crypto.createHash('sha512').update(Buffer.from(jwk.d, 'base64url')).digest();
  const bytes = Buffer.from(seed.subarray(0, 32));
  bytes[0] &= 248;
  bytes[31] = (bytes[31] & 127) | 64;
  return number(bytes);
}

/** k = SHA-512(R ‖ A ‖ M), as an integer below L. */
export const challenge = (r, a, message) =>
  mod(number(crypto.createHash('sha512').update(r).update(a).update(message).digest()), L);

/** The point that 32 bytes stand for, canonical or not; undefined when there is none. */
export function decompress(bytes) {
  const value = number(bytes);
  return pointAt(mod(value & ((1n << 255n) - 1n)), value >> 255n);
}
