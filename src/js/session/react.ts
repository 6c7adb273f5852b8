// For React 18 and newer. Nothing but React is imported at run time.
import { useSyncExternalStore } from 'react';

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
