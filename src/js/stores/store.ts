/** What is kept under a key. */
export interface StoreEntry {
  /** 1 when the key was first written, one more with every swap since. */
  version: number;
  value: string;
}

/**
 * A place for what an issuer remembers, shared by all of its processes: sessions, its log of
 * revocations, what else it needs.
 *
 * Compare-and-swap must be one step of the engine itself: a store that reads, compares and then
 * writes cannot be made safe from outside. What it reads may be stale, since nothing is granted
 * before a swap; but refusals are then early, so reads go where the swaps go. A store that cannot
 * tell rejects: the issuer then answers 503, and the client may try again.
 */
export interface IssuerStore {
  /**
   * The entry of a key, or `null` when there is none. It may have ended: whoever reads looks at
   * its times.
   */
  read(key: string): Promise<StoreEntry | null>;
  /**
   * In one step: if the key's version is still `expected`, writes the value with the next version
   * and says `true`; otherwise writes nothing. A key that is not there has version 0. Of many that
   * overlap, with one `expected`, exactly one is told `true`.
   *
   * @param value text without U+0000 and without lone surrogates, which Postgres has no place for.
   * @param endsAt Unix seconds: from then on a sweep removes the entry.
   */
  swap(key: string, expected: number, value: string, endsAt: number): Promise<boolean>;
  /**
   * By choice: the entries of several keys in the order of the keys, in one call of the engine
   * where that can be. Each is as fresh as by `read`; they need not be of one moment. At most
   * `READ_AT_ONCE` keys are asked for at a time. Without it each is read by itself.
   */
  readMany?(keys: readonly string[]): Promise<(StoreEntry | null)[]>;
  /**
   * Removes at most `limit` entries whose `endsAt` is `now` or earlier, and says how many. Call it
   * again while it says `limit`.
   */
  sweep(now: number, limit: number): Promise<number>;
}

/**
 * Says that a newer Portcullis has changed the schema: this one would not know what it writes.
 * @example
 * ```ts
 * import { StoreSchemaError } from 'portcullis/stores';
 *
 * const explain = (cause: unknown) =>
 *   cause instanceof StoreSchemaError ? `deploy a version that knows schema ${cause.found}` : 'try again';
 * ```
 */
export class StoreSchemaError extends Error {
  override readonly name = 'StoreSchemaError';
  constructor(
    readonly found: number,
    readonly known: number,
  ) {
    super(`the store has schema ${found}; this version knows ${known}`);
  }
}

/** As many keys as one `readMany` has. */
export const READ_AT_ONCE = 64;

/** How many reads are under way at once where there is no `readMany`. */
const READS_AT_ONCE = 8;

/** The entries of several keys, in as few calls as the store allows. */
export async function readMany(store: IssuerStore, keys: readonly string[]): Promise<(StoreEntry | null)[]> {
  const found: (StoreEntry | null)[] = [];
  const size = store.readMany === undefined ? READS_AT_ONCE : READ_AT_ONCE;
  for (let from = 0; from < keys.length; from += size) {
    const part = keys.slice(from, from + size);
    const entries = (await store.readMany?.(part)) ?? (await Promise.all(part.map((key) => store.read(key))));
    if (entries.length !== part.length)
      throw new Error('readMany: the store returned another number of entries');
    found.push(...entries.map((entry) => entry ?? null));
  }
  return found;
}

/** Rows that name their keys, in the order of the keys. */
export function inOrder(
  keys: readonly string[],
  rows: readonly { key?: unknown; version?: unknown; value?: unknown }[],
): (StoreEntry | null)[] {
  const byKey = new Map(rows.map((row) => [row.key, entryOf(row.version, row.value)]));
  return keys.map((key) => byKey.get(key) ?? null);
}

/**
 * What an engine gave as an entry. One that cannot be read is no missing entry: that would be an
 * answer.
 */
export function entryOf(version: unknown, value: unknown): StoreEntry {
  const number = typeof version === 'number' ? version : Number(version);
  if (!Number.isSafeInteger(number) || number < 1 || typeof value !== 'string')
    throw new Error('the store returned a row that cannot be decoded');
  return { version: number, value };
}

/** What a schema's version is, as an engine gave it; 0 before there is any. */
export function schemaOf(found: unknown, known: number): number {
  const version = Number(found ?? 0);
  if (!Number.isSafeInteger(version) || version < 0 || version > known)
    throw new StoreSchemaError(version, known);
  return version;
}
