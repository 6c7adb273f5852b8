import type { PolicyDocument } from '../verifier/policy.js';
import type { Claims } from '../verifier/verdict.js';
import type { AllowedToken, Gate, GatedPolicy, GateOptions, WaysOf } from './types.js';

export type { IoEvent, SharedStore } from '../net/io.js';
export type { RemoteKeysStats } from '../net/remote-keys/remote-keys.js';
export { type CacheLike, cacheStore } from '../net/remote-keys/stored-document.js';
export * from '../verifier/index.js';
export type { DecisionEvent, ObserverStats } from './decision/observer.js';
export { definePolicy } from './define-policy.js';
export type { ClientSecrets } from './introspection/client-authentication.js';
export type { IntrospectionStats } from './introspection/introspection.js';
export type {
  ClaimRequirement,
  CorsPolicy,
  GatePolicy,
  ProofAlg,
  Requirement,
  Route,
} from './policy.js';
export {
  DpopReplayObject,
  type DurableObjectNamespaceLike,
  type DurableObjectStateLike,
  durableObjectReplayStore,
} from './replay/durable-object.js';
export { type ExpiringStore, kvReplayStore } from './replay/kv.js';
export {
  type MemoryReplayOptions,
  memoryReplayStore,
  type ReplayStore,
  ReplayStoreFullError,
} from './replay/memory.js';
export type { FeedSecrets } from './revocation/feed-credentials.js';
export type { RevocationsStats } from './revocation/revocations.js';
export type * from './types.js';

/**
 * Makes a gate.
 * @throws PolicyError naming the field by JSON pointer.
 * @example
 * ```ts
 * import { createGate } from 'portcullis/gate';
 *
 * const gate = createGate({
 *   issuers: [{ issuer: 'https://issuer.example', audience: 'https://api.example', remote: { discovery: 'oidc' } }],
 *   gate: { routes: [{ path: '/admin/*', requirement: { scopes: ['admin'] } }] },
 * });
 * const decision = await gate.check(request);
 * if (!decision.ok) return decision.response;
 * return fetch(decision.apply(request));
 * ```
 */
export declare function createGate<C = Claims, const P = never>(
  policy: GatedPolicy | (P & PolicyDocument<P>),
  options?: GateOptions<C>,
): Gate<C, WaysOf<P>>;

/**
 * What handlers behind the guards of Express, Fastify and SvelteKit find in `req.auth`,
 * `request.auth` and `locals.auth`: the decision about a token, unless an application says
 * otherwise, for claims of its own or where requests may pass without any.
 * @example
 * ```ts alone
 * import type { Auth, Claims } from 'portcullis/gate';
 *
 * interface OwnClaims extends Claims {
 *   readonly tenant: string;
 * }
 * declare module 'portcullis/gate' {
 *   interface Register {
 *     auth: Auth<OwnClaims, 'public' | 'anonymous'>;
 *   }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: applications add to it.
export interface Register {}

/** The type of `auth` in an application, by {@link Register}. */
export type RegisteredAuth = Register extends { auth: infer Auth } ? Auth : AllowedToken;
