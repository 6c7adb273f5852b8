// As much DER (X.690) as it takes to find a public key in a PEM file. What is in it, the core checks.
import { hexOf } from './base64url.js';

const OIDS = [
  ['2a864886f70d010101', 'RSA'],
  ['2a8648ce3d030107', 'P-256'],
  ['2b81040022', 'P-384'],
  ['2b81040023', 'P-521'],
  ['2b8104000a', 'secp256k1'],
  ['2b6570', 'Ed25519'],
];
const RSA_ALGORITHM = [
  0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/** `{ label, bytes }` of each block of a PEM text (RFC 7468). */
export function pemBlocks(text) {
  return Array.from(
    text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g),
    ([, label, body]) => {
      try {
        return { label, bytes: Uint8Array.from(atob(body.replaceAll(/\s/g, '')), (c) => c.charCodeAt(0)) };
      } catch {
        throw new Error(`What stands between BEGIN ${label} and END is not base64.`);
      }
    },
  );
}

/** SubjectPublicKeyInfo out of a block, as `{ kind, pem }`; `kind` is RSA or a curve. */
export function publicKeyOf({ label, bytes }) {
  const spki = spkiOf(label, bytes);
  const head = hexOf(spki.subarray(0, 40));
  const kind = OIDS.find(([oid]) => head.includes(oid))?.[1];
  if (!kind) throw new Error('The key is of a kind that no algorithm here uses.');
  return { kind, pem: pemText(spki) };
}

/** SubjectPublicKeyInfo as PEM (RFC 7468 §13). */
export function pemText(spki) {
  const lines = btoa(String.fromCharCode(...spki))
    .match(/.{1,64}/g)
    .join('\n');
  return `-----BEGIN PUBLIC KEY-----\n${lines}\n-----END PUBLIC KEY-----\n`;
}

function spkiOf(label, bytes) {
  if (label === 'PUBLIC KEY') return bytes;
  if (label === 'CERTIFICATE') return spkiOfCertificate(bytes);
  if (label === 'RSA PUBLIC KEY') return sequence([...RSA_ALGORITHM, ...tagged(0x03, [0, ...bytes])]);
  throw new Error(`A block called ${label} holds no public key.`);
}

/** RFC 5280 §4.1: the seventh member of TBSCertificate, or the sixth where there is no version. */
function spkiOfCertificate(bytes) {
  const [tbs] = members(content(bytes));
  const fields = members(content(tbs));
  const spki = fields[fields[0]?.[0] === 0xa0 ? 6 : 5];
  if (!spki) throw new Error('This is no certificate.');
  return spki;
}

/** The elements that stand one after another, each with its tag and length. */
function members(bytes) {
  const found = [];
  let at = 0;
  while (at < bytes.length) {
    const { start, length } = sizes(bytes.subarray(at));
    found.push(bytes.subarray(at, at + start + length));
    at += start + length;
  }
  return found;
}

function content(element) {
  const { start, length } = sizes(element);
  return element.subarray(start, start + length);
}

function sizes(bytes) {
  const first = bytes[1];
  const more = first < 0x80 ? 0 : first - 0x80;
  let length = more === 0 ? first : 0;
  for (const byte of bytes.subarray(2, 2 + more)) length = length * 256 + byte;
  const start = 2 + more;
  if (!(more <= 4 && start + length <= bytes.length))
    throw new Error('The DER in this PEM block is cut off or malformed.');
  return { start, length };
}

const sequence = (bytes) => Uint8Array.from(tagged(0x30, bytes));

function tagged(tag, bytes) {
  const size = bytes.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return [tag, ...length, ...bytes];
}

/** An ECDSA signature as most programs outside JOSE write it (RFC 3279 §2.2.3), from the fixed-length one. */
export function derSignature(raw) {
  const half = raw.length / 2;
  const integer = (bytes) => {
    const from = bytes.findIndex((byte) => byte !== 0);
    const short = from === -1 ? [0] : [...bytes.subarray(from)];
    return tagged(0x02, short[0] > 0x7f ? [0, ...short] : short);
  };
  return sequence([...integer(raw.subarray(0, half)), ...integer(raw.subarray(half))]);
}
