import { freeze } from '../../verifier/convert.js';
import type { Allowed, CheckContext } from '../types.js';

/** What `gate.protect` wraps, whatever its further arguments are. */
export type Handler = (request: Request, auth: Allowed, ...rest: unknown[]) => Response | Promise<Response>;

/** What tells more of a request. */
export type ContextOf = (request: Request, ...rest: unknown[]) => CheckContext;

/** What runtimes hand a handler besides the request. */
interface Handed {
  /** Of Workers, Next and Vercel. */
  waitUntil?(promise: Promise<unknown>): void;
  /** Of `Deno.serve`. */
  remoteAddr?: { hostname?: string };
  /** Of `Bun.serve`. */
  requestIP?(request: Request): { address: string } | null;
}

/** How work goes on after the response, and where the connection begins. */
export function handed(request: Request, rest: readonly unknown[]): CheckContext {
  const given = rest.filter((one): one is Handed => typeof one === 'object' && one !== null);
  const context: CheckContext = {};
  const waits = given.find((one) => typeof one.waitUntil === 'function');
  if (waits !== undefined) context.waitUntil = (promise) => waits.waitUntil?.(promise);
  // Elsewhere arguments of these names are somebody else's.
  if ('Deno' in globalThis) context.clientAddress = given.find((one) => one.remoteAddr)?.remoteAddr?.hostname;
  if ('Bun' in globalThis)
    context.clientAddress = given.find((one) => one.requestIP)?.requestIP?.(request)?.address;
  return context;
}

/** A requirement by its text, which nobody changes any more. */
export function copyOf<R>(requirement: R, text: string | undefined): R {
  return text === undefined ? requirement : (freeze(JSON.parse(text)) as R);
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
