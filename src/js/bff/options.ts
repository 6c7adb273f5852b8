// What the backend that keeps the tokens is made of, and the checks of it.

import type { Request, Response } from '../shared/web.js';
import type { IssuerStore } from '../stores/store.js';
import type { SealingSecret } from './sealing.js';

/** What a verifier says of a logout token: `createVerifier(…).verify` of `portcullis` fits. */
export type LogoutTokenVerdict = {
  readonly ok: boolean;
  readonly claims?: { readonly [claim: string]: unknown };
};

/**
 * Which authorization server, which client, which APIs.
 * @example
 * ```ts
 * import { type BffOptions, createBff } from 'portcullis/bff';
 *
 * const options: BffOptions = {
 *   issuer: 'https://issuer.example',
 *   clientId: 'app',
 *   clientSecret: env.CLIENT_SECRET,
 *   scope: 'openid notes:read',
 *   secrets: [{ hex: env.BFF_SECRET }],
 *   upstream: { '/api/*': 'https://api.example' },
 * };
 * const bff = createBff(options);
 * ```
 */
export interface BffOptions {
  /** The authorization server: its metadata is fetched (RFC 8414, OpenID Connect Discovery). */
  issuer: string;
  /** The client that the application is, with the redirect URI `ORIGIN/auth/callback`. */
  clientId: string;
  /** Sent by HTTP Basic (RFC 6749 §2.3.1). Without one, the client is a public one. */
  clientSecret?: string;
  /** What is asked for, separated by spaces. Default: what the authorization server gives. */
  scope?: string;
  /** Where the tokens are for (RFC 8707). */
  resource?: readonly string[];
  /**
   * Which path goes to which API: an origin, to which the path is appended, or a URL that ends with
   * `/*`, which stands for what the path's `*` matched.
   */
  upstream: Readonly<Record<string, string>>;
  /** The first seals the cookies, each of them opens. */
  secrets: readonly SealingSecret[];
  /**
   * Keeps the tokens in a store of `portcullis/stores` and a random name in the cookie. Refreshes
   * then happen one at a time between all processes, and back-channel logout is possible. Without
   * one the tokens are sealed in cookies: two processes may then refresh with one token, which an
   * issuer with a replay window, as Portcullis is, answers both times.
   */
  store?: IssuerStore;
  /** Binds the tokens to a key of each session (RFC 9449). Default: `false`. */
  dpop?: boolean;
  /** Sends the authorization request by the back channel (RFC 9126). Default: where it must. */
  pushedAuthorizationRequests?: boolean;
  /**
   * Verifies logout tokens (OpenID Connect Back-Channel Logout §2.6): the signature, `iss`, `aud`,
   * `iat` and `exp`. It takes a `store`.
   */
  verifyLogoutToken?: (token: string) => LogoutTokenVerdict | Promise<LogoutTokenVerdict>;
  /** Where the handler answers itself. Default: `/auth`. */
  path?: string;
  /** The page's origin, where a proxy changes what is seen here. Default: that of the request. */
  origin?: string;
  /** The cookies' names begin with it, after `__Host-`. Default: `app`. */
  cookieName?: string;
  /** How long the browser keeps them; by default until it is closed. */
  maxAgeSeconds?: number;
  /** How long the authorization server may take, and an API until its header: 8000 ms. */
  timeoutMs?: number;
  /** Hears why a request was answered with 503. Default: `console.error`. */
  onError?: (error: unknown) => void;
  /** Seconds since 1970. Default: the runtime's clock. */
  now?: () => number;
  /** Default: the runtime's. */
  fetch?(request: Request): Promise<Response>;
}

/** The options, with their defaults. */
export type Settings = BffOptions &
  Required<Pick<BffOptions, 'path' | 'cookieName' | 'timeoutMs' | 'now' | 'onError'>> & {
    routes: readonly Route[];
    send: (request: globalThis.Request) => Promise<globalThis.Response>;
  };

/** One entry of `upstream`. */
export interface Route {
  /** The path, without its `*`. */
  prefix: string;
  /** Does it end with `/*`? */
  open: boolean;
  /** The URL to which the rest is appended. */
  base: string;
  /** Is the whole path appended, and not only what the `*` matched? */
  whole: boolean;
}

const KNOWN = new Set([
  'issuer',
  'clientId',
  'clientSecret',
  'scope',
  'resource',
  'upstream',
  'secrets',
  'store',
  'dpop',
  'pushedAuthorizationRequests',
  'verifyLogoutToken',
  'path',
  'origin',
  'cookieName',
  'maxAgeSeconds',
  'timeoutMs',
  'onError',
  'now',
  'fetch',
]);

