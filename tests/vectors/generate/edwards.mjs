// Ed25519 at its edges: small order, mixed order, second encodings, S past the order. Built with the curve's equations in integers, since no
// library signs such things; expectations are those of strict, cofactorless verification (RFC 8032 section 5.1.7, ZIP 215's opposite).
import crypto from 'node:crypto';
import {
  AUDIENCE,
  accept,
  claims,
  collection,
  encode,
  ISSUER,
  keys,
  misuse,
  refuse,
  token,
} from './signing.mjs';

const { add, file } = collection(
  'Own, after the cases that "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko) tells apart.',
);

export { file };

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (a, m = P) => ((a % m) + m) % m;
const power = (base, exponent) => {
  let result = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b))
    if (e & 1n) result = mod(result * b);
  return result;
};
const invert = (a) => power(a, P - 2n);
const D = mod(-121665n * invert(121666n));
const ROOT = power(2n, (P - 1n) / 4n);

function addPoints([x1, y1], [x2, y2]) {
  const product = mod(D * mod(x1 * x2) * mod(y1 * y2));
  return [mod((x1 * y2 + x2 * y1) * invert(1n + product)), mod((y1 * y2 + x1 * x2) * invert(1n - product))];
}
function times(scalar, point) {
  let result = [0n, 1n];
  for (let p = point, k = scalar; k > 0n; k >>= 1n, p = addPoints(p, p))
    if (k & 1n) result = addPoints(result, p);
  return result;
}
function pointAt(y, odd) {
  const square = mod((y * y - 1n) * invert(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * ROOT);
  if (mod(x * x) !== square) return undefined;
  if ((x & 1n) !== odd) x = mod(-x);
  return [x, y];
}
const little = (value) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
const number = (bytes) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
const compress = ([x, y], shift = 0n) => little((y + shift) | ((x & 1n) << 255n));

const BASE = pointAt(mod(4n * invert(5n)), 0n);
if (times(L, BASE)[1] !== 1n) throw new Error('the base point does not have order L');
/** A point of order 8: what is left of a point when its part of order L is taken away. */
const torsion = (() => {
  for (let y = 2n; ; y++) {
    const point = pointAt(y, 0n);
    const rest = point && times(L, point);
    if (rest && times(4n, rest)[1] !== 1n) return rest;
  }
})();
const small = Array.from({ length: 8 }, (_, index) => times(BigInt(index), torsion));

const seed = crypto.createHash('sha512').update(Buffer.from(keys.ed25519.d, 'base64url')).digest();
const clamped = (() => {
  const bytes = Buffer.from(seed.subarray(0, 32));
  bytes[0] &= 248;
  bytes[31] = (bytes[31] & 127) | 64;
  return number(bytes);
})();
const A = times(clamped, BASE);
if (!compress(A).equals(Buffer.from(keys.ed25519.x, 'base64url')))
  throw new Error('the key does not agree with Node');
const challenge = (r, a, message) =>
  mod(number(crypto.createHash('sha512').update(r).update(a).update(message).digest()), L);

const jwk = (bytes) => ({ kty: 'OKP', crv: 'Ed25519', kid: 'EdDSA', x: bytes.toString('base64url') });
const policy = (bytes) => ({
  issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [jwk(bytes)] } }],
});
const input = token({ alg: 'EdDSA' }).split('.').slice(0, 2).join('.');
const withSignature = (r, s) => `${input}.${encode(Buffer.concat([r, little(s)]))}`;

// Keys of small order, in every encoding
for (const [index, point] of small.entries()) {
  add(
    `refuses-ed25519-key-of-small-order-${index}`,
    17,
    'RUSTSEC-2026-0240: under such a key one signature holds for many messages.',
    { kind: 'policy', policy: policy(compress(point)) },
    misuse('/issuers/0/jwks/keys/0/x'),
  );
}
const seconds = {
  'y-p': little(P),
  'y-p-with-sign': little(P | (1n << 255n)),
  'y-p+1': little(P + 1n),
  'y-p+1-with-sign': little((P + 1n) | (1n << 255n)),
  'identity-with-sign': little(1n | (1n << 255n)),
  'minus-one-with-sign': little((P - 1n) | (1n << 255n)),
};
for (const [name, bytes] of Object.entries(seconds)) {
  add(
    `refuses-ed25519-key-in-second-encoding-${name}`,
    17,
    'A second encoding of a point (RFC 8032 section 5.1.3).',
    { kind: 'policy', policy: policy(bytes) },
    misuse('/issuers/0/jwks/keys/0/x'),
  );
}
const offCurve = (() => {
  for (let y = 2n; ; y++) if (!pointAt(y, 0n)) return little(y);
})();
add(
  'refuses-ed25519-key-off-the-curve',
  17,
  'No point has that y.',
  { kind: 'policy', policy: policy(offCurve) },
  misuse('/issuers/0/jwks/keys/0/x'),
);
const largeSecond = (() => {
  for (let y = 2n; y < 19n; y++) if (pointAt(y, 0n)) return little(y + P);
})();
add(
  'refuses-ed25519-key-of-large-order-in-second-encoding',
  17,
  'Also where the point itself would do.',
  { kind: 'policy', policy: policy(largeSecond) },
  misuse('/issuers/0/jwks/keys/0/x'),
);

