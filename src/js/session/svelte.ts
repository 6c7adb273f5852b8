// For Svelte: the contract of its stores. Nothing is imported at run time.
import type { Session, Snapshot } from './types.js';

/** A readable store: `$store` is what the session is right now. */
export interface SessionStore {
  subscribe(run: (snapshot: Snapshot) => void): () => void;
}

/**
 * The session as a store.
 * @example
 * ```ts
 * import { sessionStore } from 'portcullis/svelte';
 *
 * const store = sessionStore(session);
 * const stop = store.subscribe(({ status }) => console.log(status));
 * ```
 */
export function sessionStore(session: Session): SessionStore {
  return {
    subscribe(run) {
      run(session.snapshot());
      return session.subscribe(() => run(session.snapshot()));
    },
  };
}
