// What a Durable Object does besides the contract: it sweeps itself, refuses what is no call, and
// shares keys among shards.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { durableObjectStore } from '../../dist/stores/index.js';
import { objectPlace, startWorkerd } from './engines/workerd.mjs';

const NAME = 'portcullis-sessions-0';
const HOUR = 3600;
let worker;
let store;
before(async () => {
  worker = await startWorkerd('engines/worker.mjs');
  ({ store } = await objectPlace(worker).connect());
});
after(() => worker.stop());

test('the object sweeps away what has ended by its alarm, a minute late, and keeps what has not', async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const [key, endsAt] of [
    ['s/ended', now],
    ['s/just ended', now + HOUR - 30],
    ['s/lives', now + 2 * HOUR],
  ]) {
    assert.equal(await store.swap(key, 0, '', endsAt), true);
  }
  const first = await worker.ask({ at: { name: NAME }, door: { passSeconds: HOUR } });
  assert.ok(first.set !== null, 'an alarm is set by a swap');
  assert.deepEqual(first.keys, ['s/just ended', 's/lives']);
  assert.ok(first.again !== null, 'it comes again while there is anything');
  const second = await worker.ask({ at: { name: NAME }, door: { passSeconds: 3 * HOUR } });
  assert.deepEqual(second.keys, []);
  assert.equal(second.again, null, 'and rests when there is nothing');
});

test('the object sweeps in batches, and comes again at once when one was full', async () => {
  const now = Math.floor(Date.now() / 1000);
  const values = Array.from({ length: 1200 }, (_, n) => `('s/${n}', 1, '', ${now - HOUR})`);
  const sql = [0, 400, 800].map(
    (from) => `INSERT INTO portcullis_entries VALUES ${values.slice(from, from + 400).join()}`,
  );
  await worker.ask({ at: { name: NAME }, door: { sql } });
  const first = await worker.ask({ at: { name: NAME }, door: { passSeconds: 0 } });
  assert.equal(first.keys.length, 200);
  assert.ok(first.again < Date.now() + 60_000);
});

test('the object refuses a request that is no call', async () => {
  const bodies = [
    {},
    { op: 'read' },
    { op: 'read', of: [7] },
    { op: 'read', of: ['s/1', 's/2'] },
    { op: 'swap', of: ['s/1', 0, 'a'] },
    { op: 'swap', of: ['s/1', '0', 'a', 1] },
    { op: 'swap', of: ['s/1', 0.5, 'a', 1] },
    { op: 'swap', of: ['s/1', -1, 'a', 1] },
    { op: 'swap', of: ['s/1', 0, {}, 1] },
    { op: 'sweep', of: [1, null] },
    { op: 'sql', of: ['DROP TABLE portcullis_entries'] },
    { op: 'constructor', of: [1] },
  ];
  for (const body of bodies) {
    const { status } = await worker.ask({ at: { name: NAME }, raw: body });
    assert.equal(status, 400, JSON.stringify(body));
  }
});

test('shards take their part each, and a sweep goes through all of them up to its limit', async () => {
  const called = new Map();
  const namespace = {
    idFromName: (name) => name,
    get: (name) => ({
      async fetch(_, { body }) {
        const { op, of } = JSON.parse(body);
        called.set(name, [...(called.get(name) ?? []), [op, ...of]]);
        return Response.json({ row: null, swapped: true, swept: 3 });
      },
    }),
  };
  const shards = durableObjectStore(namespace, { shards: 4 });
  for (let n = 0; n < 400; n++) {
    await shards.read(`s/${n}`);
    await shards.swap(`s/${n}`, 0, '', 1);
  }
  assert.equal(called.size, 4);
  for (const calls of called.values()) {
    assert.ok(calls.length > 120 && calls.length < 280, `${calls.length}`);
    // What is written is read where it was.
    const keys = (op) => calls.filter((call) => call[0] === op).map((call) => call[1]);
    assert.deepEqual(keys('read'), keys('swap'));
  }
  called.clear();
  assert.equal(await shards.sweep(100, 8), 9);
  assert.deepEqual([...called.values()].flat(), [
    ['sweep', 100, 8],
    ['sweep', 100, 5],
    ['sweep', 100, 2],
  ]);
});
