import { clockOf } from '../../shared/synchronous.js';
import { type MemoryReplayOptions, memoryReplayStore, type ReplayStore, rememberedUntil } from './memory.js';

/** A key-value store whose entries expire: Workers KV, or Redis behind two functions. */
export interface ExpiringStore {
  get(key: string): Promise<string | null | undefined>;
  put(key: string, value: string, options: { expirationTtl: number }): Promise<unknown>;
}

/** Workers KV keeps nothing for less. */
const LEAST_EXPIRATION_SECONDS = 60;

/**
 * WEAK: a store with `get` and `put` has no operation that does both. Within one isolate a proof
 * counts once, by memory; in two at the same time it may count twice, and with Workers KV, where a
 * write takes up to a minute to be seen elsewhere, as long as that in each location. It narrows
 * replay to that window. Where one use must be one, take `durableObjectReplayStore`.
 * @example
 * ```ts
 * import { createGate, kvReplayStore } from 'portcullis/gate';
 *
 * const gate = createGate(policy, { replay: kvReplayStore(env.PROOFS) });
 * ```
 */
export function kvReplayStore(
  kv: ExpiringStore,
  options: MemoryReplayOptions & { /** Put before every key. */ prefix?: string } = {},
): ReplayStore {
  const memory = memoryReplayStore(options);
  const now = clockOf(options.now);
  const prefix = options.prefix ?? 'portcullis-dpop-1-';
  return {
    async firstUse(key, untilSeconds, issuedAtSeconds) {
      // Memory first: it is the one that decides between requests of this isolate, with no wait
      // between its question and its answer.
      if (!memory.firstUse(key, untilSeconds, issuedAtSeconds)) return false;
      if ((await kv.get(prefix + key)) != null) return false;
      // For as long as any policy would accept it that takes the place of the present one.
      const until = rememberedUntil(untilSeconds, issuedAtSeconds);
      const expirationTtl = Math.max(until - now() + 1, LEAST_EXPIRATION_SECONDS);
      await kv.put(prefix + key, '1', { expirationTtl });
      return true;
    },
  };
}
