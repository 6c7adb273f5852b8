import { basicCredentials } from '../net/basic-credentials.js';
import type { Response, Headers as WebHeaders, Request as WebRequest } from '../shared/web.js';

/** The authorization server. */
export interface Upstream {
  /** An absolute URL (RFC 6749 §3.2). */
  tokenEndpoint: string;
  /** RFC 7009. Without it, signing out takes the cookie away and leaves the session to its end. */
  revocationEndpoint?: string;
  /** The client that the application is. */
  clientId: string;
  /** Sent by HTTP Basic (RFC 6749 §2.3.1). Without one, the client is a public one. */
  clientSecret?: string;
  /** How long an answer may take: 8000 ms. */
  timeoutMs?: number;
  /** Default: the runtime's. */
  fetch?(request: WebRequest): Promise<Response>;
}

/** What it answered: the status, the headers, and the body where it is JSON. */
export interface UpstreamResponse {
  status: number;
  body: unknown;
  headers: WebHeaders;
}

/** Asks it something as this client; undefined when there is no whole answer in time. */
export async function ask(
  { clientId, clientSecret, timeoutMs = 8000, fetch: send = fetch }: Upstream,
  endpoint: string,
  fields: Record<string, string> | readonly (readonly [string, string])[],
  more: Record<string, string> = {},
): Promise<UpstreamResponse | undefined> {
  const headers = new Headers({ accept: 'application/json', ...more });
  const body = new URLSearchParams(fields as Record<string, string>);
  if (clientSecret === undefined) body.set('client_id', clientId);
  else headers.set('authorization', basicCredentials(clientId, clientSecret));
  const controller = new AbortController();
  const { signal } = controller;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  const exchange = async (): Promise<UpstreamResponse> => {
    const request = new Request(endpoint, { method: 'POST', headers, body, redirect: 'manual', signal });
    const response = await send(request);
    const { status } = response;
    const text = await response.text();
    return { status, body: parsed(text), headers: response.headers };
  };
  try {
    // A `fetch` that ignores its signal, or a body that never ends, is not waited for either.
    return await Promise.race([exchange(), late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