// Signatures
const nonce = 1234567890123456789012345678901234567890n;
const R = times(nonce, BASE);
const s = (r, a, scalar = clamped) => mod(nonce + challenge(r, a, input) * scalar, L);
const [r, a] = [compress(R), compress(A)];
const good = s(r, a);
add(
  'accepts-ed25519-built-by-hand',
  17,
  'The equations above make what Node makes.',
  { token: withSignature(r, good) },
  accept(),
);
for (const factor of [1n, 2n, 7n]) {
  add(
    `refuses-ed25519-s-plus-${factor}-l`,
    16,
    'CVE-2024-48949: S below the order, or one signature has many texts.',
    { token: withSignature(r, good + factor * L) },
    refuse('signature-invalid'),
  );
}
add(
  'refuses-ed25519-s-equal-to-l',
  16,
  'At the order.',
  { token: withSignature(r, L) },
  refuse('signature-invalid'),
);
add(
  'refuses-ed25519-s-of-zero',
  16,
  'Zero with a point that does not match.',
  { token: withSignature(r, 0n) },
  refuse('signature-invalid'),
);
add('accepts-ed25519-canonical-s', 16, 'The canonical S.', { token: withSignature(r, good) }, accept());
for (const index of [0, 1, 4]) {
  const smallR = compress(small[index]);
  add(
    `refuses-ed25519-r-of-small-order-${index}`,
    17,
    'S·B = R + k·A solved for an R of small order.',
    { token: withSignature(smallR, mod(challenge(smallR, a, input) * clamped, L)) },
    refuse('signature-invalid'),
  );
}
const mixedR = compress(addPoints(R, torsion));
add(
  'refuses-ed25519-r-of-mixed-order',
  17,
  'It would hold only after multiplying by the cofactor.',
  { token: withSignature(mixedR, s(mixedR, a)) },
  refuse('signature-invalid'),
);
add(
  'refuses-ed25519-r-in-second-encoding',
  17,
  'R is compared as bytes.',
  { token: withSignature(little(P + 1n), mod(challenge(little(P + 1n), a, input) * clamped, L)) },
  refuse('signature-invalid'),
);
add(
  'refuses-ed25519-r-off-the-curve',
  17,
  'R is no point.',
  { token: withSignature(offCurve, good) },
  refuse('signature-invalid'),
);
add(
  'refuses-ed25519-for-another-key',
  17,
  'The key is part of what is hashed.',
  { token: token({ alg: 'EdDSA', key: 'ed25519Other' }) },
  refuse('signature-invalid'),
);

// A key of mixed order is not weak: its part of order L is the key. Cofactorless verification holds only where k·T vanishes.
const mixedA = addPoints(A, torsion);
const mixed = compress(mixedA);
const verdicts = new Set();
for (let index = 0; verdicts.size < 2; index++) {
  const text = `${encode({ alg: 'EdDSA', typ: 'at+jwt', kid: 'EdDSA' })}.${encode(claims({ jti: String(index) }))}`;
  const k = challenge(r, mixed, text);
  const holds = k % 8n === 0n;
  if (verdicts.has(holds)) continue;
  verdicts.add(holds);
  const bytes = Buffer.concat([r, little(mod(nonce + k * clamped, L))]);
  add(
    `${holds ? 'accepts' : 'refuses'}-ed25519-under-a-key-of-mixed-order`,
    17,
    holds
      ? 'k is a multiple of 8, so the part of small order vanishes.'
      : 'It would hold only after multiplying by the cofactor.',
    { policy: policy(mixed), token: `${text}.${encode(bytes)}` },
    holds ? accept() : refuse('signature-invalid'),
  );
}
