// Which paths a request to SvelteKit is about. A client writes some of what the framework says of
// them.
import type { Request, URL as WebUrl } from '../shared/web.js';

/** What of SvelteKit's `RequestEvent` says what is served. */
export interface SvelteKitPlace {
  request: Request;
  /**
   * Without the suffix by which a client asks for a page's data: what the router decides by. For a
   * remote function it is the page that calls it, by the client's own headers
   * `x-sveltekit-pathname` and `x-sveltekit-search`.
   */
  url: WebUrl;
  /**
   * The route that answers, and what its parameters are: `reroute` may have chosen it by another
   * path.
   */
  route?: { id: string | null };
  params?: Record<string, string | undefined>;
  /** Whether a remote function answers. */
  isRemoteRequest?: boolean;
}

/** Where the app lies: `kit.paths.base` and `kit.appDir` of `svelte.config.js`. */
export interface SvelteKitPaths {
  base?: string;
  appDir?: string;
}

/** The URL that was asked for, and the paths by which SvelteKit answers besides. */
export function placeOf(
  event: SvelteKitPlace,
  { base = '', appDir = '_app' }: SvelteKitPaths,
): { url: string; served: string[] } {
  const remote = `${base}/${appDir}/remote/`;
  const asked = new URL(event.request.url);
  // Also by the path, should a version not say it by the member.
  if (event.isRemoteRequest === true || asked.pathname.startsWith(remote))
    return { url: asked.href, served: [] };
  const served: string[] = [];
  // A form without JavaScript calls a remote function by the query of any page.
  for (const id of event.url.searchParams.getAll('/remote')) {
    // Whatever stands behind its name tells instances of one form apart.
    const [file = '', name = ''] = id.split('/');
    served.push(`${remote + encodeURIComponent(file)}/${encodeURIComponent(name)}`);
  }
  const answering = pathOfRoute(event.route?.id, event.params ?? {});
  if (answering !== undefined && !isSame(base + answering, event.url.pathname)) served.push(base + answering);
  return { url: event.url.href, served };
}

/** The path that leads to a route with these parameters, with its escapes. */
function pathOfRoute(
  id: string | null | undefined,
  params: Record<string, string | undefined>,
): string | undefined {
  if (id === null || id === undefined) return undefined;
  const segments = id
    .split('/')
    .filter((segment) => !/^\(.+\)$/.test(segment))
    .map((segment) =>
      segment
        // Two code units in a row, each written as `[u+…]`, may be one character.
        .replace(CODED, (coded) => encoded(textOf(coded)))
        .replace(PARAMETER, (_, name: string) => (params[name] ?? '').split('/').map(encoded).join('/')),
    )
    .filter((segment) => segment !== '');
  return `/${segments.join('/')}`;
}

/** Half a character has no escape; U+FFFD stands for it. */
function encoded(text: string): string {
  return encodeURIComponent(text.replace(LONE, '\ufffd'));
}

const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The text of code units. */
function textOf(coded: string): string {
  const units = coded.matchAll(/\+([\da-f]+)/gi);
  return String.fromCodePoint(...Array.from(units, ([, digits = '']) => Number.parseInt(digits, 16)));
}

/** `[x+2f]` or `[u+d83e]`, any number of them. */
const CODED = /(?:\[[xu]\+[\da-f]+\])+/gi;

/** `[name]`, `[name=matcher]`, `[[name]]` and `[...name]`. */
const PARAMETER = /\[\[?(?:\.\.\.)?(\w+)(?:=\w+)?\]?\]/g;

/**
 * A slash at the end is the route's choice (`trailingSlash`), and escapes are decoded before a
 * route is looked for.
 */
function isSame(one: string, other: string): boolean {
  return plain(one) === plain(other);
}

function plain(path: string): string {
  try {
    return decodeURIComponent(path).replace(/\/$/, '');
  } catch {
    return path;
  }
}
