/** Why a metadata document is not believed. */
export type DiscoveryFault = 'discovery-not-json' | 'discovery-issuer-mismatch' | 'discovery-jwks-uri';

/**
 * The `jwks_uri` of a metadata document, which must name the issuer byte for byte (Discovery 1.0 §4.3, RFC 8414 §3.3): otherwise a host of
 * many tenants could be made to answer for another.
 *
 * Of a member that is named twice the last one counts, as `JSON.parse` has it. The document comes from the issuer itself by TLS, and nobody
 * else reads it another way; the keys it leads to are read by the core.
 */
export function readMetadata(text: string, issuer: string): { jwksUri: string } | DiscoveryFault {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return 'discovery-not-json';
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    return 'discovery-not-json';
  const member = (name: string) =>
    Object.hasOwn(document, name) ? (document as Record<string, unknown>)[name] : undefined;
  if (member('issuer') !== issuer) return 'discovery-issuer-mismatch';
  const jwksUri = member('jwks_uri');
  const url = typeof jwksUri === 'string' ? parse(jwksUri) : undefined;
  if (url === undefined || !isProtected(url)) return 'discovery-jwks-uri';
  // STRICTER: plain HTTP on a loopback name is for an issuer that is there itself; another must not send us to our own ports.
  if (url.protocol === 'http:' && parse(issuer)?.protocol !== 'http:') return 'discovery-jwks-uri';
  return { jwksUri: url.href };
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** HTTPS, or plain HTTP that never leaves the machine (RFC 8252 §8.3, RFC 6761 §6.3). User names and passwords in URLs end up in logs. */
function isProtected({ protocol, hostname, username, password }: URL): boolean {
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
