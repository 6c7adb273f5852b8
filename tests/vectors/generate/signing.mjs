// Tokens signed without randomness, so that regenerating changes none, and each verified by Node's
// own cryptography before it is used.
import crypto from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { integer, k256, p256, p384, p521, power } from './ec.mjs';
import { bitsOf, pssBlock, raise } from './rsa-blocks.mjs';

const KEYS = new URL('test-keys.json', import.meta.url);

const HASHES = { 256: 'sha256', 384: 'sha384', 512: 'sha512', '256K': 'sha256' };
const CURVES = { ES256: p256, ES384: p384, ES512: p521, ES256K: k256 };

/**
 * Private keys for tests alone. They are made once and kept, so that regenerating vectors changes
 * no key.
 */
export const keys = loadKeys();

function loadKeys() {
  const kept = existsSync(KEYS) ? JSON.parse(readFileSync(KEYS, 'utf8')).keys : {};
  const pair = (type, options) =>
    crypto.generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' });
  const rsa = (modulusLength, publicExponent) => () => pair('rsa', { modulusLength, publicExponent });
  const ec = (namedCurve) => () => pair('ec', { namedCurve });
  const secret = (bytes) => () => ({ kty: 'oct', k: crypto.randomBytes(bytes).toString('base64url') });
  const makers = {
    es256: ec('P-256'),
    es256Other: ec('P-256'),
    es384: ec('P-384'),
    es512: ec('P-521'),
    k256: ec('secp256k1'),
    ed25519: () => pair('ed25519'),
    ed25519Other: () => pair('ed25519'),
    x25519: () => pair('x25519'),
    rsa: rsa(2048),
    rsaOther: rsa(2048),
    rsa3072: rsa(3072),
    rsa1024: rsa(1024),
    rsa2047: rsa(2047),
    rsa2049: () => rsaOfOddWidth(2049),
    rsa2055: () => rsaOfOddWidth(2055),
    rsa4096: rsa(4096),
    rsaSmallExponent: rsa(2048, 3),
    hs256: secret(32),
    hs384: secret(48),
    hs512: secret(64),
  };
  const keys = Object.fromEntries(Object.entries(makers).map(([name, make]) => [name, kept[name] ?? make()]));
  const note = 'Private keys made for these tests alone and known to everyone. Never use one.';
  const missing = Object.keys(keys).some((name) => !(name in kept));
  if (missing) writeFileSync(KEYS, `${JSON.stringify({ note, keys }, null, 2)}\n`);
  return keys;
}

/** OpenSSL rounds an odd width down to the next even one, so these are put together here. */
function rsaOfOddWidth(bits) {
  const prime = (width) => crypto.generatePrimeSync(width, { bigint: true });
  const e = 65537n;
  for (;;) {
    const [p, q] = [prime((bits + 1) / 2), prime((bits - 1) / 2)];
    const n = p * q;
    const order = (p - 1n) * (q - 1n);
    if (n.toString(2).length !== bits || order % e === 0n) continue;
    // 1 / e modulo the order: k·order + 1 is a multiple of e for one k below e.
    let k = 1n;
    while ((k * order + 1n) % e !== 0n) k++;
    const d = (k * order + 1n) / e;
    const text = (value) => {
      const digits = value.toString(16);
      return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex').toString(
        'base64url',
      );
    };
    const members = { n, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: power(q, p - 2n, p) };
    return {
      kty: 'RSA',
      ...Object.fromEntries(Object.entries(members).map(([name, value]) => [name, text(value)])),
    };
  }
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
  const made = sign(alg, hash, name, data);
  if (!holds(alg, publicKey(name), data, made)) throw new Error(`${alg} does not hold`);
  return made;
}

function sign(alg, hash, name, data) {
  const jwk = keys[name];
  const curve = CURVES[alg];
  if (curve) return curve.sign(integer(Buffer.from(jwk.d, 'base64url')), data);
  if (alg.startsWith('PS')) return raise(jwk, pssBlock(hash, bitsOf(jwk), data));
  return crypto.sign(alg === 'EdDSA' ? null : hash, data, privateKey(name));
}

/** What OpenSSL says of a signature by a public key. */
export function holds(alg, key, data, bytes) {
  const padding = alg.startsWith('PS')
    ? { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  const hash = alg === 'EdDSA' ? null : HASHES[alg.slice(2)];
  return crypto.verify(hash, Buffer.from(data), { key, dsaEncoding: 'ieee-p1363', ...padding }, bytes);
}

/** The key of test-keys.json that signs for an algorithm. */
export const KEY_OF = {
  HS256: 'hs256',
  HS384: 'hs384',
  HS512: 'hs512',
  ES256: 'es256',
  ES384: 'es384',
  ES512: 'es512',
  ES256K: 'k256',
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
 * A token. `header` and `payload` may be texts, taken as they are; `key` another key than the
 * algorithm's own; `bytes` other bytes in the signature's place; `alg` what the header says when
 * it lies.
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

/**
 * A long text as the parts that tests/rust/vectors.rs and the conformance suite put together
 * again: what repeats is written once.
 */
function packed(text) {
  const parts = [];
  let from = 0;
  for (const run of text.matchAll(/(.{1,4}?)\1{99,}/gs)) {
    parts.push(text.slice(from, run.index), { repeat: run[1], count: run[0].length / run[1].length });
    from = run.index + run[0].length;
  }
  const whole = [...parts, text.slice(from)].filter((part) => part !== '');
  return whole.length > 1 ? whole : text;
}

/** Collects vectors of one file. */
export function collection(source, policies = {}) {
  const vectors = [];
  const add = (id, klass, comment, input, expect) => {
    const kind = input.kind ?? 'verify';
    const policy = kind === 'inspect' || kind === 'jws' ? {} : { policy: 'default' };
    const now = kind === 'policy' ? {} : { now: NOW };
    const long =
      input.token?.length > 1500 && typeof input.token === 'string' ? { token: packed(input.token) } : {};
    vectors.push({ id, class: klass, comment, kind, ...policy, ...now, ...input, ...long, expect });
  };
  return { add, file: { source, policies: { default: policy(), ...policies }, vectors } };
}