function refuse(setting: string, wanted: string): never {
  throw new TypeError(`${setting}: expected ${wanted}`);
}

/** Misuse shows when the handler is made. */
export function settingsOf(options: BffOptions): Settings {
  for (const name of Object.keys(options))
    if (!KNOWN.has(name)) throw new TypeError(`${name}: not an option of createBff`);
  const { issuer, clientId, clientSecret, scope, origin, maxAgeSeconds } = options;
  const { path = '/auth', cookieName = 'app', timeoutMs = 8000 } = options;
  if (!isHttps(issuer) || /[?#]/.test(issuer)) refuse('issuer', 'an https URL without query and fragment');
  if (typeof clientId !== 'string' || clientId === '') refuse('clientId', 'a text');
  if (clientSecret !== undefined && (typeof clientSecret !== 'string' || clientSecret === ''))
    refuse('clientSecret', 'a text that is not empty');
  // RFC 6749 §3.3.
  if (scope !== undefined && !/^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/.test(scope))
    refuse('scope', 'scopes separated by one space');
  for (const resource of options.resource ?? [])
    if (!URL.canParse(resource) || resource.includes('#'))
      refuse('resource', 'absolute URIs without fragment (RFC 8707 §2)');
  if (!/^(?:\/[\w.-]+)+$/.test(path)) refuse('path', 'a path such as "/auth"');
  if (origin !== undefined && (!isHttps(origin) || new URL(origin).origin !== origin))
    refuse('origin', 'an https origin without a path or trailing slash, such as "https://app.example"');
  if (!/^[\w-]{1,32}$/.test(cookieName)) refuse('cookieName', 'up to 32 letters, digits, _ and -');
  if (maxAgeSeconds !== undefined && !(Number.isInteger(maxAgeSeconds) && maxAgeSeconds > 0))
    refuse('maxAgeSeconds', 'a whole number of seconds, more than 0');
  if (!(timeoutMs > 0 && timeoutMs < 2 ** 31)) refuse('timeoutMs', 'milliseconds, more than 0');
  if (options.verifyLogoutToken !== undefined && options.store === undefined)
    refuse('store', 'a store beside verifyLogoutToken: cookies in browsers cannot be ended from here');
  const { fetch: own } = options;
  return {
    ...options,
    path,
    cookieName,
    timeoutMs,
    onError: options.onError ?? ((error) => console.error('portcullis/bff:', error)),
    now: options.now ?? (() => Math.floor(Date.now() / 1000)),
    routes: routesOf(options.upstream, path),
    send: (request) => (own === undefined ? fetch(request) : (own(request as never) as Promise<never>)),
  };
}

function routesOf(upstream: Readonly<Record<string, string>>, own: string): Route[] {
  if (typeof upstream !== 'object' || upstream === null)
    refuse('upstream', 'an object such as { "/api/*": "https://api.example" }');
  const routes = Object.entries(upstream).map(([pattern, target]): Route => {
    const place = `upstream[${JSON.stringify(pattern)}]`;
    if (!/^(?:\/[\w.~-]+)+(?:\/\*)?$|^\/\*$/.test(pattern))
      refuse(place, 'a path such as "/api/*" or "/api/me"');
    const [open, whole] = [pattern.endsWith('/*'), !`${target}`.endsWith('/*')];
    const prefix = open ? pattern.slice(0, -1) : pattern;
    if (`${own}/`.startsWith(prefix) && prefix !== '/')
      refuse(place, `a path beside ${own}, which the backend answers itself`);
    if (!isHttps(target) || /[?#]/.test(target)) refuse(place, 'an https URL without query and fragment');
    if (whole && new URL(target).origin !== target)
      refuse(place, `an origin such as "https://api.example", or a URL that ends with /*; found ${target}`);
    if (!whole && !open) refuse(place, 'a URL without * for a path without one');
    return { prefix, open, base: whole ? target : target.slice(0, -1), whole };
  });
  // The longest first: the nearest route counts.
  return routes.sort((one, other) => other.prefix.length - one.prefix.length);
}

/** Over TLS, but for a loopback address: tests, and development. */
export function isHttps(text: unknown): boolean {
  if (typeof text !== 'string' || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  const isLoopback = /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost|.*\.localhost)$/.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback);
}
