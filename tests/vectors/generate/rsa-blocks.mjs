// The encoded messages of RSA (RFC 8017 section 9), built part by part, so that one part can be
// wrong. Salts are functions of the message: regenerating the vectors changes none of them.
import crypto from 'node:crypto';

const bytes = (hash) => crypto.createHash(hash).update('').digest().length;
const digest = (hash, ...parts) => crypto.createHash(hash).update(Buffer.concat(parts)).digest();

/** The width of a key in bits. */
export const bitsOf = (jwk) =>
  BigInt(`0x${Buffer.from(jwk.n, 'base64url').toString('hex')}`).toString(2).length;

/** RSASP1 (RFC 8017 section 5.2.1): the signature that stands for a block. */
export function raise(jwk, block) {
  const key = crypto.createPrivateKey({ key: jwk, format: 'jwk' });
  const width = Math.ceil(bitsOf(jwk) / 8);
  const whole = Buffer.concat([Buffer.alloc(width - block.length), block]);
  return crypto.privateEncrypt({ key, padding: crypto.constants.RSA_NO_PADDING }, whole);
}

function mask(hash, seed, length) {
  const parts = [];
  for (let counter = 0; parts.length * bytes(hash) < length; counter++)
    parts.push(digest(hash, seed, Buffer.from([0, 0, 0, counter])));
  return Buffer.concat(parts).subarray(0, length);
}

/**
 * EMSA-PSS-ENCODE for a key of `bits` bits. `salt`, `mgf`, `trailer`, `separator` and `prefix`
 * (the eight zeros that are hashed) may be other than RFC 7518 section 3.5 has them; `padding` is
 * a byte put into the zeros before the separator, `top` the bits set above the mask's end.
 */
export function pssBlock(hash, bits, message, how = {}) {
  const input = Buffer.from(message);
  const {
    salt = digest('sha512', input).subarray(0, bytes(hash)),
    mgf = hash,
    trailer = 0xbc,
    separator = 1,
  } = how;
  const length = Math.ceil((bits - 1) / 8);
  const h = digest(hash, Buffer.alloc(8, how.prefix ?? 0), digest(how.digest ?? hash, input), salt);
  const zeros = Buffer.alloc(length - salt.length - h.length - 2, 0);
  if (how.padding) zeros[zeros.length - 1] = how.padding;
  const db = Buffer.concat([zeros, Buffer.from([separator]), salt]);
  const masked = mask(mgf, h, db.length).map((byte, index) => byte ^ db[index]);
  masked[0] &= 0xff >> (8 * length - (bits - 1));
  masked[0] |= how.top ?? 0;
  return Buffer.concat([masked, h, Buffer.from([trailer])]);
}

const OIDS = {
  sha1: '2b0e03021a',
  sha256: '608648016503040201',
  sha384: '608648016503040202',
  sha512: '608648016503040203',
};
const tlv = (tag, ...parts) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, body.length]), body]);
};

/** DigestInfo (RFC 8017 section 9.2): SEQUENCE { SEQUENCE { OID, parameters }, OCTET STRING }. */
export function digestInfo(hash, message, parameters = Buffer.from([5, 0])) {
  const algorithm = tlv(0x30, tlv(6, Buffer.from(OIDS[hash], 'hex')), parameters);
  return tlv(0x30, algorithm, tlv(4, digest(hash, Buffer.from(message))));
}

/** EMSA-PKCS1-v1_5-ENCODE around a DigestInfo, right or not. */
export function pkcs1Block(bits, info) {
  const padding = Buffer.alloc(Math.ceil(bits / 8) - info.length - 3, 0xff);
  return Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), info]);
}
