// For Fastify 5: https://fastify.dev. Nothing of it is imported.
import type { Gate, RegisteredAuth, Requirement, WithoutClaims } from '../gate/index.js';
import { contextOf, factsOf, headersOf, type NodeRequest, rewrite } from './node.js';

/** @ts-ignore: in a program without Fastify there is nothing to add to. */
declare module 'fastify' {
  interface FastifyRequest {
    /** Of a request that a guard of Portcullis let pass: the gate's decision. */
    auth: RegisteredAuth;
  }
}

/** What is asked of Fastify's `Request`; it is given `auth`. */
export interface FastifyRequest {
  raw: NodeRequest;
  /** The target as it came, before `rewriteUrl`. */
  originalUrl: string;
}

/** What is asked of Fastify's `Reply`. */
export interface FastifyReply {
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  headers(headers: Record<string, string | string[]>): unknown;
  send(body: string): unknown;
}

/**
 * A hook that lets pass what the gate allows, with the decision as `request.auth`: for
 * `app.addHook('onRequest', …)`, or a route's own `onRequest`, which runs before the body is read.
 * @example
 * ```ts
 * import fastify from 'fastify';
 * import { guard } from 'portcullis/fastify';
 *
 * const app = fastify();
 * app.addHook('onRequest', guard(gate, { scopes: ['notes:read'] }));
 * app.get('/notes', (request) => `Hello, ${request.auth.claims.sub}`);
 * ```
 */
export function guard<C, Via extends WithoutClaims>(
  gate: Gate<C, Via>,
  requirement?: Requirement,
): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  const required = gate.requirement(requirement);
  return async (request, reply) => {
    const { raw, originalUrl } = request;
    const context = contextOf(raw, originalUrl, raw.url ?? originalUrl);
    const decision = await gate.check(factsOf(raw, originalUrl), required, context);
    if (!decision.ok) {
      const { response } = decision;
      reply.code(decision.status);
      reply.headers(headersOf(response, decision.challenges));
      reply.send(await response.text());
      // A hook that has answered hands the reply back.
      return reply;
    }
    rewrite(request.raw, decision.headers);
    if (decision.nonce !== undefined) reply.header('dpop-nonce', decision.nonce);
    (request as { auth?: unknown }).auth = decision;
    return undefined;
  };
}
