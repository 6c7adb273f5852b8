// Whom a session asks for new tokens.
import type {
  AbortSignal,
  Request as WebRequest,
  Response as WebResponse,
  URL as WebUrl,
} from '../shared/web.js';

/**
 * As which client an authorization server is asked, and how.
 * @example
 * ```ts
 * import { createDpop } from 'portcullis/session/dpop';
 * import { tokenEndpoint } from 'portcullis/session';
 *
 * const dpop = createDpop();
 * const refresh = tokenEndpoint('https://issuer.example/token', { clientId: 'app', fetch: dpop.fetch });
 * ```
 */
export interface TokenEndpointOptions {
  /** The public client that the page is. */
  clientId: string;
  /** Sends the request, with a proof where the session is bound to a key: `createDpop().fetch`. */
  fetch?(request: WebRequest): Promise<WebResponse>;
}

/** What `createSession` takes to ask a backend for frontend. */
export interface Backend {
  refresh(refreshToken: unknown, signal?: AbortSignal): Promise<WebResponse>;
  revoke(refreshToken: unknown, signal?: AbortSignal): Promise<void>;
}

/**
 * `refresh` for any token endpoint that serves public clients (RFC 6749 §6).
 * @example
 * ```ts
 * import { createSession, tokenEndpoint } from 'portcullis/session';
 *
 * const session = createSession({
 *   refresh: tokenEndpoint('https://issuer.example/token', { clientId: 'app' }),
 * });
 * ```
 */
export function tokenEndpoint(
  url: string | WebUrl,
  { clientId, fetch: send = fetch }: TokenEndpointOptions,
): (refreshToken: string | undefined, signal?: AbortSignal) => Promise<WebResponse> {
  return async (refreshToken, signal) =>
    refreshToken === undefined
      ? new Response('{"error":"invalid_grant"}', { status: 400 })
      : send(
          form(
            url,
            { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId },
            signal,
          ),
        );
}

/**
 * `revoke` for a revocation endpoint (RFC 7009 §2.1).
 * @example
 * ```ts
 * import { createSession, revocationEndpoint, tokenEndpoint } from 'portcullis/session';
 *
 * const session = createSession({
 *   refresh: tokenEndpoint('https://issuer.example/token', { clientId: 'app' }),
 *   revoke: revocationEndpoint('https://issuer.example/revoke', { clientId: 'app' }),
 * });
 * await session.signOut();
 * ```
 */
export function revocationEndpoint(
  url: string | WebUrl,
  { clientId, fetch: send = fetch }: TokenEndpointOptions,
): (refreshToken: string | undefined, signal?: AbortSignal) => Promise<void> {
  return async (refreshToken, signal) => {
    if (refreshToken === undefined) return;
    const token = { token: refreshToken, token_type_hint: 'refresh_token', client_id: clientId };
    expectOk(await send(form(url, token, signal)));
  };
}

/**
 * `refresh` and `revoke` for the handler of `portcullis/bff`, which keeps the refresh token from
 * the page.
 * @example
 * ```ts
 * import { backend, createSession } from 'portcullis/session';
 *
 * const session = createSession({ ...backend('/session') });
 * ```
 */
export function backend(path: string | WebUrl = '/session'): Backend {
  const ask = (method: string, signal?: AbortSignal | null) =>
    fetch(path, {
      method,
      headers: { 'x-portcullis': '1' },
      redirect: 'error',
      cache: 'no-store',
      signal: signal as AbortSignal,
    });
  return {
    refresh: (_: unknown, signal?: AbortSignal) => ask('POST', signal),
    revoke: async (_: unknown, signal?: AbortSignal) => expectOk(await ask('DELETE', signal)),
  };
}

/** A request with a form as its body, which goes to that address alone. */
export function form(url: string | WebUrl, fields: Record<string, string>, signal?: AbortSignal): Request {
  // A refresh token follows no redirect.
  return new Request(new URL(url, globalThis.location?.href), {
    method: 'POST',
    body: new URLSearchParams(fields),
    credentials: 'omit',
    redirect: 'error',
    cache: 'no-store',
    signal: signal as AbortSignal,
  });
}

function expectOk({ ok, status }: Response): void {
  if (!ok) throw new Error(`HTTP ${status}`);
}
