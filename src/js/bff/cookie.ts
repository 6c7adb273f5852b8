// The one cookie (RFC 6265bis): out of the reach of scripts, plain HTTP, other sites and, by its prefix, of other hosts of this one.
export interface CookieOptions {
  /** Without the prefix. Default: `session`. */
  name?: string;
  /** Default: `/`, with the prefix `__Host-`. Another path takes `__Secure-`, which a neighbouring host of the domain can overwrite. */
  path?: string;
  /** How long the browser keeps it; by default until it is closed. */
  maxAgeSeconds?: number;
}

// Browsers drop a longer one without a word.
const LONGEST = 4000;

/** Writes the cookie; null takes it away. */
export function cookieWith({ name = 'session', path = '/', maxAgeSeconds }: CookieOptions) {
  if (!/^[\w-]+$/.test(name)) throw new TypeError('cookie.name: letters, digits, _ and -');
  if (!/^\/[\w./-]*$/.test(path))
    throw new TypeError('cookie.path: a path of letters, digits, ., -, _ and /');
  if (maxAgeSeconds !== undefined && !(Number.isInteger(maxAgeSeconds) && maxAgeSeconds > 0))
    throw new TypeError('cookie.maxAgeSeconds: a whole number of seconds');
  const full = `${path === '/' ? '__Host-' : '__Secure-'}${name}`;
  const write = (token: string | null) => {
    const text = `${full}=${encodeURIComponent(token ?? '')}`;
    if (text.length > LONGEST) throw new TypeError('the refresh token does not fit into a cookie');
    const age =
      token === null ? '; Max-Age=0' : maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`;
    return `${text}; Path=${path}; Secure; HttpOnly; SameSite=Strict${age}`;
  };
  return { name: full, write };
}

/** The cookie's value; undefined when there is none, or more than one: a prefix is what keeps strangers from adding theirs. */
export function cookieOf(request: Request, name: string): string | undefined {
  const pairs = (request.headers.get('cookie') ?? '').split(/; */).map((pair) => pair.split(/=(.*)/s));
  const found = pairs.filter(([key]) => key === name);
  try {
    return found.length === 1 ? decodeURIComponent(found[0]?.[1] ?? '') || undefined : undefined;
  } catch {
    return undefined;
  }
}
