// How long to leave a server alone: never less than a moment, never for ever, and not all clients
// for the same time.

// Answers of other tabs come at once, unless they sleep.
export const ANSWER_MS = 100;
// A shorter wait is waited out with the lock in hand.
export const SHORT_MS = 2000;
export const PAUSE_MS = 5000;

// Whatever a server says, it is asked again after five minutes.
const CEILING_MS = 300_000;

export const atMost = (ms: number) => Math.min(ms, CEILING_MS);

/** A wait within its bounds, and up to a tenth longer, a second at most. */
export const bounded = (ms: number) => atMost(ms) + Math.min(atMost(ms) / 10, 1000) * Math.random();

/** Waits; `lost` ends it, and so does whoever takes `early`. */
export const sleep = (ms: number, lost: AbortSignal, early?: (end: () => void) => void) =>
  new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(resolve, ms);
    lost.onabort = end;
    early?.(end);
    if (lost.aborted) end();
  });
