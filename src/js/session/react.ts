// For React 18 and newer. Nothing but React is imported at run time.
import { useSyncExternalStore } from 'react';

import type { SignIn, SignInSnapshot } from './sign-in-types.js';
import type { Session, Snapshot } from './types.js';

/**
 * What the session is right now; the component renders again when it changes, in whichever tab
 * that happens.
 * @example
 * ```ts
 * import { useSession } from 'portcullis/react';
 *
 * export function Greeting() {
 *   const { status, claims } = useSession(session);
 *   return status === 'signed-in' ? `Hello, ${claims?.sub}` : 'Hello';
 * }
 * ```
 */
export function useSession(session: Session): Snapshot {
  return useSyncExternalStore(session.subscribe, session.snapshot, session.snapshot);
}

/**
 * Whether a sign-in is under way, and what became of the last one.
 * @example
 * ```ts
 * import { useSignIn } from 'portcullis/react';
 *
 * export function Fault() {
 *   const { pending, result } = useSignIn(auth);
 *   return pending ? 'One moment…' : result?.ok === false ? result.code : '';
 * }
 * ```
 */
export function useSignIn(signIn: SignIn): SignInSnapshot {
  return useSyncExternalStore(signIn.subscribe, signIn.snapshot, signIn.snapshot);
}
