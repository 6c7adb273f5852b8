// For Fastify 5: https://fastify.dev. Nothing of it is imported.
import type { Auth, Claims, Gate, Requirement } from '../gate/index.js';
import { contextOf, factsOf, headersOf, type NodeRequest, rewrite } from './node.js';

/** What is asked of Fastify's `Request`; it is given `auth`. */
export interface FastifyRequest<C = Claims> {
  raw: NodeRequest;
  /** The target as it came, before `rewriteUrl`. */
  originalUrl: string;
  auth?: Auth<C>;
}

/** What is asked of Fastify's `Reply`. */
export interface FastifyReply {
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  headers(headers: Record<string, string | string[]>): unknown;
  send(body: string): unknown;
}

/**
 * A hook that lets pass what the gate allows, with the decision as `request.auth`: for `app.addHook('onRequest', …)`, or a route's own
 * `onRequest`, which runs before the body is read.
 */
export function guard<C = Claims>(
  gate: Gate<C>,
  requirement?: Requirement,
): (request: FastifyRequest<C>, reply: FastifyReply) => Promise<unknown> {
  return async (request, reply) => {
    const { raw, originalUrl } = request;
    const context = contextOf(raw, originalUrl, raw.url ?? originalUrl);
    const decision = await gate.check(factsOf(raw, originalUrl), requirement, context);
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
    request.auth = decision;
    return undefined;
  };
}
