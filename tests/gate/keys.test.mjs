// The keys that are fetched, against a server that rotates, fails, hangs, redirects, floods and
// lies.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { RemoteKeys } from '../../dist/net/remote-keys/remote-keys.js';
import {
  clock,
  context,
  drip,
  hang,
  hangAfter,
  huge,
  json,
  jwks,
  memoryStore,
  origin,
  reset,
  status,
  stubCore,
} from '../support/origin.mjs';
import { rule } from './rule.mjs';

const ISSUER = 'https://issuer.example';
let server;
before(async () => {
  server = await origin();
});
after(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.behave = json(jwks('a'));
});

/** Keys with a clock, a core and a server of their own. */
function setUp({ source = {}, ...io } = {}) {
  const time = clock();
  const core = stubCore();
  const events = [];
  const sources = [
    {
      issuer: ISSUER,
      jwksUri: `${server.url}/keys`,
      minTtlSeconds: 60,
      maxTtlSeconds: 86_400,
      staleSeconds: 3600,
      timeoutMs: 5000,
      maxBytes: 262_144,
      ...source,
    },
  ];
  const world = {
    fetch,
    now: time.read,
    random: () => 0,
    observe: (event) => events.push(event),
    ...io,
  };
  const keys = new RemoteKeys(sources, world, core.apply, core.forget, rule);
  const ask = (kid, requestContext = {}) => keys.refresh(ISSUER, kid, requestContext);
  return { time, core, keys, ask, events, sources, world, stats: () => keys.stats()[0] };
}

test('a kid that is unknown is fetched, and one that came with it is not', async () => {
  const { ask, core, stats } = setUp();
  server.behave = json(jwks('a', 'b'));
  assert.equal(await ask('a'), true);
  assert.deepEqual(core.kids(ISSUER), ['a', 'b']);
  assert.equal(server.requests.length, 1);
  assert.equal(stats().keys, 2);
  assert.match(server.requests[0].headers.accept, /application\/jwk-set\+json/);
});

test('an issuer that nobody named is not fetched', async () => {
  const { keys } = setUp();
  assert.equal(await keys.refresh('https://other.example', 'a', {}), false);
  assert.equal(server.requests.length, 0);
});

test('10,000 random kids make one fetch in 30 s, and evict no good key', async () => {
  const { ask, time, core, stats } = setUp();
  await ask('a');
  for (let turn = 0; turn < 10_000; turn++) {
    if (turn % 400 === 0) time.pass(1);
    assert.equal(await ask(`random ${turn}`), false);
  }
  assert.equal(server.requests.length, 1);
  assert.deepEqual(core.kids(ISSUER), ['a']);
  time.pass(30);
  await Promise.all(Array.from({ length: 500 }, (_, turn) => ask(`at once ${turn}`)));
  assert.equal(server.requests.length, 2);
  assert.deepEqual(core.kids(ISSUER), ['a']);
  assert.ok(stats().misses <= 256);
});

test('a kid that was asked for in vain is not asked for again in a minute, however old the last fetch', async () => {
  const { ask, time } = setUp();
  await ask('missing');
  time.pass(31);
  assert.equal(await ask('missing'), false);
  assert.equal(server.requests.length, 1);
  time.pass(30);
  await ask('missing');
  assert.equal(server.requests.length, 2);
});

test('a rotation is found with the next unknown kid', async () => {
  const { ask, time, core } = setUp();
  await ask('a');
  assert.equal(await ask('c'), false);
  time.pass(30);
  assert.equal(await ask('early'), false);
  // What was asked for too early is there with any other's fetch: the core has it, and asks no
  // more.
  server.behave = json(jwks('b', 'early'));
  time.pass(30);
  assert.equal(await ask('b'), true);
  assert.deepEqual(core.kids(ISSUER), ['b', 'early']);
});

