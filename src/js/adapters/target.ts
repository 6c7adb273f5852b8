// From a request-target to the facts about it. Whether it is malformed, the core says: it is
// handed the target as it came.
import type { RequestFacts } from '../gate/index.js';

/**
 * The URL that a request-target (RFC 9112 §3.2) names, and the target itself, with which the core
 * compares it. `scheme` and `authority` are the connection's and the Host header's.
 */
export function urlOf(
  target: string,
  scheme: string,
  authority: string,
): Pick<RequestFacts, 'url' | 'target'> {
  // `Host: api.example/public?` would otherwise choose the path by which the gate decides: what
  // has no URL is malformed, which the gate says.
  return { url: AUTHORITY.test(authority) ? `${scheme}://${authority}${pathOf(target)}` : '', target };
}

/**
 * The path by which a framework looks for a handler, where that is not the one of the request:
 * what is required for it has to hold as well.
 *
 * @param routed the target after the framework, or a middleware, has rewritten it.
 */
export function servedOf(target: string, routed: string): string[] {
  if (target === routed) return [];
  const served = withoutQuery(pathOf(routed));
  return served === withoutQuery(pathOf(target)) ? [] : [served];
}

/** A host with or without a port. */
const AUTHORITY = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i;

/**
 * What stands behind the authority of an absolute target. `//host/path` is a path here, as it is
 * to every router.
 */
export function pathOf(target: string): string {
  return target.startsWith('/') ? target : target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#\\]*/i, '');
}

/** A path without its query. */
function withoutQuery(path: string): string {
  return path.replace(/[?#].*$/s, '');
}
