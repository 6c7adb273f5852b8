import type { TokenStorage } from './types.js';

/** As much of `localStorage` or `sessionStorage` as is used. */
export interface StorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/**
 * Keeps the refresh token in `localStorage` or the like, so that it outlives the page. Whoever
 * gets a script into the page gets the token with it, and keeps it: prefer `portcullis/bff`, or
 * bind the session to a key with `createDpop`. Where the browser blocks the storage, or it is
 * full, the token is kept in memory.
 * @example
 * ```ts
 * import { createSession, sharedStorage, tokenEndpoint } from 'portcullis/session';
 *
 * const session = createSession({
 *   refresh: tokenEndpoint('https://issuer.example/token', { clientId: 'app' }),
 *   storage: sharedStorage(),
 * });
 * ```
 */
export function sharedStorage(box?: StorageLike, key = 'portcullis'): TokenStorage {
  /** What could not be stored. */
  let kept: string | null | undefined;
  // Where storage is blocked, already looking at it throws.
  const shared = () => box ?? localStorage;
  return {
    get: () => (kept === undefined ? shared().getItem(key) : kept),
    set(token) {
      kept = token;
      try {
        if (token === null) shared().removeItem(key);
        else shared().setItem(key, token);
        kept = undefined;
      } catch {}
    },
    watch(listener) {
      const hear = (event: StorageEvent) => {
        if (event.key !== key && event.key !== null) return;
        // Another tab could write: what it knows is newer.
        kept = undefined;
        listener();
      };
      globalThis.addEventListener?.('storage', hear);
      return () => globalThis.removeEventListener?.('storage', hear);
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
