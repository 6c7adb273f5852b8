// What attacks are forged with and given to: throw-away keys, a verifier that trusts their public
// halves, and the attacker’s own key.
import { decode, encode, encodeJson, textOf } from '../base64url.js';
import { nowSeconds } from '../times.js';
import { createVerifier } from './core.js';
import { generate, sign } from './sign.js';

export const ISSUER = 'https://issuer.example';
export const PARTNER = 'https://partner.example';
export const LEGACY = 'https://legacy.example';
export const SHARED = 'https://shared.example';
export const API = 'https://api.example';

/**
 * The keys, the verifier that trusts them, and the attacker’s own key. Made once, when the gallery
 * is opened.
 */
export async function makeTargets() {
  const [es, partner, rs, hs, own] = await Promise.all(
    ['ES256', 'ES256', 'RS256', 'HS256', 'ES256'].map(generate),
  );
  const issuer = (name, key) => ({
    issuer: name,
    audience: API,
    jwks: { keys: [{ ...key.jwk, kid: key.kid ?? 'shared' }] },
  });
  const policy = {
    issuers: [
      issuer(ISSUER, es),
      issuer(PARTNER, partner),
      issuer(LEGACY, rs),
      issuer(SHARED, { ...hs, kid: 'shared' }),
    ],
  };
  return {
    es,
    rs,
    hs: { ...hs, kid: 'shared' },
    own,
    policy,
    verifier: createVerifier(policy, { cache: 0 }),
  };
}

/** What the gate says of it: a token, or the value of an Authorization header. */
export async function attempt(attack, targets) {
  const forged = await attack.forge(targets);
  const isHeader = typeof forged !== 'string';
  const verdict = isHeader
    ? targets.verifier.verifyAuthorization(forged.authorization)
    : targets.verifier.verify(forged);
  return { verdict, token: isHeader ? forged.authorization : forged };
}

export const genuine = (changes = {}) => {
  const now = nowSeconds();
  return {
    iss: ISSUER,
    aud: API,
    sub: 'mallory',
    client_id: 'shop',
    scope: 'notes:read',
    iat: now,
    exp: now + 300,
    ...changes,
  };
};
/** Correctly signed by the trusted key, with other claims or another header. */
export const signed =
  (changes, header) =>
  ({ es }) =>
    sign(genuine(changes), es, header);
export const changed =
  (work) =>
  async ({ es }) =>
    work(...(await sign(genuine(), es)).split('.'));
export const withHeader = (changes) =>
  changed(
    (header, payload, signature) =>
      `${encodeJson({ ...JSON.parse(textOf(decode(header))), ...changes })}.${payload}.${signature}`,
  );
export const flip = (segment, at) => {
  const bytes = decode(segment);
  bytes[at] ^= 1;
  return encode(bytes);
};

export async function confused({ rs }, secret) {
  const raw = { name: 'HMAC', hash: 'SHA-256' };
  const privateKey = await crypto.subtle.importKey('raw', secret, raw, false, ['sign']);
  return sign(genuine({ iss: LEGACY }), { alg: 'HS256', kid: rs.kid, privateKey });
}

/** The next character: of a 64-byte signature the last one has four bits that mean nothing. */
export function loosened(last) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(last) + 1];
}
