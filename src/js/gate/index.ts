import type { Verifier, VerifierStats } from '../index.js';
import type { Jwk, Policy } from '../policy.js';
import type { Claims, JoseHeader, RejectionCode, Stage } from '../verdict.js';
import type { GatePolicy, Requirement } from './policy.js';

export * from '../index.js';
export type { ClaimRequirement, GatePolicy, ProofAlg, Requirement, Route } from './policy.js';

/** A policy with the gate's own part. */
export type GatedPolicy = Policy & { gate?: GatePolicy };

/** A request by its facts, where there is no WHATWG `Request`. */
export interface RequestFacts {
  /** In the case in which it was sent. */
  method: string;
  /** Absolute, with scheme and host. */
  url: string;
  /** Pairs keep duplicates, which `Headers` joins: give the raw ones where there are some. */
  headers: Headers | Iterable<readonly [string, string]>;
}

/** What the platform knows of a request and the request itself cannot be believed about. */
export interface CheckContext {
  /** The address of the other end of the connection. */
  clientAddress?: string | undefined;
  /** The client's certificate of the TLS connection: its `x5t#S256`, its SHA-256 in hexadecimal, PEM, or DER. */
  certificate?: string | Uint8Array | undefined;
  /** Keeps work running after the response. */
  waitUntil?: ((promise: Promise<unknown>) => void) | undefined;
}

/** The origin's view of a request. */
export interface ForwardHeaders {
  /** To be set: claims. */
  readonly set: Readonly<Record<string, string>>;
  /** Names whose inbound copies are removed first, compared without case and with `_` for `-`. */
  readonly strip: readonly string[];
  /** The cookie that is taken out of `cookie`, when the token came in one and is not kept. */
  readonly stripCookie?: string;
}

interface Passed {
  readonly ok: true;
  readonly headers: ForwardHeaders;
  /** A `DPoP-Nonce` for the response (RFC 9449 §8.2), when the proof's is about to expire. */
  readonly nonce?: string;
  /** The request as the origin may see it: inbound copies of forwarded headers removed, claims set. */
  apply(request: Request): Request;
}

/** The request brought a good token and what is required besides. */
export interface AllowedToken<C = Claims> extends Passed {
  readonly via: 'token';
  readonly claims: C;
  /** The token's header; `undefined` when an authorization server answered for an opaque token. */
  readonly header: JoseHeader | undefined;
  readonly issuer: string;
  readonly binding: 'dpop' | 'mtls' | null;
  readonly source: 'jwt' | 'introspection';
}

/** The request passes without claims: nothing is required there, it is a CORS preflight, or it may be anonymous and is. */
export interface AllowedWithout extends Passed {
  readonly via: 'public' | 'preflight' | 'anonymous';
  readonly claims: undefined;
  readonly header: undefined;
}

export type Allowed<C = Claims> = AllowedToken<C> | AllowedWithout;

/** A problem in the sense of RFC 9457. It holds no piece of a token. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: RejectionCode;
  readonly stage: Stage;
}

/** The request does not pass. Further members are those of its code. */
export interface Refused {
  readonly ok: false;
  readonly status: 400 | 401 | 403 | 503;
  readonly code: RejectionCode;
  readonly stage: Stage;
  readonly message: string;
  /** Values of `WWW-Authenticate`, one a field. */
  readonly challenges: readonly string[];
  readonly problem: Problem;
  /** Names to be removed from the request, should somebody let it pass all the same. */
  readonly headers: ForwardHeaders;
  /** A `DPoP-Nonce` for the response (RFC 9449 §8). */
  readonly nonce?: string;
  /** When to come again, in seconds. */
  readonly retryAfter?: number;
  /** A new response each time: challenges, problem+json, never stored. */
  readonly response: Response;
  readonly [field: string]: unknown;
}

export type Decision<C = Claims> = Allowed<C> | Refused;

/** What a handler behind the gate is told. */
export type Auth<C = Claims> = Allowed<C>;

/** What a server of another system knows: whether a proof was seen before. One call must see what another has noted. */
export interface ReplayStore {
  /** Notes a proof, and says whether it is the first use of it. `untilSeconds`: when it may be forgotten. */
  firstUse(key: string, untilSeconds: number): Promise<boolean> | boolean;
}

