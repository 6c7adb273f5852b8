import { type DurableObjectNamespaceLike, shard } from '../../shared/durable-object.js';
import type { Request, Response as WebResponse } from '../../shared/web.js';
import { type ReplayStore, ReplayStoreFullError, rememberedUntil } from './memory.js';

export type { DurableObjectNamespaceLike } from '../../shared/durable-object.js';

/**
 * As much of a Durable Object's state as is used; its storage must be SQLite
 * (`new_sqlite_classes`).
 */
export interface DurableObjectStateLike {
  storage: {
    sql: { exec(query: string, ...bindings: unknown[]): { toArray(): Record<string, unknown>[] } };
    getAlarm(): Promise<number | null>;
    setAlarm(timeMs: number): Promise<void> | void;
  };
}

/** Rows of one object. A row takes some 100 bytes. */
const MOST_ROWS = 1_000_000;

const SWEEP_MS = 60_000;

/** How long a proof that is over is kept yet, in seconds: clocks of gates and objects differ. */
const SKEW_SECONDS = 10;

/**
 * A Durable Object that remembers proofs: export it from the worker and bind it.
 *
 * An object runs in one place with one thread, and an `INSERT` is one step: of many uses one is
 * first. What was inserted is on disk before the answer leaves (output gates), so an object that
 * moves or restarts forgets nothing. It takes `fetch` and not RPC, which would have to import from
 * `cloudflare:workers`.
 * @example
 * ```ts
 * // In the worker that is deployed, with the class in `new_sqlite_classes` of its configuration:
 * export { DpopReplayObject } from 'portcullis/gate';
 * ```
 */
export class DpopReplayObject {
  readonly #storage: DurableObjectStateLike['storage'];
  #rows: number;

  constructor(state: DurableObjectStateLike, _env?: unknown) {
    this.#storage = state.storage;
    const { sql } = this.#storage;
    sql.exec(
      'CREATE TABLE IF NOT EXISTS proofs (key TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID',
    );
    sql.exec('CREATE INDEX IF NOT EXISTS proofs_by_until ON proofs (until)');
    this.#rows = Number(sql.exec('SELECT count(*) AS rows FROM proofs').toArray()[0]?.rows);
  }

  async fetch(request: Request): Promise<WebResponse> {
    const { key, until, remember = until } = (await request.json()) as Record<string, unknown>;
    if (typeof key !== 'string' || !Number.isSafeInteger(until) || !Number.isSafeInteger(remember))
      return new Response(null, { status: 400 });
    if ((until as number) < Math.floor(Date.now() / 1000) - SKEW_SECONDS)
      return Response.json({ first: false });
    if (this.#rows >= MOST_ROWS) return new Response(null, { status: 507 });
    const insert = 'INSERT INTO proofs (key, until) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1';
    const first = this.#storage.sql.exec(insert, key, remember).toArray().length === 1;
    if (first) {
      this.#rows += 1;
      if ((await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(Date.now() + SWEEP_MS);
    }
    return Response.json({ first });
  }

  /** Sweeps away what is over, and comes again while there is anything. */
  async alarm(): Promise<void> {
    const { sql } = this.#storage;
    sql.exec('DELETE FROM proofs WHERE until < ?', Math.floor(Date.now() / 1000) - SKEW_SECONDS);
    this.#rows = Number(sql.exec('SELECT count(*) AS rows FROM proofs').toArray()[0]?.rows);
    if (this.#rows > 0) await this.#storage.setAlarm(Date.now() + SWEEP_MS);
  }
}

/**
 * The store in Durable Objects, strict everywhere. One object answers a few hundred uses a second;
 * `shards` spreads the keys over so many. The number must stay the same while proofs live.
 * @example
 * ```ts
 * import { createGate, durableObjectReplayStore } from 'portcullis/gate';
 *
 * const gate = createGate(policy, { replay: durableObjectReplayStore(env.PROOFS) });
 * ```
 */
export function durableObjectReplayStore(
  namespace: DurableObjectNamespaceLike,
  { shards = 1 }: { shards?: number } = {},
): ReplayStore {
  return {
    async firstUse(key, untilSeconds, issuedAtSeconds) {
      // A stub is bound to its request, and is made anew in each.
      const object = namespace.get(namespace.idFromName(`portcullis-dpop-${shard(key, shards)}`));
      const body = JSON.stringify({
        key,
        until: untilSeconds,
        remember: rememberedUntil(untilSeconds, issuedAtSeconds),
      });
      const response = await object.fetch('https://portcullis.invalid/', { method: 'POST', body });
      if (response.status === 507) throw new ReplayStoreFullError();
      if (response.status !== 200) throw new Error(`the replay object answered ${response.status}`);
      const { first } = (await response.json()) as { first: unknown };
      return first === true;
    },
  };
}
