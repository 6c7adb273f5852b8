// Stores of used proofs: one contract for all of them, the Durable Object in workerd.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { durableObjectReplayStore } from '../../dist/gate/replay/durable-object.js';
import { kvReplayStore } from '../../dist/gate/replay/kv.js';
import { memoryReplayStore, ReplayStoreFullError } from '../../dist/gate/replay/memory.js';
import { clock, memoryStore } from '../support/origin.mjs';
import { workerd } from './workerd.mjs';

let worker;
before(async () => {
  worker = await workerd('replay-worker.mjs', {
    durableObjects: { PROOFS: { className: 'DpopReplayObject', useSQLite: true } },
    kvNamespaces: ['KV'],
  });
});
after(() => worker.stop());

const nowSeconds = () => Math.floor(Date.now() / 1000);
/** A store inside of workerd: each use is a request of its own. */
const remote = (kind) => ({
  async firstUse(key, until) {
    const answer = await worker.ask({ kind, key, until });
    if (answer.error) throw new Error(answer.error);
    return answer.first;
  },
});
const STORES = {
  'in memory': () => memoryReplayStore(),
  'in a key-value store': () => kvReplayStore(memoryStore()),
  'in Workers KV, within one isolate': () => remote('kv'),
  'in a Durable Object': () => remote('object'),
  'in four Durable Objects': () => remote('objects'),
};
let turn = 0;
for (const [name, make] of Object.entries(STORES)) {
  const key = () => `key ${turn++}`;
  test(`${name}: the first use is the first, and no other is`, async () => {
    const store = make();
    const [a, b] = [key(), key()];
    const until = nowSeconds() + 60;
    assert.equal(await store.firstUse(a, until), true);
    assert.equal(await store.firstUse(a, until), false);
    assert.equal(await store.firstUse(a, until + 30), false);
    assert.equal(await store.firstUse(b, until), true);
    assert.equal(await store.firstUse(a, until), false);
  });

  test(`${name}: of 100 parallel uses of one key exactly one is first`, async () => {
    const store = make();
    const one = key();
    const uses = Array.from({ length: 100 }, () => store.firstUse(one, nowSeconds() + 60));
    const answers = await Promise.all(uses);
    assert.equal(answers.filter((first) => first === true).length, 1);
    assert.equal(answers.filter((first) => first === false).length, 99);
  });

  test(`${name}: a proof that is over is nobody's first use`, async () => {
    assert.equal(await make().firstUse(key(), nowSeconds() - 30), false);
  });
}

test('in memory: a proof is remembered to its last second, and its place is free in the next', () => {
  const time = clock(1000);
  const store = memoryReplayStore({ now: time.read });
  for (let until = 1000; until < 1100; until++) assert.equal(store.firstUse(`${until}`, until), true);
  time.pass(60);
  assert.equal(store.firstUse('1060', 1060), false);
  assert.equal(store.firstUse('1059', 1059), false, 'forgotten, and too old to be told');
  assert.equal(store.firstUse('new', 1060), true);
  assert.equal(store.size, 41);
  time.pass(1000);
  assert.equal(store.firstUse('later', 3000), true);
  assert.equal(store.size, 1);
});

test('in memory: what was swept away once is not swept away again, should it be used anew', () => {
  const time = clock(1000);
  const store = memoryReplayStore({ now: time.read });
  assert.equal(store.firstUse('a', 1060), true);
  time.pass(61);
  assert.equal(store.firstUse('a', 2000), true);
  time.pass(1);
  assert.equal(store.firstUse('a', 2000), false);
});

test('in memory: when the clock is set back, what was forgotten is not taken for new', () => {
  const time = clock(1000);
  const store = memoryReplayStore({ now: time.read });
  assert.equal(store.firstUse('a', 1060), true);
  time.pass(100);
  assert.equal(store.firstUse('b', 1160), true);
  time.pass(-100);
  assert.equal(store.firstUse('a', 1060), false);
  assert.equal(store.firstUse('c', 1110), true);
});

test('in memory: a full store refuses rather than forgets, and has room again with time', () => {
  const time = clock(1000);
  const store = memoryReplayStore({ entries: 3, now: time.read });
  for (const key of ['a', 'b', 'c']) assert.equal(store.firstUse(key, 1060), true);
  assert.throws(() => store.firstUse('d', 1060), ReplayStoreFullError);
  assert.equal(store.firstUse('a', 1060), false);
  time.pass(61);
  assert.equal(store.firstUse('d', 1120), true);
});

