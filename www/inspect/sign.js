// Signing, by the browser's own WebCrypto: with a throw-away key that never leaves it, or with one
// that was pasted.
import { bytesOf, bytesOfHex, decode, encode, encodeText } from '../base64url.js';
import { pemBlocks, pemText } from './keys.js';

const ec = (namedCurve, hash) => ({ name: 'ECDSA', namedCurve, hash });
const rsa = (name, hash, saltLength) => ({
  name,
  hash,
  saltLength,
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
});
const hmac = (hash) => ({ name: 'HMAC', hash });

/** WebCrypto's parameters of each algorithm it has (RFC 7518 §3.1, RFC 8037 §3.1). */
const PARAMETERS = {
  ES256: ec('P-256', 'SHA-256'),
  ES384: ec('P-384', 'SHA-384'),
  ES512: ec('P-521', 'SHA-512'),
  EdDSA: { name: 'Ed25519' },
  RS256: rsa('RSASSA-PKCS1-v1_5', 'SHA-256'),
  RS384: rsa('RSASSA-PKCS1-v1_5', 'SHA-384'),
  RS512: rsa('RSASSA-PKCS1-v1_5', 'SHA-512'),
  PS256: rsa('RSA-PSS', 'SHA-256', 32),
  PS384: rsa('RSA-PSS', 'SHA-384', 48),
  PS512: rsa('RSA-PSS', 'SHA-512', 64),
  HS256: hmac('SHA-256'),
  HS384: hmac('SHA-384'),
  HS512: hmac('SHA-512'),
};
const HASH_BYTES = { 'SHA-256': 32, 'SHA-384': 48, 'SHA-512': 64 };
const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use'];

export const SIGNABLE = Object.keys(PARAMETERS);

/** A key made here and now: `{ alg, kid, privateKey, jwk }`; `jwk` is what a verifier is given. */
export async function generate(alg) {
  const parameters = PARAMETERS[alg];
  if (parameters.name === 'HMAC')
    return secretKey(alg, crypto.getRandomValues(new Uint8Array(HASH_BYTES[parameters.hash])));
  const pair = await orPlain(alg, crypto.subtle.generateKey(parameters, true, ['sign', 'verify']));
  return withPublic(alg, pair.privateKey, await crypto.subtle.exportKey('jwk', pair.publicKey));
}

/** The same from a private JWK, a PKCS#8 PEM, or a secret (text, base64url or hexadecimal). */
export async function importPrivate(text, alg, encoding = 'text') {
  const parameters = PARAMETERS[alg];
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return importJwk(JSON.parse(trimmed), alg);
  const block = pemBlocks(trimmed).find(({ label }) => label === 'PRIVATE KEY');
  if (block) {
    const key = await orPlain(alg, crypto.subtle.importKey('pkcs8', block.bytes, parameters, true, ['sign']));
    return withPublic(alg, key, await crypto.subtle.exportKey('jwk', key));
  }
  if (parameters.name !== 'HMAC')
    throw new Error(`For ${alg} a private JWK or a PEM block called PRIVATE KEY is needed.`);
  return secretKey(alg, secretBytes(text, encoding));
}

async function importJwk(jwk, wanted) {
  const alg = PARAMETERS[jwk.alg] ? jwk.alg : wanted;
  if (jwk.kty === 'oct') return secretKey(alg, decode(jwk.k ?? '') ?? new Uint8Array(), jwk.kid);
  if (!jwk.d) throw new Error('This JWK is a public key; signing needs the private one.');
  const { use: _, key_ops: __, ...bare } = jwk;
  const key = await orPlain(
    alg,
    crypto.subtle.importKey('jwk', { ...bare, alg: undefined }, PARAMETERS[alg], true, ['sign']),
  );
  return withPublic(alg, key, jwk);
}

/** What was typed as a secret, as bytes. */
export function secretBytes(text, encoding) {
  const bytes =
    encoding === 'base64url'
      ? decode(text.trim().replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''))
      : encoding === 'hex'
        ? bytesOfHex(text)
        : bytesOf(text);
  if (!bytes) throw new Error(`The secret is not ${encoding === 'hex' ? 'hexadecimal' : 'base64url'}.`);
  return bytes;
}

async function secretKey(alg, bytes, kid) {
  const privateKey = await orPlain(
    alg,
    crypto.subtle.importKey('raw', bytes, PARAMETERS[alg], false, ['sign']),
  );
  return { alg, kid, privateKey, jwk: { kty: 'oct', k: encode(bytes), alg, ...(kid && { kid }) } };
}

async function withPublic(alg, privateKey, jwk) {
  const bare = publicJwk(jwk);
  const kid = jwk.kid ?? (await thumbprint(bare));
  return { alg, kid, privateKey, jwk: { ...bare, kid, alg, use: 'sig' } };
}

/** A JWK without its private members. */
export function publicJwk(jwk) {
  return Object.fromEntries(
    PUBLIC_MEMBERS.filter((name) => jwk[name] !== undefined).map((name) => [name, jwk[name]]),
  );
}

/** A public RSA JWK as a PEM text. */
export async function pemOf({ kty, n, e }) {
  const key = await crypto.subtle.importKey('jwk', { kty, n, e }, PARAMETERS.RS256, true, ['verify']);
  return pemText(new Uint8Array(await crypto.subtle.exportKey('spki', key)));
}

/** RFC 7638 §3. */
export async function thumbprint({ kty, crv, x, y, n, e }) {
  const members = kty === 'RSA' ? { e, kty, n } : kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x };
  return encode(new Uint8Array(await crypto.subtle.digest('SHA-256', bytesOf(JSON.stringify(members)))));
}

/** Signs texts as they are: a header or payload that is wrong on purpose stays wrong. */
export async function signTexts(headerText, payloadText, { alg, privateKey }) {
  const input = `${encodeText(headerText)}.${encodeText(payloadText)}`;
  const { name, hash, saltLength } = PARAMETERS[alg];
  const signature = await crypto.subtle.sign({ name, hash, saltLength }, privateKey, bytesOf(input));
  return `${input}.${encode(new Uint8Array(signature))}`;
}

/** The same for values, with the key's alg and kid in the header. */
export function sign(claims, key, header = {}) {
  const full = { alg: key.alg, typ: 'at+jwt', ...(key.kid && { kid: key.kid }), ...header };
  return signTexts(JSON.stringify(full), JSON.stringify(claims), key);
}

async function orPlain(alg, promise) {
  try {
    return await promise;
  } catch (error) {
    if (error.name === 'NotSupportedError') throw new Error(`This browser’s WebCrypto has no ${alg}.`);
    throw new Error(`This key cannot be used for ${alg}.`);
  }
}
