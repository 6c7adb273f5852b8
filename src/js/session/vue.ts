// For Vue 3. Nothing but Vue is imported at run time.
import { onScopeDispose, type ShallowRef, shallowRef } from 'vue';

import type { Session, Snapshot } from './types.js';

/** What the session is right now, as a ref that follows it until its component or scope ends. */
export function useSession(session: Session): Readonly<ShallowRef<Snapshot>> {
  const snapshot = shallowRef(session.snapshot());
  onScopeDispose(
    session.subscribe(() => {
      snapshot.value = session.snapshot();
    }),
  );
  return snapshot;
}
