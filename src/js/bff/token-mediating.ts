// A token-mediating backend: keeps the refresh token in a cookie that no script can read, talks to
// the token endpoint in the page's place, and gives the page its access tokens.
import { retryAfter } from '../net/retry-after.js';
import type { Request, Response as WebResponse } from '../shared/web.js';
import { type CookieContent, type CookieOptions, cookieOf, cookieWith } from './cookie.js';
import { crossSite, isOwn } from './csrf.js';
import { ask, type Upstream, type UpstreamResponse } from './upstream.js';

/**
 * Which authorization server the handler talks to, and where it answers itself.
 * @example
 * ```ts
 * import { createTokenMediatingBackend, type TokenMediatingOptions } from 'portcullis/bff';
 *
 * const options: TokenMediatingOptions = {
 *   tokenEndpoint: 'https://issuer.example/token',
 *   revocationEndpoint: 'https://issuer.example/revoke',
 *   clientId: 'app',
 *   origin: 'https://app.example',
 * };
 * const backend = createTokenMediatingBackend(options);
 * ```
 */
export interface TokenMediatingOptions extends Upstream {
  /**
   * Where the handler answers: POST for a new access token, DELETE to sign out. Default:
   * `/session`.
   */
  path?: string;
  /** Default: `__Host-session`, until the browser is closed. */
  cookie?: CookieOptions;
  /**
   * The page's origin, where a proxy changes what the handler sees. Default: that of the request.
   */
  origin?: string;
}

interface TokenMembers {
  access_token: string;
  refresh_token?: string;
}

/** What a token endpoint answers (RFC 6749 §5.1), or `issuer.startSession`. */
export type Tokens = TokenMembers | (TokenMembers & { readonly [member: string]: unknown });

/** A token-mediating backend, as a fetch handler. */
export interface TokenMediatingBackend {
  /** Answers what is for it, and undefined for everything else. */
  fetch(request: Request): Promise<WebResponse | undefined>;
  /**
   * The answer to a sign-in, after the application has checked who it is: the tokens, the refresh
   * token in the cookie. Answers to what the browser sent with the cookie before neither take the
   * new one away nor write over it. Pass the request of the sign-in, with its cookie: without it,
   * no browser's answers under way touch a cookie, and a page whose refresh is among them asks
   * again.
   * @throws TypeError when the refresh token, or a next one that is somewhat longer, does not fit
   * into a cookie.
   */
  start(tokens: Tokens, request?: Request): WebResponse;
}

/**
 * Makes a handler for any runtime that speaks fetch.
 * @throws TypeError when a setting is no good.
 * @example
 * ```ts
 * import { createTokenMediatingBackend } from 'portcullis/bff';
 *
 * const backend = createTokenMediatingBackend({ tokenEndpoint: 'https://issuer.example/token', clientId: 'app' });
 * const response = (await backend.fetch(request)) ?? new Response('not found', { status: 404 });
 * ```
 */
