// The tokens the demonstration sends, and what the gate is expected to say of each. Used by the
// page and by `npm start -- --check`.

/**
 * One thing to try. `headers(context)` gives the Authorization values to send, one a header line;
 * `context` has `policy`, what the API trusts, and `issue(request)`, which asks the issuer for a
 * token.
 */
export const ATTEMPTS = [
  {
    id: 'genuine',
    label: 'Genuine token',
    note: 'Fresh from the issuer, untouched.',
    expected: 'accepted',
    headers: async ({ issue }) => [bearer(await issue())],
  },
  {
    id: 'forged',
    label: 'Forge a claim',
    note: 'The scope becomes “admin”, the signature stays.',
    expected: 'signature-invalid',
    headers: async ({ issue }) => [bearer(withClaims(await issue(), { scope: 'admin' }))],
  },
  {
    id: 'none',
    label: 'Algorithm “none”',
    note: 'The header says there is no signature, and there is none.',
    expected: 'alg-unknown',
    headers: async ({ issue }) => [bearer(unsigned(await issue()))],
  },
  {
    id: 'confused',
    label: 'RSA key as HMAC secret',
    note: 'HS256, signed with the public RSA key of an issuer that uses RS256.',
    expected: 'alg-mismatch',
    headers: async ({ policy }) => [bearer(await confused(policy))],
  },
  {
    id: 'expired',
    label: 'Expired',
    note: 'Signed an hour ago for five minutes.',
    expected: 'expired',
    headers: async ({ issue }) => [bearer(await issue({ issuedSecondsAgo: 3600 }))],
  },
  {
    id: 'audience',
    label: 'Wrong audience',
    note: 'Genuine, but meant for another API.',
    expected: 'audience-mismatch',
    headers: async ({ issue }) => [bearer(await issue({ audience: 'https://elsewhere.example' }))],
  },
  {
    id: 'issuer',
    label: 'Wrong issuer',
    note: 'Our key signed it in someone else’s name.',
    expected: 'issuer-mismatch',
    headers: async ({ issue }) => [bearer(await issue({ issuer: 'https://impostor.example' }))],
  },
  {
    id: 'two-headers',
    label: 'Two headers',
    note: 'A genuine token, and another Authorization header after it.',
    expected: 'authorization-ambiguous',
    headers: async ({ issue }) => [bearer(await issue()), bearer(await issue())],
  },
  {
    id: 'oversized',
    label: '9 KiB of token',
    note: 'A genuine token with letters behind it, past the limit of 8 KiB. The issuer signs none so long.',
    expected: 'token-too-large',
    headers: async ({ issue }) => [bearer((await issue()) + 'A'.repeat(9 * 1024))],
  },
  {
    id: 'missing',
    label: 'No token',
    note: 'The request has no Authorization header.',
    expected: 'authorization-missing',
    headers: async () => [],
  },
];

export const bearer = (token) => `Bearer ${token}`;

/** The same header and signature around other claims. */
function withClaims(token, changes) {
  const [header, payload, signature] = token.split('.');
  return [header, encodeJson({ ...decodeJson(payload), ...changes }), signature].join('.');
}

/** An unsecured JWS (RFC 7515 appendix A.5). */
function unsigned(token) {
  const [header, payload] = token.split('.');
  return [encodeJson({ ...decodeJson(header), alg: 'none' }), payload, ''].join('.');
}

/**
 * RS→HS confusion: a verifier that takes `alg` from the token would use the PEM of the RSA key,
 * which everybody has, as an HMAC secret.
 */
async function confused(policy) {
  const { issuer, audience, jwks } = policy.issuers.find(({ jwks }) => jwks.keys[0].kty === 'RSA');
  const [jwk] = jwks.keys;
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: audience, sub: 'mallory', iat: now, exp: now + 300 };
  const input = `${encodeJson({ alg: 'HS256', typ: 'at+jwt', kid: jwk.kid })}.${encodeJson(claims)}`;
  const secret = new TextEncoder().encode(await pemOf(jwk));
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', secret, hmac, false, ['sign']);
  const signature = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(input));
  return `${input}.${base64url(new Uint8Array(signature))}`;
}

async function pemOf({ kty, n, e }) {
  const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('jwk', { kty, n, e }, rsa, true, ['verify']);
  const der = btoa(binary(new Uint8Array(await crypto.subtle.exportKey('spki', key))));
  return `-----BEGIN PUBLIC KEY-----\n${der.match(/.{1,64}/g).join('\n')}\n-----END PUBLIC KEY-----\n`;
}

/** Reads a segment for display or change. It is checked by nobody. */
export function decodeJson(segment) {
  const text = atob(segment.replaceAll('-', '+').replaceAll('_', '/'));
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (character) => character.charCodeAt(0))));
}

function encodeJson(value) {
  return base64url(new TextEncoder().encode(JSON.stringify(value)));
}

function base64url(bytes) {
  return btoa(binary(bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function binary(bytes) {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}
