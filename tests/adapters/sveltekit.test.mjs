// The adapter for SvelteKit: an app built by it for Node, and served as its own adapter for Node
// does.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ROOT } from '../../src/build/steps.mjs';
import { mint, policy, REQUIREMENT, send, showAll } from './cases.mjs';
import { config, serveApp } from './sveltekit-app.mjs';

const FILES = {
  'svelte.config.js': config(),
  // The very file that the documentation shows.
  'src/hooks.server.js': readFile(join(ROOT, 'tests', 'package', 'examples', 'sveltekit.mjs'), 'utf8'),
  'src/policy.json': JSON.stringify({
    ...policy,
    gate: {
      ...policy.gate,
      requirement: { scopes: ['admin'] },
      cors: { origins: ['https://app.example'] },
      routes: [
        { path: '/maybe', requirement: { ...REQUIREMENT, anonymous: true } },
        { path: '/page', requirement: REQUIREMENT },
        { path: '/notes', requirement: REQUIREMENT },
        { path: '/view', requirement: REQUIREMENT },
        { path: '/office', requirement: { networks: ['127.0.0.0/8', '::ffff:127.0.0.0/104'] } },
      ],
    },
  }),
  'src/routes/[page]/+server.js': `
    import { json } from '@sveltejs/kit';
    export const GET = ({ locals, request: { headers } }) => json({
      sub: locals.auth.claims?.sub ?? null, user: headers.get('x-user'), authorization: headers.get('authorization'),
    });
    export const POST = async ({ request }) => json({ body: await request.json() });`,
  'src/routes/view/+server.js': `
    import { json } from '@sveltejs/kit';
    export const GET = ({ platform: { req }, request: { headers } }) => json([
      ...headers.keys(), ...Object.keys(req.headers), ...req.rawHeaders.filter((_, at) => at % 2 === 0),
    ].map((name) => name.toLowerCase()).filter((name) => name.includes('user') && name !== 'user-agent'));`,
  'src/routes/page/+page.svelte': '<script>let { data } = $props();</script>Hello, {data.sub}',
  'src/routes/page/+page.server.js': 'export const load = ({ locals }) => ({ sub: locals.auth.claims.sub });',
};

let app;
let origin;

before(async () => {
  app = await serveApp(FILES);
  origin = app.origin;
});

after(() => app?.stop());

showAll(test, () => origin);

const bearer = (options) => [['Authorization', `Bearer ${mint(options)}`]];

test('a preflight is answered, and one with credentials is none', async () => {
  const marks = [
    ['Origin', 'https://app.example'],
    ['Access-Control-Request-Method', 'PUT'],
  ];
  const ask = (headers) => send(`${origin}/notes`, { method: 'OPTIONS', headers });
  const { status, headers } = await ask(marks);
  assert.deepEqual([status, headers['access-control-allow-origin']], [204, 'https://app.example']);
  assert.equal((await ask([...marks, ['Authorization', 'Bearer forged']])).status, 401);
  const other = await ask([['Origin', 'https://attacker.example'], marks[1]]);
  assert.equal(other.headers['access-control-allow-origin'], undefined);
});

test('no view of a request shows what only the gate may set', async () => {
  const headers = [...bearer(), ['X-User', 'mallory'], ['x.user', 'mallory']];
  const { body } = await send(`${origin}/view`, { headers });
  const names = JSON.parse(body);
  assert.deepEqual(names.filter((name) => name === 'x-user').length, names.length, body);
});

test('a body reaches its handler', async () => {
  const headers = [...bearer(), ['Content-Type', 'application/json']];
  const answer = await send(`${origin}/notes`, { method: 'POST', headers, body: '{"text":"hello"}' });
  assert.deepEqual(JSON.parse(answer.body), { body: { text: 'hello' } });
});

test('a page and its data are behind the same rule', async () => {
  for (const path of ['/page', '/page/__data.json']) {
    assert.equal((await send(origin + path)).status, 401, path);
    const { status, body } = await send(origin + path, { headers: bearer() });
    assert.equal(status, 200, path);
    assert.match(body, /ada/);
  }
  // A server that compares escapes as they were sent finds another page there, so that the default
  // has to hold as well.
  for (const path of ['/%70age', '/%70age/__data.json']) {
    assert.equal((await send(origin + path)).status, 401, path);
    assert.equal((await send(origin + path, { headers: bearer() })).status, 403, path);
  }
});

test('the client’s address is the platform’s', async () => {
  assert.equal((await send(`${origin}/office`, { headers: bearer() })).status, 200);
});
