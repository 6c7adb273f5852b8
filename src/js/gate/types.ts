// What the functions of portcullis/gate take and return.
import type { SharedStore } from '../net/io.js';
import type { RemoteKeysStats } from '../net/remote-keys/remote-keys.js';
import type { StandardSchema } from '../shared/standard-schema.js';
import type { Fetch, Headers, Request, Response } from '../shared/web.js';
import type { Verifier, VerifierStats } from '../verifier/index.js';
import type { Policy, PolicyDocument } from '../verifier/policy.js';
import type { Claims, JoseHeader, RejectionCode, Stage } from '../verifier/verdict.js';
import type { DecisionEvent, ObserverStats } from './decision/observer.js';
import type { ClientSecrets } from './introspection/client-authentication.js';
import type { IntrospectionStats } from './introspection/introspection.js';
import type { GatePolicy, Requirement } from './policy.js';
import type { ReplayStore } from './replay/memory.js';
import type { FeedSecrets } from './revocation/feed-credentials.js';
import type { RevocationsStats } from './revocation/revocations.js';

/** A policy with the gate's own part. */
export type GatedPolicy = Policy & { gate?: GatePolicy };

/** A request by its facts, where there is no WHATWG `Request`. */
export interface RequestFacts {
  /** In the case in which it was sent. */
  method: string;
  /** Absolute, with scheme and host. */
  url: string;
  /**
   * The request-target as it came (RFC 9112 §3.2), where a server has only that and `url` was made
   * of it. One that is malformed, or not the path of `url`, is refused.
   */
  target?: string;
  /** Pairs keep duplicates, which `Headers` joins: give the raw ones where there are some. */
  headers: Headers | Iterable<readonly [string, string]>;
  /**
   * Whether there is a body that neither `content-length` nor `transfer-encoding` announces, as
   * HTTP/2 has them.
   */
  hasBody?: boolean | undefined;
}

/** What the platform knows of a request and the request itself cannot be believed about. */
export interface CheckContext {
  /** The address of the other end of the connection. */
  clientAddress?: string | undefined;
  /** The client's certificate of the TLS connection: its `x5t#S256`, its SHA-256 in hexadecimal, PEM, or DER. */
  certificate?: string | Uint8Array | undefined;
  /**
   * Other paths under which the request is served, each as it would stand in a URL: where a router
   * rewrote it. What the policy's routes require for each of them has to hold as well.
   */
  served?: readonly string[] | undefined;
  /**
   * Whether scheme and host of the URL are known to be ours, and not merely what the client wrote
   * into `Host`. Default: what the platform vouches for (Cloudflare, Vercel). Elsewhere the
   * policy's `gate.origins` say which hosts are.
   */
  urlVouched?: boolean | undefined;
  /** Keeps work running after the response. */
  waitUntil?: ((promise: Promise<unknown>) => void) | undefined;
}

/** The origin's view of a request. */
export interface ForwardHeaders {
  /** To be set: claims. */
  readonly set: Readonly<Record<string, string>>;
  /**
   * Names whose inbound copies are removed first. Names that differ in case and separators alone
   * are one: servers read `X-User`, `x_user` and `x.user` as the same variable.
   */
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
  /** There when no list of revocations was new enough to be believed, and the policy accepts the token all the same. */
  readonly stale?: true;
  /** The name of the alternative that the token fits, where the policy has its issuer's tokens in several (`issuers[].alternatives`). */
  readonly alternative?: string;
}

/** How a request may pass without claims, where that was asked for. */
export type WithoutClaims = 'public' | 'preflight' | 'anonymous';

/**
 * The request passes without claims: nothing is required there, it may be anonymous and is, or it
 * is a CORS preflight which the policy's `gate.preflight: "pass"` leaves to the handler.
 */
export interface AllowedWithout<Via extends WithoutClaims = WithoutClaims> extends Passed {
  readonly via: Via;
  readonly claims: undefined;
  readonly header: undefined;
}

/** The request passes, with a token or, where that was asked for, without one. */
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

/** A refusal in the words of the policy, for logs: the client is not told. It holds no piece of a token. */
export interface Explanation {
  /** What the policy asks for. */
  readonly expected?: string;
  /** What was found, where that can be said. */
  readonly actual?: string;
  /**
   * The member of the policy that changes the answer: `issuers[].audience`. Those of a requirement
   * begin with `requirement`, wherever it stands. None where only the client can mend it.
   */
  readonly field?: string;
}

/** Why a request does not pass, and what its client is told. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 421 | 500 | 503;
  readonly code: RejectionCode;
  readonly stage: Stage;
  readonly message: string;
  readonly explanation: Explanation;
  /** Values of `WWW-Authenticate`, one a field. */
  readonly challenges: readonly string[];
  readonly problem: Problem;
  /** A `DPoP-Nonce` for the response (RFC 9449 §8). */
  readonly nonce?: string;
  /** When to come again, in seconds. */
  readonly retryAfter?: number;
  /**
   * Header fields that let scripts of other origins read the response, by the policy's
   * `gate.cors`.
   */
  readonly cors?: Readonly<Record<string, string>>;
}

