// For Express 5 (and whatever else takes Connect's middlewares): https://expressjs.com. Nothing of it is imported.
import type { Auth, Claims, Gate, Requirement } from '../gate/index.js';
import { contextOf, factsOf, headersOf, type NodeRequest, rewrite } from './node.js';

/** What is asked of Express's `Request`; it is given `auth`. */
export interface ExpressRequest<C = Claims> extends NodeRequest {
  /** The target as it came, before routers took their mount path off. */
  originalUrl?: string;
  auth?: Auth<C>;
}

/** What is asked of Express's `Response`. */
export interface ExpressResponse {
  setHeader(name: string, value: string): unknown;
  writeHead(status: number, headers: Record<string, string | string[]>): unknown;
  end(body: string): unknown;
}

/** A middleware that lets pass what the gate allows, with the decision as `req.auth`. */
export function guard<C = Claims>(
  gate: Gate<C>,
  requirement?: Requirement,
): (req: ExpressRequest<C>, res: ExpressResponse, next: (error?: unknown) => void) => Promise<void> {
  return async (req, res, next) => {
    const facts = factsOf(req, req.originalUrl ?? req.url ?? '/');
    const decision = await gate.check(facts, requirement, contextOf(req));
    if (!decision.ok) {
      const { response } = decision;
      res.writeHead(decision.status, headersOf(response, decision.challenges));
      res.end(await response.text());
      return;
    }
    rewrite(req, decision.headers);
    if (decision.nonce !== undefined) res.setHeader('dpop-nonce', decision.nonce);
    req.auth = decision;
    next();
  };
}
