// The session, with a server that is a function of the test: what is asked how often, and with
// which token.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { createSession, inspect, revocationEndpoint, sharedStorage, tokenEndpoint } from 'portcullis/session';

import { fakeLocks, mint, tokenOf, tokens } from './fakes.mjs';

const T0 = 1_800_000_000;
const API = 'https://api.example';
const opened = [];
// A page has them.
globalThis.addEventListener = () => {};
globalThis.removeEventListener = () => {};
const realFetch = globalThis.fetch;
let locks;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: T0 * 1000 });
  // The monotonic clock of the simulated device.
  mock.method(performance, 'now', () => Date.now() - T0 * 1000);
  locks = fakeLocks();
  Object.defineProperty(globalThis, 'navigator', { value: { locks: locks('tab') }, configurable: true });
});
afterEach(() => {
  for (const session of opened.splice(0)) session.close();
  globalThis.fetch = realFetch;
  delete globalThis.navigator;
  mock.timers.reset();
  mock.restoreAll();
});

const nowSeconds = () => Math.floor(Date.now() / 1000);
const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};
/** Lets time pass until a promise is settled, in steps that let everything run. */
async function passing(promise, { stepMs = 50, mostMs = 120_000 } = {}) {
  let outcome;
  promise.then(
    (value) => {
      outcome = { value };
    },
    (error) => {
      outcome = { error };
    },
  );
  for (let ms = 0; ms <= mostMs; ms += stepMs) {
    await settle();
    if (outcome?.error) throw outcome.error;
    if (outcome) return outcome.value;
    mock.timers.tick(stepMs);
  }
  throw new Error(`nothing after ${mostMs} ms`);
}
const pass = async (ms) => {
  for (let gone = 0; gone < ms; gone += 100) {
    mock.timers.tick(100);
    await settle();
  }
};

let names = 0;
/**
 * A signed-in session whose endpoint answers by a list of functions, the last of them from then
 * on.
 */
async function signedIn(answers, options = {}) {
  const asked = [];
  const refresh = async (refreshToken, signal) => {
    asked.push({ refreshToken, at: Date.now() / 1000 - T0 });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer(refreshToken, signal);
  };
  const session = createSession({ refresh, name: `test-${names++}`, origins: [API], ...options });
  opened.push(session);
  await passing(
    session.start({
      access_token: mint(nowSeconds()),
      expires_in: 300,
      refresh_token: 'r0',
      token_type: 'Bearer',
    }),
  );
  asked.length = 0;
  return { session, asked };
}
const good = (more) => () => tokens(nowSeconds(), more);
const lost = () => {
  throw new TypeError('network');
};
const status =
  (code, body = {}, headers = {}) =>
  () =>
    Response.json(body, { status: code, headers });

test('a token is refreshed after 75 to 90 per cent of its life, once for all who ask, and serves meanwhile', async () => {
  let release;
  const { session, asked } = await signedIn([
    () => new Promise((resolve) => (release = () => resolve(tokens(nowSeconds(), { refresh_token: 'r1' })))),
  ]);
  const first = await tokenOf(session);
  await pass(215_000);
  assert.deepEqual(asked, []);
  for (let waits = 0; asked.length === 0 && waits < 50; waits++) await pass(1000);
  const asks = [tokenOf(session), tokenOf(session), tokenOf(session)];
  assert.deepEqual(await Promise.all(asks), [first, first, first]);
  await pass(500);
  assert.equal(asked.length, 1);
  release();
  await settle();
  assert.notEqual(await tokenOf(session), first);
  assert.equal(asked.length, 1);
});

