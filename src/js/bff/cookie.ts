// The one cookie (RFC 6265bis): out of the reach of scripts, plain HTTP, other sites and, by its
// prefix, of other hosts of this one.
import type { Request } from '../shared/web.js';

/**
 * The cookie of the refresh token. Everything is optional.
 * @example
 * ```ts
 * import { createTokenMediatingBackend } from 'portcullis/bff';
 *
 * const backend = createTokenMediatingBackend({
 *   tokenEndpoint: 'https://issuer.example/token',
 *   clientId: 'app',
 *   cookie: { name: 'app-session', maxAgeSeconds: 30 * 86_400 },
 * });
 * ```
 */
export interface CookieOptions {
  /** Without the prefix. Default: `session`. */
  name?: string;
  /**
   * Default: `/`, with the prefix `__Host-`. Another path takes `__Secure-`, which a neighbouring
   * host of the domain can overwrite.
   */
  path?: string;
  /** How long the browser keeps it; by default until it is closed. */
  maxAgeSeconds?: number;
}

/**
 * What it holds: the refresh token, and whether the user has signed out and the authorization
 * server has not been told.
 */
export interface CookieContent {
  token: string;
  ended: boolean;
}

// Browsers drop a longer one without a word.
const LONGEST = 4000;
// By so much the next token may be longer: whether it fits is known before the present one is
// spent.
const ROOM = 256;
// Of a token, `encodeURIComponent` leaves none.
const ENDED = ':';

/** Writes the cookie; null takes it away. */
export function cookieWith({ name = 'session', path = '/', maxAgeSeconds }: CookieOptions) {
  if (!/^[\w-]+$/.test(name)) throw new TypeError('cookie.name: letters, digits, _ and -');
  if (!/^\/[\w./-]*$/.test(path))
    throw new TypeError('cookie.path: a path of letters, digits, ., -, _ and /');
  if (maxAgeSeconds !== undefined && !(Number.isInteger(maxAgeSeconds) && maxAgeSeconds > 0))
    throw new TypeError('cookie.maxAgeSeconds: a whole number of seconds');
  const full = `${path === '/' ? '__Host-' : '__Secure-'}${name}`;
  const pair = ({ token, ended }: CookieContent) =>
    `${full}=${ended ? ENDED : ''}${encodeURIComponent(token)}`;
  const write = (held: CookieContent | null) => {
    const text = held === null ? `${full}=` : pair(held);
    const age =
      held === null ? '; Max-Age=0' : maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`;
    return `${text}; Path=${path}; Secure; HttpOnly; SameSite=Strict${age}`;
  };
  /**
   * Does it fit, and would one of its kind that is somewhat longer? Half of a surrogate pair
   * cannot be written at all.
   */
  const fits = (token: string, room = ROOM) => {
    try {
      return pair({ token, ended: true }).length + room <= LONGEST;
    } catch {
      return false;
    }
  };
  return { name: full, write, fits };
}

/**
 * What the cookie holds; undefined when there is none, or more than one: a prefix is what keeps
 * strangers from adding theirs.
 */
export function cookieOf(request: Request, name: string): CookieContent | undefined {
  const pairs = (request.headers.get('cookie') ?? '').split(/; */).map((pair) => pair.split(/=(.*)/s));
  const found = pairs.filter(([key]) => key === name);
  if (found.length !== 1) return undefined;
  const text = found[0]?.[1] ?? '';
  const ended = text.startsWith(ENDED);
  try {
    const token = decodeURIComponent(ended ? text.slice(1) : text);
    return token === '' ? undefined : { token, ended };
  } catch {
    return undefined;
  }
}
