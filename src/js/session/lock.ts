// One tab at a time, and no tab for ever.

/**
 * Runs `work` while no other tab of this origin runs any of that name. `lost` is aborted when
 * another tab has taken over in the meantime; whoever aborts it ends the waiting, or tells the
 * work to end.
 */
export async function locked(
  name: string,
  holdMs: number,
  lost: AbortController,
  work: (lost: AbortSignal) => Promise<void>,
): Promise<void> {
  const { signal } = lost;
  const locks = globalThis.navigator?.locks;
  // Where there is none, and there alone, a little more is loaded. A service worker, which may not
  // load it, always has one.
  if (!locks) return (await import('./lease.js')).leased(name, holdMs, signal, () => work(signal));
  const holder = async () => (await locks.query()).held?.find((lock) => lock.name === name)?.clientId;
  let held = false;
  let steal = false;
  while (!held && !signal.aborted) {
    const before = await holder();
    const wait = new AbortController();
    const end = () => wait.abort();
    // Not all at the same instant.
    const timer = setTimeout(end, holdMs * (1 + Math.random() / 4));
    signal.onabort = end;
    if (signal.aborted) end();
    await locks
      .request(name, steal ? { steal } : { signal: wait.signal }, () => {
        held = true;
        clearTimeout(timer);
        return work(signal);
      })
      // Stolen by another, or waited in vain: whoever has held it all that time sleeps or hangs.
      .catch(async () => {
        clearTimeout(timer);
        if (held) lost.abort();
        else steal = before !== undefined && before === (await holder());
      });
  }
}