test('in memory: a time that is none is refused', () => {
  assert.equal(memoryReplayStore().firstUse('a', Number.NaN), false);
});

test('in a key-value store: what another isolate has put counts, under a prefix, for a minute at least', async () => {
  const kv = memoryStore();
  const time = clock();
  assert.equal(await kvReplayStore(kv, { now: time.read }).firstUse('a', time.now + 5), true);
  assert.equal(await kvReplayStore(kv, { now: time.read }).firstUse('a', time.now + 5), false);
  assert.equal(
    await kvReplayStore(kv, { now: time.read, prefix: 'other ' }).firstUse('a', time.now + 300),
    true,
  );
  assert.deepEqual(
    kv.puts.map(({ key, options }) => [key, options.expirationTtl]),
    [
      ['portcullis-dpop-1-a', 60],
      ['other a', 301],
    ],
  );
});

test('a store that fails says so, and never yes', async () => {
  const broken = { get: async () => Promise.reject(new Error('down')), put: async () => {} };
  await assert.rejects(kvReplayStore(broken).firstUse('a', nowSeconds() + 60), /down/);
  const unwritable = { get: async () => null, put: async () => Promise.reject(new Error('read only')) };
  const store = kvReplayStore(unwritable);
  await assert.rejects(store.firstUse('a', nowSeconds() + 60), /read only/);
  assert.equal(await store.firstUse('a', nowSeconds() + 60), false, 'the proof is spent all the same');
  for (const [response, error] of [
    [() => new Response(null, { status: 507 }), ReplayStoreFullError],
    [() => new Response(null, { status: 500 }), /500/],
    [() => new Response('garbage'), SyntaxError],
    [() => Promise.reject(new Error('moved')), /moved/],
  ]) {
    const namespace = { idFromName: (name) => name, get: () => ({ fetch: async () => response() }) };
    await assert.rejects(async () => durableObjectReplayStore(namespace).firstUse('a', 1), error);
  }
  const lying = {
    idFromName: (name) => name,
    get: () => ({ fetch: async () => Response.json({ first: 'yes' }) }),
  };
  assert.equal(await durableObjectReplayStore(lying).firstUse('a', 1), false);
});

test('shards take their part each, and one key always goes to the same', async () => {
  const names = [];
  const namespace = {
    idFromName: (name) => name,
    get: (name) => ({
      fetch: async () => {
        names.push(name);
        return Response.json({ first: true });
      },
    }),
  };
  const store = durableObjectReplayStore(namespace, { shards: 4 });
  for (let key = 0; key < 400; key++) await store.firstUse(`${key}`, 1);
  const perShard = new Map();
  for (const name of names) perShard.set(name, (perShard.get(name) ?? 0) + 1);
  assert.equal(perShard.size, 4);
  assert.ok(
    [...perShard.values()].every((count) => count > 60 && count < 140),
    [...perShard.values()].join(),
  );
  names.length = 0;
  for (let again = 0; again < 10; again++) await store.firstUse('one', 1);
  assert.equal(new Set(names).size, 1);
});

test('the object sweeps away what is over by its alarm, and keeps what is not', async () => {
  const until = nowSeconds();
  await worker.ask({ kind: 'object', key: 'soon over', until });
  await worker.ask({ kind: 'object', key: 'yet to come', until: until + 600 });
  const before = await worker.ask({ sweep: 0 });
  assert.ok(before.alarm !== null, 'an alarm is set with the first row');
  const swept = await worker.ask({ sweep: 60 });
  assert.deepEqual(
    swept.keys.filter((key) => key === 'soon over' || key === 'yet to come'),
    ['yet to come'],
  );
  assert.equal(await remote('object').firstUse('yet to come', until + 600), false);
});

test('the object refuses a request that is none', async () => {
  for (const body of [
    { key: 7, until: 1 },
    { key: 'a' },
    { key: 'a', until: '1' },
    { key: 'a', until: 1.5 },
  ]) {
    assert.equal((await worker.ask({ raw: body })).status, 400);
  }
});
