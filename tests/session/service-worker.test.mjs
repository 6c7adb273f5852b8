// The service worker of the documentation, as it stands there, in real Chromium: with the backend
// for frontend, the token endpoint and an API behind it.
import assert from 'node:assert/strict';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { build } from 'esbuild';
import { createTokenMediatingBackend } from 'portcullis/bff';
import { createDpop } from 'portcullis/session/dpop';

import { TARGET } from '../../src/build/steps.mjs';
import { ROOT } from '../support/binaries.mjs';
import { scratch } from '../support/common.mjs';
import { startAuthority } from './authority.mjs';
import { engines } from './engines.mjs';
import { mint } from './fakes.mjs';
import { sendResponse, toRequest } from './over-http.mjs';

const PAGE = '<!doctype html><meta charset="utf-8"><title>app</title>';
const pages = { '/': PAGE };
let authority;
let browser;
let page;
let bff;
let instead;
const seen = [];

before(async () => {
  authority = await startAuthority({ pages });
  const { origin, handlers, start } = authority;
  const jwks = await (await fetch(`${origin}/jwks`)).json();
  bff = createTokenMediatingBackend({
    tokenEndpoint: `${origin}/token`,
    revocationEndpoint: `${origin}/revoke`,
    clientId: 'app',
  });
  const backend = async (request, response) => {
    const answer = instead ?? (await bff.fetch(await toRequest(request, origin)));
    instead = undefined;
    await sendResponse(response, answer);
  };
  handlers['POST /session'] = backend;
  handlers['DELETE /session'] = backend;
  handlers['POST /sign-in'] = (_, response) => sendResponse(response, bff.start(start()));
  const notes = handlers['GET /api/notes'];
  handlers['GET /api/notes'] = (request, response) => {
    seen.push(request.headers.authorization);
    return notes(request, response);
  };
  const policy = { issuers: [{ issuer: origin, audience: origin, jwks }] };
  pages['/worker.js'] = await worker(policy);
  pages['/dpop.js'] = await bundle({
    stdin: { contents: "export { createDpop } from 'portcullis/session/dpop';", resolveDir: ROOT },
  });
  browser = await engines.chromium();
  ({ page } = await browser.open(origin));
});
after(async () => {
  await browser?.close();
  authority?.stop();
});

async function worker(policy) {
  await mkdir(TARGET, { recursive: true });
  const { folder, remove } = await scratch(join(TARGET, 'service-worker-'));
  try {
    await cp(
      join(ROOT, 'tests', 'package', 'examples', 'service-worker.mjs'),
      join(folder, 'service-worker.mjs'),
    );
    await writeFile(join(folder, 'policy.json'), JSON.stringify(policy));
    return await bundle({ entryPoints: [join(folder, 'service-worker.mjs')] });
  } finally {
    remove();
  }
}

async function bundle(options) {
  const { outputFiles } = await build({
    ...options,
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
  });
  return outputFiles[0].text;
}

const inPage = (path, init) =>
  page.evaluate(
    async ([path, init]) => {
      const response = await fetch(path, init);
      const text = await response.text();
      return { status: response.status, text };
    },
    [path, init],
  );
const call = async (init) => {
  seen.length = 0;
  const { status, text } = await inPage('/api/notes', init);
  return { status, ...JSON.parse(text), reached: seen.length };
};

test('the worker takes over the page', async () => {
  await page.evaluate(async () => {
    await navigator.serviceWorker.register('/worker.js', { type: 'module' });
    await navigator.serviceWorker.ready;
    if (navigator.serviceWorker.controller) return;
    await new Promise((resolve) =>
      navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }),
    );
  });
  const { status } = await call();
  assert.equal(status, 401);
  assert.deepEqual(seen, [undefined]);
});

test('after signing in it attaches the token, which the page never sees', async () => {
  assert.deepEqual(await inPage('/sign-in', { method: 'POST' }), { status: 200, text: '' });
  const answer = await call();
  assert.deepEqual([answer.status, answer.sub, answer.reached], [200, 'ada', 1]);
  assert.match(seen[0], /^Bearer /);
  const kept = await page.evaluate(async () =>
    JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]),
  );
  assert.equal(kept, '["",{},{}]');
  const cookies = await browser.context.cookies();
  assert.deepEqual(
    cookies.map(({ name, httpOnly, secure, sameSite, path }) => ({ name, httpOnly, secure, sameSite, path })),
    [{ name: '__Host-session', httpOnly: true, secure: true, sameSite: 'Strict', path: '/' }],
  );
});

