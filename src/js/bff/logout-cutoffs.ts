// What back-channel logouts have ended, in the store: of a subject, or of one session at the
// authorization server.
import { sha256 } from '../shared/dpop-proof.js';
import { type IssuerStore, readMany } from '../stores/store.js';
import type { Session } from './session.js';

/** As long as any session can live here that began before: 400 days, more than browsers keep. */
const KEPT_SECONDS = 34_560_000;
/** How often a race for one row is run again. */
const ATTEMPTS = 8;

const keysOf = async (names: Record<string, unknown>) =>
  Promise.all(
    Object.entries(names)
      .filter((pair): pair is [string, string] => typeof pair[1] === 'string')
      .map(async ([kind, name]) => `b/c/${await sha256(JSON.stringify([kind, name]))}`),
  );

/** Was the session begun before such a logout, or in its very second? */
export async function endedBy(store: IssuerStore, { claims, since }: Session): Promise<boolean> {
  const keys = await keysOf({ sub: claims?.sub, sid: claims?.sid });
  const cutoffs = keys.length === 0 ? [] : await readMany(store, keys);
  return cutoffs.some((entry) => entry !== null && since <= Number(entry.value));
}

/**
 * Ends what began until now: with a `sid` that session alone, and without one all of the
 * subject's. False when the store had no end of others' changes.
 */
export async function cutOff(
  store: IssuerStore,
  { sub, sid }: { sub?: unknown; sid?: unknown },
  now: number,
): Promise<boolean> {
  const [key] = await keysOf(typeof sid === 'string' ? { sid } : { sub });
  for (let attempt = 0; key !== undefined && attempt < ATTEMPTS; attempt += 1) {
    const entry = await store.read(key);
    if (entry !== null && Number(entry.value) >= now) return true;
    if (await store.swap(key, entry?.version ?? 0, String(now), now + KEPT_SECONDS)) return true;
  }
  return false;
}

/** Has the logout token been here before? Each is good once. */
export async function isFirst(store: IssuerStore, jti: string, endsAt: number): Promise<boolean> {
  return store.swap(`b/l/${await sha256(jti)}`, 0, '1', endsAt);
}
