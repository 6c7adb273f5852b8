import { clockOf } from '../shared/synchronous.js';
import type { RateCounter } from './index.js';

/** How many keys are counted one by one. Some 100 MB are in use by then. */
const MOST_KEYS = 1_000_000;

/** In how many windows the keys beyond that are counted together. */
const SHARED = 4096;

interface Window {
  from: number;
  count: number;
}

/**
 * A counter in this process's memory, by fixed windows.
 *
 * No window is forgotten before its time: whoever could push out the window in which he is counted
 * would be counted from nothing. When there is no room, keys that are new share windows: a flood
 * may then be refused too early, and never too late.
 * @example
 * ```ts
 * import { createIssuer, memoryCounter } from 'portcullis/issuer';
 *
 * const rootKeys = [{ secret: { base64url: env.ROOT_SECRET } }];
 * const issuer = createIssuer({ config, signingKeys: [{ jwk }], rootKeys, store, counter: memoryCounter() });
 * ```
 */
export function memoryCounter(options: { now?: () => number } = {}): RateCounter {
  const now = clockOf(options.now);
  // By their length, so that in each map the window that ends first stands first.
  const lengths = new Map<number, Map<string, Window>>();
  const seed = Math.floor(Math.random() * 0x1_0000_0000);
  let size = 0;
  return {
    count(key, limit, seconds) {
      const at = now();
      const windows = lengths.get(seconds) ?? new Map<string, Window>();
      lengths.set(seconds, windows);
      size -= forgetEnded(windows, seconds, at);
      // There may be room among the others.
      if (size >= MOST_KEYS) for (const [length, others] of lengths) size -= forgetEnded(others, length, at);
      let window = windows.get(key);
      let name = key;
      if (window === undefined && size >= MOST_KEYS) {
        name = `shared ${hash(key, seed) % SHARED}`;
        window = windows.get(name);
      }
      if (window === undefined) {
        window = { from: at, count: 0 };
        windows.set(name, window);
        size += 1;
      }
      window.count += 1;
      return window.count <= limit;
    },
  };
}

/** Removes the windows that are over from the front; says how many. */
function forgetEnded(windows: Map<string, Window>, seconds: number, at: number): number {
  let count = 0;
  for (const [name, { from }] of windows) {
    if (at >= from && at < from + seconds) break;
    windows.delete(name);
    count += 1;
  }
  return count;
}

/**
 * Spreads keys; the seed is this process's, so that nobody chooses with whom he shares. FNV-1a, 32
 * bits.
 */
function hash(text: string, seed: number): number {
  let value = (seed ^ 0x811c9dc5) >>> 0;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return value;
}