test('what a page writes itself is not what goes out', async () => {
  const answer = await call({ headers: { authorization: 'Bearer forged' } });
  assert.equal(answer.status, 200);
  assert.notEqual(seen[0], 'Bearer forged');
});

test('a token that the API refuses is refreshed, and the cookie rotates', async () => {
  const [before] = await browser.context.cookies();
  authority.expire();
  const answer = await call();
  assert.deepEqual([answer.status, answer.reached], [200, 2]);
  const [after] = await browser.context.cookies();
  assert.notEqual(after.value, before.value);
});

test('a worker that was stopped has its session from the cookie', async () => {
  const cdp = await browser.context.newCDPSession(page);
  await cdp.send('ServiceWorker.enable');
  await cdp.send('ServiceWorker.stopAllWorkers');
  const before = authority.seen.refreshes;
  assert.equal((await call()).status, 200);
  assert.equal(authority.seen.refreshes, before + 1);
});

test('a token that the policy does not accept is not taken, and never goes out', async () => {
  authority.expire();
  const foreign = mint(Math.floor(Date.now() / 1000));
  instead = Response.json({ access_token: foreign, token_type: 'Bearer', expires_in: 300 });
  // The one it has is refused by the API, and what it gets for it, by the verifier.
  const answer = await call();
  assert.deepEqual([answer.status, answer.reached], [401, 1]);
  assert.equal(instead, undefined);
  assert.ok(!seen.includes(`Bearer ${foreign}`));
});

test('signing out takes cookie and session away', async () => {
  assert.deepEqual(await inPage('/sign-out', { method: 'POST' }), { status: 200, text: '' });
  assert.deepEqual(await browser.context.cookies(), []);
  assert.equal((await call()).status, 401);
  assert.deepEqual(seen, [undefined]);
  assert.equal(authority.rows()[0].revoked, 'by the client');
});

test('a foreign page cannot use the backend', async () => {
  await inPage('/sign-in', { method: 'POST' });
  const { page: other } = await browser.open(authority.origin.replace('127.0.0.1', 'localhost'));
  const before = authority.seen.refreshes;
  const results = await other.evaluate(async (url) => {
    const tries = [
      { method: 'POST', mode: 'no-cors', credentials: 'include' },
      { method: 'POST', mode: 'cors', credentials: 'include', headers: { 'x-portcullis': '1' } },
    ];
    const outcomes = [];
    for (const init of tries)
      outcomes.push(
        await fetch(url, init).then(
          (r) => r.type,
          () => 'failed',
        ),
      );
    return outcomes;
  }, `${authority.origin}/session`);
  assert.deepEqual(results, ['opaque', 'failed']);
  assert.equal(authority.seen.refreshes, before);
});

test('two pages have one key, which outlives them and which no script can read', async () => {
  const print = (target) =>
    target.evaluate(async () => {
      const { createDpop } = await import('/dpop.js');
      return createDpop({ name: 'key' }).thumbprint();
    });
  const { page: other } = await browser.open(authority.origin);
  const [one, two] = await Promise.all([print(page), print(other)]);
  assert.equal(one, two);
  await other.close();
  const { page: third } = await browser.open(authority.origin);
  assert.equal(await print(third), one);
  const readable = await third.evaluate(
    () =>
      new Promise((resolve) => {
        const opening = indexedDB.open('key-dpop');
        opening.onsuccess = () => {
          const asked = opening.result.transaction('keys').objectStore('keys').get('key');
          asked.onsuccess = () => {
            crypto.subtle.exportKey('jwk', asked.result.privateKey).then(
              () => resolve('read'),
              (error) => resolve(error.name),
            );
            opening.result.close();
          };
        };
      }),
  );
  assert.equal(readable, 'InvalidAccessError');
  await third.evaluate(async () => {
    const { createDpop } = await import('/dpop.js');
    await createDpop({ name: 'key' }).forget();
  });
  assert.notEqual(await print(page), one);
  assert.equal(typeof createDpop, 'function');
});
