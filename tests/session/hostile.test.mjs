// BroadcastChannel and storage are written by any script of the origin, and by other versions of
// this package.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { createClock, sharedStorage } from 'portcullis/session';

import { mint, tokenOf, tokens } from './fakes.mjs';
import {
  box,
  good,
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

const foes = [];
const faults = [];
process.on('uncaughtException', (error) => faults.push(error));
process.on('unhandledRejection', (error) => faults.push(error));
afterEach(() => {
  for (const foe of foes.splice(0)) foe.close();
  assert.deepEqual(faults.splice(0), []);
});
/** Another script of this origin. */
function foe(name) {
  const channel = new BroadcastChannel(name);
  foes.push(channel);
  const heard = [];
  channel.onmessage = ({ data }) => heard.push(data);
  return { heard, says: (message) => channel.postMessage(message) };
}

const LARGEST = Number.MAX_SAFE_INTEGER;
const WRONG = [
  null,
  undefined,
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  7n,
  '',
  'text',
  true,
  [],
  [1],
];
const odd = [...WRONG, {}, new Map(), new Date(0), new Uint8Array(4), new Error('no')];

test('whatever stands in a message, nothing throws and the session goes on', async () => {
  const name = uniqueName();
  const { session, asked } = await signedIn([good({ refresh_token: 'r1' })], { name });
  const first = await tokenOf(session);
  const { says } = foe(name);
  const state = (more) => ({ state: { n: 5, ...more } });
  const access = mint(nowSeconds());
  const messages = [
    ...odd,
    ...odd.flatMap((value) => ['state', 'offset', 'ask', 'wait', 'owed'].map((key) => ({ [key]: value }))),
    ...odd.map((value) => ({ state: { n: value, out: true } })),
    ...[LARGEST, -LARGEST, 2 ** 31, 2 ** 40, 1e300].map((n) => ({ state: { n, out: true } })),
    ...odd.slice(2).map((value) => state({ access: value, expiresAt: value })),
    ...odd.slice(2).map((value) => state({ access, refresh: value, due: value, issuedAt: value })),
    { offset: [Number.NaN, Number.NaN] },
    { offset: [5, 1] },
    { offset: ['0', '1'] },
    { offset: [1n, 2n] },
    { offset: [] },
    JSON.parse('{"__proto__":{"n":9,"out":true},"state":{"__proto__":{"n":9,"out":true}}}'),
    JSON.parse('{"state":{"n":0,"out":true}}'),
    // An empty text is a text, but no token.
    state({ access: '' }),
    state({}),
  ];
  for (const message of messages) says(message);
  await settle(200);
  assert.equal(session.snapshot().status, 'signed-in');
  assert.equal(await tokenOf(session), first);
  assert.ok(Math.abs(session.clock.now().seconds - Date.now() / 1000) < 10, 'the clock');
  await pass(301_000);
  assert.notEqual(await passing(tokenOf(session)), first);
  assert.ok(asked.length >= 1 && asked.length < 4, `${asked.length}`);
  assert.equal(Object.prototype.n, undefined);
});

for (const n of [LARGEST, LARGEST - 1, 2 ** 31 - 1, 2 ** 31, 2 ** 53, Number.MAX_VALUE, -1, -(2 ** 31)]) {
  test(`a state with the number ${n} does not freeze the session`, async () => {
    const name = uniqueName();
    const refresh = good({ refresh_token: 'r1' });
    const { session: a } = await signedIn([refresh], { name });
    const b = open({ name, refresh });
    await passing(tokenOf(b));
    const { says } = foe(name);
    for (const access of ['garbage', undefined]) {
      says({ state: { n, access } });
      says({ state: { n, out: true } });
    }
    await settle(50);
    // Both come together again with the next sign-in, and with the one after it.
    for (const from of [a, b]) {
      const fresh = mint(nowSeconds());
      await from.start({ access_token: fresh, refresh_token: 'r2' });
      await settle();
      assert.equal(await passing(tokenOf(a)), fresh);
      assert.equal(await passing(tokenOf(b)), fresh);
    }
    await passing(a.signOut());
    await settle();
    assert.deepEqual([a.snapshot().status, b.snapshot().status], ['signed-out', 'signed-out']);
  });
}

test('the verifier is asked of every access token, wherever it comes from', async () => {
  const name = uniqueName();
  const judged = [];
  const verify = (token) => {
    judged.push(token);
    return { ok: !token.startsWith('bad') };
  };
  const answers = [() => tokens(nowSeconds(), { access_token: 'bad-refreshed' }), good()];
  const { session } = await signedIn(answers, { name, verify });
  const first = await tokenOf(session);
  const { says } = foe(name);
  says({ state: { n: 9, access: 'bad-channel' } });
  await settle();
  assert.equal(await tokenOf(session), first);
  await passing(tokenOf(session, first));
  await assert.rejects(session.start({ access_token: 'bad-started' }), TypeError);
  assert.equal(await tokenOf(session), first);
  // The answer of another tab to a page that has just been opened.
  const heardBy = uniqueName();
  const late = foe(heardBy);
  const fresh = open({ name: heardBy, verify, refresh: status(400, { error: 'invalid_grant' }) });
  const asking = passing(tokenOf(fresh));
  await settle();
  assert.equal(late.heard.length > 0, true);
  late.says({ state: { n: 9, access: 'bad-answer' } });
  assert.equal(await asking, undefined);
  for (const bad of ['bad-channel', 'bad-refreshed', 'bad-started', 'bad-answer'])
    assert.ok(judged.includes(bad), bad);
  // One that is good is taken.
  says({ state: { n: 9, access: 'good', expiresAt: nowSeconds() + 300 } });
  await settle();
  assert.equal(await tokenOf(session), 'good');
});

test('a verifier, reader or listener that throws or rejects refuses a token at most, and ends nothing', async () => {
  const fails = [
    () => {
      throw new Error('at once');
    },
    async () => {
      throw new Error('later');
    },
  ];
  for (const fail of fails) {
    const { session } = await signedIn([good()], { inspect: fail });
    assert.equal(session.snapshot().claims, undefined);
    let told = 0;
    session.subscribe(fail);
    session.subscribe(() => {
      told += 1;
    });
    await renewed(session);
    assert.equal(told, 1);
    const wary = open({ verify: fail, refresh: good() });
    await assert.rejects(wary.start({ access_token: mint(nowSeconds()) }), TypeError);
    assert.equal(await passing(tokenOf(wary)), undefined);
    await settle();
  }
});

test('a storage that fails, lies or is filled with anything loses no session that is in memory', async () => {
  const wrong = [0, 7, {}, [], true, undefined, Symbol('s')];
  const broken = [
    ...wrong.map((value) => ({ get: () => value, set() {} })),
    {
      get: () => {
        throw new Error('denied');
      },
      set: () => {
        throw new Error('denied');
      },
    },
    {
      get: async () => Promise.reject(new Error('denied')),
      set: async () => Promise.reject(new Error('full')),
    },
  ];
  for (const storage of broken) {
    let listener;
    const watched = {
      ...storage,
      watch: (own) => {
        listener = own;
        return () => {};
      },
    };
    const { session, asked } = await signedIn([good({ refresh_token: 'r1' }), good()], { storage: watched });
    listener();
    await settle();
    const first = await tokenOf(session);
    assert.notEqual(await passing(tokenOf(session, first)), first);
    await renewed(session);
    // Never back to a token that was rotated.
    assert.deepEqual(
      asked.map(({ refreshToken }) => refreshToken),
      ['r0', 'r1'],
    );
    await passing(session.signOut());
    assert.equal(session.snapshot().status, 'signed-out');
  }
});

test('a storage that has become full keeps the old token, and the session the new one', async () => {
  const kept = box();
  const storage = sharedStorage(kept);
  let full = false;
  const filling = {
    ...storage,
    set: (text) => {
      if (full) throw new Error('full');
      storage.set(text);
    },
  };
  const { session, asked } = await signedIn([good({ refresh_token: 'r1' }), good()], { storage: filling });
  full = true;
  await renewed(session);
  await renewed(session);
  assert.equal(kept.kept.get('portcullis'), 'r0');
  assert.deepEqual(
    asked.map(({ refreshToken }) => refreshToken),
    ['r0', 'r1'],
  );
});

test('what a token endpoint answers besides tokens makes no timer run wild', async () => {
  const answers = [
    { expires_in: 'soon' },
    { expires_in: null },
    { expires_in: -1 },
    { expires_in: 0 },
    { expires_in: 1e308 },
    { expires_in: {} },
    { refresh_token: null },
    { refresh_token: 7 },
    { refresh_token: '' },
    { refresh_token: 'two\nlines' },
    { refresh_token: {} },
  ];
  for (const more of answers) {
    const { session, asked } = await signedIn([
      () => tokens(nowSeconds(), { access_token: 'opaque', ...more }),
    ]);
    await renewed(session);
    const { expiresAt } = session.snapshot();
    assert.ok(expiresAt === undefined || Number.isFinite(expiresAt), `${JSON.stringify(more)}: ${expiresAt}`);
    await pass(5000);
    assert.equal(asked.length, 1, JSON.stringify(more));
    await passing(tokenOf(session, 'opaque'));
    assert.equal(asked[1].refreshToken, 'r0', JSON.stringify(more));
  }
});

test('a token whose times are absurd is no reason to ask again and again', async () => {
  const part = (text) => Buffer.from(text).toString('base64url');
  for (const claims of [
    '{"iat":1e999,"exp":1e999}',
    '{"iat":-1e308,"exp":1e308}',
    '{"exp":-1e999}',
    '[]',
    'null',
  ]) {
    const access = `${part('{}')}.${part(claims)}.${part('s')}`;
    const { session, asked } = await signedIn([() => tokens(nowSeconds(), { access_token: access })]);
    await session.start({ access_token: access, refresh_token: 'r0' });
    await pass(20_000);
    assert.ok(asked.length <= 1, `${claims}: ${asked.length}`);
    assert.ok(!Number.isNaN(session.clock.now().seconds));
  }
});

test('a clock takes no offset that is none, and none that contradicts what it has seen itself', () => {
  const clock = createClock({ wall: () => 1e12, monotonic: () => 0 });
  for (const offset of [...odd, [Number.NaN, 1], [2, 1], ['0', '1'], [1n, 2n]]) clock.adopt(offset);
  assert.equal(clock.offset(), undefined);
  const date = new Date(1e12).toUTCString();
  clock.observe(new Response(null, { headers: { date, 'cache-control': 'no-store' } }), clock.mark());
  const before = clock.now();
  clock.adopt([3_600_000, 3_600_001]);
  assert.deepEqual(clock.now(), before);
});