/** The request does not pass. Further members are those of its code. */
export interface Refused extends Refusal {
  readonly ok: false;
  /** Names to be removed from the request, should somebody let it pass all the same. */
  readonly headers: ForwardHeaders;
  /** A new response each time: challenges, problem+json, never stored. */
  readonly response: Response;
  readonly [field: string]: unknown;
}

/**
 * The request is a CORS preflight (Fetch §3.3), and the gate has answered it by the policy's
 * `gate.cors`: it goes no further.
 */
export interface PreflightAnswered {
  readonly ok: false;
  readonly via: 'preflight';
  /** 204. */
  readonly status: number;
  readonly code?: undefined;
  readonly challenges: readonly [];
  /** Names to be removed from the request, should somebody let it pass all the same. */
  readonly headers: ForwardHeaders;
  /** A new response each time, without a body. */
  readonly response: Response;
}

/**
 * `response` of what is not `ok` is to be sent as it is.
 * @example
 * ```ts
 * const decision = await gate.check(request);
 * if (!decision.ok) return decision.response;
 * if (decision.via === 'token') console.log(decision.claims.sub, decision.issuer);
 * return fetch(decision.apply(request));
 * ```
 */
export type Decision<C = Claims> = Allowed<C> | Refused | PreflightAnswered;

/**
 * What a handler behind the gate is told: a token and its claims, and nothing without claims but in the ways of `Via`, which the policy or the
 * requirement has to name: `public`, `anonymous` or, by `gate.preflight: 'pass'`, `preflight`.
 */
export type Auth<C = Claims, Via extends WithoutClaims = never> = [Via] extends [never]
  ? AllowedToken<C>
  : AllowedToken<C> | AllowedWithout<Via>;

/** A requirement that no request meets without a token. */
export type TokenRequirement = Requirement & { readonly anonymous?: false };

/** The ways past a gate without claims that a policy names. One whose type says nothing, {@link GatedPolicy} itself, names none. */
export type WaysOf<P> = [P] extends [never] ? never : GatedPolicy extends P ? never : WaysIn<P>;

type WaysIn<P> = P extends { readonly gate: infer G }
  ?
      | (G extends { readonly preflight: infer Preflight }
          ? 'pass' extends Preflight
            ? 'preflight'
            : never
          : never)
      | (G extends { readonly requirement: { readonly anonymous: infer Is } } ? Anonymous<Is> : never)
      | (G extends { readonly routes: readonly (infer R)[] } ? WaysOfRoute<R> : never)
  : never;

type WaysOfRoute<R> = R extends { readonly requirement: infer Required }
  ? Required extends string
    ? 'public'
    : Required extends { readonly anonymous: infer Is }
      ? Anonymous<Is>
      : never
  : never;

type Anonymous<Is> = true extends Is ? 'anonymous' : never;

/**
 * What a gate is given besides its policy: secrets, what it fetches with, and who is told. Everything is optional.
 * @example
 * ```ts
 * import { createGate, type GateOptions } from 'portcullis/gate';
 *
 * const options: GateOptions = {
 *   nonceSecret: crypto.getRandomValues(new Uint8Array(32)),
 *   introspection: { 'https://issuer.example': { clientSecret: env.CLIENT_SECRET } },
 *   narrow: (claims) => claims.sub !== 'mallory' || 'the account is closed',
 *   onDecision: (event) => console.log(JSON.stringify(event)),
 * };
 * const gate = createGate(policy, options);
 * ```
 */
export interface GateOptions<C = Claims> {
  /**
   * A schema that speaks Standard Schema v1: the claims are what it makes of them, and a token that does not fit is refused
   * (`refused-by-check`). It must be synchronous.
   */
  claims?: StandardSchema<C>;
  /** Default: the runtime's. */
  fetch?: Fetch;
  /** Whole seconds since 1970. Default: the runtime's clock. */
  now?(): number;
  /** How many decisions are remembered: 512 by default, 0 for none. */
  cache?: number;
  /** Whose trusted fields hold the client's address and certificate. Default: what the runtime says of itself; `'none'` for `context` alone. */
  platform?: 'cloudflare' | 'vercel' | 'none';
  /** A shared tier for JWK Sets and snapshots of revocations. */
  store?: SharedStore;
  /** By issuer. */
  introspection?: Readonly<Record<string, ClientSecrets>>;
  /** The secret of the policy's `revocation.clientId`, for a feed that is not public. */
  revocation?: FeedSecrets;
  /** Default: in memory, of this isolate alone. */
  replay?: ReplayStore;
  /** The HMAC key of DPoP nonces, the same everywhere the gate runs: at least 32 bytes. */
  nonceSecret?: Uint8Array;
  /** A check of your own, which can only refuse: `true`, or why not. It must be synchronous: a promise refuses, and the refusal says so. */
  narrow?(claims: C, request: Request | RequestFacts): true | string;
  /**
   * Says which tenants are ours, for issuers with `"tenants": "resolver"`: `true`, or anything else for a stranger. `tenant` has what
   * stands in the holes (`{ tid: '…' }`), `issuer` is the name as the policy has it. It must be synchronous and is asked about every
   * token, remembered decisions included; nothing is fetched for a tenant that it does not admit.
   */
  tenants?(tenant: Readonly<Record<string, string>>, issuer: string): boolean;
  /** A second policy that is asked beside the live one and never changes its answer. */
  reportOnly?: { policy: GatedPolicy; onDifference?(difference: Difference): unknown };
  /**
   * `true` prints one line to `console.warn` for each refusal: its code, what was expected, what was
   * found, and the field of the policy to change. It never prints a token. For development.
   */
  explain?: boolean;
  /** Told of every decision; what it throws reaches nobody. */
  onDecision?(event: DecisionEvent): unknown;
  /** Adds `Server-Timing` to responses of the gate. */
  serverTiming?: boolean;
}

