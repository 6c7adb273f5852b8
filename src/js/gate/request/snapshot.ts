import type { RequestFacts } from '../index.js';

/** The facts, and what platforms add to a request. */
export type Snapshot = RequestFacts & { cf?: unknown; nextUrl?: true };

/**
 * A request as it is now, each of its members read once: the caller's object may be a getter's, a Proxy's or a generator's answer, and what the
 * platform, the core and the memory of decisions go by must be one request. What is no text is none, which the core says.
 */
export function snapshotOf(request: Request | RequestFacts): Snapshot {
  const { method, url, headers, cf, target, hasBody } = request as RequestFacts & { cf?: unknown };
  const fields = headers instanceof Headers ? headers : pairsOf(headers);
  // A field that cannot be read may be the credentials, or a second one: the whole request is none then.
  if (fields === undefined) return { method: '', url: '', headers: [] };
  return {
    method: text(method),
    url: text(url),
    headers: fields,
    // That there is one tells Next's requests from others.
    ...('nextUrl' in request ? { nextUrl: true } : {}),
    ...(cf === undefined ? {} : { cf }),
    ...(target === undefined ? {} : { target: text(target) }),
    ...(hasBody === undefined ? {} : { hasBody }),
  };
}

function pairsOf(headers: Iterable<readonly [string, string]>): (readonly [string, string])[] | undefined {
  const pairs: (readonly [string, string])[] = [];
  for (const [name, value] of headers) {
    if (typeof name !== 'string' || typeof value !== 'string') return undefined;
    pairs.push([name, value]);
  }
  return pairs;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