test('a lost answer is asked for again with the same token, at once and then more slowly', async () => {
  const { session, asked } = await signedIn([lost, lost, lost, good({ refresh_token: 'r1' })]);
  await pass(301_000 - (Date.now() - T0 * 1000));
  assert.ok(asked.length >= 1);
  await passing(tokenOf(session));
  assert.deepEqual(
    asked.map(({ refreshToken }) => refreshToken),
    ['r0', 'r0', 'r0', 'r0'],
  );
  const waits = asked.slice(1).map(({ at }, n) => at - asked[n].at);
  // All within the issuer's Wr, a minute by default.
  assert.ok(waits[0] < 0.6 && waits[0] < waits[2] && asked[3].at - asked[0].at < 10, `${waits}`);
  assert.equal(inspect(await tokenOf(session)).ok, true);
});

test('an endpoint that hangs is asked again, and no request hangs for longer than it may', async () => {
  const signals = [];
  const hang = (_, signal) => {
    signals.push(signal);
    return new Promise(() => {});
  };
  const { session, asked } = await signedIn([hang, good({ refresh_token: 'r1' })]);
  const refused = await tokenOf(session);
  const fresh = await passing(tokenOf(session, refused));
  assert.equal(asked.length, 2);
  assert.ok(asked[1].at - asked[0].at > 8 && asked[1].at - asked[0].at < 9);
  assert.equal(signals[0].aborted, true);
  assert.equal(fresh === refused, false);
});

test('what a token endpoint says of Retry-After is kept, in seconds and as a date', async () => {
  for (const header of ['30', () => new Date(Date.now() + 30_000).toUTCString()]) {
    const unavailable = () =>
      Response.json(
        {},
        {
          status: 503,
          headers: {
            date: new Date().toUTCString(),
            'retry-after': typeof header === 'string' ? header : header(),
          },
        },
      );
    const { session, asked } = await signedIn([unavailable, good({ refresh_token: 'r1' })]);
    const refused = await tokenOf(session);
    assert.equal(await passing(tokenOf(session, refused)), undefined);
    // What has not expired still serves, and nobody asks before its time.
    assert.equal(await tokenOf(session), refused);
    await pass(28_000);
    assert.equal(await passing(tokenOf(session, refused)), undefined);
    assert.equal(asked.length, 1);
    await pass(3000);
    assert.notEqual(await passing(tokenOf(session, refused)), undefined);
    assert.deepEqual(
      asked.map(({ refreshToken }) => refreshToken),
      ['r0', 'r0'],
    );
  }
});

test('a short Retry-After is waited out', async () => {
  const { session, asked } = await signedIn([status(503, {}, { 'retry-after': '1' }), good()]);
  const refused = await tokenOf(session);
  assert.notEqual(await passing(tokenOf(session, refused)), undefined);
  assert.ok(asked[1].at - asked[0].at >= 1 && asked[1].at - asked[0].at < 1.3);
});

test('an endpoint that stays away loses no session', async () => {
  const { session, asked } = await signedIn([lost]);
  const refused = await tokenOf(session);
  assert.equal(await passing(tokenOf(session, refused)), undefined);
  assert.equal(session.snapshot().status, 'signed-in');
  const once = asked.length;
  assert.ok(once >= 3 && once < 12, `${once}`);
  assert.equal(await passing(tokenOf(session, refused)), undefined);
  assert.equal(asked.length, once, 'asked again without a pause');
  globalThis.fetch = async () =>
    new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } });
  await pass(300_000);
  await assert.rejects(passing(session.fetch(`${API}/`)), TypeError);
});

test('an answer without a refresh token leaves the one there is', async () => {
  const { session, asked } = await signedIn([good(), good({ refresh_token: 'r1' }), good()]);
  for (let round = 0; round < 3; round++) await passing(tokenOf(session, await tokenOf(session)));
  assert.deepEqual(
    asked.map(({ refreshToken }) => refreshToken),
    ['r0', 'r0', 'r1'],
  );
});

test('invalid_grant ends the session; other errors of this client do not', async () => {
  const { session, asked } = await signedIn([
    status(400, { error: 'invalid_client' }),
    status(400, { error: 'invalid_grant' }),
  ]);
  const refused = await tokenOf(session);
  assert.equal(await passing(tokenOf(session, refused)), undefined);
  assert.equal(session.snapshot().status, 'signed-in');
  assert.equal(asked.length, 1, 'what is wrong with the request stays wrong');
  await pass(6000);
  assert.equal(await passing(tokenOf(session, refused)), undefined);
  assert.equal(session.snapshot().status, 'signed-out');
  await pass(600_000);
  assert.equal(asked.length, 2);
});

