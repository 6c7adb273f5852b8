// Places in files of this machine: SQLite through node:sqlite or bun:sqlite, and Deno KV. Which
// there are depends on the runtime.
import { join } from 'node:path';

import { denoKvStore, memoryStore, sqliteStore } from '../../../dist/stores/index.js';

const OPEN = {
  async 'node:sqlite'(path) {
    const { DatabaseSync } = await import('node:sqlite');
    return configured(new DatabaseSync(path));
  },
  async 'bun:sqlite'(path) {
    const { Database } = await import('bun:sqlite');
    return configured(new Database(path));
  },
};

function configured(database) {
  // Writers wait for one another; nobody waits for the disk, since no machine loses power here.
  database.exec('PRAGMA busy_timeout = 5000; PRAGMA synchronous = OFF');
  return database;
}

// As it was before version 2.
const OLD = [
  'CREATE TABLE portcullis_schema (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)',
  'INSERT INTO portcullis_schema VALUES (1, 1)',
  'CREATE TABLE portcullis_entries (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value TEXT NOT NULL, ends_at INTEGER NOT NULL) WITHOUT ROWID',
  "INSERT INTO portcullis_entries VALUES ('old', 7, 'kept', 2000000000)",
];

/** A store on the file at `path`, as `connect` of a place. */
export async function openSqlite(driver, path) {
  const database = await OPEN[driver](path);
  return { database, store: sqliteStore(database), close: async () => database.close() };
}

function sqlitePlace(driver, folder) {
  let files = 0;
  const path = join(folder, `${driver.replace(':', '-')}.db`);
  return {
    connect: () => openSqlite(driver, path),
    slack: 4096,
    async withSchema(version) {
      const another = join(folder, `${driver.replace(':', '-')}-${files++}.db`);
      const database = await OPEN[driver](another);
      if (version > 0) for (const statement of OLD) database.exec(statement);
      if (version > 1) database.exec(`UPDATE portcullis_schema SET version = ${version}`);
      database.close();
      return () => openSqlite(driver, another);
    },
    async size() {
      const { database, close } = await openSqlite(driver, path);
      const one = (sql) => Object.values(database.prepare(sql).all()[0])[0];
      const bytes = one('PRAGMA page_count') * one('PRAGMA page_size');
      const rows = one('SELECT count(*) FROM portcullis_entries');
      await close();
      return { rows, bytes };
    },
    crash: ({ close }) => close(),
    stop: async () => {},
  };
}

function denoKvPlace(folder) {
  const { Deno } = globalThis;
  let files = 0;
  const path = join(folder, 'kv.db');
  // Opened once: a second handle on one file finds it locked instead of waiting.
  const open = new Map();
  const connectTo = (file) => async () => {
    if (!open.has(file)) open.set(file, Deno.openKv(file));
    return { store: denoKvStore(await open.get(file)), close: async () => {} };
  };
  const close = async (file) => {
    const kv = await open.get(file);
    open.delete(file);
    kv.close();
  };
  return {
    connect: connectTo(path),
    // Two digits of the version.
    slack: 2,
    async withSchema(version) {
      if (version === 1) return undefined;
      const another = join(folder, `kv-${files++}.db`);
      const kv = await Deno.openKv(another);
      if (version > 0) await kv.set(['portcullis', 'schema'], version);
      kv.close();
      return connectTo(another);
    },
    async size() {
      let [rows, bytes] = [0, 0];
      const kv = await open.get(path);
      for await (const entry of kv.list({ prefix: ['portcullis'] })) {
        rows += 1;
        bytes += JSON.stringify(entry).length;
      }
      return { rows, bytes };
    },
    crash: () => close(path),
    async stop() {
      for (const file of [...open.keys()]) await close(file);
    },
  };
}

/** A place of that name in the folder. */
export function filePlace(name, folder) {
  if (name === 'memory') {
    const store = memoryStore();
    return { connect: async () => ({ store, close: async () => {} }), stop: async () => {} };
  }
  return name === 'Deno KV' ? denoKvPlace(folder) : sqlitePlace(name, folder);
}
