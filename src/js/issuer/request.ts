/** A byte more than the core takes: enough to be refused by. */
const MOST_BYTES = 16 * 1024 + 1;

/** A request as the core reads it. */
export async function toFacts(request: Request): Promise<string> {
  const { method, url } = request;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const body = hasBody ? await readBody(request.body) : null;
  const headers: [string, string][] = [];
  request.headers.forEach((value, name) => {
    headers.push([name, value]);
  });
  return JSON.stringify({ method, url, headers, body });
}

/** The body, or as much of it as shows that it is too long; `null` when it is no UTF-8. */
async function readBody(body: ReadableStream<Uint8Array> | null): Promise<string | null> {
  const bytes = new Uint8Array(MOST_BYTES);
  let length = 0;
  const reader = body?.getReader();
  while (reader !== undefined && length < MOST_BYTES) {
    const { done, value } = await reader.read();
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
