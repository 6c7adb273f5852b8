// For SvelteKit: https://svelte.dev/docs/kit. Nothing of it is imported.
import type { Auth, Claims, Gate, Requirement } from '../gate/index.js';

/** What is asked of SvelteKit's `RequestEvent`; its `locals` are given `auth`. */
export interface SvelteKitEvent {
  request: Request;
  /** Without the suffix by which a client asks for a page's data: what the router decides by. */
  url: URL;
  locals: object;
  platform?: unknown;
  getClientAddress(): string;
}

/** A `handle` for `hooks.server.js` that lets pass what the gate allows, with the decision as `event.locals.auth`. */
export function guard<C = Claims>(
  gate: Gate<C>,
  requirement?: Requirement,
): <Event extends SvelteKitEvent>(input: {
  event: Event;
  resolve(event: Event): Response | Promise<Response>;
}) => Promise<Response> {
  return async ({ event, resolve }) => {
    const { method, headers } = event.request;
    const facts = { method, url: event.url.href, headers };
    const context = { clientAddress: clientAddress(event), waitUntil: waitUntil(event) };
    const decision = await gate.check(facts, requirement, context);
    if (!decision.ok) return decision.response;
    event.request = decision.apply(event.request);
    (event.locals as { auth?: Auth<C> }).auth = decision;
    const response = await resolve(event);
    if (decision.nonce !== undefined) response.headers.set('dpop-nonce', decision.nonce);
    return response;
  };
}

/** It throws while pages are prerendered, and where the platform tells no address. */
function clientAddress(event: SvelteKitEvent): string | undefined {
  try {
    return event.getClientAddress();
  } catch {
    return undefined;
  }
}

/** `platform.ctx` of the adapter for Cloudflare. */
function waitUntil({ platform }: SvelteKitEvent): ((promise: Promise<unknown>) => void) | undefined {
  const { ctx } = (platform ?? {}) as { ctx?: { waitUntil(promise: Promise<unknown>): void } };
  return ctx && ((promise) => ctx.waitUntil(promise));
}
