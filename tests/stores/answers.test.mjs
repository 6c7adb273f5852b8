// What an engine answers is not believed: what is no entry, no count or no word is an error, and
// never "there is none" or "you have lost".
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  d1Store,
  denoKvStore,
  durableObjectStore,
  postgresStore,
  redisStore,
  StoreSchemaError,
} from '../../dist/stores/index.js';

/** Stores over a client that gives `row` for an entry. */
const OVER = {
  Postgres: (row) =>
    postgresStore({
      query: async (text) => {
        if (/to_regclass/.test(text)) return { rows: [{ there: true }] };
        return { rows: [/_schema/.test(text) ? { version: 2 } : row] };
      },
    }),
  D1: (row) => {
    const statement = (sql) => ({
      bind: () => statement(sql),
      all: async () => ({ results: [/_schema/.test(sql) ? { version: 2 } : row] }),
    });
    return d1Store({ prepare: statement, batch: async () => {} });
  },
  Redis: ({ version, value }) => redisStore({ eval: async () => [version, value] }),
  'a Durable Object': (row) => durableObjectStore({ fetch: async () => Response.json({ row }) }),
  'Deno KV': ({ version, value }) =>
    denoKvStore({
      get: async ([, kind]) => ({
        key: [],
        value: kind === 'schema' ? 1 : { version, value, endsAt: 1 },
        versionstamp: '1',
      }),
    }),
};

const NONE = [
  { version: 'x', value: 'a' },
  { version: 0, value: 'a' },
  { version: -1, value: 'a' },
  { version: 1.5, value: 'a' },
  { version: 2 ** 53, value: 'a' },
  { version: 1, value: null },
  { version: 1, value: 7 },
  { version: null, value: 'a' },
];

for (const [name, over] of Object.entries(OVER)) {
  test(`${name}: an entry that cannot be read is no missing entry`, async () => {
    assert.deepEqual(await over({ version: 1, value: 'a' }).read('s/1'), { version: 1, value: 'a' });
    for (const row of NONE)
      await assert.rejects(over(row).read('s/1'), /a row that cannot be decoded/, JSON.stringify(row));
  });
}

test('a version that a driver gives as text or as a bigint is a number', async () => {
  for (const version of ['12', 12n])
    assert.deepEqual(await OVER.Postgres({ version, value: 'a' }).read('s/1'), { version: 12, value: 'a' });
});

test('Redis: a reply that is no number is no answer to a swap, and another schema is refused by every script', async () => {
  for (const reply of [null, '1', 'OK', true, []]) {
    const store = redisStore({ eval: async () => reply });
    await assert.rejects(store.swap('s/1', 0, 'a', 1), /no number/, JSON.stringify(reply));
  }
  const newer = redisStore({ eval: async () => 'schema 7' });
  for (const call of [() => newer.read('a'), () => newer.swap('a', 0, '', 1), () => newer.sweep(1, 1)])
    await assert.rejects(call, (error) => error instanceof StoreSchemaError && error.found === 7);
});

test('a Durable Object: a status or a body that is no answer is an error', async () => {
  for (const [response, error] of [
    [() => new Response(null, { status: 500 }), /500/],
    [() => new Response(null, { status: 400 }), /400/],
    [() => new Response('garbage'), SyntaxError],
    [() => Response.json({ swapped: 'yes' }), /no answer/],
    [() => Promise.reject(new Error('moved')), /moved/],
  ]) {
    const store = durableObjectStore({ fetch: async () => response() });
    await assert.rejects(store.swap('s/1', 0, 'a', 1), error);
  }
});

test('a schema that cannot be made is made by the next call', async () => {
  let failing = true;
  const statement = (sql) => ({ bind: () => statement(sql), all: async () => ({ results: [] }) });
  const store = d1Store({
    prepare: statement,
    batch: async () => {
      if (failing) throw new Error('D1 is busy');
    },
  });
  await assert.rejects(store.read('s/1'), /busy/);
  failing = false;
  assert.equal(await store.read('s/1'), null);
});
