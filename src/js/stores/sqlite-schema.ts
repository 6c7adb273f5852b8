import { schemaOf } from './store.js';

// The same table in all engines that speak SQLite: Durable Objects, D1, node:sqlite.

/**
 * Brings the schema from one version to the next. Each statement does nothing when it has been
 * done: on D1 two may migrate at once.
 */
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    'CREATE TABLE IF NOT EXISTS portcullis_entries (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value TEXT NOT NULL, ends_at INTEGER NOT NULL) WITHOUT ROWID',
  ],
  ['CREATE INDEX IF NOT EXISTS portcullis_entries_by_end ON portcullis_entries (ends_at)'],
];

export const SCHEMA =
  'CREATE TABLE IF NOT EXISTS portcullis_schema (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)';
export const SCHEMA_VERSION = 'SELECT version FROM portcullis_schema';

/**
 * What is to be run in one transaction, by the version that was found: nothing when it is this
 * one's.
 * @throws StoreSchemaError when it is newer.
 */
export function migrations(found: unknown): string[] {
  const known = MIGRATIONS.length;
  const version = schemaOf(found, known);
  if (version === known) return [];
  const record = `INSERT INTO portcullis_schema (id, version) VALUES (1, ${known}) ON CONFLICT (id) DO UPDATE SET version = max(version, excluded.version)`;
  return [...MIGRATIONS.slice(version).flat(), record];
}

export const READ = 'SELECT version, value FROM portcullis_entries WHERE key = ?';
/** Of so many keys. */
export const readMany = (count: number) =>
  `SELECT key, version, value FROM portcullis_entries WHERE key IN (${Array(count).fill('?').join(', ')})`;
/** key, value, ends_at */
export const INSERT =
  'INSERT INTO portcullis_entries (key, version, value, ends_at) VALUES (?, 1, ?, ?) ON CONFLICT DO NOTHING RETURNING 1 AS done';
/** value, ends_at, key, version */
export const UPDATE =
  'UPDATE portcullis_entries SET version = version + 1, value = ?, ends_at = ? WHERE key = ? AND version = ? RETURNING 1 AS done';
/** now, limit */
export const SWEEP =
  'DELETE FROM portcullis_entries WHERE key IN (SELECT key FROM portcullis_entries WHERE ends_at <= ? ORDER BY ends_at LIMIT ?) RETURNING 1 AS done';

/** The statement of a swap and its bindings. */
export function swapOf(
  key: string,
  expected: number,
  value: string,
  endsAt: number,
): [string, (string | number)[]] {
  return expected === 0 ? [INSERT, [key, value, endsAt]] : [UPDATE, [value, endsAt, key, expected]];
}
