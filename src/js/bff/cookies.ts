// The cookies of the backend that keeps the tokens (RFC 6265bis): each within what browsers keep,
// and by their prefix of this host alone.

/** As the request has them; of two that have one name, none: strangers may have added theirs. */
export function cookiesOf(headers: Headers): Map<string, string> {
  const found = new Map<string, string>();
  const twice = new Set<string>();
  for (const pair of (headers.get('cookie') ?? '').split(/; */)) {
    const at = pair.indexOf('=');
    if (at <= 0) continue;
    const name = pair.slice(0, at);
    if (found.has(name)) twice.add(name);
    found.set(name, pair.slice(at + 1));
  }
  for (const name of twice) found.delete(name);
  return found;
}

/** How a cookie is sent along. */
export type SameSite = 'Strict' | 'Lax';

/** A field Set-Cookie. `seconds` 0 takes the cookie away; without any it ends with the browser. */
export function setCookie(name: string, value: string, sameSite: SameSite, seconds?: number): string {
  const age = seconds === undefined ? '' : `; Max-Age=${seconds}`;
  return `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=${sameSite}${age}`;
}

/** Of one cookie's value. Browsers drop a cookie of more than 4096 bytes, name and all. */
const PART = 3800;
/** Servers take about 16 KiB of header in all. */
const MOST_PARTS = 3;

/** Which cookies the browser may have. */
export type Before = { has(name: string): boolean };

/** A text too long for one cookie, in several: `NAME.0`, `NAME.1` and so on. */
export class ChunkedCookie {
  constructor(
    readonly name: string,
    private readonly maxAgeSeconds: number | undefined,
  ) {}

  /** The text, if all of its parts are there. */
  read(cookies: ReadonlyMap<string, string>): string | undefined {
    const parts: string[] = [];
    for (let n = 0; n < MOST_PARTS; n += 1) {
      const part = cookies.get(`${this.name}.${n}`);
      if (part === undefined) break;
      parts.push(part);
    }
    return parts.length === 0 ? undefined : parts.join('');
  }

  /** The fields that write it, and take away what is left of a longer one before. */
  write(text: string, before: Before): string[] {
    const count = Math.ceil(text.length / PART);
    if (count > MOST_PARTS)
      throw new RangeError(
        `the tokens take ${text.length} characters and ${MOST_PARTS * PART} fit into cookies; keep them in a store (option store), or ask for smaller ones`,
      );
    const parts = Array.from({ length: count }, (_, n) =>
      setCookie(`${this.name}.${n}`, text.slice(n * PART, (n + 1) * PART), 'Strict', this.maxAgeSeconds),
    );
    return [...parts, ...this.cleared(before, count)];
  }

  /** The fields that take it away, from one of its parts on. */
  cleared(before: Before, from = 0): string[] {
    const names = Array.from({ length: MOST_PARTS }, (_, n) => `${this.name}.${n}`).slice(from);
    return names.filter((name) => before.has(name)).map((name) => setCookie(name, '', 'Strict', 0));
  }
}
