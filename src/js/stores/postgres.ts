import { entryOf, type IssuerStore, inOrder, schemaOf } from './store.js';

type Row = Record<string, unknown>;

/** What a query gives: `{ rows }` of pg, or the rows themselves of postgres.js. */
export type RowsLike = { rows: unknown[] } | readonly unknown[];

/**
 * As much of a Postgres client as is used. A `Pool` of pg is one; of postgres.js make
 * `{ query: (text, params) => sql.unsafe(text, params) }`.
 */
export interface PostgresLike {
  query(text: string, params: (string | number)[]): PromiseLike<RowsLike>;
}

const KNOWN = 2;

// One statement, and so one transaction also behind a pool or a pooler. The lock's number is this
// project's own; of two processes that start at once, one waits. `ends_hour` is what the sweep
// finds its rows by: `ends_at` itself moves with every rotation, and an index over it would make
// each of them write the index anew (no heap-only tuples) and leave its dead behind.
const MIGRATE = `DO $$
DECLARE found integer;
BEGIN
  PERFORM pg_advisory_xact_lock(7809345012);
  CREATE TABLE IF NOT EXISTS portcullis_schema (id integer PRIMARY KEY CHECK (id = 1), version integer NOT NULL);
  SELECT version INTO found FROM portcullis_schema;
  found := coalesce(found, 0);
  IF found < 1 THEN
    CREATE TABLE portcullis_entries (
      key text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, value text NOT NULL, ends_at bigint NOT NULL
    ) WITH (fillfactor = 70);
  END IF;
  IF found < 2 THEN
    ALTER TABLE portcullis_entries ADD COLUMN ends_hour bigint NOT NULL GENERATED ALWAYS AS (ends_at / 3600) STORED;
    CREATE INDEX portcullis_entries_by_end ON portcullis_entries (ends_hour);
  END IF;
  IF found < ${KNOWN} THEN
    INSERT INTO portcullis_schema VALUES (1, ${KNOWN}) ON CONFLICT (id) DO UPDATE SET version = ${KNOWN};
  END IF;
END $$`;

const READ = 'SELECT version, value FROM portcullis_entries WHERE key = $1';
const READ_MANY = 'SELECT key, version, value FROM portcullis_entries WHERE key = ANY($1::text[])';
const INSERT =
  'INSERT INTO portcullis_entries (key, version, value, ends_at) VALUES ($1, 1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1 AS done';
const UPDATE =
  'UPDATE portcullis_entries SET version = version + 1, value = $3, ends_at = $4 WHERE key = $1 AND version = $2 RETURNING 1 AS done';
// The limit is applied once (a subquery may be run again by a join), and rows that another sweep
// or a swap holds are left to it.
const SWEEP = `WITH ended AS MATERIALIZED (
  SELECT key FROM portcullis_entries WHERE ends_hour <= $1::bigint / 3600 AND ends_at <= $1::bigint
  ORDER BY ends_hour LIMIT $2 FOR UPDATE SKIP LOCKED
) DELETE FROM portcullis_entries USING ended WHERE portcullis_entries.key = ended.key RETURNING 1 AS done`;

/**
 * The store in Postgres (tested from 15 on), in two tables of its own, in the schema that the
 * connection's `search_path` names first.
 *
 * Connect to the primary: a read replica must not serve `read`. `synchronous_commit` stays `on`,
 * and with standbys that may take over it waits for one of them: a failover to a copy that lacks
 * commits makes clients' tokens newer than the store.
 * @example
 * ```ts
 * import { Pool } from 'pg';
 * import { postgresStore } from 'portcullis/stores';
 *
 * const sessions = postgresStore(new Pool({ connectionString: env.DATABASE_URL }));
 * ```
 */
export function postgresStore(client: PostgresLike): IssuerStore {
  let ready = false;
  const query = async (text: string, params: (string | number)[]) => {
    if (!ready) {
      await migrate(client);
      ready = true;
    }
    return rowsOf(await client.query(text, params));
  };
  return {
    async read(key) {
      const [row] = await query(READ, [key]);
      return row === undefined ? null : entryOf(row.version, row.value);
    },
    async readMany(keys) {
      // An array as text: pg and postgres.js, and poolers between, agree on nothing else. Each key
      // in quotes, with quotes and backslashes escaped.
      const array = `{${keys.map((key) => `"${key.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
      return inOrder(keys, await query(READ_MANY, [array]));
    },
    async swap(key, expected, value, endsAt) {
      const rows =
        expected === 0
          ? await query(INSERT, [key, value, endsAt])
          : await query(UPDATE, [key, expected, value, endsAt]);
      return rows.length === 1;
    },
    async sweep(now, limit) {
      return (await query(SWEEP, [now, limit])).length;
    },
  };
}

/** Looks first: who runs the issuer need not be allowed to create tables once they are there. */
async function migrate(client: PostgresLike): Promise<void> {
  if ((await version(client)) === KNOWN) return;
  await client.query(MIGRATE, []);
  // The block leaves a newer schema alone.
  await version(client);
}

async function version(client: PostgresLike): Promise<number> {
  const [table] = rowsOf(
    await client.query("SELECT to_regclass('portcullis_schema') IS NOT NULL AS there", []),
  );
  if (table?.there !== true) return 0;
  const [row] = rowsOf(await client.query('SELECT version FROM portcullis_schema', []));
  return schemaOf(row?.version, KNOWN);
}

function rowsOf(result: RowsLike): Row[] {
  return ('rows' in result ? result.rows : result) as Row[];
}
