// What an authorization server says of itself (RFC 8414, OpenID Connect Discovery 1.0).
import { fetchText } from '../net/fetch.js';
import { isHttps, type Settings } from './settings.js';

/** As much of it as is used here. */
export interface Metadata {
  authorizationEndpoint: string;
  tokenEndpoint: string;
  revocationEndpoint: string | undefined;
  pushedEndpoint: string | undefined;
  isPushRequired: boolean;
  endSessionEndpoint: string | undefined;
  /** Does every authorization response name its issuer (RFC 9207)? */
  namesIssuer: boolean;
}

const MOST_BYTES = 65_536;
/** How long a document is good, and how long after a failure the next try waits, in seconds. */
const GOOD_SECONDS = 3600;
const WAIT_SECONDS = 5;

/** The metadata, fetched when it is first wanted, and once an hour. An old document beats none. */
export function metadataOf({ issuer, send, timeoutMs, now }: Settings): () => Promise<Metadata | undefined> {
  let held: Metadata | undefined;
  let [due, flight] = [0, undefined as Promise<void> | undefined];
  const fetcher = ((url: string, init: RequestInit) => send(new Request(url, init))) as typeof fetch;
  const load = async () => {
    for (const url of placesOf(issuer)) {
      const limits = { timeoutMs, maxBytes: MOST_BYTES };
      const fetched = await fetchText(fetcher, url, { headers: { accept: 'application/json' } }, limits);
      const read = fetched.ok ? readMetadata(fetched.text, issuer) : undefined;
      if (read !== undefined) {
        [held, due] = [read, now() + GOOD_SECONDS];
        return;
      }
    }
    due = now() + WAIT_SECONDS;
  };
  return async () => {
    if (now() >= due) {
      flight ??= load().finally(() => {
        flight = undefined;
      });
      await flight;
    }
    return held;
  };
}

/** RFC 8414 §3.1 puts the well-known part before the issuer's path, and OpenID Connect after it. */
function placesOf(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
}

/** Undefined for what is not this issuer's (RFC 8414 §3.3), or leads away from TLS. */
export function readMetadata(text: string, issuer: string): Metadata | undefined {
  let document: Record<string, unknown>;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof document !== 'object' || document === null || document.issuer !== issuer) return undefined;
  const url = (member: string) => {
    const value = document[member];
    return isHttps(value) ? (value as string) : undefined;
  };
  const [authorizationEndpoint, tokenEndpoint] = [url('authorization_endpoint'), url('token_endpoint')];
  if (authorizationEndpoint === undefined || tokenEndpoint === undefined) return undefined;
  return {
    authorizationEndpoint,
    tokenEndpoint,
    revocationEndpoint: url('revocation_endpoint'),
    pushedEndpoint: url('pushed_authorization_request_endpoint'),
    isPushRequired: document.require_pushed_authorization_requests === true,
    endSessionEndpoint: url('end_session_endpoint'),
    namesIssuer: document.authorization_response_iss_parameter_supported === true,
  };
}