test('an opaque token lives as long as the response says', async () => {
  const { session, asked } = await signedIn([good()]);
  await passing(session.start({ access_token: 'opaque', expires_in: 100 }));
  assert.equal(session.snapshot().claims, undefined);
  await pass(60_000);
  assert.equal(await tokenOf(session), 'opaque');
  assert.equal(asked.length, 0);
  await pass(39_000);
  assert.ok(asked.length > 0);
});

test('a snapshot is the same object until something changes, and tells its listeners', async () => {
  const { session } = await signedIn([good()], { inspect });
  const before = session.snapshot();
  assert.equal(session.snapshot(), before);
  assert.ok(Object.isFrozen(before));
  assert.equal(before.claims.sub, 'ada');
  let told = 0;
  const stop = session.subscribe(() => {
    told += 1;
  });
  await passing(tokenOf(session, await tokenOf(session)));
  assert.equal(told, 1);
  assert.notEqual(session.snapshot(), before);
  stop();
  await passing(session.signOut());
  assert.equal(told, 1);
  assert.equal(session.snapshot().status, 'signed-out');
});

test('what comes after signing out is thrown away, and the server is told', async () => {
  let release;
  const revoked = [];
  const { session } = await signedIn(
    [
      () =>
        new Promise((resolve) => (release = () => resolve(tokens(nowSeconds(), { refresh_token: 'r1' })))),
    ],
    {
      revoke: async (token) => revoked.push(token),
    },
  );
  const asking = tokenOf(session, await tokenOf(session));
  await pass(300);
  await passing(session.signOut());
  release();
  assert.equal(await passing(asking), undefined);
  assert.equal(session.snapshot().status, 'signed-out');
  assert.deepEqual(revoked, ['r0']);
});

test('a server that cannot be told is told of, and the session is over here all the same', async () => {
  globalThis.fetch = async () => new Response(null, { status: 503 });
  const revoke = revocationEndpoint(`${API}/revoke`, { clientId: 'app' });
  const { session } = await signedIn([good()], { revoke });
  await assert.rejects(passing(session.signOut()), /503/);
  assert.equal(session.snapshot().status, 'signed-out');
});

test('of two tabs one asks, and both have it', async () => {
  const name = `pair-${names++}`;
  const asked = [];
  const refresh = async (refreshToken) => {
    asked.push(refreshToken);
    return refreshToken === undefined
      ? status(400, { error: 'invalid_grant' })()
      : tokens(nowSeconds(), { refresh_token: `r${asked.length}` });
  };
  const [a, b] = [createSession({ refresh, name }), createSession({ refresh, name })];
  opened.push(a, b);
  await pass(500);
  await a.start({ access_token: mint(nowSeconds()), refresh_token: 'r', token_type: 'Bearer' });
  await settle();
  const refused = await tokenOf(b);
  assert.equal(refused, await tokenOf(a));
  asked.length = 0;
  const [one, two] = await passing(Promise.all([tokenOf(a, refused), tokenOf(b, refused)]));
  assert.equal(asked.length, 1);
  assert.equal(one, two);
  // A third tab that opens later has it from them.
  const c = createSession({ refresh, name });
  opened.push(c);
  assert.equal(await passing(tokenOf(c)), one);
  assert.equal(asked.length, 1);
  await passing(c.signOut());
  await settle();
  assert.deepEqual(
    [a, b, c].map((session) => session.snapshot().status),
    ['signed-out', 'signed-out', 'signed-out'],
  );
});

