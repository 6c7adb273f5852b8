// workerd through miniflare, with a Durable Object and D1 whose data lie in a folder, and a place
// on either.
import { join } from 'node:path';
import { Log, LogLevel, Miniflare } from 'miniflare';

import { ROOT } from '../../../src/build/steps.mjs';
import { bundleWorker } from '../../../src/build/worker-bundle.mjs';
import { folder } from './program.mjs';

const DATABASES = ['MAIN', 'EMPTY', 'OLD', 'NEWER'];

/** Starts a worker of tests/stores whose data outlive it until `stop`. */
export async function startWorkerd(name, options = {}) {
  const { path, remove } = folder('workerd');
  const bundled = await bundleWorker(join(ROOT, 'tests', 'stores', name), {
    external: ['cloudflare:*', 'node:*'],
  });
  const start = () =>
    new Miniflare({
      host: '127.0.0.1',
      port: 0,
      // Otherwise miniflare asks the internet where it is.
      cf: false,
      log: new Log(LogLevel.NONE),
      handleRuntimeStdio: (stdout, stderr) => {
        for (const stream of [stdout, stderr]) stream.resume();
      },
      compatibilityDate: '2026-01-01',
      compatibilityFlags: ['nodejs_compat'],
      ...bundled,
      durableObjects: { OBJECTS: { className: 'SessionStoreObject', useSQLite: true } },
      durableObjectsPersist: join(path, 'objects'),
      d1Databases: DATABASES,
      d1Persist: join(path, 'd1'),
      ...options,
    });
  let miniflare = start();
  let url = await miniflare.ready;
  return {
    get url() {
      return url;
    },
    async ask(value) {
      // A connection each: one that is kept may be closed by the other side just as it is used
      // again.
      const headers = { connection: 'close' };
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(value) });
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status} ${text}`);
      const answer = JSON.parse(text);
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer;
    },
    /** A new process over the same data. */
    async crash() {
      await miniflare.dispose();
      miniflare = start();
      url = await miniflare.ready;
    },
    async stop() {
      await miniflare.dispose();
      remove();
    },
  };
}

let connections = 0;

/** A connection to a store in the worker: each call is a request of its own. */
function connectTo(worker, where) {
  return async () => {
    const at = { ...where, connection: connections++ };
    const answer = async (call, of) => (await worker.ask({ at, call, of })).answer;
    const store = {
      read: (...of) => answer('read', of),
      readMany: (...of) => answer('readMany', of),
      swap: (...of) => answer('swap', of),
      sweep: (...of) => answer('sweep', of),
    };
    return { store, close: async () => {} };
  };
}

const place = (worker, where) => ({
  connect: connectTo(worker, where),
  async rotate(key, times) {
    // In parts: a request that lasts for seconds is one that a connection may not survive.
    for (let done = 0; done < times; done += 500)
      await worker.ask({ at: where, call: 'rotate', of: [key, 500] });
  },
  async crash() {
    await worker.crash();
  },
  stop: async () => {},
});

/** An object by its namespace; with `shards`, several. */
export function objectPlace(worker, shards = 1) {
  const at = { name: 'portcullis-sessions-0' };
  const door = (name, sql) => worker.ask({ at: { name }, door: { sql } });
  let objects = 0;
  return {
    ...place(worker, { kind: 'object', name: `${shards} shards`, shards }),
    slack: 4096,
    ...(shards === 1 ? { size: () => door(at.name, []) } : {}),
    async withSchema(version) {
      const name = `one of ${shards}, ${objects++}`;
      if (version > 0) {
        await door(name, [
          `UPDATE portcullis_schema SET version = ${version}`,
          'DROP INDEX portcullis_entries_by_end',
          "INSERT INTO portcullis_entries VALUES ('old', 7, 'kept', 2000000000)",
        ]);
        // Objects are made anew in a new process, and look at what is there.
        await worker.crash();
      }
      return connectTo(worker, { kind: 'stub', name });
    },
  };
}

export function d1Place(worker) {
  const sql = (name, ...statements) => worker.ask({ at: { name }, sql: statements });
  return {
    ...place(worker, { kind: 'd1', name: 'MAIN' }),
    slack: 4096,
    async size() {
      const [{ results, bytes }] = await sql('MAIN', 'SELECT count(*) AS rows FROM portcullis_entries');
      return { rows: results[0].rows, bytes };
    },
    async withSchema(version) {
      const name = { 0: 'EMPTY', 1: 'OLD', 99: 'NEWER' }[version];
      if (version > 0) {
        await sql(
          name,
          'CREATE TABLE portcullis_schema (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)',
          `INSERT INTO portcullis_schema VALUES (1, ${version})`,
          'CREATE TABLE portcullis_entries (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value TEXT NOT NULL, ends_at INTEGER NOT NULL) WITHOUT ROWID',
          "INSERT INTO portcullis_entries VALUES ('old', 7, 'kept', 2000000000)",
        );
      }
      return connectTo(worker, { kind: 'd1', name });
    },
  };
}
