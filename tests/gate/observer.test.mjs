// Counters, events and timings: what is told of a decision, and that telling changes nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Observer, Stopwatch, serverTiming } from '../../dist/gate/decision/observer.js';

const settle = () => new Promise((resolve) => setImmediate(resolve));
const ALLOWED = {
  ok: true,
  code: 'allowed',
  issuer: 'https://issuer.example',
  kid: 'k1',
  method: 'GET',
  route: '/admin/:id',
  cached: false,
  binding: 'dpop',
};
const REFUSED = { ok: false, code: 'expired', stage: 'claims', status: 401, method: 'POST' };

/** A stopwatch whose hand moves by one millisecond each time it is looked at. */
function ticking() {
  let ms = 0;
  return new Stopwatch(() => ms++);
}

test('decisions are counted by code, events by name and reason', () => {
  const observer = new Observer();
  for (const decided of [ALLOWED, REFUSED, ALLOWED]) observer.decided(decided, ticking());
  const { happened } = observer;
  happened({ name: 'keys-fetched', issuer: 'a' });
  happened({ name: 'keys-failed', issuer: 'a', reason: 'status-500' });
  happened({ name: 'keys-failed', issuer: 'b', reason: 'status-500' });
  assert.deepEqual(observer.stats(), {
    decisions: { allowed: 2, expired: 1 },
    events: { 'keys-fetched': 1, 'keys-failed:status-500': 2 },
    callbackErrors: 0,
  });
});

test('an event tells what was decided, how long each phase took, and all of it in the names of OpenTelemetry', async () => {
  const told = [];
  const observer = new Observer((event) => told.push(event));
  const stopwatch = ticking();
  assert.equal(
    stopwatch.time('verify', () => 7),
    7,
  );
  assert.equal(await stopwatch.time('keys', async () => 8), 8);
  stopwatch.time('verify', () => 9);
  observer.decided(ALLOWED, stopwatch);
  observer.decided(REFUSED, ticking());
  assert.deepEqual(told[0], {
    ...ALLOWED,
    durations: { verify: 2, keys: 1, total: 7 },
    attributes: {
      'http.request.method': 'GET',
      'http.route': '/admin/:id',
      'portcullis.decision': 'allowed',
      'portcullis.issuer': 'https://issuer.example',
      'portcullis.kid': 'k1',
      'portcullis.binding': 'dpop',
      'portcullis.cached': false,
      'portcullis.verify.duration': 0.002,
      'portcullis.keys.duration': 0.001,
      'portcullis.total.duration': 0.007,
    },
  });
  assert.deepEqual(told[1].attributes, {
    'http.request.method': 'POST',
    'http.response.status_code': 401,
    'error.type': 'expired',
    'portcullis.decision': 'refused',
    'portcullis.stage': 'claims',
    'portcullis.total.duration': 0.001,
  });
});

test('a method that the conventions do not know is _OTHER: names that anyone can send make no series', () => {
  const told = [];
  const observer = new Observer((event) => told.push(event));
  for (const method of ['BREW', 'get', '', 'X'.repeat(9000)])
    observer.decided({ ...ALLOWED, method }, ticking());
  assert.deepEqual(
    new Set(told.map(({ attributes }) => attributes['http.request.method'])),
    new Set(['_OTHER']),
  );
});

test('only what is named is told: a token that clings to what is handed over is not', () => {
  const told = [];
  const observer = new Observer((event) => told.push(event));
  const clinging = { ...REFUSED, authorization: 'Bearer canary', token: 'canary', claims: { sub: 'canary' } };
  observer.decided(clinging, ticking());
  assert.ok(!JSON.stringify([told, observer.stats()]).includes('canary'));
});

test('a callback that throws or rejects is contained and counted', async () => {
  const observer = new Observer(() => {
    throw new Error('a log that is full');
  });
  observer.decided(ALLOWED, ticking());
  const later = new Observer(async () => {
    throw new Error('a log that is far away');
  });
  later.decided(ALLOWED, ticking());
  await settle();
  for (const { decisions, callbackErrors } of [observer.stats(), later.stats()]) {
    assert.deepEqual([decisions, callbackErrors], [{ allowed: 1 }, 1]);
  }
});

test('a phase that fails is timed like any other, and its error passes', async () => {
  const stopwatch = ticking();
  assert.throws(
    () =>
      stopwatch.time('verify', () => {
        throw new RangeError('x');
      }),
    RangeError,
  );
  await assert.rejects(
    stopwatch.time('replay', () => Promise.reject(new TypeError('y'))),
    TypeError,
  );
  assert.deepEqual(stopwatch.durations(), { verify: 1, replay: 1, total: 5 });
});

test('Server-Timing names phases and milliseconds, and nothing that a page should not read', () => {
  assert.equal(
    serverTiming({ replay: 1.23456, verify: 0.5, total: 2 }),
    'portcullis-verify;dur=0.500, portcullis-replay;dur=1.235, portcullis-total;dur=2.000',
  );
  // A clock that runs backwards.
  assert.equal(serverTiming({ total: -1 }), 'portcullis-total;dur=0.000');
  assert.doesNotThrow(() => new Headers({ 'server-timing': serverTiming(ticking().durations()) }));
});

test('names are bounded', () => {
  const observer = new Observer();
  for (let turn = 0; turn < 2000; turn++) {
    observer.happened({ name: 'keys-failed', issuer: 'a', reason: `status-${turn}` });
    observer.decided({ ...REFUSED, code: `code-${turn}` }, ticking());
  }
  const { events, decisions } = observer.stats();
  assert.deepEqual([Object.keys(events).length, Object.keys(decisions).length], [512, 512]);
});

test('a code that is called as a prototype is a code', () => {
  const observer = new Observer();
  observer.decided({ ...REFUSED, code: '__proto__' }, ticking());
  observer.decided({ ...REFUSED, code: 'constructor' }, ticking());
  assert.deepEqual(Object.entries(observer.stats().decisions), [
    ['__proto__', 1],
    ['constructor', 1],
  ]);
});
