import {
  type DurableObjectNamespaceLike,
  type DurableObjectStubLike,
  shard,
} from '../shared/durable-object.js';
import type { Request, Response as WebResponse } from '../shared/web.js';
import { migrations, READ, readMany, SCHEMA, SCHEMA_VERSION, SWEEP, swapOf } from './sqlite-schema.js';
import { entryOf, type IssuerStore, inOrder, READ_AT_ONCE } from './store.js';

type Row = Record<string, unknown>;
type Swap = Parameters<IssuerStore['swap']>;

/**
 * As much of a Durable Object's state as is used; its storage must be SQLite
 * (`new_sqlite_classes`).
 */
export interface SessionStoreStateLike {
  storage: {
    sql: { exec(query: string, ...bindings: unknown[]): { toArray(): Row[] } };
    transactionSync<T>(work: () => T): T;
    getAlarm(): Promise<number | null>;
    setAlarm(timeMs: number): Promise<void> | void;
  };
}

const SWEEP_MS = 3_600_000;
/** Rows a sweep of the object's own removes at once. */
const SWEEP_ROWS = 1000;
/**
 * How long an entry that has ended is kept yet, in seconds: clocks of issuers and objects differ.
 */
const SKEW_SECONDS = 60;

type Call =
  | { op: 'read'; of: [string] }
  | { op: 'readMany'; of: string[] }
  | { op: 'swap'; of: Swap }
  | { op: 'sweep'; of: [number, number] };

/**
 * A Durable Object that keeps entries: export it from the worker and bind it.
 *
 * An object runs in one place with one thread, and each swap is one statement: of many one wins.
 * What was written is on disk before the answer leaves (output gates), so an object that moves or
 * restarts forgets nothing. It sweeps itself, by an alarm.
 * @example
 * ```ts
 * // In the worker that is deployed, with the class in `new_sqlite_classes` of its configuration:
 * export { SessionStoreObject } from 'portcullis/stores';
 * ```
 */
export class SessionStoreObject {
  readonly #storage: SessionStoreStateLike['storage'];

  constructor(state: SessionStoreStateLike, _env?: unknown) {
    this.#storage = state.storage;
    const { sql } = this.#storage;
    this.#storage.transactionSync(() => {
      sql.exec(SCHEMA);
      for (const statement of migrations(sql.exec(SCHEMA_VERSION).toArray()[0]?.version)) sql.exec(statement);
    });
  }

  async fetch(request: Request): Promise<WebResponse> {
    const call = callOf(await request.json());
    if (call === undefined) return new Response(null, { status: 400 });
    if (call.op === 'read') return Response.json({ row: this.#all(READ, call.of)[0] ?? null });
    if (call.op === 'readMany') return Response.json({ rows: this.#all(readMany(call.of.length), call.of) });
    if (call.op === 'sweep') return Response.json({ swept: this.#all(SWEEP, call.of).length });
    const swapped = this.#all(...swapOf(...call.of)).length === 1;
    if (swapped && (await this.#storage.getAlarm()) === null)
      await this.#storage.setAlarm(Date.now() + SWEEP_MS);
    return Response.json({ swapped });
  }

  /** Sweeps, and comes again while there is anything. */
  async alarm(): Promise<void> {
    const swept = this.#all(SWEEP, [Math.floor(Date.now() / 1000) - SKEW_SECONDS, SWEEP_ROWS]).length;
    const left = this.#all('SELECT 1 FROM portcullis_entries LIMIT 1', []).length > 0;
    if (left) await this.#storage.setAlarm(Date.now() + (swept === SWEEP_ROWS ? 0 : SWEEP_MS));
  }

  #all(sql: string, values: readonly (string | number)[]): Row[] {
    return this.#storage.sql.exec(sql, ...values).toArray();
  }
}

/** What each is called with: s, text; n, a natural number. */
const CALLS = new Map([
  ['read', 's'],
  ['swap', 'snsn'],
  ['sweep', 'nn'],
]);

/** The call that a body is, or nothing: SQLite would take a number for a key. */
function callOf(body: unknown): Call | undefined {
  const { op, of } = body as { op: unknown; of: unknown };
  if (op === 'readMany') {
    const fits = Array.isArray(of) && of.length > 0 && of.length <= READ_AT_ONCE;
    return fits && of.every((key) => typeof key === 'string') ? (body as Call) : undefined;
  }
  const kinds = typeof op === 'string' ? CALLS.get(op) : undefined;
  if (kinds === undefined || !Array.isArray(of) || of.length !== kinds.length) return undefined;
  const fits = of.every((value, index) =>
    kinds[index] === 's' ? typeof value === 'string' : Number.isSafeInteger(value) && value >= 0,
  );
  return fits ? (body as Call) : undefined;
}

/**
 * The store in Durable Objects: a namespace binding, or the stub of one object, which is bound to
 * its request.
 *
 * One object answers some hundred calls a second; with a namespace, `shards` spreads the keys over
 * so many. The number must stay the same while there are sessions.
 * @example
 * ```ts
 * import { durableObjectStore } from 'portcullis/stores';
 *
 * const sessions = durableObjectStore(env.SESSIONS, { shards: 8 });
 * ```
 */
export function durableObjectStore(
  objects: DurableObjectNamespaceLike | DurableObjectStubLike,
  { shards = 1 }: { shards?: number } = {},
): IssuerStore {
  const call = async (place: number, op: Call['op'], ...of: unknown[]) => {
    // A stub is bound to its request, and is made anew in each.
    // Every name is `in` a stub, which takes it for a method of the object's.
    const object =
      'fetch' in objects ? objects : objects.get(objects.idFromName(`portcullis-sessions-${place}`));
    const body = JSON.stringify({ op, of });
    const response = await object.fetch('https://portcullis.invalid/', { method: 'POST', body });
    if (response.status !== 200) throw new Error(`the session store object answered ${response.status}`);
    return (await response.json()) as Row;
  };
  return {
    async read(key) {
      const { row } = await call(shard(key, shards), 'read', key);
      if (row === null) return null;
      const { version, value } = row as Row;
      return entryOf(version, value);
    },
    async readMany(keys) {
      const places = new Map<number, string[]>();
      for (const key of keys) {
        const place = shard(key, shards);
        places.set(place, [...(places.get(place) ?? []), key]);
      }
      const answers = Array.from(places, async ([place, own]) => {
        const { rows } = await call(place, 'readMany', ...own);
        if (!Array.isArray(rows)) throw new Error('the session store object gave no answer');
        return rows as Row[];
      });
      return inOrder(keys, (await Promise.all(answers)).flat());
    },
    async swap(...swap) {
      const { swapped } = await call(shard(swap[0], shards), 'swap', ...swap);
      if (typeof swapped !== 'boolean') throw new Error('the session store object gave no answer');
      return swapped;
    },
    async sweep(now, limit) {
      let swept = 0;
      for (let place = 0; place < shards && swept < limit; place++) {
        const answer = await call(place, 'sweep', now, limit - swept);
        if (typeof answer.swept !== 'number') throw new Error('the session store object gave no answer');
        swept += answer.swept;
      }
      return swept;
    },
  };
}
