// What the ID token says of a sign-in (OpenID Connect Core §3.1.3.7).
import type { Settings } from './settings.js';

/** Clocks may differ by so much, in seconds. */
const LEEWAY_SECONDS = 60;

/**
 * The claims of an ID token that came from the token endpoint itself. TLS says whose it is, so
 * that its signature need not be checked (§3.1.3.7, step 6); a text says what is wrong with it.
 */
export function idTokenClaims(
  token: unknown,
  nonce: string,
  { issuer, clientId, now }: Pick<Settings, 'issuer' | 'clientId' | 'now'>,
): Record<string, unknown> | string {
  const claims = payloadOf(token);
  if (claims === undefined) return 'there is no ID token, or none that can be read';
  const { iss, aud, azp, exp, sub } = claims;
  if (iss !== issuer) return 'the ID token is of another issuer';
  const audience = Array.isArray(aud) ? aud : [aud];
  if (!audience.includes(clientId)) return 'the ID token is for another client';
  if (azp !== undefined ? azp !== clientId : audience.length > 1) return 'the ID token is for another party';
  if (typeof exp !== 'number' || exp <= now() - LEEWAY_SECONDS) return 'the ID token has expired';
  if (typeof sub !== 'string' || sub === '') return 'the ID token names nobody';
  // One that was made for another sign-in was injected here.
  if (claims.nonce !== nonce) return 'the ID token belongs to another sign-in';
  return claims;
}

function payloadOf(token: unknown): Record<string, unknown> | undefined {
  const parts = typeof token === 'string' ? token.split('.') : [];
  if (parts.length !== 3) return undefined;
  try {
    const binary = atob((parts[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}
