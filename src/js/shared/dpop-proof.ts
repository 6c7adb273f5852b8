// The proof of possession of a key (RFC 9449 §4.2), for whoever holds the key.
import { base64url } from './base64url.js';

/** How proofs are signed: ES256. */
export const DPOP_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/**
 * Signs one proof with the key, whose public half is `jwk`, for a request at `nowSeconds`. With it
 * go the server's nonce (RFC 9449 §8, §9) and the token, of which there is none at the token
 * endpoint.
 */
export async function dpopProof(
  privateKey: CryptoKey,
  jwk: object,
  { method, url }: { method: string; url: string },
  nowSeconds: number,
  nonce: string | undefined,
  accessToken: string | undefined,
): Promise<string> {
  const { origin, pathname } = new URL(url);
  // What is undefined is not written.
  const claims = {
    jti: base64url(crypto.getRandomValues(new Uint8Array(16))),
    htm: method,
    htu: origin + pathname,
    iat: Math.floor(nowSeconds),
    nonce,
    ath: accessToken && (await sha256(accessToken)),
  };
  const input = `${part({ typ: 'dpop+jwt', alg: 'ES256', jwk })}.${part(claims)}`;
  const signature = await crypto.subtle.sign(DPOP_ALGORITHM, privateKey, utf8(input));
  return `${input}.${base64url(new Uint8Array(signature))}`;
}

/** The public half of a key pair, with its members in the order of their names (RFC 7638 §3.2). */
export async function publicJwkOf(publicKey: CryptoKey): Promise<object> {
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey);
  return { crv, kty, x, y };
}

/** The SHA-256 of a text, in base64url. */
export async function sha256(text: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(text))));
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const part = (value: object) => base64url(utf8(JSON.stringify(value)));
