// Ed25519 at its edges: small order, mixed order, second encodings, S past the order. Expectations
// are those of strict, cofactorless verification (RFC 8032 section 5.1.7, ZIP 215's opposite).
import {
  addPoints,
  BASE,
  challenge,
  compress,
  L,
  little,
  mod,
  P,
  pointAt,
  scalarOf,
  small,
  times,
  torsion,
} from './ed25519.mjs';
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

const clamped = scalarOf(keys.ed25519);
const A = times(clamped, BASE);
if (!compress(A).equals(Buffer.from(keys.ed25519.x, 'base64url')))
  throw new Error('the key does not agree with Node');

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

// A key of mixed order is not weak: its part of order L is the key. Cofactorless verification
// holds only where k·T vanishes.
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
