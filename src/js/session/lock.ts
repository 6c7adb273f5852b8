// One tab at a time, and no tab for ever.

/** Runs `work` while no other tab of this origin runs any of that name. `lost` fires when another tab has taken over in the meantime. */
export async function locked(
  name: string,
  holdMs: number,
  work: (lost: AbortSignal) => Promise<void>,
): Promise<void> {
  const lost = new AbortController();
  const locks = globalThis.navigator?.locks;
  if (!locks) return leased(name, holdMs, () => work(lost.signal));
  let held = false;
  const hold = () => {
    held = true;
    return work(lost.signal);
  };
  const holder = async () => (await locks.query()).held?.find((lock) => lock.name === name)?.clientId;
  let steal = false;
  while (!held) {
    const before = await holder();
    const wait = new AbortController();
    // Not all at the same instant.
    const timer = setTimeout(() => wait.abort(), holdMs * (1 + Math.random() / 4));
    try {
      await locks.request(name, steal ? { steal } : { signal: wait.signal }, () => {
        clearTimeout(timer);
        return hold();
      });
    } catch {
      // Stolen by another, or waited in vain: whoever has held it all that time sleeps or hangs.
      if (held) lost.abort();
      else steal = before !== undefined && before === (await holder());
    }
    clearTimeout(timer);
  }
}

/** Without Web Locks: a lease in localStorage, which ends by itself; without that, this tab alone is kept in order. */
async function leased(name: string, holdMs: number, work: () => Promise<void>): Promise<void> {
  const box = shelf();
  const me = Math.random().toString(36);
  while (box) {
    const [owner, until] = (box.getItem(name) ?? '').split(' ');
    const left = Number(until) - Date.now();
    // A clock that was set back does not prolong it.
    if (!owner || !(left > 0 && left <= holdMs)) {
      box.setItem(name, `${me} ${Date.now() + holdMs}`);
      // Two may write at once, and the last one has it; the others must have seen that by now.
      await sleep(60);
      if (box.getItem(name)?.startsWith(`${me} `)) break;
    }
    await sleep(30 + Math.random() * 30);
  }
  try {
    await work();
  } finally {
    if (box?.getItem(name)?.startsWith(`${me} `)) box.removeItem(name);
  }
}

function shelf(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
