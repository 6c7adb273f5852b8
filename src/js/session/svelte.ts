// For Svelte: the contract of its stores. Nothing is imported at run time.
import type { SignIn, SignInSnapshot } from './sign-in-types.js';
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

/** A readable store: whether a sign-in is under way, and what became of the last one. */
export interface SignInStore {
  subscribe(run: (snapshot: SignInSnapshot) => void): () => void;
}

/**
 * The sign-in as a store.
 * @example
 * ```ts
 * import { signInStore } from 'portcullis/svelte';
 *
 * const store = signInStore(auth);
 * const stop = store.subscribe(({ pending }) => console.log(pending));
 * ```
 */
export function signInStore(signIn: SignIn): SignInStore {
  return {
    subscribe(run) {
      run(signIn.snapshot());
      return signIn.subscribe(() => run(signIn.snapshot()));
    },
  };
}
