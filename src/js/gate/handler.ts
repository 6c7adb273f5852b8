import type { CheckContext } from './index.js';

/** What Workers, Next and Vercel hand a handler besides the request. */
export function waiting(rest: readonly unknown[]): CheckContext {
  type Context = { waitUntil(promise: Promise<unknown>): void };
  const waits = (value: unknown): value is Context =>
    typeof (value as Partial<Context> | null | undefined)?.waitUntil === 'function';
  const context = rest.find(waits);
  return context === undefined ? {} : { waitUntil: (promise) => context.waitUntil(promise) };
}

/** A response that was fetched cannot be changed, so that what is to be added goes on a copy. */
export function withHeaders(
  response: Response,
  nonce: string | undefined,
  timing: string | undefined,
): Response {
  if (nonce === undefined && timing === undefined) return response;
  const copy = new Response(response.body, response);
  if (nonce !== undefined) copy.headers.set('dpop-nonce', nonce);
  if (timing !== undefined) copy.headers.append('server-timing', timing);
  return copy;
}
