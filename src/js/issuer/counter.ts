import type { RateCounter } from './index.js';

/** How many keys are counted at once; the oldest goes first. */
const MOST_KEYS = 10_000;

/** A counter in this process's memory, by fixed windows. */
export function memoryCounter(options: { now?: () => number } = {}): RateCounter {
  const now = options.now ?? (() => Math.floor(Date.now() / 1000));
  const windows = new Map<string, { from: number; count: number }>();
  return {
    count(key, limit, seconds) {
      const at = now();
      const known = windows.get(key);
      const isOpen = known !== undefined && at >= known.from && at < known.from + seconds;
      const window = isOpen ? known : { from: at, count: 0 };
      if (!isOpen) {
        windows.delete(key);
        const [oldest] = windows.keys();
        if (windows.size >= MOST_KEYS && oldest !== undefined) windows.delete(oldest);
        windows.set(key, window);
      }
      window.count += 1;
      return window.count <= limit;
    },
  };
}
