import { sha256 } from '../shared/dpop-proof.js';
import type { IssuerStore, StoreEntry } from '../stores/store.js';
import { setCookie } from './cookies.js';
import { endedBy } from './logout-cutoffs.js';
import type { Sealer } from './sealing.js';
import { type Held, IDLE_SECONDS, type Keeper, parseSession, type Session } from './session.js';
import type { Settings } from './settings.js';

/** How often whoever waits for another's refresh looks again, in milliseconds. */
const LOOK_MS = 100;
const SWEPT_AT_ONCE = 10;
/** How often a race for one row is run again. */
const ATTEMPTS = 16;

interface Row {
  v: 1;
  /** The session, sealed for this row. */
  sealed: string;
  /** Until when whoever refreshes it may be at it, in seconds since 1970. */
  leaseUntil?: number;
}

/**
 * Sessions in a store, under the hash of a random name that the browser has in its cookie. Every
 * change is a compare-and-swap.
 */
export function storeKeeper(settings: Settings & { store: IssuerStore }, sealer: Sealer): Keeper {
  const { store, cookieName, maxAgeSeconds, now, timeoutMs } = settings;
  const name = `__Host-${cookieName}`;
  const keyOf = async (id: string) => `b/s/${await sha256(id)}`;
  const endsAt = () => now() + (maxAgeSeconds ?? IDLE_SECONDS);
  const swap = async (held: Held, session: Session, leaseUntil?: number) => {
    const key = await keyOf(session.id);
    const sealed = await sealer.seal(key, JSON.stringify({ ...session, until: endsAt() }));
    const row: Row = { v: 1, sealed, ...(leaseUntil !== undefined && { leaseUntil }) };
    return store.swap(key, held.version, JSON.stringify(row), endsAt());
  };
  const found = async (
    id: string,
  ): Promise<{ entry: StoreEntry; row: Row; session: Session } | undefined> => {
    const key = await keyOf(id);
    const entry = await store.read(key);
    if (entry === null) return undefined;
    const row = JSON.parse(entry.value) as Row;
    const session = parseSession(await sealer.open(key, row.sealed), now());
    return session && { entry, row, session };
  };
  const load: Keeper['load'] = async (cookies) => {
    const id = cookies.get(name);
    if (id === undefined) return undefined;
    const there = await found(id);
    if (there === undefined || (await endedBy(store, there.session))) return undefined;
    return { session: there.session, cookies, version: there.entry.version };
  };
  const cleared = setCookie(name, '', 'Strict', 0);
  return {
    load,
    async begin(session) {
      const held = { session, cookies: new Map(), version: 0 };
      if (!(await swap(held, session))) throw new Error('the store has refused a new session');
      // What has ended is taken away by whoever comes: it is an aid, and may fail.
      await store.sweep(now(), SWEPT_AT_ONCE).catch(() => 0);
      return [setCookie(name, session.id, 'Strict', maxAgeSeconds)];
    },
    async replace(held, session) {
      if (!(await swap(held, session))) return undefined;
      return maxAgeSeconds === undefined ? [] : [setCookie(name, session.id, 'Strict', maxAgeSeconds)];
    },
    async end({ session }) {
      const key = await keyOf(session.id);
      // Whatever somebody else makes of it meanwhile: it ends.
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const entry = await store.read(key);
        if (entry === null || entry.value === ENDED) return [cleared];
        if (await store.swap(key, entry.version, ENDED, endsAt())) return [cleared];
      }
      throw new Error('a session could not be ended: others have won every race for its row');
    },
    async alone(held, isDone, work) {
      const leaseSeconds = Math.ceil((2 * timeoutMs) / 1000) + 1;
      for (let waited = 0; waited <= 2 * timeoutMs; waited += LOOK_MS) {
        const there = await found(held.session.id);
        if (there === undefined) return undefined;
        const current = { ...held, session: there.session, version: there.entry.version };
        if (isDone(there.session)) return current;
        const isFree = (there.row.leaseUntil ?? 0) <= now();
        if (isFree && (await swap(current, there.session, now() + leaseSeconds))) {
          const leased = { ...current, version: current.version + 1 };
          try {
            return await work(leased);
          } finally {
            // Where the work has changed nothing, nobody has to wait for the lease's end.
            await swap(leased, there.session).catch(() => false);
          }
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
      return undefined;
    },
  };
}

/** A row of a session that is over. Nothing opens it. */
const ENDED = JSON.stringify({ v: 1, sealed: '' } satisfies Row);
