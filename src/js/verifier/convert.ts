/**
 * The longest text that is handed to the core: its hard cap of 16 KiB for a token, `Bearer `, and
 * one more to be too long by.
 */
const LONGEST_HANDED_OVER = 16 * 1024 + 8;

/**
 * A token on its way to the core. A huge one is not copied: its beginning and its length are
 * enough to refuse it. What is no string is handed over as none.
 */
export function handOver(text: unknown): [text: string, length: number] {
  if (typeof text !== 'string') return ['', 0];
  return [text.length > LONGEST_HANDED_OVER ? text.slice(0, LONGEST_HANDED_OVER) : text, text.length];
}

/**
 * The instant to judge by, in seconds. What a caller gives in place of a number becomes NaN, which
 * the core refuses.
 */
export function instant(options: { now?: number } | undefined): number {
  const now = options?.now;
  if (now === undefined) return Math.floor(Date.now() / 1000);
  return typeof now === 'number' ? now : Number.NaN;
}

/** Makes a value out of JSON unchangeable, all the way down. */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) if (typeof member === 'object') freeze(member);
  return Object.freeze(value);
}
