// One tab at a time, and no tab for ever.

/** Runs `work` while no other tab of this origin runs any of that name. `lost` fires when another tab has taken over in the meantime. */
export async function locked(
  name: string,
  holdMs: number,
  work: (lost: AbortSignal) => Promise<void>,
): Promise<void> {
  const lost = new AbortController();
  const locks = globalThis.navigator?.locks;
  // Where there is none, and there alone, a little more is loaded. A service worker, which may not load it, always has one.
  if (!locks) return (await import('./lease.js')).leased(name, holdMs, () => work(lost.signal));
  const holder = async () => (await locks.query()).held?.find((lock) => lock.name === name)?.clientId;
  let held = false;
  let steal = false;
  while (!held) {
    const before = await holder();
    const wait = new AbortController();
    // Not all at the same instant.
    const timer = setTimeout(() => wait.abort(), holdMs * (1 + Math.random() / 4));
    await locks
      .request(name, steal ? { steal } : { signal: wait.signal }, () => {
        held = true;
        clearTimeout(timer);
        return work(lost.signal);
      })
      // Stolen by another, or waited in vain: whoever has held it all that time sleeps or hangs.
      .catch(async () => {
        if (held) lost.abort();
        else steal = before !== undefined && before === (await holder());
      });
  }
}
