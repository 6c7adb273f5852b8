import type { IssuerStore, StoreEntry } from './store.js';

/**
 * A store in this process's memory: for tests, and for one process whose sessions may end with it.
 * @example
 * ```ts
 * import { memoryStore } from 'portcullis/stores';
 *
 * const sessions = memoryStore();
 * ```
 */
export function memoryStore(): IssuerStore {
  const entries = new Map<string, StoreEntry & { endsAt: number }>();
  return {
    async read(key) {
      const entry = entries.get(key);
      return entry === undefined ? null : { version: entry.version, value: entry.value };
    },
    async readMany(keys) {
      return Promise.all(keys.map((key) => this.read(key)));
    },
    async swap(key, expected, value, endsAt) {
      if ((entries.get(key)?.version ?? 0) !== expected) return false;
      entries.set(key, { version: expected + 1, value, endsAt });
      return true;
    },
    async sweep(now, limit) {
      let swept = 0;
      for (const [key, { endsAt }] of entries) {
        if (swept >= limit) break;
        if (endsAt > now) continue;
        entries.delete(key);
        swept += 1;
      }
      return swept;
    },
  };
}
