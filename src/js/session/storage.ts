import type { TokenStorage } from './types.js';

/**
 * Keeps the refresh token in `localStorage` or the like, so that it outlives the page. Whoever gets a script into the page gets the token
 * with it, and keeps it: prefer `portcullis/bff`, or bind the session to a key with `createDpop`.
 */
export function sharedStorage(box: Storage = localStorage, key = 'portcullis'): TokenStorage {
  return {
    get: () => box.getItem(key),
    set: (token) => (token === null ? box.removeItem(key) : box.setItem(key, token)),
    watch(listener) {
      const hear = (event: StorageEvent) => {
        if (event.key === key || event.key === null) listener();
      };
      addEventListener('storage', hear);
      return () => removeEventListener('storage', hear);
    },
  };
}

/** What it holds; undefined when that cannot be read, or is no text. */
export async function read(storage: TokenStorage | undefined): Promise<string | null | undefined> {
  try {
    const text = await storage?.get();
    return text === null || typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}