/** A store shared by isolates: Workers KV, or a wrapper of the Cache API. */
export interface SharedStore {
  get(key: string): Promise<string | null | undefined>;
  put(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
}

/** How a resource server authenticates at an introspection endpoint. Secrets are never in a policy. */
export interface IntrospectionSecret {
  clientSecret?: string;
  privateKeyJwk?: Jwk;
}

/** An issuer's remote keys as the core reads them, with defaults filled in. */
export interface RemoteSource {
  issuer: string;
  jwksUri?: string;
  discovery?: 'oidc' | 'oauth';
  minTtlSeconds: number;
  maxTtlSeconds: number;
  staleSeconds: number;
  timeoutMs: number;
  maxBytes: number;
}

/** An issuer's introspection endpoint as the core reads it, with defaults filled in. */
export interface IntrospectionSource {
  issuer: string;
  endpoint: string;
  clientId: string;
  authentication: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';
  cacheSeconds: number;
  negativeCacheSeconds: number;
  timeoutMs: number;
  concurrency: number;
}

/** What came of a JWK Set. */
export interface KeyReport {
  changed: boolean;
  keys: { kid: string | null; alg: string }[];
  leftOut: { kid: string | null; reason: string }[];
}

/** What one decision was, for logs and traces. It never holds token bytes. */
export interface DecisionEvent {
  readonly ok: boolean;
  /** `allowed`, `public`, `preflight`, `anonymous`, or the code of the refusal. */
  readonly code: string;
  readonly stage?: Stage;
  /** The status of a refusal. */
  readonly status?: number;
  readonly issuer?: string;
  readonly kid?: string;
  readonly binding?: 'dpop' | 'mtls';
  /** Was the decision remembered from before? */
  readonly cached: boolean;
  /** Milliseconds, whole and by what was waited for. */
  readonly durations: { total: number; keys: number; introspection: number; replay: number };
}

export interface GateOptions<C = Claims> {
  /** Default: the runtime's. */
  fetch?: typeof fetch;
  /** Whole seconds since 1970. Default: the runtime's clock. */
  now?(): number;
  /** How many decisions are remembered: 512 by default, 0 for none. */
  cache?: number;
  /** Whose trusted fields hold the client's address and certificate. Default: what the runtime says of itself; `'none'` for `context` alone. */
  platform?: 'cloudflare' | 'vercel' | 'none';
  /** A shared tier for JWK Sets. */
  store?: SharedStore;
  /** By issuer. */
  introspection?: Readonly<Record<string, IntrospectionSecret>>;
  /** Default: in memory, of this isolate alone. */
  replay?: ReplayStore;
  /** The HMAC key of DPoP nonces, the same everywhere the gate runs: at least 32 bytes. */
  nonceSecret?: Uint8Array;
  /** A check of your own, synchronous, which can only refuse: `true`, or why not. */
  narrow?(claims: C, request: Request | RequestFacts): true | string;
  /** A second policy that is asked beside the live one and never changes its answer. */
  reportOnly?: { policy: GatedPolicy; onDifference?(difference: Difference): void };
  onDecision?(event: DecisionEvent): void;
  /** Adds `Server-Timing` to responses of the gate. */
  serverTiming?: boolean;
}

/** Where the report-only policy would have decided otherwise: `allowed`, or a code. */
export interface Difference {
  readonly live: string;
  readonly shadow: string;
  readonly shadowStage?: Stage;
  readonly method: string;
}

export interface GateStats {
  verifier: VerifierStats;
  cache: { entries: number; hits: number; misses: number };
  /** How often each code was the answer: `allowed`, `public`, `preflight`, `anonymous`, or a refusal's. */
  decisions: Readonly<Record<string, number>>;
  keys: unknown;
  introspection: unknown;
  reportOnly?: unknown;
}

/** Decides about requests by one policy. Make it once and keep it. */
export interface Gate<C = Claims> {
  /**
   * Decides about a request. Whatever the request is, the answer is a value.
   * @throws PolicyError when the requirement is none.
   */
  check(
    request: Request | RequestFacts,
    requirement?: Requirement,
    context?: CheckContext,
  ): Promise<Decision<C>>;
  /**
   * Wraps a fetch handler: it is called with what the origin may see of an allowed request and with the decision; a refused request
   * gets its response. A second argument with `waitUntil`, or a third, as Workers hand them over, is used.
   * @throws PolicyError when the requirement is none.
   */
  protect<Rest extends unknown[]>(
    handler: (request: Request, auth: Auth<C>, ...rest: Rest) => Response | Promise<Response>,
    requirement?: Requirement,
  ): (request: Request, ...rest: Rest) => Promise<Response>;
  /**
   * Takes another policy from now on; nothing that was remembered by the present one counts any more.
   * @throws PolicyError as `createGate`; the present policy then stays.
   */
  replacePolicy(policy: GatedPolicy): void;
  stats(): GateStats;
  /** The synchronous verifier on the same keys. It never waits and fetches nothing. */
  readonly verifier: Verifier;
}

/**
 * Makes a gate.
 * @throws PolicyError naming the field by JSON pointer.
 */
export declare function createGate<C = Claims>(policy: GatedPolicy, options?: GateOptions<C>): Gate<C>;
