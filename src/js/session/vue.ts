// For Vue 3. Nothing but Vue is imported at run time.
import { onScopeDispose, shallowRef } from 'vue';

import type { Session, Snapshot } from './types.js';

/**
 * What the session is right now, as a ref that follows it until its component or scope ends.
 * @example
 * ```ts
 * import { useSession } from 'portcullis/vue';
 *
 * const snapshot = useSession(session);
 * const greeting = () => (snapshot.value.status === 'signed-in' ? 'Hello' : 'Sign in');
 * ```
 * @ts-ignore: in a program without Vue it is of any type. */
export function useSession(session: Session): Readonly<import('vue').ShallowRef<Snapshot>> {
  const snapshot = shallowRef(session.snapshot());
  onScopeDispose(
    session.subscribe(() => {
      snapshot.value = session.snapshot();
    }),
  );
  return snapshot;
}
