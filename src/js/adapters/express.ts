// For Express 5 (and whatever else takes Connect's middlewares): https://expressjs.com. Nothing of
// it is imported.
import type { Gate, RegisteredAuth, Requirement, WithoutClaims } from '../gate/index.js';
import { contextOf, factsOf, headersOf, type NodeRequest, rewrite } from './node.js';
import { pathOf } from './target.js';

declare global {
  namespace Express {
    interface Request {
      /** Of a request that a guard of Portcullis let pass: the gate's decision. */
      auth: RegisteredAuth;
    }
  }
}

/** What is asked of Express's `Request`; it is given `auth`. */
export interface ExpressRequest extends NodeRequest {
  /** The target as it came, before routers took their mount path off. */
  originalUrl?: string;
  /** What routers took off `url`. */
  baseUrl?: string;
}

/** What is asked of Express's `Response`. */
export interface ExpressResponse {
  setHeader(name: string, value: string): unknown;
  writeHead(status: number, headers: Record<string, string | string[]>): unknown;
  end(body: string): unknown;
}

/**
 * A middleware that lets pass what the gate allows, with the decision as `req.auth`.
 * @example
 * ```ts
 * import express from 'express';
 * import { guard } from 'portcullis/express';
 *
 * const app = express();
 * app.use('/notes', guard(gate, { scopes: ['notes:read'] }));
 * app.get('/notes', (req, res) => {
 *   res.send(`Hello, ${req.auth.claims.sub}`);
 * });
 * ```
 */
export function guard<C, Via extends WithoutClaims>(
  gate: Gate<C, Via>,
  requirement?: Requirement,
): (req: ExpressRequest, res: ExpressResponse, next: (error?: unknown) => void) => Promise<void> {
  const required = gate.requirement(requirement);
  return async (req, res, next) => {
    const { url = '', originalUrl = url, baseUrl = '' } = req;
    // A middleware before this one may have written `url` anew, and it is by `url` that handlers
    // are found.
    const context = contextOf(req, originalUrl, routed(originalUrl, baseUrl, url));
    const decision = await gate.check(factsOf(req, originalUrl), required, context);
    if (!decision.ok) {
      const { response } = decision;
      res.writeHead(decision.status, headersOf(response, decision.challenges));
      res.end(await response.text());
      return;
    }
    rewrite(req, decision.headers);
    if (decision.nonce !== undefined) res.setHeader('dpop-nonce', decision.nonce);
    (req as { auth?: unknown }).auth = decision;
    next();
  };
}

/**
 * The path by which Express looks for handlers: what routers took off, and what is left, in which
 * a path of `/` may be theirs.
 */
function routed(target: string, baseUrl: string, url: string): string {
  if (baseUrl === '' && url === target) return target;
  const [asked, rest] = [pathOf(target), pathOf(url)];
  return isRoot(rest) && isRoot(asked.slice(baseUrl.length)) && asked.startsWith(baseUrl)
    ? asked
    : baseUrl + rest;
}

function isRoot(path: string): boolean {
  return /^\/?(?:[?#]|$)/.test(path);
}