const FAILURES = [
  ['status 500', status(500), 'status-500'],
  ['status 404', status(404), 'status-404'],
  ['status 204', status(204), 'status-204'],
  ['a connection that is reset', reset, 'network'],
  ['a server that hangs', hang, 'timeout'],
  ['a body that hangs', hangAfter('{"keys":['), 'timeout'],
  ['a body that drips', drip, 'timeout'],
  ['10 MB in pieces', huge(10_000_000), 'too-large'],
  [
    'a length of 10 MB that is announced',
    (_, response) => {
      response.writeHead(200, { 'content-length': '10000000' });
      response.write('{');
    },
    'too-large',
  ],
  ['a redirect', status(302, { location: '/elsewhere' }), 'redirect'],
  ['a redirect to itself', status(307, { location: '/keys' }), 'redirect'],
  ['a page', json('<!doctype html><title>keys</title>'), 'bad-document'],
  ['half a document', json('{"keys":[{"kty":"OKP"'), 'bad-document'],
  ['nothing', json(''), 'bad-document'],
  ['JSON that is no JWK Set', json({ error: 'maintenance' }), 'bad-document'],
  ['a JWK Set without keys', json({ keys: [] }), 'bad-document'],
  ['bytes that are no UTF-8', (_, response) => response.end(Buffer.from([0x7b, 0xff, 0x7d])), 'not-utf8'],
];
for (const [name, behave, reason] of FAILURES) {
  test(`${name}: the good keys stay, and the reason is told by name`, async () => {
    const { ask, keys, time, core, sources, stats, events } = setUp();
    await ask('a');
    time.pass(31);
    server.behave = behave;
    if (reason === 'timeout') keys.replace([{ ...sources[0], timeoutMs: 100 }]);
    assert.equal(await ask('b'), false);
    assert.deepEqual(core.kids(ISSUER), ['a']);
    assert.equal(stats().lastFailure, reason);
    assert.deepEqual(events.at(-1), { name: 'keys-failed', issuer: ISSUER, reason });
    // A failure says nothing of the kid: with the next turn it is asked for again.
    keys.replace(sources);
    time.pass(31);
    server.behave = json(jwks('b'));
    assert.equal(await ask('b'), true);
    assert.ok(!server.requests.some(({ url }) => url !== '/keys'), 'followed a redirect');
  });
}

test('of 10 MB no more is read than the limit and what was on the way', async () => {
  const noted = {};
  const { ask } = setUp({ source: { maxBytes: 10_000 } });
  server.behave = huge(200_000_000, noted);
  await ask('a');
  assert.ok(noted.sent < 20_000_000, `${noted.sent} bytes were sent`);
});

test('a fetch that is given up gives up its connection', async () => {
  const { ask } = setUp({ source: { timeoutMs: 100 } });
  let closed;
  server.behave = (_, response) => {
    closed = new Promise((resolve) => response.on('close', () => resolve('closed')));
  };
  await ask('a');
  const late = new Promise((resolve) => setTimeout(resolve, 3000, 'still open').unref());
  assert.equal(await Promise.race([closed, late]), 'closed');
});

test('a compressed bomb is counted by what comes out of it', async () => {
  const { gzipSync } = await import('node:zlib');
  const bomb = gzipSync(Buffer.alloc(10_000_000, ' '));
  const { ask, stats } = setUp();
  server.behave = (_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bomb.length });
    response.end(bomb);
  };
  await ask('a');
  assert.equal(stats().lastFailure, 'too-large');
});

test('a fetch that ignores its signal, throws at once or answers nonsense fails like any other', async () => {
  for (const [fetch, reason] of [
    [() => new Promise(() => {}), 'timeout'],
    [
      () => {
        throw new Error('no network here');
      },
      'network',
    ],
    [async () => undefined, 'network'],
    [async () => ({ status: 200 }), 'network'],
  ]) {
    const { ask, stats } = setUp({ fetch, source: { timeoutMs: 100 } });
    assert.equal(await ask('a'), false);
    assert.equal(stats().lastFailure, reason);
  }
});

test('keys outlive an origin that fails by the bound, and not by a second more', async () => {
  const { ask, keys, time, core, stats, events } = setUp({ source: { staleSeconds: 600 } });
  server.behave = json(jwks('a'), { 'cache-control': 'max-age=100' });
  await ask('a');
  const fetchedAt = time.now;
  server.behave = status(500);
  assert.deepEqual(
    [stats().fetchedAt, stats().freshUntil, stats().staleUntil],
    [fetchedAt, fetchedAt + 100, fetchedAt + 700],
  );
  for (const age of [99, 100, 400, 699]) {
    time.now = fetchedAt + age;
    await keys.tend({});
    assert.deepEqual(core.kids(ISSUER), ['a'], `at ${age}`);
  }
  time.now = fetchedAt + 700;
  await keys.tend({});
  assert.deepEqual(core.kids(ISSUER), []);
  assert.equal(stats().staleUntil, null);
  assert.ok(events.some(({ name }) => name === 'keys-dropped'));
  // And they come back with the origin.
  server.behave = json(jwks('a'));
  time.pass(31);
  assert.equal(await ask('a'), true);
  assert.deepEqual(core.kids(ISSUER), ['a']);
});

