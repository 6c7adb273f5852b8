// Tokens to verify, all different, signed with Node's cryptography outside of any timing.
import crypto from 'node:crypto';

export const ALGS = ['ES256', 'EdDSA', 'RS256', 'PS256', 'HS256', 'ES384', 'ES512', 'ES256K'];
export const ISSUER = 'https://issuer.example/';
export const AUDIENCE = 'https://api.example';
export const TYPE = 'at+jwt';
/** What whole requests are measured with, and the `typ` that Hono's own middleware takes. */
export const GATE_ALGS = ['ES256', 'EdDSA', 'RS256'];
export const JWT = 'JWT';

const RAW = { dsaEncoding: 'ieee-p1363' };
const PSS = {
  padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
  saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST,
};

/** How an algorithm signs and is verified by Node itself. */
export const NATIVE = {
  ES256: { pair: ['ec', { namedCurve: 'P-256' }], hash: 'sha256', options: RAW },
  ES384: { pair: ['ec', { namedCurve: 'P-384' }], hash: 'sha384', options: RAW },
  ES512: { pair: ['ec', { namedCurve: 'P-521' }], hash: 'sha512', options: RAW },
  ES256K: { pair: ['ec', { namedCurve: 'secp256k1' }], hash: 'sha256', options: RAW },
  EdDSA: { pair: ['ed25519'], hash: null, options: {} },
  RS256: { pair: ['rsa', { modulusLength: 2048 }], hash: 'sha256', options: {} },
  PS256: { pair: ['rsa', { modulusLength: 2048 }], hash: 'sha256', options: PSS },
};

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What a token says: about 350 bytes with its header, as an access token of RFC 9068 does. */
function payload(index, now) {
  return {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: `user-${String(index).padStart(8, '0')}`,
    client_id: 'bench',
    scope: 'read write',
    iat: now,
    exp: now + 3600,
    jti: crypto.randomUUID(),
  };
}

function signer(alg) {
  if (alg === 'HS256') {
    const secret = crypto.randomBytes(32);
    return {
      jwk: { kty: 'oct', k: secret.toString('base64url') },
      sign: (input) => crypto.createHmac('sha256', secret).update(input).digest(),
    };
  }
  const { pair, hash, options } = NATIVE[alg];
  const { privateKey, publicKey } = crypto.generateKeyPairSync(...pair);
  return {
    jwk: publicKey.export({ format: 'jwk' }),
    sign: (input) => crypto.sign(hash, Buffer.from(input), { key: privateKey, ...options }),
  };
}

/**
 * Enough tokens that no library sees one twice: for warming up, for each round in Node and for
 * each round in workerd. With them the key, one more token for the case `repeat`, and a forged
 * one.
 */
export function makeTokens(alg, { node, workerd }, type = TYPE) {
  const { jwk, sign } = signer(alg);
  const now = Math.floor(Date.now() / 1000);
  const header = encode({ alg, typ: type, kid: 'bench' });
  const make = (index) => {
    const input = `${header}.${encode(payload(index, now))}`;
    return `${input}.${sign(input).toString('base64url')}`;
  };
  let made = 0;
  const take = (count) => Array.from({ length: count }, () => make(made++));
  const batches = ({ rounds, batch }) => Array.from({ length: rounds }, () => take(batch));
  const [victim, repeat] = take(2);
  const dot = victim.lastIndexOf('.') + 1;
  const forged = victim.slice(0, dot) + (victim[dot] === 'A' ? 'B' : 'A') + victim.slice(dot + 1);
  return {
    jwk: { ...jwk, kid: 'bench', alg, use: 'sig' },
    warmup: take(node.batch),
    node: batches(node),
    workerd: batches(workerd),
    repeat,
    forged,
  };
}
