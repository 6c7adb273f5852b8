// No promise is shared between requests: seen in workerd, which cancels what hangs on a request
// that has gone.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { json, jwks, origin, paths } from '../support/origin.mjs';
import { workerd } from './workerd.mjs';

let server;
let worker;
const waiting = [];
const held = (behave) => (request, response) => {
  const entry = { go: () => behave(request, response), closed: false };
  response.on('close', () => {
    entry.closed = true;
  });
  waiting.push(entry);
};
const answer = () => {
  for (const { go } of waiting.splice(0)) go();
};
/** workerd has cancelled the fetch with the request that it was made for. */
const cancelled = () => until(() => waiting.every(({ closed }) => closed));
const until = async (condition) => {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'nothing came');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};
before(async () => {
  server = await origin();
  worker = await workerd('io-worker.mjs', { bindings: { ORIGIN: server.url }, kvNamespaces: ['KV'] });
});
after(async () => {
  await worker.stop();
  await server.close();
});
beforeEach(async () => {
  server.requests.length = 0;
  waiting.length = 0;
  worker.logs.length = 0;
  await worker.ask({ reset: true });
  server.behave = paths({
    '/keys': held(json(jwks('a'))),
    '/introspect': held(json({ active: true })),
  });
});
const quiet = () =>
  assert.doesNotMatch(worker.logs.join(''), /different request|never generate|canceled|hang/i);

test('two requests at once, and twenty, lack a key: one fetches, all get it', async () => {
  for (const many of [2, 20]) {
    await worker.ask({ reset: true });
    server.requests.length = 0;
    const asked = Array.from({ length: many }, () => worker.ask({ refresh: 'a' }));
    await until(() => waiting.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 30));
    answer();
    for (const { changed, kids } of await Promise.all(asked))
      assert.deepEqual([changed, kids], [true, ['a']]);
    assert.equal(server.requests.length, 1);
  }
  quiet();
});

test('the client of the request that fetches goes away: the others get the key all the same', async () => {
  const goAway = worker.visit({ refresh: 'a' });
  await until(() => waiting.length > 0);
  const others = [worker.ask({ refresh: 'a' }), worker.ask({ refresh: 'a' })];
  await new Promise((resolve) => setTimeout(resolve, 30));
  goAway();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(!waiting[0].closed, 'the fetch goes on');
  answer();
  for (const { changed, kids } of await Promise.all(others)) assert.deepEqual([changed, kids], [true, ['a']]);
  assert.equal(server.requests.length, 1);
  quiet();
});

test('without waitUntil that fetch is lost, and the others go on without it within their budget', async () => {
  const goAway = worker.visit({ refresh: 'a', alone: true });
  await until(() => waiting.length > 0);
  const others = [worker.ask({ refresh: 'a', alone: true }), worker.ask({ refresh: 'a', alone: true })];
  await new Promise((resolve) => setTimeout(resolve, 30));
  goAway();
  await cancelled();
  answer();
  for (const { changed } of await Promise.all(others)) assert.equal(changed, false);
});

test('one token in ten requests at once is asked about once', async () => {
  const asked = Array.from({ length: 10 }, () => worker.ask({ introspect: 'opaque' }));
  await until(() => waiting.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 30));
  answer();
  for (const { text } of await Promise.all(asked)) assert.equal(text, '{"active":true}');
  assert.equal(server.requests.length, 1);
  quiet();
});

test('keys are fetched anew after the response was sent', async () => {
  const asked = worker.ask({ refresh: 'a' });
  await until(() => waiting.length > 0);
  answer();
  await asked;
  server.behave = paths({ '/keys': held(json(jwks('a', 'b'))) });
  // Near the end of the keys: the request is answered before the origin is.
  assert.deepEqual((await worker.ask({ tend: 560 })).kids, ['a']);
  await until(() => waiting.length > 0);
  answer();
  let kids;
  const deadline = Date.now() + 10_000;
  do {
    ({ kids } = await worker.ask({ tend: 560 }));
    assert.ok(Date.now() < deadline, `still ${kids}`);
  } while (kids.length < 2);
  assert.equal(server.requests.length, 2);
  quiet();
});

for (const [name, tier] of [
  ['the Cache API', 'cache'],
  ['Workers KV as it is', 'kv'],
]) {
  test(`${name} serves as a shared tier`, async () => {
    server.behave = paths({ '/keys': json(jwks('a'), { 'cache-control': 'max-age=600' }) });
    const first = await worker.ask({ refresh: 'a', tier });
    assert.equal(first.stats.fromStore, 0);
    const deadline = Date.now() + 10_000;
    let stats;
    do {
      // As another isolate of the same place.
      await worker.ask({ reset: true });
      server.requests.length = 0;
      ({ stats } = await worker.ask({ refresh: 'a', tier }));
      assert.ok(Date.now() < deadline, 'it stays empty');
    } while (stats.fromStore === 0);
    assert.equal(server.requests.length, 0);
    assert.equal(stats.keys, 1);
  });
}

test('control: a promise that is shared does fail here when its request goes away', async () => {
  const goAway = worker.visit({ shared: true });
  await until(() => waiting.length > 0);
  const patience = AbortSignal.timeout(1500);
  const other = worker.post({ shared: true }, { signal: patience });
  await new Promise((resolve) => setTimeout(resolve, 30));
  goAway();
  await cancelled();
  answer();
  const outcome = await other.then(
    (response) => response.status,
    (error) => error.name,
  );
  assert.notEqual(outcome, 200);
});
