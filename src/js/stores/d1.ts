import { migrations, READ, readMany, SCHEMA, SCHEMA_VERSION, SWEEP, swapOf } from './sqlite-schema.js';
import { entryOf, type IssuerStore, inOrder } from './store.js';

/** As much of a prepared statement of D1 as is used. */
export interface D1StatementLike {
  bind(...values: unknown[]): D1StatementLike;
  all(): Promise<{ results: unknown[] }>;
}

/** As much of a D1 binding as is used. */
export interface D1Like<Statement extends D1StatementLike = D1StatementLike> {
  prepare(sql: string): Statement;
  batch(statements: Statement[]): Promise<unknown>;
}

/**
 * The store in Cloudflare's D1. Hand it the binding itself, or
 * `env.DB.withSession('first-primary')`: a session that begins at a read replica finds sessions
 * that were revoked elsewhere.
 * @example
 * ```ts
 * import { d1Store } from 'portcullis/stores';
 *
 * const sessions = d1Store(env.DB);
 * ```
 */
export function d1Store<Statement extends D1StatementLike>(database: D1Like<Statement>): IssuerStore {
  // A fact, and no promise: workerd ends what a request waits for in another one.
  let ready = false;
  const all = async (sql: string, values: unknown[]) => {
    if (!ready) {
      await migrate(database);
      ready = true;
    }
    const { results } = await database
      .prepare(sql)
      .bind(...values)
      .all();
    return results as Record<string, unknown>[];
  };
  return {
    async read(key) {
      const [row] = await all(READ, [key]);
      return row === undefined ? null : entryOf(row.version, row.value);
    },
    async readMany(keys) {
      return inOrder(keys, await all(readMany(keys.length), [...keys]));
    },
    async swap(...swap) {
      return (await all(...swapOf(...swap))).length === 1;
    },
    async sweep(now, limit) {
      return (await all(SWEEP, [now, limit])).length;
    },
  };
}

async function migrate<Statement extends D1StatementLike>(database: D1Like<Statement>): Promise<void> {
  // A batch is a transaction.
  await database.batch([database.prepare(SCHEMA)]);
  const { results } = await database.prepare(SCHEMA_VERSION).all();
  const [row] = results as { version: unknown }[];
  const statements = migrations(row?.version);
  if (statements.length > 0) await database.batch(statements.map((sql) => database.prepare(sql)));
}
