// What is under way when a session is closed ends with it; and which answers tell what time it is.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { createClock, inspect, sharedStorage } from 'portcullis/session';
import { createDpop } from 'portcullis/session/dpop';

import { fakeIndexedDb, mint, tokenOf, tokens } from './fakes.mjs';
import {
  API,
  box,
  good,
  inTab,
  listening,
  nowSeconds,
  open,
  pass,
  passing,
  renewed,
  settle,
  signedIn,
  simulate,
  status,
  uniqueName,
} from './simulated.mjs';

simulate();

/** Counts the timers that are set and neither fire nor are cleared. */
function timers() {
  const pending = new Set();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  mock.method(globalThis, 'setTimeout', (work, ...more) => {
    const timer = set(
      () => {
        pending.delete(timer);
        work();
      },
      ...more,
    );
    pending.add(timer);
    return timer;
  });
  mock.method(globalThis, 'clearTimeout', (timer) => {
    pending.delete(timer);
    clear(timer);
  });
  return pending;
}
const hangs = (signals) => (_, signal) => {
  signals.push(signal);
  return new Promise(() => {});
};

test('a request to the token endpoint is aborted, and neither timer nor lock nor listener is left', async () => {
  globalThis.location = { origin: 'https://app.example', href: 'https://app.example/' };
  const pending = timers();
  const signals = [];
  const name = uniqueName();
  const { session } = await signedIn([hangs(signals)], { name, storage: sharedStorage(box()) });
  const asking = tokenOf(session, await tokenOf(session));
  await pass(300);
  assert.equal(signals.length, 1);
  assert.ok(pending.size > 0 && listening() > 0);
  session.close();
  assert.equal(signals[0].aborted, true);
  await settle();
  assert.equal(await asking, undefined);
  assert.equal(pending.size, 0);
  assert.equal(listening(), 0);
  assert.deepEqual((await navigator.locks.query()).held, []);
});

test('a wait between two tries, and one for the lock, ends at once', async () => {
  const name = uniqueName();
  const signals = [];
  const { session: a, asked } = await signedIn([status(503, {}, { 'retry-after': '2' })], { name });
  const waiting = tokenOf(a, await tokenOf(a));
  await pass(300);
  assert.equal(asked.length, 1);
  inTab('b');
  const b = open({ name, refresh: hangs(signals) });
  const queued = tokenOf(b);
  await settle();
  b.close();
  assert.equal(await queued, undefined);
  const pending = timers();
  a.close();
  assert.equal(await waiting, undefined);
  await pass(5000);
  assert.equal(asked.length, 1);
  assert.equal(signals.length, 0);
  assert.equal(pending.size, 0);
  assert.deepEqual((await navigator.locks.query()).held, []);
});

test('without Web Locks, waiting for a lease ends as well', async () => {
  const name = uniqueName();
  const kept = new Map([[`${name}:refresh`, { holder: 2, until: Date.now() + 20_000 }]]);
  globalThis.indexedDB = fakeIndexedDb(kept);
  Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  try {
    const signals = [];
    const { session } = await signedIn([hangs(signals)], { name });
    const asking = tokenOf(session, await tokenOf(session));
    await pass(1000);
    session.close();
    const pending = timers();
    await pass(200);
    assert.equal(await asking, undefined);
    assert.deepEqual([signals.length, pending.size], [0, 0]);
    assert.equal(kept.get(`${name}:refresh`).holder, 2);
    // A lease that is none holds nobody up, nor does one of a clock that was set back; what was
    // taken is given back.
    for (const none of ['garbage', { holder: 2 }, { holder: 2, until: Date.now() + 3_600_000 }]) {
      kept.set(`${name}:refresh`, none);
      const { session: next } = await signedIn([good()], { name });
      assert.notEqual(await renewed(next), undefined);
      await settle();
      assert.equal(kept.size, 0);
    }
  } finally {
    delete globalThis.indexedDB;
  }
});

