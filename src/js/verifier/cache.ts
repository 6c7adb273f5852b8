import type { Accepted } from './verdict.js';

/**
 * What a text is: a token, or the value of an Authorization header; `bound` when the caller checks
 * what its token is bound to.
 */
export type Kind = 'token' | 'authorization' | 'bound';

interface CachedVerdict<V, K> {
  kind: K;
  verdict: V;
  from: number;
  until: number;
  epoch: number;
}

/**
 * The longest texts that are kept, all together, in characters of one generation: large tokens
 * must not add up to much.
 */
const MOST_CHARACTERS = 1_000_000;

/**
 * Accepted verdicts by the exact text they are about. No text is accepted as both kinds, but one
 * may be asked about as the other.
 *
 * An entry answers only between the instants that the core computed, and only in the epoch in
 * which it was made. Two generations stand in for an order of use: what is asked for moves into
 * the young one, and when that is full the old one goes.
 */
export class VerdictCache<V = Accepted, K = Kind> {
  #young = new Map<string, CachedVerdict<V, K>>();
  #old = new Map<string, CachedVerdict<V, K>>();
  #characters = 0;
  readonly #generations: number;
  /** Entries of a generation. */
  readonly #most: number;

  /** `most` entries at most; 0 keeps nothing. */
  constructor(most: number) {
    this.#generations = Math.min(most, 2);
    this.#most = Math.floor(most / this.#generations);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(text: string, kind: K, now: number, epoch: number): V | undefined {
    const young = this.#young.get(text);
    const entry = young ?? this.#old.get(text);
    if (entry === undefined || entry.kind !== kind) return undefined;
    if (entry.epoch !== epoch || now >= entry.until) {
      this.#young.delete(text);
      this.#old.delete(text);
      return undefined;
    }
    // A fraction or NaN is the caller's mistake, which the core tells.
    if (!(now >= entry.from) || !Number.isInteger(now)) return undefined;
    if (young === undefined) {
      this.#old.delete(text);
      this.#keep(text, entry);
    }
    return entry.verdict;
  }

  set(text: string, entry: CachedVerdict<V, K>): void {
    if (this.#generations > 0) this.#keep(text, entry);
  }

  #keep(text: string, entry: CachedVerdict<V, K>): void {
    if (this.#young.size >= this.#most || this.#characters + text.length > MOST_CHARACTERS) {
      this.#old = this.#generations > 1 ? this.#young : new Map();
      this.#young = new Map();
      this.#characters = 0;
    }
    this.#young.set(text, entry);
    this.#characters += text.length;
  }
}