test('a refresh in one tab and signing out in another at the same time: the session is over', async () => {
  const name = `tie-${names++}`;
  const refresh = async () => tokens(nowSeconds(), { refresh_token: 'r1' });
  const [a, b] = [createSession({ refresh, name }), createSession({ refresh, name })];
  opened.push(a, b);
  await pass(500);
  await a.start({ access_token: mint(nowSeconds()), refresh_token: 'r', token_type: 'Bearer' });
  await settle();
  await passing(
    Promise.all([a.start({ access_token: mint(nowSeconds()), refresh_token: 's' }), b.signOut()]),
  );
  await settle();
  assert.deepEqual(
    [a, b].map((session) => session.snapshot().status),
    ['signed-out', 'signed-out'],
  );
});

test('a stored refresh token starts the session of the next page; without one there is none', async () => {
  const kept = new Map([['portcullis', 'r7']]);
  const box = {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => kept.set(name, value),
    removeItem: (name) => kept.delete(name),
  };
  const asked = [];
  const refresh = async (token) => {
    asked.push(token);
    return tokens(nowSeconds(), { refresh_token: 'r8' });
  };
  const session = createSession({ refresh, storage: sharedStorage(box), name: `stored-${names++}` });
  opened.push(session);
  await passing(tokenOf(session));
  assert.deepEqual(asked, ['r7']);
  assert.equal(kept.get('portcullis'), 'r8');
  await passing(session.signOut());
  assert.equal(kept.has('portcullis'), false);

  const none = createSession({
    refresh: tokenEndpoint(`${API}/token`, { clientId: 'app' }),
    name: `none-${names++}`,
  });
  opened.push(none);
  assert.equal(none.snapshot().status, 'unknown');
  assert.equal(await passing(tokenOf(none)), undefined);
  assert.equal(none.snapshot().status, 'signed-out');
});

test('a tab that hangs with the lock is overtaken, and what it then brings is thrown away', async () => {
  const name = `hang-${names++}`;
  const box = { value: null, get: () => box.value, set: (value) => (box.value = value) };
  let late;
  const hang = () =>
    new Promise((resolve) => (late = () => resolve(tokens(nowSeconds(), { refresh_token: 'old' }))));
  // Its own timers sleep with it: it holds on for ever.
  Object.defineProperty(globalThis, 'navigator', { value: { locks: locks('a') }, configurable: true });
  const a = createSession({ refresh: hang, name, storage: box, attemptMs: 10_000_000, holdMs: 20_000_000 });
  opened.push(a);
  await pass(300);
  await a.start({ access_token: mint(nowSeconds()), refresh_token: 'r0', token_type: 'Bearer' });
  const refused = await tokenOf(a);
  const asking = tokenOf(a, refused);
  await pass(300);
  Object.defineProperty(globalThis, 'navigator', { value: { locks: locks('b') }, configurable: true });
  const asked = [];
  const refresh = async (token) => {
    asked.push(token);
    return tokens(nowSeconds(), { refresh_token: 'r1' });
  };
  const b = createSession({ refresh, name, storage: box });
  opened.push(b);
  await pass(300);
  const fresh = await passing(tokenOf(b, refused));
  assert.deepEqual(asked, ['r0']);
  late();
  await settle();
  assert.equal(await passing(asking), fresh);
  assert.equal(box.value, 'r1');
  assert.equal(await tokenOf(b), fresh);
});

test('a token that the verifier refuses is not taken', async () => {
  const judged = [];
  const verify = (token, now) => {
    judged.push(now);
    return { ok: token !== 'bad' };
  };
  const { session, asked } = await signedIn([() => tokens(nowSeconds(), { access_token: 'bad' }), good()], {
    verify,
  });
  const first = await tokenOf(session);
  assert.equal(await passing(tokenOf(session, first)), undefined);
  assert.equal(await tokenOf(session), first);
  await pass(6000);
  assert.notEqual(await passing(tokenOf(session, first)), undefined);
  assert.equal(asked.length, 2);
  assert.ok(judged.every((now) => Number.isInteger(now) && Math.abs(now - nowSeconds()) < 10));
  await assert.rejects(session.start({ access_token: 'bad' }), TypeError);
});
