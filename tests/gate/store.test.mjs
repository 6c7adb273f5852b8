// The tier that isolates share: what it saves, and that whatever it holds is read as an enemy's.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { RemoteKeys } from '../../dist/net/remote-keys/remote-keys.js';
import { cacheStore, fromStore, storeKey, toStore } from '../../dist/net/remote-keys/stored-document.js';
import { clock, context, json, jwks, memoryStore, origin, status, stubCore } from '../support/origin.mjs';
import { rule } from './rule.mjs';

const ISSUER = 'https://issuer.example';
const CANARY = 'canary';
let server;
before(async () => {
  server = await origin();
});
after(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.behave = json(jwks('a'), { 'cache-control': 'max-age=1000' });
});

const LIMITS = {
  minTtlSeconds: 60,
  maxTtlSeconds: 86_400,
  staleSeconds: 3600,
  timeoutMs: 5000,
  maxBytes: 10_000,
};

/** Another isolate on the same store, or the first one. */
function isolate(store, time = clock()) {
  const core = stubCore();
  const events = [];
  const source = { issuer: ISSUER, jwksUri: `${server.url}/keys`, ...LIMITS };
  const world = { fetch, now: time.read, random: () => 0, store, observe: (event) => events.push(event) };
  const keys = new RemoteKeys([source], world, core.apply, core.forget, rule);
  return {
    core,
    keys,
    events,
    time,
    ask: (kid, held = {}) => keys.refresh(ISSUER, kid, held),
    stats: () => keys.stats()[0],
  };
}
const keyOf = () => storeKey(ISSUER, `${server.url}/keys`);
async function poisoned(value, time = clock()) {
  const store = memoryStore();
  store.values.set(await keyOf(), value);
  return isolate(store, time);
}
const entry = (more = {}) =>
  JSON.stringify({
    issuer: ISSUER,
    fetchedAt: clock().now,
    ttlSeconds: 1000,
    jwks: JSON.stringify(jwks('held')),
    ...more,
  });

test('what one isolate fetched the next one takes from the store, with the age it has', async () => {
  const store = memoryStore();
  const first = isolate(store);
  const request = context();
  assert.equal(await first.ask('a', request), true);
  await request.settled();
  assert.equal(store.puts.length, 1);
  assert.deepEqual(store.puts[0].options, { expirationTtl: 1000 + 3600 });
  assert.ok(store.puts[0].key.length <= 512, 'KV takes no longer key');
  const second = isolate(store, clock(first.time.now + 400));
  assert.equal(await second.ask('a'), true);
  assert.equal(server.requests.length, 1);
  assert.deepEqual(second.core.kids(ISSUER), ['a']);
  assert.equal(second.stats().freshUntil, first.time.now + 1000);
  assert.equal(second.stats().fromStore, 1);
  // It counts as our own near its end.
  second.time.pass(350);
  const background = context();
  second.keys.tend(background);
  await background.settled();
  assert.equal(server.requests.length, 2);
});

test('a kid that is not in the store is fetched from the origin, unless another isolate has just been there', async () => {
  const store = memoryStore();
  const request = context();
  await isolate(store).ask('a', request);
  await request.settled();
  const soon = isolate(store, clock(clock().now + 29));
  assert.equal(await soon.ask('b'), true, 'the keys of the store are new to it');
  assert.equal(server.requests.length, 1);
  assert.equal(await soon.ask('c'), false);
  server.behave = json(jwks('a', 'b'));
  const later = isolate(store, clock(clock().now + 30));
  assert.equal(await later.ask('b'), true);
  assert.equal(server.requests.length, 2);
  assert.deepEqual(later.core.kids(ISSUER), ['a', 'b']);
});

test('10,000 random kids read the store no oftener than the origin', async () => {
  const store = memoryStore();
  const { ask } = isolate(store);
  for (let turn = 0; turn < 10_000; turn++) await ask(`random ${turn}`);
  assert.equal(store.gets, 1);
  assert.equal(server.requests.length, 1);
});

test('stale keys of the store serve when the origin fails, for as long as the bound says', async () => {
  const stale = await poisoned(entry(), clock(clock().now + 4000));
  server.behave = status(500);
  assert.equal(await stale.ask('held'), true);
  assert.deepEqual(stale.core.kids(ISSUER), ['held']);
  assert.equal(stale.stats().failures, 1);
  assert.equal(stale.stats().staleUntil, clock().now + 4600);
  const gone = await poisoned(entry(), clock(clock().now + 4600));
  assert.equal(await gone.ask('held'), false);
  assert.deepEqual(gone.core.kids(ISSUER), []);
});

