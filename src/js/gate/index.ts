import type { Claims } from '../verifier/verdict.js';
import type { Gate, GatedPolicy, GateOptions } from './types.js';

export type { IoEvent, SharedStore } from '../net/io.js';
export type { RemoteKeysStats } from '../net/remote-keys/remote-keys.js';
export { type CacheLike, cacheStore } from '../net/remote-keys/stored-document.js';
export * from '../verifier/index.js';
export type { DecisionEvent, ObserverStats } from './decision/observer.js';
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
 */
export declare function createGate<C = Claims>(policy: GatedPolicy, options?: GateOptions<C>): Gate<C>;
