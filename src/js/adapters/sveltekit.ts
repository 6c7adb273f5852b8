// For SvelteKit: https://svelte.dev/docs/kit. Nothing of it is imported.

import type { Gate, RegisteredAuth, RequestFacts, Requirement, WithoutClaims } from '../gate/index.js';
import type { Response } from '../shared/web.js';
import { type NodeRequest, pairs, rewrite } from './node.js';
import { placeOf, type SvelteKitPaths, type SvelteKitPlace } from './sveltekit-paths.js';

export type { SvelteKitPaths } from './sveltekit-paths.js';

declare global {
  namespace App {
    interface Locals {
      /** Of a request that a guard of Portcullis let pass: the gate's decision. */
      auth: RegisteredAuth;
    }
  }
}

/** What is asked of SvelteKit's `RequestEvent`; its `locals` are given `auth`. */
export interface SvelteKitEvent extends SvelteKitPlace {
  locals: object;
  platform?: unknown;
  /**
   * Whether the app asks itself: then `platform` tells of the request that came in, and `request`
   * of the one within.
   */
  isSubRequest?: boolean;
  getClientAddress(): string;
}

/**
 * A `handle` for `hooks.server.js` that lets pass what the gate allows, with the decision as
 * `event.locals.auth`. `paths` says where the app lies, unless that is SvelteKit's default.
 * @example
 * ```ts
 * import { guard } from 'portcullis/sveltekit';
 *
 * export const handle = guard(gate, { scopes: ['notes:read'] });
 * ```
 */
export function guard<C, Via extends WithoutClaims>(
  gate: Gate<C, Via>,
  requirement?: Requirement,
  paths: SvelteKitPaths = {},
): <Event extends SvelteKitEvent>(input: {
  event: Event;
  resolve(event: Event): Response | Promise<Response>;
}) => Promise<Response> {
  const required = gate.requirement(requirement);
  return async ({ event, resolve }) => {
    const { url, served } = placeOf(event, paths);
    const { method, body } = event.request;
    // By these the gate sees whether an OPTIONS has a body.
    const stream = { body, clone: () => event.request.clone() };
    const facts = { method, url, headers: headersOf(event), ...stream };
    const context = {
      clientAddress: clientAddress(event),
      urlVouched: urlVouched(event),
      waitUntil: waitUntil(event),
      served,
    };
    const decision = await gate.check(facts, required, context);
    if (!decision.ok) return decision.response;
    event.request = decision.apply(event.request);
    const req = nodeRequest(event);
    if (req !== undefined) rewrite(req, decision.headers);
    (event.locals as { auth?: unknown }).auth = decision;
    const response = await resolve(event);
    if (decision.nonce !== undefined) response.headers.set('dpop-nonce', decision.nonce);
    return response;
  };
}

/**
 * The adapter for Node hands over Node's request, in whose `headers`, and so in `event.request`, a
 * second Authorization line is lost.
 */
function headersOf(event: SvelteKitEvent): RequestFacts['headers'] {
  const req = nodeRequest(event);
  return req === undefined ? event.request.headers : pairs(req.rawHeaders);
}

/**
 * Node's request, which the adapter for Node hands over, and which is as much of a handler's view
 * as `event.request`.
 */
function nodeRequest({ platform, isSubRequest }: SvelteKitEvent): NodeRequest | undefined {
  const { req } = (platform ?? {}) as { req?: NodeRequest };
  return isSubRequest || req?.rawHeaders === undefined ? undefined : req;
}

/** The adapter for Cloudflare hands over `cf`, which the platform alone adds to a request. */
function urlVouched({ platform }: SvelteKitEvent): true | undefined {
  const { cf } = (platform ?? {}) as { cf?: object };
  return cf === undefined ? undefined : true;
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
