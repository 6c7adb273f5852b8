/** Why there is no text. */
export type FetchFailure = 'timeout' | 'network' | 'redirect' | 'too-large' | 'not-utf8' | `status-${number}`;

export type Fetched =
  | { ok: true; text: string; headers: Headers }
  | { ok: false; reason: FetchFailure; headers?: Headers };

export interface FetchLimits {
  /** For the whole exchange: connection, header and body. */
  timeoutMs: number;
  /** Of the body, decompressed. */
  maxBytes: number;
}

const TIMEOUT = Symbol('timeout');

/**
 * Fetches a text with status 200, within limits that hold for any `fetch`, also one that ignores
 * its signal. It never rejects.
 *
 * No redirect is followed: a policy names the place itself, and whoever can make a server redirect
 * must not choose another.
 */
export async function fetchText(
  fetch: typeof globalThis.fetch,
  url: string,
  init: { method?: string; headers: Record<string, string>; body?: string },
  { timeoutMs, maxBytes }: FetchLimits,
): Promise<Fetched> {
  const controller = new AbortController();
  const { signal } = controller;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(TIMEOUT), timeoutMs);
  });
  const exchange = async (): Promise<Fetched> => {
    // 'manual', since workerd knows no 'error'.
    const response = await fetch(url, { ...init, redirect: 'manual', signal });
    const fault = faultOf(response, maxBytes);
    if (fault !== undefined) {
      // The connection is not kept for a body that nobody reads.
      response.body?.cancel().catch(() => {});
      return { ok: false, reason: fault, headers: response.headers };
    }
    const text = await readText(response.body, maxBytes);
    return typeof text === 'string' ? { ok: true, text, headers: response.headers } : text;
  };
  try {
    return await Promise.race([exchange(), late]);
  } catch (error) {
    return { ok: false, reason: error === TIMEOUT ? 'timeout' : 'network' };
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

function faultOf(response: Response, maxBytes: number): FetchFailure | undefined {
  const { status } = response;
  // 304 is no redirect, and no answer to a question that had no condition: a cache on the way has
  // it wrong.
  const isRedirect = status >= 300 && status < 400 && status !== 304;
  if (response.type === 'opaqueredirect' || response.redirected || isRedirect) return 'redirect';
  if (status !== 200) return `status-${status}`;
  return Number(response.headers.get('content-length') ?? 0) > maxBytes ? 'too-large' : undefined;
}

/**
 * Counts while it reads: a length that was announced is no promise, and a compressed one says
 * nothing.
 */
export async function readText(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<string | { ok: false; reason: FetchFailure }> {
  // `ignoreBOM` keeps a byte order mark in the text, where the core refuses it.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const reader = body?.getReader();
  if (reader === undefined) return '';
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    bytes += value?.byteLength ?? 0;
    if (bytes > maxBytes) {
      reader.cancel().catch(() => {});
      return { ok: false, reason: 'too-large' };
    }
    try {
      text += decoder.decode(value, { stream: !done });
    } catch {
      reader.cancel().catch(() => {});
      return { ok: false, reason: 'not-utf8' };
    }
    if (done) return text;
  }
}
