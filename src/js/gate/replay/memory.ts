import { clockOf } from '../../shared/synchronous.js';

/**
 * Remembers which proofs of possession were used (RFC 9449 §11.1).
 *
 * A store that cannot tell throws or rejects: the request is then refused with 503, and a client
 * may try again with a new proof.
 */
export interface ReplayStore {
  /**
   * Whether this is the first use of a key. Of many calls with one key, however they overlap,
   * exactly one is told `true`.
   * @param untilSeconds the last second at which the proof could be accepted; it is remembered for
   * that long.
   * @param issuedAtSeconds when the proof was made. Another policy may accept proofs for longer,
   * up to 300 seconds after they were made: a store that policies with different
   * `iatWindowSeconds` use, at once or one after the other, either remembers for as long, or
   * answers `false` about a proof that is no younger than one that it has forgotten.
   */
  firstUse(key: string, untilSeconds: number, issuedAtSeconds?: number): Promise<boolean> | boolean;
}

/** The longest `iatWindowSeconds` that a policy may have. */
const LONGEST_WINDOW_SECONDS = 300;

/**
 * Until when a proof is remembered by a store that has the room: as long as any policy would
 * accept it that takes the place of the present one.
 */
export function rememberedUntil(untilSeconds: number, issuedAtSeconds: number | undefined): number {
  if (issuedAtSeconds === undefined) return untilSeconds;
  return Math.max(untilSeconds, issuedAtSeconds + LONGEST_WINDOW_SECONDS + 1);
}

/**
 * Says that a store holds as much as it may. It refuses, since to forget would be to accept a
 * proof twice.
 * @example
 * ```ts
 * import { type ReplayStore, ReplayStoreFullError } from 'portcullis/gate';
 *
 * const replay: ReplayStore = {
 *   async firstUse() {
 *     throw new ReplayStoreFullError();
 *   },
 * };
 * ```
 */
export class ReplayStoreFullError extends Error {
  override readonly name = 'ReplayStoreFullError';
  constructor() {
    super('the replay store is full; share one with more room, or shorten gate.dpop.iatWindowSeconds');
  }
}

const MOST_ENTRIES = 100_000;

/**
 * What the memory store may be told.
 * @example
 * ```ts
 * import { memoryReplayStore } from 'portcullis/gate';
 *
 * const replay = memoryReplayStore({ entries: 10_000 });
 * ```
 */
export interface MemoryReplayOptions {
  /** 100000 by default; a key takes some 200 bytes. */
  entries?: number;
  /** Whole seconds since 1970. */
  now?: () => number;
}

/**
 * A store in this isolate's memory: enough for one process. Where many isolates or machines serve
 * one API, a proof can be used once in each.
 * @example
 * ```ts
 * import { createGate, memoryReplayStore } from 'portcullis/gate';
 *
 * const gate = createGate(policy, { replay: memoryReplayStore({ entries: 10_000 }) });
 * ```
 */
export function memoryReplayStore(
  options: MemoryReplayOptions = {},
): ReplayStore & { readonly size: number } {
  return new MemoryReplayStore(options.entries ?? MOST_ENTRIES, clockOf(options.now));
}

class MemoryReplayStore implements ReplayStore {
  readonly #used = new Set<string>();
  /**
   * The keys by the second they are remembered until: what is over is found without looking at the
   * rest.
   */
  readonly #wheel = new Map<number, { keys: string[]; issuedAt: number }>();
  readonly #most: number;
  readonly #now: () => number;
  /** What was over before this second is forgotten. */
  #sweptTo = 0;
  /** The latest second at which a proof was made that is forgotten. */
  #forgotten = Number.NEGATIVE_INFINITY;

  constructor(most: number, now: () => number) {
    this.#most = most;
    this.#now = now;
  }

  get size(): number {
    return this.#used.size;
  }

  firstUse(key: string, untilSeconds: number, issuedAtSeconds = Number.POSITIVE_INFINITY): boolean {
    this.#sweep(this.#now());
    // It may have been forgotten: by time that passed, also when the clock was set back since.
    if (!(untilSeconds >= this.#sweptTo)) return false;
    // Nor is known whether it was used under a policy that accepts proofs for less long.
    if (!(issuedAtSeconds > this.#forgotten)) return false;
    if (this.#used.has(key)) return false;
    if (this.#used.size >= this.#most) throw new ReplayStoreFullError();
    this.#used.add(key);
    const spoke = this.#wheel.get(untilSeconds);
    const issuedAt = Number.isFinite(issuedAtSeconds) ? issuedAtSeconds : Number.NEGATIVE_INFINITY;
    if (spoke === undefined) this.#wheel.set(untilSeconds, { keys: [key], issuedAt });
    else {
      spoke.keys.push(key);
      spoke.issuedAt = Math.max(spoke.issuedAt, issuedAt);
    }
    return true;
  }

  #sweep(now: number): void {
    if (now <= this.#sweptTo) return;
    for (const [until, { keys, issuedAt }] of this.#wheel) {
      if (until >= now) continue;
      this.#forgotten = Math.max(this.#forgotten, issuedAt);
      for (const key of keys) this.#used.delete(key);
      this.#wheel.delete(until);
    }
    this.#sweptTo = now;
  }
}
