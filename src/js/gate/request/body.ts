import { within } from '../../net/within.js';
import type { Request } from '../../shared/web.js';
import type { RequestFacts } from '../types.js';
import type { Snapshot } from './snapshot.js';

/** How long a body may take to begin, in milliseconds. What takes longer counts as one. */
const BODY_MS = 1000;

/**
 * Whether a request of the Fetch standard has a body. Headers need not announce it (HTTP/2), and
 * some runtimes give every OPTIONS a stream: only its beginning tells. The request's own body can
 * be read afterwards.
 */
export async function hasBody(request: Request): Promise<boolean> {
  try {
    if (!request.body) return false;
    const reader = request.clone().body?.getReader();
    if (reader === undefined) return true;
    try {
      return await within(BODY_MS, hasBytes(reader));
    } finally {
      reader.cancel().catch(() => {});
    }
  } catch {
    // Somebody has read it already, or it does not come.
    return true;
  }
}

/** Deno begins an empty body with an empty piece. */
async function hasBytes(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<boolean> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return false;
    if (value.length > 0) return true;
  }
}

/** Whether it matters, and the facts do not say it: a preflight has no body. */
export function mayHideBody(
  request: Request | RequestFacts,
  { method, hasBody }: Snapshot,
): request is Request {
  return method === 'OPTIONS' && hasBody === undefined && Boolean((request as Request).body);
}