test('keys are fetched anew in the background before they end, through waitUntil, and the request does not wait', async () => {
  const { ask, keys, time, core } = setUp();
  server.behave = json(jwks('a'), { 'cache-control': 'max-age=1000' });
  await ask('a');
  server.behave = json(jwks('a', 'b'), { 'cache-control': 'max-age=1000' });
  time.pass(749);
  const quiet = context();
  assert.equal(keys.tend(quiet), undefined);
  assert.equal(quiet.left.length, 0);
  time.pass(1);
  const request = context();
  assert.equal(keys.tend(request), undefined);
  assert.equal(request.left.length, 1);
  // While it lasts, others answer by what is there.
  assert.equal(keys.tend(context()), undefined);
  await request.settled();
  assert.deepEqual(core.kids(ISSUER), ['a', 'b']);
  assert.equal(server.requests.length, 2);
  assert.equal(keys.tend(context()), undefined);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(server.requests.length, 2);
});

test('while a slow store is read, nobody begins another round', async () => {
  let release;
  const store = {
    gets: 0,
    get: () => {
      store.gets += 1;
      return new Promise((resolve) => {
        release = resolve;
      });
    },
    put: async () => {},
  };
  const { ask, keys, time } = setUp({ store });
  const first = ask('a');
  while (release === undefined) await new Promise((resolve) => setImmediate(resolve));
  release(null);
  await first;
  release = undefined;
  time.pass(500);
  const background = context();
  keys.tend(background);
  while (release === undefined) await new Promise((resolve) => setImmediate(resolve));
  time.pass(1);
  keys.tend(background);
  await new Promise((resolve) => setImmediate(resolve));
  release(null);
  await background.settled();
  assert.equal(store.gets, 2);
  assert.equal(server.requests.length, 2);
});

test('isolates spread their fetches over a part of the life of the keys', async () => {
  const began = [];
  for (const random of [0, 0.5, 0.999]) {
    const { ask, keys, time } = setUp({ random: () => random });
    server.behave = json(jwks('a'), { 'cache-control': 'max-age=1000' });
    await ask('a');
    const start = time.now;
    const request = context();
    while (request.left.length === 0) {
      time.pass(1);
      keys.tend(request);
    }
    began.push(time.now - start);
    await request.settled();
  }
  assert.deepEqual(began, [750, 825, 900]);
});

test('keys past their end are awaited by one request, so that a key that was withdrawn is not used once more', async () => {
  const { ask, keys, time, core } = setUp();
  await ask('a');
  time.pass(600);
  server.behave = json(jwks('b'));
  const due = keys.tend({});
  assert.ok(due instanceof Promise);
  // Another request does not wait for the first one's promise, nor fetch itself.
  assert.equal(keys.tend({}), undefined);
  await due;
  assert.deepEqual(core.kids(ISSUER), ['b']);
  assert.equal(server.requests.length, 2);
});

test('Cache-Control and Age are kept to within the bounds of the policy', async () => {
  const cases = [
    [{}, 600],
    [{ 'cache-control': 'public, max-age=3600' }, 3600],
    [{ 'cache-control': 'max-age=3600, s-maxage=120' }, 120],
    [{ 'cache-control': 'MAX-AGE="300"' }, 300],
    [{ 'cache-control': 'max-age=3600', age: '600' }, 3000],
    [{ 'cache-control': 'max-age=3600', age: 'old' }, 3600],
    [{ 'cache-control': 'max-age=300', age: '300' }, 60],
    [{ 'cache-control': 'max-age=0' }, 60],
    [{ 'cache-control': 'no-store' }, 60],
    [{ 'cache-control': 'no-cache, max-age=3600' }, 60],
    [{ 'cache-control': 'max-age=99999999999999999999' }, 86_400],
    [{ 'cache-control': 'max-age=-1' }, 60],
    [{ 'cache-control': 'max-age=1e9' }, 60],
    [{ 'cache-control': 'max-age=100, max-age=7200' }, 100],
    [{ 'cache-control': ',,;=,' }, 600],
  ];
  for (const [headers, ttl] of cases) {
    const { ask, stats } = setUp();
    server.behave = json(jwks('a'), headers);
    await ask('a');
    assert.equal(stats().freshUntil - stats().fetchedAt, ttl, JSON.stringify(headers));
  }
});

test('a clock that is set back stops nothing for longer than it is back', async () => {
  const { ask, keys, time, core } = setUp();
  await ask('a');
  time.pass(-86_400);
  server.behave = json(jwks('a', 'b'));
  assert.equal(await ask('b'), true);
  assert.deepEqual(core.kids(ISSUER), ['a', 'b']);
  time.pass(700);
  await keys.tend({});
  assert.equal(server.requests.length, 3);
});