const GARBAGE = [
  ['no JSON', 'garbage'],
  ['nothing', ''],
  ['null', 'null'],
  ['a number', '7'],
  ['an array', '[]'],
  ['an object without members', '{}'],
  ['another issuer', entry({ issuer: 'https://evil.example' })],
  ['no keys', entry({ jwks: undefined })],
  ['keys that are no text', entry({ jwks: jwks('held') })],
  ['keys that are no JWK Set', entry({ jwks: CANARY })],
  ['a set without keys', entry({ jwks: '{"keys":[]}' })],
  ['too many keys', entry({ jwks: `{"keys":[{"kid":"${'k'.repeat(10_000)}"}]}` })],
  ['no time', entry({ fetchedAt: undefined })],
  ['a time that is text', entry({ fetchedAt: '1800000000' })],
  ['a fraction of time', entry({ fetchedAt: 1_799_999_999.5 })],
  ['a time before 1970', entry({ fetchedAt: -1 })],
  ['the future, to live for ever', entry({ fetchedAt: clock().now + 1_000_000 })],
  ['the far past', entry({ fetchedAt: 0 })],
  ['a life that is no number', entry({ ttlSeconds: 'long' })],
  ['a life below nothing', entry({ ttlSeconds: -1000 })],
  ['a prototype', `{"__proto__":${entry()}}`],
  ['10 MB', ' '.repeat(10_000_000)],
  ['bytes in place of text', new Uint8Array(100)],
  ['an object in place of text', { issuer: ISSUER }],
];
for (const [name, value] of GARBAGE) {
  test(`${name} in the store is nothing: the origin is asked, and its answer put in place`, async () => {
    const { ask, core, events, stats } = await poisoned(value);
    assert.equal(await ask('a'), true);
    assert.deepEqual(core.kids(ISSUER), ['a']);
    assert.equal(server.requests.length, 1);
    assert.equal(stats().storeFaults, 1);
    const fault = events.find((event) => event.name === 'store-refused');
    assert.ok(fault !== undefined && !JSON.stringify(fault).includes(CANARY));
  });
}

test('a life longer than the policy allows is cut, whatever the store says', async () => {
  const { ask, stats } = await poisoned(entry({ ttlSeconds: 10_000_000 }));
  await ask('held');
  assert.equal(stats().freshUntil - stats().fetchedAt, 86_400);
});

test('a store that throws, rejects or hangs is as good as none', async () => {
  const faults = {
    get: () => {
      throw new RangeError(CANARY);
    },
    put: async () => {
      throw new RangeError(CANARY);
    },
  };
  for (const store of [faults, { ...faults, get: async () => Promise.reject(new RangeError(CANARY)) }]) {
    const { ask, core, events } = isolate(store);
    const request = context();
    assert.equal(await ask('a', request), true);
    await request.settled();
    assert.deepEqual(core.kids(ISSUER), ['a']);
    assert.deepEqual(
      events.filter(({ name }) => name === 'store-failed').map(({ reason }) => reason),
      ['RangeError', 'RangeError'],
    );
    assert.ok(!JSON.stringify(events).includes(CANARY));
  }
  const slow = isolate({ get: () => new Promise(() => {}), put: () => new Promise(() => {}) });
  assert.equal(await slow.ask('a'), true);
  assert.equal(slow.events[0].reason, 'TimeoutError');
});

test('an origin that fails puts nothing, and a document that the core refused neither', async () => {
  for (const behave of [status(500), json('garbage')]) {
    server.behave = behave;
    const store = memoryStore();
    const request = context();
    await isolate(store).ask('a', request);
    await request.settled();
    assert.equal(store.puts.length, 0);
  }
});

test('a document goes through the store unchanged, also with every character that JSON escapes', () => {
  const document = { text: '{"keys":[]}\u0000\u2028\ud83d\ude00"\\', fetchedAt: 1000, ttlSeconds: 60 };
  const [value, options] = toStore(ISSUER, document, LIMITS, rule);
  assert.deepEqual(fromStore(value, ISSUER, 1000, LIMITS, rule), document);
  assert.deepEqual(options, { expirationTtl: 3660 });
  assert.equal(toStore(ISSUER, document, { ...LIMITS, staleSeconds: 0 }, rule)[1].expirationTtl, 60);
});

test('two places of one issuer have two names, and so have two issuers at one place', async () => {
  const names = [
    await storeKey('https://a.example', 'https://a.example/keys'),
    await storeKey('https://a.example', 'https://b.example/keys'),
    await storeKey('https://b.example', 'https://a.example/keys'),
    await storeKey('https://a.example https://a.example/keys', ''),
  ];
  assert.equal(new Set(names).size, 4);
});

test('the Cache API holds texts under names of its own, for as long as it is told', async () => {
  const responses = new Map();
  const store = cacheStore(async () => ({
    match: async (url) => responses.get(url)?.clone(),
    put: async (url, response) => void responses.set(url, response),
  }));
  assert.equal(await store.get('a/b?c'), undefined);
  await store.put('a/b?c', 'text', { expirationTtl: 99 });
  assert.equal(await store.get('a/b?c'), 'text');
  const [[url, response]] = responses;
  assert.equal(url, 'https://portcullis.invalid/a%2Fb%3Fc');
  assert.equal(response.headers.get('cache-control'), 'max-age=99');
});
