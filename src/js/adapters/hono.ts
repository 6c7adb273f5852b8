// For Hono 4: https://hono.dev. Nothing of it is imported but a type, by which Hono tells a
// route's handlers of the claims.
import type {
  Auth,
  Claims,
  Gate,
  RequestFacts,
  Requirement,
  TokenRequirement,
  WithoutClaims,
} from '../gate/index.js';
import type { Request, Response } from '../shared/web.js';
import { factsOf, type NodeRequest, rewrite } from './node.js';

/** What is asked of Hono's `Context`. */
export interface HonoContext {
  /**
   * `path` is what routes are compared with: the URL's, unless the app was made with a `getPath`
   * of its own.
   */
  req: { raw: Request; path?: string };
  /** What the runtime hands over besides the request. */
  env: unknown;
  set(key: never, value: never): void;
  header(name: string, value: string): void;
  /** A getter, which throws where the runtime has none. */
  readonly executionCtx: { waitUntil(promise: Promise<unknown>): void };
}

/**
 * For `new Hono<{ Variables: GateVariables }>()`, which types `c.var.jwtPayload` and
 * `c.get('jwtPayload')`.
 */
export type GateVariables<C = Claims, Key extends string = 'jwtPayload'> = Record<Key, C>;

/**
 * The middleware: what follows it in a route, or in the app behind `app.use(…)`, has the claims in
 * `c.var`.
 * @ts-ignore: in a program without Hono it is of any type. */
export type HonoGuard<C, Via extends WithoutClaims, Key extends string> = import('hono').MiddlewareHandler<{
  Variables: GateVariables<Auth<C, Via>['claims'], Key>;
}>;

/**
 * What the middleware may be told besides the requirement.
 * @example
 * ```ts
 * import { getConnInfo } from 'hono/cloudflare-workers';
 * import { guard } from 'portcullis/hono';
 *
 * const guarded = guard(gate, undefined, {
 *   key: 'user',
 *   clientAddress: (c: Parameters<typeof getConnInfo>[0]) => getConnInfo(c).remote.address,
 * });
 * ```
 */
export interface HonoOptions<Context = HonoContext, Key extends string = 'jwtPayload'> {
  /** Under which name the claims are set: `jwtPayload` by default, as by Hono's own middlewares. */
  key?: Key;
  /**
   * Where the runtime tells the client's address: `(c) => getConnInfo(c).remote.address`.
   * Default: the platform's trusted field, or the connection that `@hono/node-server`, Deno or
   * Bun hands over.
   */
  clientAddress?(c: Context): string | undefined;
}

/**
 * A middleware that lets pass what the gate allows and sets the claims. Anonymous requests, where
 * they may pass, have none.
 * @example
 * ```ts
 * import { Hono } from 'hono';
 * import { guard } from 'portcullis/hono';
 *
 * const app = new Hono()
 *   .use('/notes', guard(gate, { scopes: ['notes:read'] }))
 *   .get('/notes', (c) => c.text(`Hello, ${c.var.jwtPayload.sub}`));
 * ```
 */
export function guard<
  C,
  Via extends WithoutClaims,
  Key extends string = 'jwtPayload',
  Context extends HonoContext = HonoContext,
>(gate: Gate<C, Via>, requirement?: undefined, options?: HonoOptions<Context, Key>): HonoGuard<C, Via, Key>;
export function guard<
  C,
  Via extends WithoutClaims,
  Key extends string = 'jwtPayload',
  Context extends HonoContext = HonoContext,
>(
  gate: Gate<C, Via>,
  requirement: TokenRequirement,
  options?: HonoOptions<Context, Key>,
): HonoGuard<C, Via & 'preflight', Key>;
export function guard<
  C,
  Via extends WithoutClaims,
  Key extends string = 'jwtPayload',
  Context extends HonoContext = HonoContext,
>(
  gate: Gate<C, Via>,
  requirement: Requirement,
  options?: HonoOptions<Context, Key>,
): HonoGuard<C, (Via & 'preflight') | 'anonymous', Key>;
export function guard(
  gate: Gate<unknown, WithoutClaims>,
  requirement?: Requirement,
  { key = 'jwtPayload', clientAddress }: HonoOptions<HonoContext, string> = {},
): unknown {
  const required = gate.requirement(requirement);
  return async (c: HonoContext, next: () => Promise<void>): Promise<Response | undefined> => {
    const decision = await gate.check(judged(c), required, {
      served: servedOf(c.req),
      clientAddress: clientAddress === undefined ? peerOf(c) : clientAddress(c),
      waitUntil: (promise) => waitUntil(c, promise),
    });
    if (!decision.ok) return decision.response;
    c.req.raw = decision.apply(c.req.raw);
    const { incoming } = handedTo(c);
    if (incoming?.rawHeaders !== undefined) rewrite(incoming, decision.headers);
    if (decision.nonce !== undefined) c.header('dpop-nonce', decision.nonce);
    if (decision.via === 'token') c.set(key as never, decision.claims as never);
    await next();
    return undefined;
  };
}

