import { migrations, READ, readMany, SCHEMA, SCHEMA_VERSION, SWEEP, swapOf } from './sqlite-schema.js';
import { entryOf, type IssuerStore, inOrder } from './store.js';

type Value = string | number;

/**
 * As much of a `DatabaseSync` of `node:sqlite` (Node ≥ 22, Deno, Bun) as is used; `bun:sqlite` and
 * better-sqlite3 have the same form.
 */
export interface SqliteLike {
  exec(sql: string): unknown;
  prepare(sql: string): { all(...values: Value[]): unknown[] };
}

/**
 * The store in a SQLite file, for the processes of one machine.
 *
 * `new DatabaseSync(path, { timeout: 1000 })`: a writer waits for another so many milliseconds
 * instead of failing at once. Leave `PRAGMA synchronous` at `FULL`: with less, a loss of power
 * undoes rotations that clients know of.
 * @example
 * ```ts
 * import { type SqliteLike, sqliteStore } from 'portcullis/stores';
 *
 * declare const database: SqliteLike; // `new DatabaseSync('sessions.sqlite', { timeout: 1000 })` of node:sqlite
 * const sessions = sqliteStore(database);
 * ```
 */
export function sqliteStore(database: SqliteLike): IssuerStore {
  type Statement = ReturnType<SqliteLike['prepare']>;
  const prepared = new Map<string, Statement>();
  let ready = false;
  const all = (sql: string, values: Value[]) => {
    if (!ready) {
      migrate(database);
      ready = true;
    }
    let statement = prepared.get(sql);
    if (statement === undefined) {
      statement = database.prepare(sql);
      prepared.set(sql, statement);
    }
    return statement.all(...values) as Record<string, unknown>[];
  };
  return {
    async read(key) {
      const [row] = all(READ, [key]);
      return row === undefined ? null : entryOf(row.version, row.value);
    },
    async readMany(keys) {
      return inOrder(keys, all(readMany(keys.length), [...keys]));
    },
    async swap(...swap) {
      return all(...swapOf(...swap)).length === 1;
    },
    async sweep(now, limit) {
      return all(SWEEP, [now, limit]).length;
    },
  };
}

/**
 * In a transaction that writes from its beginning, so that of two processes one waits for the
 * other.
 */
function migrate(database: SqliteLike): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(SCHEMA);
    const [row] = database.prepare(SCHEMA_VERSION).all() as { version: unknown }[];
    for (const statement of migrations(row?.version)) database.exec(statement);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}
