import type { Deadline } from './deadline.js';

/** A byte more than the core takes: enough to be refused by. */
const MOST_BYTES = 16 * 1024 + 1;

/**
 * A request as the core reads it. Its body is read when the core asks for it, which is after it
 * knows whose request it is for.
 */
export function toFacts(request: Request, address: string | undefined): string {
  const { method, url } = request;
  const headers: [string, string][] = [];
  request.headers.forEach((value, name) => {
    headers.push([name, value]);
  });
  return JSON.stringify({ method, url, headers, ...(address === undefined ? {} : { address }) });
}

/** The body as a result for the core, or why it did not come. It never rejects. */
export async function bodyOf(request: Request, deadline: Deadline): Promise<object> {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    reader = request.body?.getReader();
    return { body: await readBody(reader, deadline) };
  } catch (error) {
    // Nobody reads what may still come.
    reader?.cancel().catch(() => {});
    const isLate = error instanceof DOMException && error.name === 'TimeoutError';
    return { broken: isLate ? 'late' : 'aborted' };
  }
}

/** The body, or as much of it as shows that it is too long; `null` when it is no UTF-8. */
async function readBody(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  deadline: Deadline,
): Promise<string | null> {
  const bytes = new Uint8Array(MOST_BYTES);
  let length = 0;
  while (reader !== undefined && length < MOST_BYTES) {
    const { done, value } = await deadline.for(() => reader.read());
    if (done) break;
    const taken = value.subarray(0, MOST_BYTES - length);
    bytes.set(taken, length);
    length += taken.length;
  }
  // Nobody reads what is left of a body that is too long.
  if (length === MOST_BYTES) reader?.cancel().catch(() => {});
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length));
  } catch {
    return length === MOST_BYTES ? 'x'.repeat(MOST_BYTES) : null;
  }
}
