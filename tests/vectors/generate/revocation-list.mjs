// Writes signed lists of revocations (src/revocation/snapshot.rs), from its description and not
// from its code.
import crypto from 'node:crypto';

import { encode, ISSUER, KEY_OF, signature } from './signing.mjs';

const MASK = (1n << 64n) - 1n;
const rotate = (word, by) => ((word << by) | (word >> (64n - by))) & MASK;

/** SipHash-2-4 (Aumasson and Bernstein, 2012). */
export function sipHash(key, message) {
  const [k0, k1] = [key.readBigUInt64LE(0), key.readBigUInt64LE(8)];
  let [a, b, c, d] = [
    0x736f6d6570736575n ^ k0,
    0x646f72616e646f6dn ^ k1,
    0x6c7967656e657261n ^ k0,
    0x7465646279746573n ^ k1,
  ];
  const round = () => {
    a = (a + b) & MASK;
    b = rotate(b, 13n) ^ a;
    a = rotate(a, 32n);
    c = (c + d) & MASK;
    d = rotate(d, 16n) ^ c;
    a = (a + d) & MASK;
    d = rotate(d, 21n) ^ a;
    c = (c + b) & MASK;
    b = rotate(b, 17n) ^ c;
    c = rotate(c, 32n);
  };
  const length = message.length;
  const padded = Buffer.alloc((Math.floor(length / 8) + 1) * 8);
  message.copy(padded);
  padded[padded.length - 1] = length & 255;
  for (let place = 0; place < padded.length; place += 8) {
    const word = padded.readBigUInt64LE(place);
    d ^= word;
    round();
    round();
    a ^= word;
  }
  c ^= 0xffn;
  for (let times = 0; times < 4; times++) round();
  return a ^ b ^ c ^ d;
}

/** The name of what is revoked. */
export function nameOf(key, claim, issuer, value = '') {
  const between = Buffer.from([255]);
  return sipHash(
    key,
    Buffer.concat([Buffer.from(claim), between, Buffer.from(issuer), between, Buffer.from(value)]),
  );
}

const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest();
const ascending = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Numbers as eight bytes each. */
export function words(numbers) {
  const bytes = Buffer.alloc(8 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeBigUInt64BE(BigInt(number), 8 * index);
  return bytes;
}

/** The head of a document: where the chain is after it. */
export const headOf = (document) =>
  JSON.parse(Buffer.from(document.split('.')[1], 'base64url').toString()).head;

/**
 * What a document is, unless it says so itself. The head of a delta follows from all that is
 * before it, as any issuer's does.
 */
function linkOf({ previous, current, version = 1 }, bytes) {
  if (current !== undefined) return {};
  if (previous === undefined) return { head: encode(Buffer.alloc(32, 1)) };
  const head = encode(sha256(Buffer.concat([Buffer.from(String(previous)), words([version]), bytes])));
  return { since: version - 1, head };
}

/**
 * A document. `tokens` are hashes, `cutoffs` pairs of hash and instant; a delta has `previous`, a
 * renewal `current`, anything else is a snapshot with `head`. What else is given replaces a member
 * of the payload, or leaves it out when it is undefined.
 */
export function list({
  alg = 'EdDSA',
  key = KEY_OF[alg],
  header,
  hashKey,
  tokens = [],
  cutoffs = [],
  body,
  sort = true,
  ...payload
}) {
  const order = (items, by) => (sort ? [...items].sort((a, b) => ascending(by(a), by(b))) : items);
  const bytes =
    body ??
    Buffer.concat([words(order(tokens, (hash) => hash)), words(order(cutoffs, ([hash]) => hash).flat())]);
  const members = {
    iss: ISSUER,
    epoch: 1,
    version: 1,
    key: encode(hashKey),
    tokens: tokens.length,
    cutoffs: cutoffs.length,
    body: encode(sha256(bytes)),
    ...linkOf(payload, bytes),
    ...payload,
  };
  const typ = 'portcullis-revocation+jwt';
  const input = `${encode({ alg, kid: 'list', typ, ...header })}.${encode(members)}`;
  return `${input}.${encode(signature(alg, key, input))}~${encode(bytes)}`;
}
