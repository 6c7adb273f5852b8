// How often a server is asked, whatever it answers.

/**
 * Counts requests, one's own and those of other tabs: a quarter of a minute's in a row, the others
 * spread. `ms` never goes back.
 */
export function createRate(ms: () => number, aMinute: number) {
  const inARow = aMinute / 4;
  const costMs = 60_000 / (aMinute - inARow);
  /** When all requests that were made would have been made, at the rate that is kept. */
  let owedUntil = 0;
  /** In requests; other tabs may count in other times. */
  const owed = () => (owedUntil - ms()) / costMs;
  const owe = (requests: number) => {
    owedUntil = ms() + Math.min(requests, inARow) * costMs;
  };
  return {
    owed,
    owe,
    count: () => owe(Math.max(owed(), 0) + 1),
    /** How long the next one has to wait; zero or less when it need not. */
    waitMs: () => (owed() + 1 - inARow) * costMs,
  };
}

/**
 * Runs one request, for so long and no longer, and not after `lost`; rejects when its answer is
 * lost.
 */
export async function attempt<T>(
  attemptMs: number,
  lost: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const control = new AbortController();
  const { signal } = control;
  const end = () => control.abort();
  const timer = setTimeout(end, attemptMs);
  lost.onabort = end;
  try {
    return await Promise.race([
      work(signal),
      // What does not listen to the signal is not waited for.
      new Promise<never>((_, reject) => {
        signal.onabort = () => reject(signal.reason);
        if (lost.aborted) end();
      }),
    ]);
  } finally {
    clearTimeout(timer);
    end();
  }
}
