// One contract, every store, over real connections: workerd, Postgres and Redis from here, files
// from the runtimes that open them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { ROOT } from '../../src/build/steps.mjs';
import { runtimeBinary } from '../support/binaries.mjs';
import { cases } from './contract.mjs';
import { filePlace } from './engines/file.mjs';
import { postgresPlace, startPostgres } from './engines/postgres.mjs';
import { folder } from './engines/program.mjs';
import { redisPlace, startRedis } from './engines/redis.mjs';
import { d1Place, objectPlace, startWorkerd } from './engines/workerd.mjs';

const run = promisify(execFile);
const ELSEWHERE = join(ROOT, 'tests', 'stores', 'elsewhere.mjs');
const TIMEOUT_MS = 120_000;

const servers = {};
before(async () => {
  servers.postgres = await startPostgres();
  servers.redis = await startRedis();
  servers.workerd = await startWorkerd('engines/worker.mjs');
});
after(async () => {
  for (const server of Object.values(servers)) await server.stop();
});

const PLACES = {
  memory: () => filePlace('memory'),
  'a Durable Object': () => objectPlace(servers.workerd),
  'four Durable Objects': () => objectPlace(servers.workerd, 4),
  D1: () => d1Place(servers.workerd),
  'Postgres through pg': () => postgresPlace(servers.postgres, 'pg'),
  'Postgres through postgres.js': () => postgresPlace(servers.postgres, 'postgres.js'),
  'Redis through ioredis': () => redisPlace(servers.redis, 'ioredis'),
  'Redis through redis': () => redisPlace(servers.redis, 'redis'),
};

for (const [name, make] of Object.entries(PLACES)) {
  describe(name, () => {
    let place;
    before(async () => {
      place = await make();
    });
    after(() => place?.stop());
    for (const one of cases) {
      test(one.name, async (t) => {
        const note = await one.run(place);
        if (note !== undefined) t.diagnostic(note);
      });
    }
  });
}

const RUNTIMES = {
  node24: { engines: ['memory', 'node:sqlite'], args: ['--no-warnings'] },
  deno: {
    engines: ['memory', 'node:sqlite', 'Deno KV'],
    args: [
      'run',
      '--quiet',
      '--no-lock',
      '--unstable-kv',
      '--allow-read',
      '--allow-write',
      '--allow-env',
      '--allow-ffi',
    ],
  },
  bun: { engines: ['memory', 'node:sqlite', 'bun:sqlite'], args: [] },
};

for (const [runtime, { engines, args }] of Object.entries(RUNTIMES)) {
  const start = (...rest) =>
    run(runtimeBinary(runtime), [...args, ELSEWHERE, ...rest], { timeout: TIMEOUT_MS, cwd: ROOT });
  for (const engine of engines) {
    test(`${engine} in ${runtime}`, async (t) => {
      const { path, remove } = folder('file');
      after(remove);
      const { stdout } = await start('contract', engine, path);
      const results = JSON.parse(stdout);
      assert.equal(results.length, cases.length);
      for (const { name, note, error } of results) {
        await t.test(name, (t) => {
          assert.equal(error, undefined);
          if (note !== undefined) t.diagnostic(note);
        });
      }
    });
  }
}

test('two processes that count in one SQLite file lose no count', async () => {
  const { path, remove } = folder('file');
  after(remove);
  const file = join(path, 'shared.db');
  const node24 = (...rest) =>
    run(runtimeBinary('node24'), ['--no-warnings', ELSEWHERE, ...rest], { timeout: TIMEOUT_MS });
  const sql = `
    const { DatabaseSync } = require('node:sqlite');
    const [row] = new DatabaseSync(${JSON.stringify(file)}).prepare('SELECT version, value FROM portcullis_entries').all();
    console.log(JSON.stringify(row));`;
  await run(runtimeBinary('node24'), [
    '--no-warnings',
    '--input-type=module',
    '-e',
    `
    import { DatabaseSync } from 'node:sqlite';
    import { sqliteStore } from ${JSON.stringify(join(ROOT, 'dist', 'stores', 'index.js'))};
    await sqliteStore(new DatabaseSync(${JSON.stringify(file)})).swap('s/1', 0, '0', 2000000000);`,
  ]);
  await Promise.all([1, 2].map(() => node24('count', 'node:sqlite', file, 's/1', '200')));
  const { stdout } = await run(runtimeBinary('node24'), ['--no-warnings', '-e', sql]);
  assert.deepEqual(JSON.parse(stdout), { version: 401, value: '400' });
});