/** What a gate keeps in memory and has done. */
export interface GateStats {
  verifier: VerifierStats;
  /** The remembered decisions, and how often one was found there or not. */
  cache: { entries: number; hits: number; misses: number };
  /** Decisions by code, and what else happened. */
  observed: ObserverStats;
  /** By issuer. */
  keys: RemoteKeysStats[];
  introspection: IntrospectionStats[];
  /** By the place that they are pulled from. */
  revocations: RevocationsStats[];
  reportOnly?: ShadowStats;
}

/**
 * Decides about requests by one policy. Make it once and keep it. `Via` is how requests may pass it without claims: as its policy's literal says,
 * and otherwise nothing.
 */
export interface Gate<C = Claims, Via extends WithoutClaims = never> {
  /**
   * Decides about a request. Whatever the request is, the answer is a value.
   * @throws PolicyError when the requirement is none, or is one more than the 1024 different ones a gate keeps.
   */
  check(
    request: Request | RequestFacts,
    requirement?: Requirement,
    context?: CheckContext,
  ): Promise<Decision<C>>;
  /**
   * Wraps a fetch handler: it is called with what the origin may see of an allowed request and with the decision; a refused request
   * gets its response. Of further arguments, as runtimes hand them over, one with `waitUntil` is used; `context` can tell more of them.
   * The claims are there, unless the policy's routes or the requirement let somebody pass without.
   * @throws PolicyError when the requirement is none.
   */
  protect<Rest extends unknown[]>(
    handler: (request: Request, auth: Auth<C, Via>, ...rest: Rest) => Response | Promise<Response>,
    requirement?: undefined,
    context?: (request: Request, ...rest: Rest) => CheckContext,
  ): (request: Request, ...rest: Rest) => Promise<Response>;
  protect<Rest extends unknown[]>(
    handler: (
      request: Request,
      auth: Auth<C, Via & 'preflight'>,
      ...rest: Rest
    ) => Response | Promise<Response>,
    requirement: TokenRequirement,
    context?: (request: Request, ...rest: Rest) => CheckContext,
  ): (request: Request, ...rest: Rest) => Promise<Response>;
  protect<Rest extends unknown[]>(
    handler: (
      request: Request,
      auth: Auth<C, (Via & 'preflight') | 'anonymous'>,
      ...rest: Rest
    ) => Response | Promise<Response>,
    requirement: Requirement,
    context?: (request: Request, ...rest: Rest) => CheckContext,
  ): (request: Request, ...rest: Rest) => Promise<Response>;
  /**
   * Reads a requirement before any request does: a guard calls it when it is made, so that a mistake stops the program at its start and not
   * every request.
   * @returns an unchangeable copy, which `check` takes.
   * @throws PolicyError when it is none, or is one more than the 1024 different ones a gate keeps.
   */
  requirement<R extends Requirement | undefined>(requirement: R): R;
  /**
   * Takes another policy from now on; nothing that was remembered by the present one counts any more, nor what was found out under it for
   * a request that is under way. Keys and lists are taken over as by `verifier.replacePolicy`.
   * @throws PolicyError as `createGate`; the present policy then stays, with its keys and lists.
   */
  replacePolicy<const P = never>(policy: GatedPolicy | (P & PolicyDocument<P>)): void;
  /**
   * Says that something was revoked, as a push message may: the next request pulls the lists first. It is only a hint, and makes one pull a
   * second at most; with the feed's `version` none when that is held already.
   */
  revocationsChanged(hint?: { version?: number }): void;
  stats(): GateStats;
  /** The synchronous verifier on the same keys. It never waits and fetches nothing. */
  readonly verifier: Verifier;
}

/** Two policies that do not agree about a request. It holds no piece of a token. */
export interface Difference {
  /** `allowed`, `public`, `preflight`, or the code of the refusal. */
  live: string;
  /** The same, or `undecided` when the shadow would have asked for something that the live policy did not. */
  shadow: string;
  shadowStage?: string | undefined;
  method?: string | undefined;
  route?: string | undefined;
}

/** How often the policy of `reportOnly` has agreed with the live one. */
export interface ShadowStats {
  compared: number;
  same: number;
  differences: { live: string; shadow: string; count: number }[];
  /** Exceptions of the shadow and of the callback, which reached nobody. */
  callbackErrors: number;
}
