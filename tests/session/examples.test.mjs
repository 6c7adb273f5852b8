// The documentation's examples of a page and of its backend, run as they stand. The service worker
// has a test of its own.
import assert from 'node:assert/strict';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { TARGET } from '../../src/build/steps.mjs';
import { ROOT } from '../support/binaries.mjs';
import { scratch } from '../support/common.mjs';
import { mint } from './fakes.mjs';

const realFetch = globalThis.fetch;
const now = () => Math.floor(Date.now() / 1000);
let project;
let asked = [];
let answer;

before(async () => {
  await mkdir(TARGET, { recursive: true });
  project = await scratch(join(TARGET, 'session-examples-'));
  await cp(join(ROOT, 'tests', 'package', 'examples'), project.folder, { recursive: true });
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    asked.push(request);
    return answer(request);
  };
});
after(() => {
  globalThis.fetch = realFetch;
  project.remove();
});
const example = (name) => import(pathToFileURL(join(project.folder, name)));

test('bff.mjs', async () => {
  const { default: handler } = await example('bff.mjs');
  const env = { CLIENT_SECRET: 's', BFF_SECRET: '07'.repeat(32) };
  const issuer = 'https://issuer.example';
  answer = () =>
    Response.json({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
    });
  const login = await handler.fetch(new Request('https://app.example/auth/login'), env);
  assert.equal(login.status, 303);
  assert.ok(
    login.headers.get('location').startsWith(`${issuer}/authorize?response_type=code&client_id=app&`),
  );
  assert.equal((await handler.fetch(new Request('https://app.example/'), env)).status, 404);
  asked = [];
});

test('token-mediating.mjs', async () => {
  const { default: handler } = await example('token-mediating.mjs');
  answer = (request) =>
    request.url.endsWith('/token')
      ? Response.json({ access_token: 'a', refresh_token: 'r1', expires_in: 300 })
      : new Response();
  const own = { 'x-portcullis': '1', 'sec-fetch-site': 'same-origin', cookie: '__Host-session=r0' };
  const ask = (method, path = '/session') =>
    handler.fetch(new Request(`https://app.example${path}`, { method, headers: own }));
  assert.match((await ask('POST')).headers.get('set-cookie'), /^__Host-session=r1;/);
  assert.equal((await ask('DELETE')).status, 204);
  assert.equal((await ask('GET', '/other')).status, 404);
  assert.deepEqual(
    asked.map(({ url }) => url),
    ['https://issuer.example/token', 'https://issuer.example/revoke'],
  );
});

test('session.mjs', async () => {
  globalThis.document = { addEventListener() {}, title: '' };
  globalThis.confirm = () => true;
  // A page closes its channel by closing; here it would keep the process.
  globalThis.BroadcastChannel = undefined;
  const strong = mint(now());
  await writeFile(
    join(project.folder, 'sign-in.mjs'),
    `export const tokens = (acr) => ({ access_token: '${strong}', acr });`,
  );
  const { start, notes, end } = await example('session.mjs');
  const first = mint(now());
  await start({ access_token: first, refresh_token: 'r0', token_type: 'Bearer' });
  assert.equal(document.title, 'Notes of ada');
  asked = [];
  answer = (request) =>
    request.headers.get('authorization') === `Bearer ${strong}`
      ? Response.json([])
      : new Response(null, {
          status: 401,
          headers: {
            'www-authenticate': 'Bearer error="insufficient_user_authentication", acr_values="phr"',
          },
        });
  assert.equal((await notes()).status, 200);
  assert.deepEqual(
    asked.map((request) => request.headers.get('authorization')),
    [`Bearer ${first}`, `Bearer ${strong}`],
  );
  answer = () => new Response();
  asked = [];
  await end();
  assert.deepEqual(
    asked.map(({ url }) => url),
    ['https://issuer.example/revoke'],
  );
  assert.match(await asked[0].text(), /(^|&)token=r0(&|$)/);
  assert.equal(document.title, 'Notes');
  delete globalThis.document;
});
