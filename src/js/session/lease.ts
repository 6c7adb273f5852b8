// For browsers without Web Locks, and pages that came over plain HTTP.

interface Lease {
  readonly holder: number;
  readonly until: number;
}

const LEASES = 'leases';
const POLL_MS = 60;

/**
 * Runs `work` under a lease in IndexedDB, which ends by itself after `holdMs`. Its transactions
 * come one after the other in all tabs; what one tab writes to localStorage, another may read too
 * late. Where there is no IndexedDB, this tab alone is kept in order.
 */
export async function leased(
  name: string,
  holdMs: number,
  lost: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  const database = await opened(holdMs);
  const me = Math.random();
  const isMine = (lease?: Lease) => lease?.holder === me;
  try {
    const take = (lease?: Lease): Lease => {
      const left = Number(lease?.until) - Date.now();
      // A clock that was set back does not prolong it; what is no lease is none.
      return lease && left >= 0 && left <= holdMs ? lease : { holder: me, until: Date.now() + holdMs };
    };
    // A database that fails holds nobody up.
    while (database && !isMine(await change(database, name, take).catch(() => ({ holder: me, until: 0 })))) {
      if (lost.aborted) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS * (1 + Math.random() / 2)));
    }
    if (lost.aborted) return;
    await work();
  } finally {
    if (database) {
      await change(database, name, (lease) => (isMine(lease) ? undefined : lease)).catch(() => {});
      database.close();
    }
  }
}

/** The database; undefined where there is none, or where it does not answer. */
function opened(mostMs: number): Promise<IDBDatabase | undefined> {
  return new Promise((resolve) => {
    let waited = false;
    const timer = setTimeout(() => {
      waited = true;
      resolve(undefined);
    }, mostMs);
    const done = (database?: IDBDatabase) => {
      clearTimeout(timer);
      resolve(database);
    };
    try {
      const opening = indexedDB.open('portcullis', 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore(LEASES);
      opening.onsuccess = () => (waited ? opening.result.close() : done(opening.result));
      opening.onerror = () => done();
    } catch {
      done();
    }
  });
}

/** Puts another lease in the place of the one that is there, and answers what is there then. */
function change(database: IDBDatabase, name: string, next: (lease?: Lease) => Lease | undefined) {
  return new Promise<Lease | undefined>((resolve, reject) => {
    const transaction = database.transaction(LEASES, 'readwrite');
    const leases = transaction.objectStore(LEASES);
    const reading = leases.get(name);
    let lease: Lease | undefined;
    reading.onsuccess = () => {
      lease = next(reading.result);
      if (lease) leases.put(lease, name);
      else leases.delete(name);
    };
    transaction.oncomplete = () => resolve(lease);
    transaction.onabort = () => reject(transaction.error);
  });
}
