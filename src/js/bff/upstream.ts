import { basicCredentials } from '../basic.js';

/** The authorization server. */
export interface Upstream {
  tokenEndpoint: string;
  /** RFC 7009. Without it, signing out takes the cookie away and leaves the session to its end. */
  revocationEndpoint?: string;
  clientId: string;
  /** Sent by HTTP Basic (RFC 6749 §2.3.1). Without one, the client is a public one. */
  clientSecret?: string;
  /** How long an answer may take: 8000 ms. */
  timeoutMs?: number;
  fetch?(request: Request): Promise<Response>;
}

/** Asks it something as this client; undefined when there is no answer. */
export async function ask(
  { clientId, clientSecret, timeoutMs = 8000, fetch: send = fetch }: Upstream,
  endpoint: string,
  fields: Record<string, string>,
): Promise<Response | undefined> {
  const headers = new Headers({ accept: 'application/json' });
  const body = new URLSearchParams(fields);
  if (clientSecret === undefined) body.set('client_id', clientId);
  else headers.set('authorization', basicCredentials(clientId, clientSecret));
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    return await send(new Request(endpoint, { method: 'POST', headers, body, redirect: 'error', signal }));
  } catch {
    return undefined;
  }
}
