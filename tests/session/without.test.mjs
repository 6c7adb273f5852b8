// A session where a platform has less than a browser: storage that is blocked or full, and React
// Native's Hermes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import vm from 'node:vm';

import { build } from 'esbuild';
import { createSession, inspect, SessionError, sharedStorage } from 'portcullis/session';

import { ROOT } from '../support/binaries.mjs';
import { mint } from './fakes.mjs';

const nowSeconds = () => Math.floor(Date.now() / 1000);
const json = (body, status = 200) => new Response(JSON.stringify(body), { status });
globalThis.BroadcastChannel = undefined;

const refuse = () => {
  throw new DOMException('no', 'SecurityError');
};
const BOXES = {
  blocked: { getItem: refuse, setItem: refuse, removeItem: refuse },
  full: { getItem: () => null, setItem: refuse, removeItem() {} },
};

for (const [what, box] of Object.entries(BOXES)) {
  test(`a storage that is ${what}: the token is in memory, and serves`, async () => {
    const storage = sharedStorage(box);
    await storage.set('r0');
    assert.equal(storage.get(), 'r0');
    await storage.set(null);
    assert.ok(!storage.get());
    const asked = [];
    const session = createSession({
      name: what,
      storage: sharedStorage(box),
      refresh: async (token) => {
        asked.push(token);
        return json({ access_token: mint(nowSeconds()), refresh_token: 'r2', expires_in: 300 });
      },
    });
    await session.start({ access_token: mint(nowSeconds()), refresh_token: 'r1' });
    const first = await session.accessToken();
    assert.ok(await session.accessToken(first));
    assert.deepEqual(asked, ['r1']);
    session.close();
  });
}

test('localStorage that throws when it is looked at is blocked storage', () => {
  Object.defineProperty(globalThis, 'localStorage', { configurable: true, get: refuse });
  const storage = sharedStorage();
  storage.set('r0');
  assert.equal(storage.get(), 'r0');
  delete globalThis.localStorage;
});

const rejectsWith = (promise, code) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof SessionError && error instanceof TypeError, `${error}`);
    assert.deepEqual([error.name, error.code], ['SessionError', code]);
    return true;
  });

test('a snapshot says why there is no session or no new token, and errors have a class and a code', async () => {
  let answer = () => json({}, 503);
  const session = createSession({ name: 'why', attemptMs: 50, holdMs: 100, refresh: async () => answer() });
  assert.deepEqual([session.snapshot().status, session.snapshot().reason], ['unknown', undefined]);
  const heard = [];
  session.subscribe(() => heard.push(session.snapshot().reason));
  await rejectsWith(session.accessToken(), 'offline');
  assert.equal(session.snapshot().reason, 'offline');
  assert.deepEqual(heard, ['offline']);
  await assert.rejects(
    session.fetch('https://api.example/', {}),
    (error) => !(error instanceof SessionError),
  );
  await session.start({ access_token: mint(nowSeconds()), refresh_token: 'r1' });
  assert.deepEqual([session.snapshot().status, session.snapshot().reason], ['signed-in', undefined]);
  session.close();

  const refused = createSession({ name: 'refused', refresh: async () => answer() });
  await refused.start({ access_token: mint(nowSeconds()), refresh_token: 'r1' });
  answer = () => json({ error: 'invalid_grant' }, 400);
  await rejectsWith(refused.accessToken(await refused.accessToken()), 'refused');
  assert.deepEqual([refused.snapshot().status, refused.snapshot().reason], ['signed-out', 'refused']);
  await refused.start({ access_token: mint(nowSeconds()), refresh_token: 'r2' });
  await refused.signOut();
  assert.deepEqual([refused.snapshot().status, refused.snapshot().reason], ['signed-out', 'signed-out']);
  await rejectsWith(refused.accessToken(), 'signed-out');
  refused.close();
  await rejectsWith(refused.accessToken(), 'closed');

  const offline = createSession({
    name: 'offline',
    origins: ['https://api.example'],
    attemptMs: 50,
    holdMs: 100,
    refresh: async () => json({}, 503),
    verify: (token) => ({ ok: token !== 'bad' }),
  });
  await rejectsWith(offline.fetch('https://api.example/notes'), 'offline');
  await rejectsWith(offline.start({ access_token: 'bad' }), 'refused');
  offline.close();
});

test('inspect and a session work in a realm without TextDecoder, TextEncoder, atob, btoa and BroadcastChannel', async () => {
  const { outputFiles } = await build({
    stdin: { contents: "export * from 'portcullis/session'", resolveDir: ROOT },
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'bundle',
  });
  // What React Native gives Hermes, and no more.
  const realm = vm.createContext({
    ...{ setTimeout, clearTimeout, AbortController, fetch, Request, Response, Headers, URL, URLSearchParams },
    performance: { now: () => performance.now() },
  });
  vm.runInContext(outputFiles[0].text, realm);
  const missing = ['TextDecoder', 'TextEncoder', 'atob', 'btoa', 'BroadcastChannel', 'navigator', 'location'];
  for (const name of missing) assert.equal(vm.runInContext(`typeof ${name}`, realm), 'undefined', name);
  const token = mint(nowSeconds());
  realm.token = token;
  const seen = JSON.parse(vm.runInContext('JSON.stringify(bundle.inspect(token))', realm));
  assert.deepEqual(seen, JSON.parse(JSON.stringify(inspect(token))));
  realm.refresh = async () =>
    json({ access_token: mint(nowSeconds() + 1), refresh_token: 'r1', expires_in: 300 });
  const session = vm.runInContext('bundle.createSession({ refresh, inspect: bundle.inspect })', realm);
  await session.start({ access_token: token, refresh_token: 'r0', expires_in: 300 });
  assert.equal(session.snapshot().claims.sub, 'ada');
  assert.equal(await session.accessToken(), token);
  assert.ok(await session.accessToken(token));
  await session.signOut();
  assert.equal(session.snapshot().status, 'signed-out');
  session.close();
});

test('the decoder of the page takes what the vectors of the kind inspect say, without the platform’s', () => {
  const text = readFileSync(new URL('../../src/js/session/inspect.ts', import.meta.url), 'utf8');
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  for (const name of ['TextDecoder', 'TextEncoder', 'atob', 'btoa', '\\p{'])
    assert.ok(!code.includes(name), name);
});