export function createTokenMediatingBackend({
  path = '/session',
  cookie = {},
  origin,
  ...upstream
}: TokenMediatingOptions): TokenMediatingBackend {
  const { name, write, fits } = cookieWith(cookie);
  check(path, origin, upstream);
  /**
   * Sign-ins of nobody knows which browser: what began before one may be of another session than
   * the browser's cookie by now.
   */
  let starts = 0;
  /**
   * Tokens of sign-outs that the authorization server has not been told of, whatever the cookie
   * says.
   */
  const ended = new Set<string>();
  /** What is under way, by what the cookie held. */
  const flights = new Set<Flight>();
  const fly = async (token: string, work: (flight: Flight) => Promise<Response>) => {
    const flight = { token, since: starts, superseded: false };
    flights.add(flight);
    return work(flight).finally(() => flights.delete(flight));
  };
  /**
   * The browser has been given another cookie, or none: no answer to what it sent before changes
   * that.
   */
  const supersede = (token: string | undefined, but?: Flight) => {
    for (const flight of flights) if (flight.token === token && flight !== but) flight.superseded = true;
  };
  /** Takes the cookie away, or marks it, unless there may be a newer sign-in's by now. */
  const unless = (flight: Flight, held: CookieContent | null): Record<string, string> =>
    isCurrent(flight) ? { 'set-cookie': write(held) } : {};
  const isCurrent = ({ since, superseded }: Flight) => since === starts && !superseded;

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
  const tokens = ({ refresh_token: token, ...body }: Tokens) =>
    answer(200, body, isToken(token) ? { 'set-cookie': write({ token, ended: false }) } : {});
  const over = (cookie: Record<string, string> = {}, description?: string) =>
    answer(
      401,
      { error: 'invalid_grant', ...(description !== undefined && { error_description: description }) },
      cookie,
    );

  const refresh = ({ token, ended: out }: CookieContent) =>
    fly(token, async (flight) => {
      // The user has signed out, and is: all that is left to do is to tell the authorization
      // server.
      if (out || ended.has(token)) {
        const told = (await revokeEnded(token)) === undefined;
        return over(unless(flight, told ? null : { token, ended: true }));
      }
      if (!fits(token)) return over(unless(flight, null), TOO_LONG);
      const told = await ask(upstream, upstream.tokenEndpoint, {
        grant_type: 'refresh_token',
        refresh_token: token,
      });
      const body = (told?.body ?? {}) as Tokens & { error?: unknown };
      // What is lost, the page asks for again, and the cookie still holds the same token.
      if (isGood(told) && typeof body.access_token === 'string') {
        const { refresh_token: next } = body;
        const tooLong = isToken(next) && !fits(next, 0);
        if (!tooLong && isCurrent(flight)) return tokens(body);
        // Of this browser or another? As if the answer were lost: the page asks again, with the
        // cookie that it has by then.
        if (!tooLong && !flight.superseded)
          return answer(503, { error: 'temporarily_unavailable' }, { 'retry-after': String(LEAST_SECONDS) });
        // Signed out or in again meanwhile; or far longer than the one before, which is spent.
        // Nobody will use it.
        if (isToken(next)) await revoke(next);
        return over(unless(flight, null), tooLong ? TOO_LONG : undefined);
      }
      // RFC 6749 §5.2: 400 and nothing else. What a proxy, an overloaded server or a wrong secret
      // answers ends no session.
      if (told?.status === 400 && body.error === 'invalid_grant') return over(unless(flight, null));
      return answer(503, { error: 'temporarily_unavailable' }, waitFor(told));
    });

  /** Undefined when the authorization server has been told, and else how long to wait. */
  const revoke = async (token: string): Promise<Record<string, string> | undefined> => {
    const { revocationEndpoint } = upstream;
    if (revocationEndpoint === undefined) return undefined;
    const told = await ask(upstream, revocationEndpoint, { token, token_type_hint: 'refresh_token' });
    return isGood(told) ? undefined : waitFor(told);
  };
  /**
   * A sign-out counts from its first moment, and also where its answer could not mark the cookie.
   */
  const revokeEnded = async (token: string) => {
    ended.delete(token);
    ended.add(token);
    for (const oldest of ended) if (ended.size > MOST_ENDED) ended.delete(oldest);
    const wait = await revoke(token);
    if (wait === undefined) ended.delete(token);
    return wait;
  };
  const end = ({ token }: CookieContent) =>
    fly(token, async (flight) => {
      supersede(token, flight);
      const wait = await revokeEnded(token);
      if (wait === undefined) return answer(204, undefined, unless(flight, null));
      // Signed out here all the same: the cookie now serves for nothing but the next try.
      return answer(502, { error: 'not_revoked' }, { ...wait, ...unless(flight, { token, ended: true }) });
    });

  return {
    start(given, request) {
      const { refresh_token: token } = given;
      if (isToken(token) && !fits(token)) throw new TypeError(`refresh_token: ${TOO_LONG}`);
      if (request === undefined) starts += 1;
      else supersede(cookieOf(request, name)?.token);
      return tokens(given);
    },
    async fetch(request) {
      const url = new URL(request.url);
      if (url.pathname !== path) return undefined;
      const { method } = request;
      if (method !== 'POST' && method !== 'DELETE') return answer(405, undefined, { allow: 'POST, DELETE' });
      const expected = origin ?? url.origin;
      if (!isOwn(request, expected)) return answer(403, crossSite(request, expected));
      const held = cookieOf(request, name);
      if (held === undefined) {
        // There is nothing to take away, unless it cannot be read.
        const cookie = request.headers.get('cookie')?.includes(`${name}=`)
          ? { 'set-cookie': write(null) }
          : {};
        return method === 'POST' ? over(cookie) : answer(204, undefined, cookie);
      }
      return method === 'POST' ? refresh(held) : end(held);
    },
  };
}

const MOST_ENDED = 1000;
const TOO_LONG =
  'the refresh token does not fit into a cookie of 4000 characters with 256 to spare; ask for shorter ones';

interface Flight {
  readonly token: string;
  readonly since: number;
  superseded: boolean;
}

const isGood = (told: UpstreamResponse | undefined): told is UpstreamResponse =>
  told !== undefined && told.status >= 200 && told.status < 300;
const isToken = (value: unknown): value is string => typeof value === 'string' && value !== '';

// The page is told seconds within bounds, whatever the authorization server has said.
const LEAST_SECONDS = 1;
const USUAL_SECONDS = 5;
const MOST_SECONDS = 300;

function waitFor(told: UpstreamResponse | undefined): { 'retry-after': string } {
  const seconds = told === undefined ? 0 : Math.ceil(retryAfter(told.headers, Date.now() / 1000));
  if (seconds === 0) return { 'retry-after': String(USUAL_SECONDS) };
  return { 'retry-after': String(Math.min(Math.max(seconds, LEAST_SECONDS), MOST_SECONDS)) };
}

/** Misuse shows when the handler is made, and not as a session that cannot be refreshed. */
function check(path: string, origin: string | undefined, upstream: Upstream): void {
  const { tokenEndpoint, revocationEndpoint, clientId, timeoutMs } = upstream;
  const refuse = (setting: string, wanted: string) => {
    throw new TypeError(`${setting}: expected ${wanted}`);
  };
  if (!/^\/[^?#]*$/.test(path)) refuse('path', 'a path that begins with /, such as "/session"');
  if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).origin !== origin))
    refuse('origin', 'an origin without a path or trailing slash, such as "https://app.example"');
  for (const [setting, url] of Object.entries({ tokenEndpoint, revocationEndpoint }))
    if (url !== undefined && !URL.canParse(url)) refuse(setting, 'an absolute URL');
  if (typeof clientId !== 'string' || clientId === '') refuse('clientId', 'a text');
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs < 2 ** 31))
    refuse('timeoutMs', 'milliseconds, more than 0');
}
