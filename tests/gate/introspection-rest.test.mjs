// An authorization server that says that it is overloaded is left alone, by every token and within
// bounds.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Introspection } from '../../dist/gate/introspection/introspection.js';

const ISSUER = 'https://issuer.example';
const T0 = 1_800_000_000;

function setUp(answer) {
  const world = { now: T0, asked: 0 };
  const io = {
    now: () => world.now,
    fetch: async () => {
      world.asked += 1;
      return answer();
    },
  };
  const source = {
    issuer: ISSUER,
    endpoint: 'https://issuer.example/introspect',
    clientId: 'client',
    authentication: 'client_secret_basic',
    cacheSeconds: 60,
    negativeCacheSeconds: 10,
    timeoutMs: 5000,
    concurrency: 16,
  };
  const introspection = new Introspection([source], { [ISSUER]: { clientSecret: 'secret' } }, io);
  let count = 0;
  return { world, ask: () => introspection.ask(ISSUER, `token ${count++}`, {}) };
}

for (const status of [429, 503])
  for (const [said, seconds] of [
    [undefined, 1],
    ['0', 1],
    ['-5', 1],
    ['1.5', 1],
    ['soon', 1],
    [new Date((T0 - 3600) * 1000).toUTCString(), 1],
    ['7', 7],
    [new Date((T0 + 9) * 1000).toUTCString(), 9],
    ['99999999999999999999', 60],
  ])
    test(`${status} with Retry-After: ${said} is followed by ${seconds} s without a request`, async () => {
      const headers = said === undefined ? {} : { 'retry-after': said };
      let down = true;
      const { world, ask } = setUp(() =>
        down ? new Response(null, { status, headers }) : Response.json({ active: true }),
      );
      assert.equal(await ask(), 'unavailable');
      down = false;
      for (let second = 0; second < seconds; second++) {
        for (let n = 0; n < 100; n++) assert.equal(await ask(), 'unavailable');
        assert.equal(world.asked, 1);
        world.now += 1;
      }
      assert.equal(await ask(), '{"active":true}');
    });

test('a clock that is set back silences nobody', async () => {
  const { world, ask } = setUp(() => new Response(null, { status: 503 }));
  await ask();
  world.now -= 86_400;
  await ask();
  assert.equal(world.asked, 2);
});

test('other failures leave the next token its own question', async () => {
  const { world, ask } = setUp(() => new Response(null, { status: 500 }));
  for (let n = 0; n < 3; n++) assert.equal(await ask(), 'unavailable');
  assert.equal(world.asked, 3);
});