/**
 * The request, with its target as it came where Hono's server for Node hands that over: the URL
 * standard mends what is malformed. An app that is mounted in another, or that asks itself
 * (`app.request`), is given another URL than the target's, of whatever host, and goes by that.
 */
function judged(c: HonoContext): Request | RequestFacts {
  const { raw } = c.req;
  const { incoming } = handedTo(c);
  if (incoming?.rawHeaders === undefined || incoming.url === undefined) return raw;
  const facts = factsOf(incoming, incoming.url);
  // A target that is neither a path nor names a host is the core's to refuse, as everywhere on
  // Node.
  if (facts.url !== raw.url && facts.url !== '' && /^(?:\/|https?:\/\/[^/])/i.test(incoming.url)) {
    const [asked, own] = [new URL(facts.url), new URL(raw.url)];
    if (asked.pathname !== own.pathname || asked.search !== own.search) return raw;
  }
  return { ...facts, method: raw.method, headers: raw.headers };
}

/** The path by which Hono looks for handlers, where it is not the URL's. */
function servedOf({ raw, path }: HonoContext['req']): string[] {
  if (path === undefined) return [];
  const { url } = raw;
  if (isPathOf(url, path)) return [];
  const own = new URL(url);
  // Hono decodes before it compares; the URL standard encodes anew.
  const routed = new URL(own.origin + path).pathname;
  const [one, other] = [own.pathname, routed].map((each) => each.replace(/\/$/, ''));
  return one === other ? [] : [routed];
}

/** An origin as the URL standard writes it. */
const ORIGIN = /^https?:\/\/(?:[a-z\d-]+(?:\.[a-z\d-]+)*|\[[\da-f:]+\])(?::\d{1,4})?$/;

/**
 * A path in which neither Hono nor the URL standard mends anything: no escapes, no empty segments,
 * none that begins with a dot.
 */
const PLAIN = /^\/(?:[\w!$&'()*+,;=:@~-][\w!$&'()*+,;=:@~.-]*(?:\/|$))*$/;

/**
 * Whether that is the URL's path, as anyone can see. To parse both takes longer than to find a
 * decision.
 */
function isPathOf(url: string, path: string): boolean {
  // Behind the scheme, of which the shorter is `http://`, and a host of one character at least.
  const start = url.indexOf('/', 8);
  if (!PLAIN.test(path) || !url.startsWith(path, start) || !ORIGIN.test(url.slice(0, start))) return false;
  const next = url[start + path.length];
  return next === undefined || next === '?' || next === '#';
}

/** The `env` of `@hono/node-server`, of `Deno.serve` and of `Bun.serve`. */
interface Env {
  incoming?: NodeRequest & { socket: { remoteAddress?: string } };
  remoteAddr?: { hostname?: string };
  requestIP?(request: Request): { address: string } | null;
  /** Where an app keeps them beside bindings of its own. */
  server?: Env;
}

/** What the runtime hands over. */
function handedTo({ env }: HonoContext): Env {
  const handed = (env ?? {}) as Env;
  return handed.server ?? handed;
}

/** The other end of the connection. */
function peerOf(c: HonoContext): string | undefined {
  const handed = handedTo(c);
  if (handed.incoming !== undefined) return handed.incoming.socket?.remoteAddress;
  if ('Deno' in globalThis) return handed.remoteAddr?.hostname;
  return 'Bun' in globalThis ? handed.requestIP?.(c.req.raw)?.address : undefined;
}

/**
 * Where the runtime has no such thing, which Hono tells by throwing, work goes on by itself. It is
 * asked for only when there is some.
 */
function waitUntil(c: HonoContext, promise: Promise<unknown>): void {
  try {
    // One that answers later is a stranger's, and its failure nobody hears.
    Promise.resolve(c.executionCtx.waitUntil(promise)).catch(() => undefined);
  } catch {
    promise.catch(() => undefined);
  }
}
