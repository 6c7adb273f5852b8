// Tokens signed by Node's own cryptography, which is independent of ours; each is verified once more before it is used.
import crypto from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const KEYS = new URL('test-keys.json', import.meta.url);

const HASHES = { 256: 'sha256', 384: 'sha384', 512: 'sha512' };

/** Private keys for tests alone. They are made once and kept, so that regenerating vectors changes no key. */
export const keys = loadKeys();

function loadKeys() {
  if (existsSync(KEYS)) return JSON.parse(readFileSync(KEYS, 'utf8')).keys;
  const pair = (type, options) =>
    crypto.generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' });
  const secret = (bytes) => ({ kty: 'oct', k: crypto.randomBytes(bytes).toString('base64url') });
  const keys = {
    es256: pair('ec', { namedCurve: 'P-256' }),
    es256Other: pair('ec', { namedCurve: 'P-256' }),
    es384: pair('ec', { namedCurve: 'P-384' }),
    k256: pair('ec', { namedCurve: 'secp256k1' }),
    ed25519: pair('ed25519'),
    ed25519Other: pair('ed25519'),
    x25519: pair('x25519'),
    rsa: pair('rsa', { modulusLength: 2048 }),
    rsaOther: pair('rsa', { modulusLength: 2048 }),
    rsa3072: pair('rsa', { modulusLength: 3072 }),
    rsa1024: pair('rsa', { modulusLength: 1024 }),
    rsaSmallExponent: pair('rsa', { modulusLength: 2048, publicExponent: 3 }),
    hs256: secret(32),
    hs384: secret(48),
    hs512: secret(64),
  };
  const note = 'Private keys made for these tests alone and known to everyone. Never use one.';
  writeFileSync(KEYS, `${JSON.stringify({ note, keys }, null, 2)}\n`);
  return keys;
}

/** The public half of a key, with what else its JWK shall say. */
export function publicJwk(name, more = {}) {
  const { d, p, q, dp, dq, qi, ...rest } = keys[name];
  return { ...rest, ...more };
}

export const privateKey = (name) => crypto.createPrivateKey({ key: keys[name], format: 'jwk' });
export const publicKey = (name) => crypto.createPublicKey({ key: publicJwk(name), format: 'jwk' });
export const spki = (name) => publicKey(name).export({ format: 'der', type: 'spki' });
export const pem = (name) => publicKey(name).export({ format: 'pem', type: 'spki' });

export const encode = (value) =>
  Buffer.from(
    typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value),
  ).toString('base64url');

export function signature(alg, name, input) {
  const hash = HASHES[alg.slice(2)];
  const data = Buffer.from(input);
  if (alg.startsWith('HS')) {
    return crypto.createHmac(hash, Buffer.from(keys[name].k, 'base64url')).update(data).digest();
  }
  const padding = alg.startsWith('PS')
    ? { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  const options = { dsaEncoding: 'ieee-p1363', ...padding };
  const digest = alg === 'EdDSA' ? null : hash;
  const made = crypto.sign(digest, data, { key: privateKey(name), ...options });
  if (!crypto.verify(digest, data, { key: publicKey(name), ...options }, made))
    throw new Error(`${alg} does not hold`);
  return made;
}

/** The key of test-keys.json that signs for an algorithm. */
export const KEY_OF = {
  HS256: 'hs256',
  HS384: 'hs384',
  HS512: 'hs512',
  ES256: 'es256',
  EdDSA: 'ed25519',
  RS256: 'rsa',
  RS384: 'rsa',
  RS512: 'rsa',
  PS256: 'rsa',
  PS384: 'rsa',
  PS512: 'rsa',
};

export const ALGS = Object.keys(KEY_OF);
export const NOW = 1_700_000_000;
export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'https://api.example';

/** Claims that every default policy here accepts at NOW. */
export const claims = (more = {}) => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'user-1',
  iat: NOW - 10,
  exp: NOW + 290,
  ...more,
});

/**
 * A token. `header` and `payload` may be texts, taken as they are; `key` another key than the algorithm's own; `bytes` other bytes in the
 * signature's place; `alg` what the header says when it lies.
 */
export function token({ alg = 'ES256', key = KEY_OF[alg], header, payload = claims(), bytes } = {}) {
  const own = { alg, typ: 'at+jwt', kid: alg };
  const head = typeof header === 'string' || header instanceof Uint8Array ? header : { ...own, ...header };
  const input = `${encode(head)}.${encode(payload)}`;
  return `${input}.${encode(bytes ?? signature(alg, key, input))}`;
}

/** The header's members without those set to undefined, for a token that lacks one. */
export const without = (name) => ({ [name]: undefined });

/** A policy with one key an algorithm, each with the algorithm's name for a kid. */
export function policy(algs = ALGS, more = {}) {
  const jwks = { keys: algs.map((alg) => publicJwk(KEY_OF[alg], { kid: alg, alg })) };
  return { issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks, ...more }] };
}

export const accept = (more = {}) => ({ ok: true, ...more });
export const refuse = (code, fields) => ({ ok: false, code, ...(fields && { fields }) });
export const misuse = (pointer) => ({ error: pointer });

/** Collects vectors of one file. */
export function collection(source, policies = {}) {
  const vectors = [];
  const add = (id, klass, comment, input, expect) => {
    const kind = input.kind ?? 'verify';
    const policy = kind === 'inspect' || kind === 'jws' ? {} : { policy: 'default' };
    const now = kind === 'policy' ? {} : { now: NOW };
    vectors.push({ id, class: klass, comment, kind, ...policy, ...now, ...input, expect });
  };
  return { add, file: { source, policies: { default: policy(), ...policies }, vectors } };
}
