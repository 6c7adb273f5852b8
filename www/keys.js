// Reads a key as people have them: JWK, JWK Set, PEM, certificate, secret. What is wrong with it, the core says.
import { bytesOf, encode } from './base64url.js';
import { pemBlocks, publicKeyOf } from './der.js';
import { importPrivate, publicJwk, secretBytes } from './sign.js';

const ALG_OF_CURVE = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  secp256k1: 'ES256K',
  Ed25519: 'EdDSA',
};

/**
 * `{ fields, note, secret, alg }`: members of an issuer in a policy, what is to be remarked, and whether it is a secret. `wanted` settles the
 * algorithm where the key leaves it open: an RSA key, or a secret. The token's own word is not asked.
 */
export async function readKey(text, { wanted = '', encoding = 'text' } = {}) {
  const trimmed = text.trim();
  if (trimmed.startsWith('{') || trimmed.startsWith('[')) return ofJson(trimmed, wanted);
  if (trimmed.includes('-----BEGIN')) return ofPem(trimmed, wanted);
  const alg = wanted.startsWith('HS') ? wanted : 'HS256';
  const secret = encode(secretBytes(encoding === 'text' ? text : trimmed, encoding));
  return { fields: { keys: [{ alg, secret }] }, note: `A secret for ${alg}`, secret: true, alg };
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
