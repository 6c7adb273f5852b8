/**
 * How long a kid stays unknown, in seconds: longer than the limit on fetches, so that one bad
 * client does not fetch at every turn.
 */
const MISS_SECONDS = 60;
const MOST = 256;
const LONGEST = 256;

/**
 * The kids that an issuer was asked for in vain. They are held apart from keys, so that a flood of
 * them evicts nothing but each other; the oldest goes first, and what it costs is a fetch under
 * the limit.
 */
export class Misses {
  readonly #until = new Map<string, number>();

  get size(): number {
    return this.#until.size;
  }

  add(kid: string, now: number): void {
    // A header may hold 4 KiB, which nobody's kid needs.
    if (kid.length > LONGEST) return;
    this.#until.delete(kid);
    if (this.#until.size >= MOST) this.#until.delete(this.#until.keys().next().value as string);
    this.#until.set(kid, now + MISS_SECONDS);
  }

  has(kid: string, now: number): boolean {
    const until = this.#until.get(kid);
    // Also over when the clock was set back to before it began.
    if (until !== undefined && now < until && now >= until - MISS_SECONDS) return true;
    this.#until.delete(kid);
    return false;
  }
}
