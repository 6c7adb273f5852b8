// For browsers without Web Locks, and pages that came over plain HTTP.

/** A lease in localStorage, which ends by itself; without that, this tab alone is kept in order. */
export async function leased(
  name: string,
  holdMs: number,
  lost: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  const box = shelf();
  const me = `${Math.random()} `;
  const mine = () => box?.getItem(name)?.startsWith(me);
  while (box && !mine()) {
    if (lost.aborted) return;
    const left = Number(box.getItem(name)?.split(' ')[1] ?? 0) - Date.now();
    // A clock that was set back does not prolong it; what is no lease is none.
    if (!(left >= 0 && left <= holdMs)) box.setItem(name, me + (Date.now() + holdMs));
    // Two may write at once, and the last one has it; the others must have seen that by then.
    await new Promise((resolve) => setTimeout(resolve, 60 + Math.random() * 30));
  }
  try {
    await work();
  } finally {
    if (mine()) box?.removeItem(name);
  }
}

function shelf(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
