import type { RequestFacts } from '../types.js';

/** The facts, and what platforms add to a request. */
export interface Snapshot {
  method: string;
  url: string;
  headers: RequestFacts['headers'];
  target: string | undefined;
  hasBody: unknown;
  cf: unknown;
  /** Next's requests have a URL of their own kind besides. */
  isOfNext: boolean;
}

/**
 * A request as it is now, each of its members read once: the caller's object may be a getter's, a
 * Proxy's or a generator's answer, and what the platform, the core and the memory of decisions go
 * by must be one request. What is no text is none, which the core says.
 */
export function snapshotOf(request: Request | RequestFacts): Snapshot {
  const { method, url, headers, cf, target, hasBody } = request as RequestFacts & { cf?: unknown };
  const fields = headers instanceof Headers ? headers : pairsOf(headers);
  // A field that cannot be read may be the credentials, or a second one: the whole request is none
  // then.
  if (fields === undefined) return NONE;
  return {
    method: text(method),
    url: text(url),
    headers: fields,
    target: target === undefined ? undefined : text(target),
    hasBody,
    cf,
    isOfNext: 'nextUrl' in request,
  };
}

const NONE: Snapshot = {
  method: '',
  url: '',
  headers: [],
  target: undefined,
  hasBody: undefined,
  cf: undefined,
  isOfNext: false,
};

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
