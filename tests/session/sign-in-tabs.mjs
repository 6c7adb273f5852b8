// Signing in in the tabs of a real browser, at a real issuer, whose application signs everybody in
// at the authorization endpoint without a page.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { createIssuer, generateSigningKey } from 'portcullis/issuer';
import { memoryStore } from 'portcullis/stores';

import { ROOT } from '../support/binaries.mjs';
import { engines } from './engines.mjs';
import { startHarness } from './tabs.mjs';

const LOGIN = '<script>addEventListener("load", () => setTimeout(() => history.back(), 200))</script>';
const PAGE =
  '<!doctype html><meta charset="utf-8"><title>page</title><script type="module" src="/sign-in-page.js"></script>';

/** The application at `/`, `/notes` and `/callback`, and its issuer; `answer` changes responses. */
async function startSignIn() {
  const script = await readFile(join(ROOT, 'tests', 'session', 'sign-in-page.js'), 'utf8');
  let issuer;
  const world = { answer: (parameters) => parameters, asked: [], logouts: [] };
  const harness = await startHarness({
    pages: {
      '/': PAGE,
      '/notes': PAGE,
      '/callback': PAGE,
      '/sign-in-page.js': script,
      '/login': LOGIN,
      '/closed': '<script>close()</script>',
    },
    issuer({ issuer: url, audience, now, onEvent }) {
      const grants = ['authorization_code', 'refresh_token'];
      const client = {
        ...{ clientId: 'app', authentication: 'none', grants, scope: 'notes' },
        redirectUris: [`${url}/callback`],
      };
      issuer = createIssuer({
        config: { issuer: url, audience, clients: [client] },
        signingKeys: [{ jwk: generateSigningKey('ES256').privateJwk() }],
        rootKeys: [{ secret: new Uint8Array(randomBytes(32)) }],
        store: memoryStore(),
        now,
        onEvent,
      });
      return issuer;
    },
  });
  harness.handlers['GET /authorize'] = async (request, response) => {
    const asked = Object.fromEntries(new URL(request.url, harness.origin).searchParams);
    world.asked.push(asked);
    const authorization = await issuer.authorize(
      new Request(new URL(request.url, harness.origin), { headers: request.headers }),
    );
    assert.equal(authorization.outcome, 'ask', await authorization.response?.text());
    const { sealed, cookie } = authorization;
    const sent = await issuer.complete(sealed, { cookie, subject: 'ada', scope: 'notes' });
    const location = sent.headers.get('location');
    const good = Object.fromEntries(new URL(location).searchParams);
    const answer = world.answer(good);
    // Or a user who does not finish.
    const changed =
      typeof answer === 'string' ? answer : `${asked.redirect_uri}?${new URLSearchParams(answer)}`;
    world.callback = answer === good ? location : changed;
    response.writeHead(sent.status, { ...Object.fromEntries(sent.headers), location: world.callback });
    response.end();
  };
  harness.handlers['GET /logout'] = (request, response) => {
    world.logouts.push(request.url);
    const { searchParams } = new URL(request.url, harness.origin);
    response.writeHead(303, { location: searchParams.get('post_logout_redirect_uri') });
    response.end();
  };
  return { ...harness, world };
}

/** Opens a tab at a page, and closes everything again. */
async function inBrowser(engine, work) {
  const harness = await startSignIn();
  const pages = [];
  let browser;
  try {
    browser = await engines[engine]();
    const open = async (name, query = {}) => {
      const page = await browser.open(
        `${harness.origin}/notes?${new URLSearchParams({ tab: name, ...query })}`,
      );
      pages.push(page);
      const tab = harness.tab(name);
      assert.equal((await tab('handled')).result, null);
      return tab;
    };
    await work({ ...harness, open, click: () => pages.at(-1).click('#sign-in') });
  } finally {
    await browser?.close();
    harness.stop();
  }
}

/** The button of `popup` is there. */
const shown = (tab) => tab('button');

/** Leaves for the issuer and asks the callback page what became of it. */
async function around(tab, request = { scope: 'notes' }) {
  await tab('leave', { request });
  return tab('handled');
}

