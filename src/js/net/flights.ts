/** One piece of I/O under way. */
export interface Flight {
  readonly key: string;
  /** After this second whoever began it is taken for dead. */
  readonly until: number;
  readonly budgetMs: number;
  /** Set by whoever began it, for those who wait to see. */
  failed: boolean;
}

const FIRST_POLL_MS = 4;
const LONGEST_POLL_MS = 64;

/**
 * Who fetches what since when: data that requests share in place of promises.
 *
 * workerd binds a promise to the request that made it, and cancels what other requests hang on it.
 * So the others look again by timers of their own. A request may also be cancelled without a
 * `finally` being run, so that a flight that nobody ends lapses by the clock.
 */
export class Flights {
  readonly #flights = new Map<string, Flight>();
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<void>;

  constructor(now: () => number, sleep?: (ms: number) => Promise<void>) {
    this.#now = now;
    this.#sleep = sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  }

  /** How many are under way. */
  get size(): number {
    for (const { key } of this.#flights.values()) this.underWay(key);
    return this.#flights.size;
  }

  underWay(key: string): Flight | undefined {
    const flight = this.#flights.get(key);
    if (flight === undefined || this.#now() <= flight.until) return flight;
    this.#flights.delete(key);
    return undefined;
  }

  begin(key: string, budgetMs: number): Flight {
    const flight = { key, budgetMs, until: this.#now() + Math.ceil(budgetMs / 1000) + 1, failed: false };
    this.#flights.set(key, flight);
    return flight;
  }

  end(flight: Flight): void {
    // One that was taken for dead must not end its successor.
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key);
  }

  /** Waits until a flight has ended, or its budget is spent. */
  async landed(flight: Flight): Promise<void> {
    let poll = FIRST_POLL_MS;
    // Counted in naps and not by the clock, which in workerd stands still without I/O and in tests
    // always.
    for (let waited = 0; waited <= flight.budgetMs; waited += poll) {
      if (this.#flights.get(flight.key) !== flight) return;
      await this.#sleep(poll);
      poll = Math.min(poll * 2, LONGEST_POLL_MS);
    }
  }
}