test('without Web Locks, a lease that is due is taken, and a database that fails or is silent holds nobody up', async () => {
  Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  const broken = () => {
    throw new DOMException('full', 'QuotaExceededError');
  };
  const database = { transaction: broken, close() {} };
  const failing = {
    open() {
      const opening = { result: database };
      setImmediate(() => opening.onsuccess());
      return opening;
    },
  };
  const name = uniqueName();
  const due = new Map([[`${name}:refresh`, { holder: 2, until: Date.now() + 5000 }]]);
  const each = {
    none: undefined,
    due: fakeIndexedDb(due),
    failing,
    silent: { open: () => ({}) },
    refused: { open: broken },
  };
  try {
    for (const [kind, indexedDB] of Object.entries(each)) {
      globalThis.indexedDB = indexedDB;
      const { session } = await signedIn([good()], { name });
      assert.notEqual(await renewed(session), undefined, kind);
    }
  } finally {
    delete globalThis.indexedDB;
  }
});

test('a call of the API is aborted, and one that waits for a token goes nowhere', async () => {
  const sent = [];
  globalThis.fetch = (request) => {
    sent.push(request);
    return new Promise((_, reject) =>
      request.signal.addEventListener('abort', () => reject(request.signal.reason)),
    );
  };
  const { session } = await signedIn([hangs([])]);
  const calling = session.fetch(`${API}/notes`);
  calling.catch(() => {});
  await settle();
  assert.equal(sent.length, 1);
  session.close();
  await assert.rejects(calling, { name: 'AbortError' });
  const unsigned = open({ refresh: hangs([]) });
  const waiting = unsigned.fetch(`${API}/notes`);
  waiting.catch(() => {});
  await pass(300);
  unsigned.close();
  await assert.rejects(waiting, { name: 'AbortError' });
  assert.equal(sent.length, 1, 'sent without a token');
  await assert.rejects(unsigned.start({ access_token: mint(nowSeconds()) }), { name: 'AbortError' });
  await assert.rejects(unsigned.fetch(`${API}/notes`), { name: 'AbortError' });
  // What the caller aborts is still the caller's.
  const own = new AbortController();
  const { session: other } = await signedIn([good()]);
  const aborted = other.fetch(`${API}/notes`, { signal: own.signal });
  aborted.catch(() => {});
  await settle();
  own.abort(new Error('mine'));
  await assert.rejects(aborted, /mine/);
});

test('a sign-out is brought to its end first', async () => {
  const told = [];
  const name = uniqueName();
  const { session: a } = await signedIn([good()], { name, revoke: async (token) => told.push(token) });
  const b = open({ name, refresh: good() });
  await passing(tokenOf(b));
  const ending = a.signOut();
  a.close();
  await passing(ending);
  await settle();
  assert.deepEqual(told, ['r0']);
  assert.equal(b.snapshot().status, 'signed-out');
});

const HOUR = 3600;
const dated = (seconds, headers = {}) =>
  new Response('{}', { headers: { date: new Date(seconds * 1000).toUTCString(), ...headers } });

test('what a cache may have kept tells no time', () => {
  const clock = createClock();
  const noStore = { 'cache-control': 'no-store' };
  for (const headers of [
    {},
    { 'cache-control': 'max-age=60' },
    { 'cache-control': 'no-cache' },
    { 'cache-control': 'private' },
    { 'cache-control': 'x-no-storey' },
    { ...noStore, age: '1' },
    { ...noStore, age: 'x' },
    { ...noStore, age: '-1' },
    { ...noStore, age: '' },
    { ...noStore, date: 'yesterday' },
  ])
    assert.equal(
      clock.observe(dated(nowSeconds() - 8, headers), clock.mark()),
      false,
      JSON.stringify(headers),
    );
  assert.equal(clock.offset(), undefined);
  for (const headers of [noStore, { 'cache-control': 'No-Store, max-age=0' }, { ...noStore, age: '0' }])
    assert.equal(clock.observe(dated(nowSeconds(), headers), clock.mark()), true, JSON.stringify(headers));
});