/** Declares the tests for one engine. */
export function testSignIn(engine) {
  describe(engine, () => {
    test('there and back, reloaded, and by the callback once more', { timeout: 120_000 }, async () => {
      await inBrowser(engine, async ({ open, origin, seen, world }) => {
        const tab = await open('a');
        const back = await around(tab, { scope: 'notes', returnTo: '/notes?id=1' });
        assert.deepEqual(back, {
          result: { ok: true, returnTo: `${origin}/notes?id=1` },
          shown: '/callback',
          status: 'signed-in',
          sub: 'ada',
        });
        assert.equal(await tab('kept'), 0);
        assert.equal(seen.refreshes, 1);
        // In a second tab, the session is alive through all that follows.
        const other = await open('b');
        for (let waits = 0; (await other('session')).status !== 'signed-in' && waits < 100; waits++);
        await tab('reload');
        assert.equal((await tab('handled')).result, null);
        await tab('go', { url: world.callback });
        const again = await tab('handled');
        assert.deepEqual([again.result.code, again.shown], ['state-unknown', '/callback']);
        assert.equal((await other('session')).status, 'signed-in');
      });
    });

    test('responses that are refused', { timeout: 120_000 }, async () => {
      await inBrowser(engine, async ({ open, seen, world }) => {
        const tab = await open('a');
        const answers = {
          'state-unknown': (good) => ({ ...good, state: 'other' }),
          'issuer-mismatch': (good) => ({ ...good, iss: 'https://evil.example' }),
          'issuer-mismatch, missing': ({ iss: _, ...good }) => good,
          denied: ({ code: _, ...good }) => ({ ...good, error: 'access_denied' }),
        };
        for (const [code, answer] of Object.entries(answers)) {
          world.answer = answer;
          const { result, shown } = await around(tab);
          assert.deepEqual([result.code, shown], [code.split(',')[0], '/callback']);
        }
        assert.equal(seen.tokens.length, 0);
        world.answer = (good) => ({ ...good, code: `${good.code}x` });
        assert.deepEqual((await around(tab)).result.error, 'invalid_grant');
      });
    });

    test('back from the issuer without an answer, then again with one', { timeout: 120_000 }, async () => {
      await inBrowser(engine, async ({ open, world }) => {
        const tab = await open('a');
        world.answer = () => '/login';
        await tab('leave', { request: {} });
        // The page as the browser kept it, or the same loaded again.
        const { restored, pending, result } = await tab('restored');
        console.log(`${engine}: the page was ${restored ? 'restored' : 'loaded again'}`);
        assert.deepEqual([pending, result?.code], [false, restored ? 'abandoned' : undefined]);
        world.answer = (good) => good;
        assert.equal((await around(tab)).result.ok, true);
      });
    });

    test('two tabs at once, each with a state of its own', { timeout: 120_000 }, async () => {
      await inBrowser(engine, async ({ open, world }) => {
        const [a, b] = [await open('a'), await open('b')];
        const results = await Promise.all([
          around(a, { scope: 'notes', returnTo: '/a' }),
          around(b, { scope: 'notes', returnTo: '/b' }),
        ]);
        assert.deepEqual(
          results.map(({ result, status }) => [result.ok, new URL(result.returnTo).pathname, status]),
          [
            [true, '/a', 'signed-in'],
            [true, '/b', 'signed-in'],
          ],
        );
        assert.equal(new Set(world.asked.map(({ state }) => state)).size, 2);
        // One session of one origin: signing out in one ends it in both, and at the issuer.
        await a('signOut', { request: { everywhere: true, returnTo: '/notes' } });
        assert.equal((await a('handled')).result, null);
        assert.equal(world.logouts.length, 1);
        for (let waits = 0; (await b('session')).status !== 'signed-out' && waits < 100; waits++);
        assert.equal((await b('session')).status, 'signed-out');
      });
    });

    test('a storage that is blocked, and a popup that is', { timeout: 120_000 }, async () => {
      await inBrowser(engine, async ({ open, world }) => {
        const blocked = await open('a', { blocked: 1 });
        assert.equal((await blocked('signIn', { request: {} })).code, 'storage-blocked');
        const without = await open('b', { noPopup: 1 });
        assert.equal((await without('signIn', { request: { mode: 'popup' } })).code, 'popup-blocked');
        assert.equal(world.asked.length, 0);
      });
    });

    test('a popup, and one that the user closes', { timeout: 120_000 }, async () => {
      await inBrowser(engine, async ({ open, click, origin, world }) => {
        const tab = await open('a', { blocked: 1 });
        const signing = tab('popup', { request: { scope: 'notes' } });
        await shown(tab);
        await click();
        assert.deepEqual(await signing, { ok: true, returnTo: `${origin}/notes?tab=a&blocked=1` });
        assert.equal((await tab('session')).status, 'signed-in');
        assert.equal(world.asked.length, 1);
        const other = await open('b');
        world.answer = () => '/closed';
        const closing = other('popup', { request: {} });
        await shown(other);
        await click();
        assert.equal((await closing).code, 'popup-closed');
      });
    });
  });
}
