// The twelve cases of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020, table 5), by
// its numbers: each tells two families of verifiers apart. Made anew under our own header, since
// the messages there are no JWS. What is stated is what strict verification answers.

import crypto from 'node:crypto';
import {
  addPoints,
  BASE,
  challenge,
  compress,
  decompress,
  L,
  little,
  mod,
  P,
  scalarOf,
  small,
  times,
} from './ed25519.mjs';
import { accept, collection, encode, holds, keys, misuse, refuse } from './signing.mjs';

const { add, file } = collection(
  'Own, after table 5 of "Taming the many EdDSAs"; outcomes computed from the equations.',
);

export { file };

const a = scalarOf(keys.ed25519);
const r = 0x0123456789abcdef0123456789abcdef0123456789abcdefn;
const A = times(a, BASE);
const R = times(r, BASE);
const isSmall = (point) => times(8n, point)[1] === 1n && times(8n, point)[0] === 0n;
const equal = (p, q) => p[0] === q[0] && p[1] === q[1];
const negated = ([x, y]) => [mod(-x), y];

/** What the equation says with and without the cofactor, k hashed over the bytes as they are. */
function equations(aBytes, rBytes, s, input) {
  const [key, commitment] = [decompress(aBytes), decompress(rBytes)];
  const right = addPoints(commitment, times(challenge(rBytes, aBytes, input), key));
  const left = times(s, BASE);
  return { cofactorless: equal(left, right), cofactored: equal(times(8n, left), times(8n, right)) };
}

/**
 * Strict: canonical A and R and S, neither point of small order, and the equation without the
 * cofactor.
 */
function verdict(aBytes, rBytes, s, input) {
  const [key, commitment] = [decompress(aBytes), decompress(rBytes)];
  if (!compress(key).equals(aBytes) || isSmall(key)) return misuse('/x');
  const canonical = s < L && compress(commitment).equals(rBytes) && !isSmall(commitment);
  return canonical && equations(aBytes, rBytes, s, input).cofactorless
    ? accept()
    : refuse('signature-invalid');
}

/** Tries messages until the case is what it shall be. */
function record(id, comment, wanted, make) {
  for (let round = 0; round < 4096; round++) {
    const input = `${encode({ alg: 'EdDSA' })}.${encode(`${id} ${round}`)}`;
    const { key, commitment, s } = make(input);
    const is = equations(key, commitment, mod(s, L), input);
    if (Object.entries(wanted).some(([name, value]) => is[name] !== value)) continue;
    const expect = verdict(key, commitment, s, input);
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') };
    add(
      id,
      17,
      comment,
      { kind: 'jws', jwk, token: `${input}.${encode(Buffer.concat([commitment, little(s)]))}` },
      expect,
    );
    return;
  }
  throw new Error(`${id}: no message makes it so`);
}
/**
 * A signature by the scalar `a` under whatever key and commitment, with the hash over them or over
 * `hashed`.
 */
const signer =
  (key, commitment, nonce, scalar, hashed = [commitment, key]) =>
  (input) => ({
    key,
    commitment,
    s: mod(nonce + challenge(hashed[0], hashed[1], input) * scalar, L),
  });

const [T1, T3, T4] = [small[1], small[3], small[4]];
const c = compress;
record(
  'speccheck-0',
  'A and R of small order, S = 0: one signature for many messages.',
  { cofactorless: true },
  signer(c(T1), c(T3), 0n, 0n),
);
record(
  'speccheck-1',
  'A of small order, R mixed.',
  { cofactorless: true },
  signer(c(T1), c(addPoints(R, T3)), r, 0n),
);
record(
  'speccheck-2',
  'A mixed, R of small order.',
  { cofactorless: true },
  signer(c(addPoints(A, T1)), c(T3), 0n, a),
);
record(
  'speccheck-3',
  'A and R mixed, and the parts of small order cancel: it holds without the cofactor too.',
  { cofactorless: true },
  signer(c(addPoints(A, T1)), c(addPoints(R, T3)), r, a),
);
record(
  'speccheck-4',
  'A and R mixed, and they do not cancel: it holds with the cofactor alone.',
  { cofactorless: false, cofactored: true },
  signer(c(addPoints(A, T1)), c(addPoints(R, T3)), r, a),
);
record(
  'speccheck-5',
  'A mixed, R of order L: it holds with the cofactor alone.',
  { cofactorless: false, cofactored: true },
  signer(c(addPoints(A, T1)), c(R), r, a),
);
const past = (factor) => (input) => {
  const made = signer(c(A), c(R), r, a)(input);
  return { ...made, s: made.s + factor * L };
};
record('speccheck-6', 'S past the order, below 2^253.', { cofactorless: true }, past(1n));
record('speccheck-7', 'S far past the order, its high bits set.', { cofactorless: true }, past(14n));
// −(0, −1) in a second encoding is y = p − 1 with the sign bit, a bit that x = 0 cannot have;
// (0, 1) has y = p + 1 besides.
const secondR = little(P + 1n);
record(
  'speccheck-8',
  'R of small order in a second encoding, hashed as its canonical one.',
  {},
  signer(c(A), secondR, 0n, a, [c(small[0]), c(A)]),
);
record(
  'speccheck-9',
  'R of small order in a second encoding, hashed as it stands.',
  { cofactorless: true },
  signer(c(A), secondR, 0n, a),
);
const secondA = little((P - 1n) | (1n << 255n));
record(
  'speccheck-10',
  'A of small order in a second encoding, hashed as its canonical one.',
  {},
  signer(secondA, c(R), r, 0n, [c(R), c(T4)]),
);
record(
  'speccheck-11',
  'A of small order in a second encoding, hashed as it stands.',
  { cofactorless: true },
  signer(secondA, c(R), r, 0n),
);

// Valid signatures with small numbers in them
function valid(id, comment, scalar, nonce) {
  const input = `${encode({ alg: 'EdDSA' })}.${encode(id)}`;
  const [key, commitment] = [c(times(scalar, BASE)), c(times(nonce, BASE))];
  const bytes = Buffer.concat([
    commitment,
    little(mod(nonce + challenge(commitment, key, input) * scalar, L)),
  ]);
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') };
  if (!holds('EdDSA', crypto.createPublicKey({ key: jwk, format: 'jwk' }), input, bytes))
    throw new Error(`${id} does not hold`);
  add(id, 18, comment, { kind: 'jws', jwk, token: `${input}.${encode(bytes)}` }, accept({ payloadUtf8: id }));
  const wrong = Buffer.concat([c(negated(times(nonce, BASE))), bytes.subarray(32)]);
  add(
    `${id}-with-r-negated`,
    18,
    'The same with −R.',
    { kind: 'jws', jwk, token: `${input}.${encode(wrong)}` },
    refuse('signature-invalid'),
  );
}
for (const [name, scalar] of Object.entries({
  b: 1n,
  '2b': 2n,
  '8b': 8n,
  'minus-b': L - 1n,
  'minus-2b': L - 2n,
  '2-to-128-b': 2n ** 128n,
  'half-b': (L + 1n) / 2n,
})) {
  valid(`ed25519-key-${name}`, 'A key among the multiples that a table of the base point holds.', scalar, r);
  valid(`ed25519-commitment-${name}`, 'The same for R.', a, scalar);
}
