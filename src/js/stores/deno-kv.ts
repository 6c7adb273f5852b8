import { entryOf, type IssuerStore, schemaOf } from './store.js';

type Key = readonly (string | number)[];
interface KvEntry {
  key: readonly unknown[];
  value: unknown;
  versionstamp: string | null;
}

/** As much of an atomic operation of Deno KV as is used. */
export interface DenoKvAtomicLike {
  check(check: { key: Key; versionstamp: string | null }): DenoKvAtomicLike;
  set(key: Key, value: unknown): DenoKvAtomicLike;
  delete(key: Key): DenoKvAtomicLike;
  commit(): Promise<{ ok: boolean }>;
}

/** As much of a `Deno.Kv` as is used. */
export interface DenoKvLike {
  get(key: Key): Promise<KvEntry>;
  getMany?(keys: Key[]): Promise<KvEntry[]>;
  list(selector: { start: Key; end: Key }, options: { limit: number }): AsyncIterable<KvEntry>;
  atomic(): DenoKvAtomicLike;
}

const KNOWN = 1;
/** As many keys as `getMany` takes. */
const MOST_AT_ONCE = 10;
const SCHEMA = ['portcullis', 'schema'];
const entryKey = (key: string): Key => ['portcullis', 'entries', key];
/** What a sweep finds its entries by: numbers in keys are ordered as numbers. */
const endKey = (endsAt: number, key: string): Key => ['portcullis', 'ends', endsAt, key];

/**
 * The store in Deno KV, whose reads are strongly consistent unless told otherwise. A value takes
 * 64 KiB at most. It writes no `expireIn`: what ends is removed by `sweep`, by the issuer's clock.
 * Open a local file once: a second handle finds it locked and rejects instead of waiting.
 * @example
 * ```ts
 * import { type DenoKvLike, denoKvStore } from 'portcullis/stores';
 *
 * declare const Deno: { openKv(): Promise<DenoKvLike> };
 * const sessions = denoKvStore(await Deno.openKv());
 * ```
 */
export function denoKvStore(kv: DenoKvLike): IssuerStore {
  let ready = false;
  const known = async () => {
    if (!ready) await prepare(kv);
    ready = true;
    return kv;
  };
  const get = async (key: string) => stored(await (await known()).get(entryKey(key)));
  return {
    async read(key) {
      const found = await get(key);
      return found.endsAt === undefined ? null : entryOf(found.version, found.value);
    },
    async readMany(keys) {
      const open = await known();
      const found: KvEntry[] = [];
      for (let from = 0; from < keys.length; from += MOST_AT_ONCE) {
        const part = keys.slice(from, from + MOST_AT_ONCE).map(entryKey);
        found.push(
          ...((await open.getMany?.(part)) ?? (await Promise.all(part.map((key) => open.get(key))))),
        );
      }
      return found.map((entry) => {
        const { endsAt, version, value } = stored(entry);
        return endsAt === undefined ? null : entryOf(version, value);
      });
    },
    async swap(key, expected, value, endsAt) {
      const found = await get(key);
      if (found.version !== expected) return false;
      let write = kv.atomic().check({ key: entryKey(key), versionstamp: found.versionstamp });
      if (found.endsAt !== undefined && found.endsAt !== endsAt)
        write = write.delete(endKey(found.endsAt, key));
      write = write.set(entryKey(key), { version: expected + 1, value, endsAt }).set(endKey(endsAt, key), '');
      return (await write.commit()).ok;
    },
    async sweep(now, limit) {
      let swept = 0;
      const ended = (await known()).list(
        { start: ['portcullis', 'ends'], end: endKey(now + 1, '') },
        { limit },
      );
      for await (const { key } of ended) {
        const name = key[3] as string;
        const { versionstamp, endsAt } = await get(name);
        // It was swapped since, and its end has moved.
        if (endsAt !== key[2]) continue;
        const remove = kv.atomic().check({ key: entryKey(name), versionstamp });
        if (
          (
            await remove
              .delete(entryKey(name))
              .delete(key as Key)
              .commit()
          ).ok
        )
          swept += 1;
      }
      return swept;
    },
  };
}

interface Stored {
  versionstamp: string | null;
  version: number;
  value?: unknown;
  /** It is there when the entry is. */
  endsAt?: number;
}

function stored({ value, versionstamp }: KvEntry): Stored {
  if (versionstamp === null) return { versionstamp, version: 0 };
  return { versionstamp, ...(value as { version: number; value: unknown; endsAt: number }) };
}

async function prepare(kv: DenoKvLike): Promise<void> {
  const { value, versionstamp } = await kv.get(SCHEMA);
  if (schemaOf(value, KNOWN) === KNOWN) return;
  // Whoever was faster wrote the same, or something that the next call looks at.
  const { ok } = await kv.atomic().check({ key: SCHEMA, versionstamp }).set(SCHEMA, KNOWN).commit();
  if (!ok) schemaOf((await kv.get(SCHEMA)).value, KNOWN);
}
