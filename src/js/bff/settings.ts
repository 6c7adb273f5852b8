// The checks of what the backend that keeps the tokens is made of, and its defaults.
import type { BffOptions } from './options.js';

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
  if (options.verifyLogoutToken !== undefined && scope?.split(' ').includes('openid') !== true)
    refuse('scope', 'openid beside verifyLogoutToken: a logout token names what an ID token has named');
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