test('many requests at a cold start make one fetch, and all see its keys', async () => {
  const { ask } = setUp();
  let answer;
  server.behave = (request, response) => {
    answer = () => json(jwks('a'))(request, response);
  };
  const asked = Array.from({ length: 50 }, () => ask('a'));
  while (answer === undefined) await new Promise((resolve) => setImmediate(resolve));
  answer();
  assert.deepEqual(new Set(await Promise.all(asked)), new Set([true]));
  assert.equal(server.requests.length, 1);
});

test('who waits for a request that died gives up within the budget, and takes over when the limit allows', async () => {
  let naps = 0;
  let dead = true;
  const { ask, time, core } = setUp({
    source: { timeoutMs: 1500 },
    // A request whose client went away: nothing of it runs on, not even a `finally`.
    fetch: (...args) => (dead ? new Promise(() => {}) : fetch(...args)),
    sleep: async () => {
      naps += 1;
    },
  });
  const lost = ask('a');
  assert.equal(await ask('a'), false);
  assert.ok(naps > 10 && naps < 100, `${naps} naps`);
  time.pass(4);
  assert.equal(await ask('a'), false);
  assert.equal(server.requests.length, 0);
  dead = false;
  // Whoever has not come back by now is taken for dead.
  time.pass(1);
  assert.equal(await ask('a'), true);
  assert.equal(await lost, true);
  assert.deepEqual(core.kids(ISSUER), ['a']);
});

test('what waitUntil does with the work, or throws, changes nothing', async () => {
  const { ask, core, events } = setUp();
  const waitUntil = () => {
    throw new TypeError('Illegal invocation');
  };
  assert.equal(await ask('a', { waitUntil }), true);
  assert.deepEqual(core.kids(ISSUER), ['a']);
  assert.ok(events.some(({ name, reason }) => name === 'wait-until-failed' && reason === 'TypeError'));
});

test('another policy keeps the document and the limit of a place that stayed, and forgets the others', async () => {
  const { ask, keys, core, sources, stats } = setUp();
  await ask('a');
  core.held.clear();
  keys.replace([{ ...sources[0], staleSeconds: 7 }]);
  assert.deepEqual(core.kids(ISSUER), ['a']);
  assert.equal(stats().staleUntil - stats().freshUntil, 7);
  assert.equal(await ask('b'), false);
  assert.equal(server.requests.length, 1);
  keys.replace([{ ...sources[0], jwksUri: `${server.url}/moved` }]);
  assert.equal(stats().fetchedAt, null);
  await ask('a');
  assert.equal(server.requests.at(-1).url, '/moved');
  keys.replace([]);
  assert.equal(await ask('a'), false);
});

test('a document that another policy has no use for is let go, and fetched again in its turn', async () => {
  const { ask, keys, core, sources, stats, time } = setUp();
  await ask('a');
  core.held.clear();
  core.refuses = true;
  keys.replace(sources);
  assert.deepEqual([stats().fetchedAt, stats().keys], [null, 0]);
  core.refuses = false;
  time.pass(31);
  assert.equal(await ask('a'), true);
});

test('an answer for a place that the policy has left meanwhile is not taken', async () => {
  const { ask, keys, core, sources } = setUp();
  let answer;
  server.behave = (request, response) => {
    answer = () => json(jwks('old'))(request, response);
  };
  const asked = ask('old');
  while (answer === undefined) await new Promise((resolve) => setImmediate(resolve));
  keys.replace([{ ...sources[0], jwksUri: `${server.url}/moved` }]);
  answer();
  await asked;
  assert.deepEqual(core.kids(ISSUER), []);
});

test('two issuers with one kid are two fetches and two sets', async () => {
  const { keys, core, sources, world } = setUp();
  const other = 'https://other.example';
  const both = new RemoteKeys(
    [sources[0], { ...sources[0], issuer: other, jwksUri: `${server.url}/other` }],
    { ...world, store: memoryStore() },
    core.apply,
    core.forget,
    rule,
  );
  assert.equal(keys.stats().length, 1);
  assert.equal(await both.refresh(ISSUER, 'a', {}), true);
  assert.deepEqual(core.kids(other), []);
  assert.equal(await both.refresh(other, 'a', {}), true);
  assert.deepEqual(
    server.requests.map(({ url }) => url),
    ['/keys', '/other'],
  );
});