const off = (session) => Math.abs(session.clock.now().seconds - Date.now() / 1000);

test('an API, however its clock is set and whatever it says of caches, makes no refresh and shifts no clock', async () => {
  for (const by of [-HOUR, HOUR, -8, -1e9, 1e10])
    for (const headers of [{}, { 'cache-control': 'no-store' }]) {
      const { session, asked } = await signedIn([good()]);
      globalThis.fetch = async () => dated(nowSeconds() + by, headers);
      for (let call = 0; call < 10; call++) await passing(session.fetch(`${API}/notes`));
      assert.equal(asked.length, 0);
      assert.ok(off(session) < 6, `${by}: ${off(session)}`);
    }
});

test('a date that lies outside the life of the token that came with it is not that of the issuer', async () => {
  for (const by of [-HOUR, HOUR, -1.8e9, 1e11]) {
    const answer = () =>
      tokens(
        nowSeconds(),
        {},
        { date: new Date((nowSeconds() + by) * 1000).toUTCString(), 'cache-control': 'no-store' },
      );
    const { session, asked } = await signedIn([answer]);
    for (let call = 0; call < 5; call++) await passing(tokenOf(session));
    await renewed(session);
    for (let call = 0; call < 5; call++) await passing(tokenOf(session));
    assert.equal(asked.length, 1);
    assert.ok(off(session) < 6, `${by}: ${off(session)}`);
  }
});

test('a token that was minted a while ago is no clock to one that knows the time', async () => {
  const noStore = { 'cache-control': 'no-store' };
  const { session } = await signedIn([() => tokens(nowSeconds(), {}, noStore)]);
  await renewed(session);
  assert.ok(off(session) < 2);
  await session.start({ access_token: mint(nowSeconds() - 200), refresh_token: 'r' });
  assert.ok(off(session) < 2, `${off(session)}`);
  // One that the endpoint had kept comes with a date of its own.
  const { session: other } = await signedIn([
    () => tokens(nowSeconds(), { access_token: mint(nowSeconds() - 200) }, noStore),
  ]);
  await renewed(other);
  assert.ok(off(other) < 2, `${off(other)}`);
  assert.equal(inspect(await tokenOf(other)).ok, true);
});

test('what another server than the token endpoint fails with tells nothing either', async () => {
  const gateway = () =>
    Response.json(
      {},
      { status: 502, headers: { date: new Date(0).toUTCString(), 'cache-control': 'no-store' } },
    );
  const { session } = await signedIn([gateway]);
  await renewed(session);
  assert.ok(off(session) < 6, `${off(session)}`);
});

test('with proofs, the token endpoint alone sets the clock of a session, and any server the clock of proofs', async () => {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
    'sign',
    'verify',
  ]);
  globalThis.fetch = async () => dated(nowSeconds() + HOUR, { 'cache-control': 'no-store' });
  const clock = createClock();
  const dpop = createDpop({ clock, keys: async () => pair });
  await dpop.fetch(new Request(`${API}/notes`), 'token');
  assert.equal(clock.offset(), undefined);
  await dpop.fetch(new Request(`${API}/token`));
  assert.ok(Math.abs(clock.now().seconds - nowSeconds() - HOUR) < 5);
  let claims;
  globalThis.fetch = async (request) => {
    claims = inspect(request.headers.get('dpop')).claims;
    return dated(nowSeconds() + HOUR, { 'cache-control': 'no-store' });
  };
  const alone = createDpop({ keys: async () => pair });
  for (let times = 0; times < 2; times++) await alone.fetch(new Request(`${API}/notes`), 'token');
  assert.ok(Math.abs(claims.iat - nowSeconds() - HOUR) < 5);
});
