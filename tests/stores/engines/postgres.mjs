// Debian's Postgres on loopback, and a place on it through pg and through postgres.js.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import postgresJs from 'postgres';

import { postgresStore } from '../../../dist/stores/index.js';
import { freePort } from '../../../src/build/steps.mjs';
import { folder, program } from './program.mjs';

const VERSIONS = '/usr/lib/postgresql';
const CLIENTS = {
  pg: (options) => {
    const pool = new pg.Pool({ ...options, max: 8 });
    // A connection that breaks while nobody uses it is told here, and would end the process
    // otherwise.
    pool.on('error', () => {});
    return { client: pool, close: () => pool.end() };
  },
  'postgres.js': ({ user, ...options }) => {
    const sql = postgresJs({ ...options, username: user, max: 8, onnotice: () => {} });
    return { client: { query: (text, params) => sql.unsafe(text, params) }, close: () => sql.end() };
  },
};

/** The newest that is installed. */
function binaries() {
  const found = existsSync(VERSIONS) ? readdirSync(VERSIONS) : [];
  const [newest] = found
    .filter((name) => existsSync(join(VERSIONS, name, 'bin', 'postgres')))
    .sort((a, b) => Number(b) - Number(a));
  if (newest === undefined) throw new Error('Postgres is missing: set-up has not installed it');
  return join(VERSIONS, newest, 'bin');
}

/**
 * Starts a server. Its autovacuum is off: what stays small does so by itself. Only with `durable`
 * does it wait for the disk: a crash of its own loses nothing without.
 */
export async function startPostgres({ durable = false } = {}) {
  const bin = binaries();
  const { path, remove } = folder('postgres', { open: true });
  // It refuses to run as root.
  const identity = process.getuid() === 0 ? identityOf('postgres') : {};
  const password = randomBytes(16).toString('hex');
  writeFileSync(join(path, 'password'), password);
  const data = join(path, 'data');
  if (identity.uid !== undefined) execFileSync('chown', ['-R', `${identity.uid}:${identity.gid}`, path]);
  const flags = ['--auth=scram-sha-256', '--pwfile', join(path, 'password'), '--encoding=UTF8', '--locale=C'];
  const options = { cwd: path, env: { PATH: process.env.PATH }, ...identity };
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'test', '--no-sync', ...flags], {
    ...options,
    stdio: 'pipe',
  });
  const port = await freePort();
  const set = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    autovacuum: 'off',
    fsync: durable ? 'on' : 'off',
    max_connections: 60,
  };
  const args = ['-D', data, ...Object.entries(set).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const start = () =>
    program(join(bin, 'postgres'), args, { ...options, ready: /ready to accept connections/ });
  let server = await start();
  return {
    connection: { host: '127.0.0.1', port, user: 'test', password, database: 'postgres' },
    /** At once, without a checkpoint: it has to recover. */
    async crash() {
      await server.end('SIGQUIT');
      server = await start();
    },
    async down(work) {
      await server.end('SIGINT');
      try {
        await work();
      } finally {
        server = await start();
      }
    },
    async stop() {
      await server.end('SIGINT');
      remove();
    },
  };
}

function identityOf(user) {
  const id = (flag) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

// As it was before version 2.
const OLD = `CREATE TABLE portcullis_schema (id integer PRIMARY KEY CHECK (id = 1), version integer NOT NULL);
INSERT INTO portcullis_schema VALUES (1, 1);
CREATE TABLE portcullis_entries (
  key text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, value text NOT NULL, ends_at bigint NOT NULL
);
INSERT INTO portcullis_entries VALUES ('old', 7, 'kept', 2000000000);`;

let databases = 0;

/** A place in a database of its own. */
export async function postgresPlace(server, name) {
  const admin = new pg.Pool({ ...server.connection, max: 1 });
  admin.on('error', () => {});
  const newDatabase = async (sql) => {
    const database = `${name.replaceAll(/\W/g, '_')}_${databases++}`;
    await admin.query(`CREATE DATABASE ${database}`);
    if (sql === undefined) return database;
    const client = new pg.Client({ ...server.connection, database });
    await client.connect();
    await client.query(sql);
    await client.end();
    return database;
  };
  const connectTo = (database) => async () => {
    const { client, close } = CLIENTS[name]({ ...server.connection, database });
    return { store: postgresStore(client), close };
  };
  const database = await newDatabase();
  const connect = connectTo(database);
  return {
    database,
    connect,
    // Once for the engine is enough.
    rotations: name === 'pg' ? 10_000 : 1000,
    // A page of rows and one of either index.
    slack: 3 * 8192,
    async withSchema(version) {
      const newer = 'UPDATE portcullis_schema SET version = 99;';
      return connectTo(await newDatabase({ 1: OLD, 99: OLD + newer }[version]));
    },
    async size() {
      const client = new pg.Client({ ...server.connection, database });
      await client.connect();
      const { rows } = await client.query(
        "SELECT count(*)::int AS rows, pg_total_relation_size('portcullis_entries')::int AS bytes FROM portcullis_entries",
      );
      await client.end();
      return rows[0];
    },
    down: (work) => server.down(work),
    async crash({ close }) {
      await server.crash();
      await close();
    },
    stop: () => admin.end(),
  };
}
