// A backend for frontend: keeps the refresh token in a cookie that no script can read, and talks to the token endpoint in the page's place.
import { type CookieOptions, cookieOf, cookieWith } from './cookie.js';
import { isOwn } from './csrf.js';
import { ask, type Upstream } from './upstream.js';

export type { CookieOptions } from './cookie.js';
export type { Upstream } from './upstream.js';

export interface BffOptions extends Upstream {
  /** Where the handler answers: POST for a new access token, DELETE to sign out. Default: `/session`. */
  path?: string;
  cookie?: CookieOptions;
  /** The page's origin, where a proxy changes what the handler sees. Default: that of the request. */
  origin?: string;
}

/** What a token endpoint answers (RFC 6749 §5.1). */
export interface Tokens {
  access_token: string;
  refresh_token?: string;
  [member: string]: unknown;
}

export interface Bff {
  /** Answers what is for it, and undefined for everything else. */
  fetch(request: Request): Promise<Response | undefined>;
  /** The answer to a sign-in, after the application has checked who it is: the tokens, the refresh token in the cookie. */
  start(tokens: Tokens): Response;
}

/**
 * Makes a handler for any runtime that speaks fetch.
 * @throws TypeError when a setting is no good.
 */
export function createBff({ path = '/session', cookie = {}, origin, ...upstream }: BffOptions): Bff {
  const { name, write } = cookieWith(cookie);

  const answer = (status: number, body: unknown, more: Record<string, string> = {}) =>
    new Response(body === undefined ? null : JSON.stringify(body), {
      status,
      headers: {
        // RFC 6749 §5.1: tokens are not for caches.
        'cache-control': 'no-store',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...more,
      },
    });
  const over = () => answer(401, { error: 'invalid_grant' }, { 'set-cookie': write(null) });
  const start = ({ refresh_token: refreshToken, ...tokens }: Tokens) =>
    answer(200, tokens, refreshToken === undefined ? {} : { 'set-cookie': write(refreshToken) });
  const unavailable = (retryAfter: string | null | undefined) =>
    answer(503, { error: 'temporarily_unavailable' }, { 'retry-after': retryAfter ?? '5' });

  const refresh = async (token: string) => {
    const response = await ask(upstream, upstream.tokenEndpoint, {
      grant_type: 'refresh_token',
      refresh_token: token,
    });
    const body = (await response?.json().catch(() => undefined)) as Tokens | undefined;
    // What is lost, the page asks for again, and the cookie still holds the same token.
    if (response?.ok && typeof body?.access_token === 'string') return start(body);
    if (body?.error === 'invalid_grant') return over();
    return unavailable(response?.headers.get('retry-after'));
  };
  const end = async (token: string) => {
    const { revocationEndpoint } = upstream;
    if (revocationEndpoint !== undefined) {
      const response = await ask(upstream, revocationEndpoint, { token, token_type_hint: 'refresh_token' });
      // The cookie goes all the same: a user who signs out is signed out here.
      if (!response?.ok) return answer(502, { error: 'not_revoked' }, { 'set-cookie': write(null) });
    }
    return answer(204, undefined, { 'set-cookie': write(null) });
  };

  return {
    start,
    async fetch(request) {
      const url = new URL(request.url);
      if (url.pathname !== path) return undefined;
      const { method } = request;
      if (method !== 'POST' && method !== 'DELETE') return answer(405, undefined, { allow: 'POST, DELETE' });
      if (!isOwn(request, origin ?? url.origin)) return answer(403, { error: 'cross_site' });
      const token = cookieOf(request, name);
      if (token === undefined)
        return method === 'POST' ? over() : answer(204, undefined, { 'set-cookie': write(null) });
      return method === 'POST' ? refresh(token) : end(token);
    },
  };
}
