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

/**
 * Was the session begun before such a logout, or in its very second? One whose ID token had no
 * `sid` ends with any session of its subject: nobody can tell which it is.
 */
export async function endedBy(store: IssuerStore, { claims, since }: Session): Promise<boolean> {
  const { sub, sid } = claims ?? {};
  const keys = await keysOf({ sub, ...(sid === undefined ? { any: sub } : { sid }) });
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
  const keys = await keysOf(typeof sid === 'string' ? { sid, any: sub } : { sub });
  for (const key of keys) if (!(await raise(store, key, now))) return false;
  return true;
}

async function raise(store: IssuerStore, key: string, now: number): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const entry = await store.read(key);
    if (entry !== null && Number(entry.value) >= now) return true;
    if (await store.swap(key, entry?.version ?? 0, String(now), now + KEPT_SECONDS)) return true;
  }
  return false;
}

/**
 * When the logout token was here first: `now`, unless it was before. Sent again, it ends what it
 * ended then and nothing that has begun since.
 */
export async function firstSeen(
  store: IssuerStore,
  jti: string,
  now: number,
  endsAt: number,
): Promise<number> {
  const key = `b/l/${await sha256(jti)}`;
  if (await store.swap(key, 0, String(now), endsAt)) return now;
  const entry = await store.read(key);
  return entry === null ? now : Number(entry.value);
}
