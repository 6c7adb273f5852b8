// Races that chance does not bring about often enough: each is held open at its worst moment, on
// the real engine.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';

import { redisStore } from '../../dist/stores/index.js';
import { postgresPlace, startPostgres } from './engines/postgres.mjs';
import { redisClient, redisPlace, startRedis } from './engines/redis.mjs';

const NOW = 1_800_000_000;
const LATER = NOW + 1_000_000;
const servers = {};
before(async () => {
  servers.postgres = await startPostgres();
  servers.redis = await startRedis();
});
after(async () => {
  for (const server of Object.values(servers)) await server.stop();
});

/**
 * A store on Postgres with one entry that has ended, and a transaction that has swapped it and not
 * yet committed.
 */
async function underway(work) {
  const place = await postgresPlace(servers.postgres, 'pg');
  const { store, close } = await place.connect();
  await store.swap('s/1', 0, 'before', NOW);
  const client = new pg.Client({ ...servers.postgres.connection, database: place.database });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query('UPDATE portcullis_entries SET version = 2, ends_at = $1 WHERE key = $2', [
      LATER,
      's/1',
    ]);
    await work(store, client);
  } finally {
    await client.end();
    await close();
    await place.stop();
  }
}

test(
  'Postgres: a sweep leaves alone what a swap is writing, and does not wait for it',
  { timeout: 60_000 },
  () =>
    underway(async (store, client) => {
      // Were it to wait, it would do so for ever: the swap ends after it.
      assert.equal(await store.sweep(NOW, 10), 0);
      await client.query('COMMIT');
      assert.deepEqual(await store.read('s/1'), { version: 2, value: 'before' });
    }),
);

test('Postgres: a swap waits for another of the same row, and loses when that is committed', () =>
  underway(async (store, client) => {
    const swapped = store.swap('s/1', 1, 'mine', LATER);
    await client.query('COMMIT');
    assert.equal(await swapped, false);
    assert.deepEqual(await store.read('s/1'), { version: 2, value: 'before' });
  }));

test('Postgres: and wins when it is not', () =>
  underway(async (store, client) => {
    const swapped = store.swap('s/1', 1, 'mine', LATER);
    await client.query('ROLLBACK');
    assert.equal(await swapped, true);
    assert.deepEqual(await store.read('s/1'), { version: 2, value: 'mine' });
  }));

test('Redis: what is swapped between the two steps of a sweep is kept, at its new end', async (t) => {
  const place = await redisPlace(servers.redis, 'ioredis');
  const { store, close } = await place.connect();
  const { client, close: closeSlow } = await redisClient('ioredis', servers.redis.connection);
  t.after(async () => {
    await closeSlow();
    await close();
    await place.stop();
  });
  let between;
  const slow = redisStore(
    {
      async eval(...call) {
        const reply = await client.eval(...call);
        await between?.();
        between = undefined;
        return reply;
      },
    },
    { prefix: place.prefix },
  );
  for (const key of ['s/1', 's/2', 's/3']) await store.swap(key, 0, 'before', NOW);
  between = async () => {
    assert.equal(await store.swap('s/2', 1, 'after', LATER), true);
  };
  assert.equal(await slow.sweep(NOW, 10), 2);
  assert.deepEqual(await store.read('s/2'), { version: 2, value: 'after' });
  assert.equal(await store.read('s/1'), null);
  // An index that is behind, as a script that was cut off would leave it, is put right.
  await client.eval("redis.call('ZADD', KEYS[1], ARGV[1], 's/2')", [`${place.prefix}ends`], [String(NOW)]);
  assert.equal(await store.sweep(NOW, 10), 0);
  assert.equal(await store.sweep(LATER - 1, 10), 0);
  assert.equal(await store.sweep(LATER, 10), 1);
});
