// Reads a key as people have them (JWK, JWK Set, PEM, certificate, secret), with as much DER
// (X.690) as that takes. What is wrong with it, the core says.
import { bytesOf, encode, hexOf } from '../base64url.js';
import { importPrivate, publicJwk, secretBytes } from './sign.js';

const ALG_OF_CURVE = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  secp256k1: 'ES256K',
  Ed25519: 'EdDSA',
};

/** Is it where keys are, and no key? */
export const isAddress = (text) => /^\s*https?:\/\/[^\s/]+\S*\s*$/i.test(text);

/**
 * `{ fields, note, secret, alg }`: members of an issuer in a policy, what is to be remarked, and
 * whether it is a secret. `wanted` settles the algorithm where the key leaves it open: an RSA key,
 * or a secret. The token's own word is not asked.
 */
export async function readKey(text, { wanted = '', encoding = 'text' } = {}) {
  const trimmed = text.trim();
  if (trimmed.startsWith('{') || trimmed.startsWith('[')) return ofJson(trimmed, wanted);
  if (trimmed.includes('-----BEGIN')) return ofPem(trimmed, wanted);
  const alg = wanted.startsWith('HS') ? wanted : 'HS256';
  const base64url = encode(secretBytes(encoding === 'text' ? text : trimmed, encoding));
  return {
    fields: { keys: [{ alg, secret: { base64url } }] },
    note: `A secret for ${alg}`,
    secret: true,
    alg,
  };
}

function ofJson(text, wanted) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('This begins like a JWK or a JWK Set, but is not JSON.');
  }
  const keys = Array.isArray(value) ? value : Array.isArray(value.keys) ? value.keys : [value];
  const isPrivate = keys.some((jwk) => jwk?.d !== undefined);
  const secret = keys.some((jwk) => jwk?.kty === 'oct');
  const settled = keys.map((jwk) => {
    const bare = jwk?.d === undefined ? jwk : publicJwk(jwk);
    return bare?.alg === undefined ? { ...bare, alg: algOf(bare, wanted) } : bare;
  });
  const what = keys.length === 1 ? `A key for ${settled[0].alg}` : `${keys.length} keys`;
  const note = isPrivate
    ? `${what}. It is private: only its public half is used, and nobody should have pasted it`
    : what;
  return { fields: { jwks: { keys: settled } }, note, secret, alg: settled[0]?.alg };
}

function algOf({ kty, crv } = {}, wanted) {
  if (kty === 'RSA') return /^[RP]S/.test(wanted) ? wanted : 'RS256';
  if (kty === 'oct') return wanted.startsWith('HS') ? wanted : 'HS256';
  return ALG_OF_CURVE[crv];
}

async function ofPem(text, wanted) {
  const blocks = pemBlocks(text);
  if (blocks.length === 0) throw new Error('This begins like a PEM block and has no END.');
  if (blocks[0].label === 'PRIVATE KEY') return ofPrivatePem(text, wanted);
  const { kind, pem } = publicKeyOf(blocks[0]);
  const alg = kind === 'RSA' ? algOf({ kty: 'RSA' }, wanted) : ALG_OF_CURVE[kind];
  const what =
    blocks[0].label === 'CERTIFICATE'
      ? `The ${kind} key of a certificate, whose own dates and issuer are not looked at`
      : `A key of the kind ${kind}`;
  return { fields: { keys: [{ alg, pem }] }, note: `${what}, for ${alg}`, secret: false, alg };
}

async function ofPrivatePem(text, wanted) {
  for (const alg of [wanted, 'ES256', 'RS256', 'EdDSA', 'ES384', 'ES512'].filter(Boolean)) {
    const key = await importPrivate(text, alg).catch(() => undefined);
    // Without its kid, which the PEM does not have.
    if (key)
      return {
        ...ofJson(JSON.stringify({ ...key.jwk, kid: undefined }), wanted),
        note: `A private ${alg} key: only its public half is used, and nobody should have pasted it`,
      };
  }
  throw new Error('This private key is of a kind the browser does not know.');
}

/** Does the secret make this signature? For secrets that are too short for the core to take. */
export async function secretFits(token, secret, alg) {
  const key = await crypto.subtle.importKey(
    'raw',
    secret,
    { name: 'HMAC', hash: `SHA-${alg.slice(2)}` },
    false,
    ['sign'],
  );
  const at = token.lastIndexOf('.');
  const made = new Uint8Array(await crypto.subtle.sign('HMAC', key, bytesOf(token.slice(0, at))));
  return encode(made) === token.slice(at + 1);
}

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

/**
 * An ECDSA signature as most programs outside JOSE write it (RFC 3279 §2.2.3), from the
 * fixed-length one.
 */
export function derSignature(raw) {
  const half = raw.length / 2;
  const integer = (bytes) => {
    const from = bytes.findIndex((byte) => byte !== 0);
    const short = from === -1 ? [0] : [...bytes.subarray(from)];
    return tagged(0x02, short[0] > 0x7f ? [0, ...short] : short);
  };
  return sequence([...integer(raw.subarray(0, half)), ...integer(raw.subarray(half))]);
}
