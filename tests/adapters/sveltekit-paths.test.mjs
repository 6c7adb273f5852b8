// Which path a request to SvelteKit is judged by: what was asked for and what answers, never what
// a client says of itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { mint, policy, send } from './cases.mjs';
import { client } from './routing/raw.mjs';
import { random, scopesOf } from './routing/tables.mjs';
import { targetOf } from './routing/targets.mjs';
import { config, serveApp } from './sveltekit-app.mjs';

const scope = (...scopes) => ({ scopes });

const ENTRIES = [
  { path: '/open/*', name: 'open', scope: 'public' },
  { path: '/admin/*', name: 'admin', scope: 'admin' },
  { path: '/files/:name', name: 'file', scope: 'files' },
];

const FILES = {
  'svelte.config.js': config({ experimental: { remoteFunctions: true } }),
  'src/policy.json': JSON.stringify({
    ...policy,
    gate: {
      ...policy.gate,
      requirement: scope('other'),
      routes: [
        { path: '/health', requirement: 'public' },
        { path: '/_app/remote/*', requirement: scope('remote') },
        ...ENTRIES.map(({ path, scope: name }) => ({
          path,
          requirement: name === 'public' ? 'public' : scope(name),
        })),
      ],
    },
  }),
  'src/hooks.server.js': `
    import { createGate } from 'portcullis/gate';
    import { guard } from 'portcullis/sveltekit';
    import policy from './policy.json';
    export const handle = guard(createGate(policy));`,
  // What an app may do to languages, old addresses and tenants.
  'src/hooks.js': `
    export const reroute = ({ url }) => url.pathname.startsWith('/open/to/') ? url.pathname.slice(8) : undefined;`,
  'src/routes/secret.remote.js': `
    import { form, query } from '$app/server';
    export const secret = query(() => 'the secret');
    export const change = form('unchecked', () => { console.log('changed'); return 'changed'; });`,
  'src/routes/health/+page.svelte': `<script>
    import { secret, change } from '../secret.remote.js';
    const call = () => secret();
  </script><button onclick={call}>Call</button><form {...change}><button>Change</button></form>`,
  'src/served.js': `
    export const served = (name, params) => (text) => new Response(text, {
      headers: { 'x-served': encodeURIComponent(JSON.stringify([name, params])) },
    });`,
  'src/routes/(group)/admin/[x]/[[y]]/+server.js': `
    import { served } from '../../../../../served.js';
    const rest = ({ x, y }) => (y === undefined ? x : x + '/' + y);
    export const GET = ({ params }) => served('admin', { '*': rest(params) })('admin ' + params.x);
    export const POST = GET;`,
  'src/routes/files/[name]/+server.js': `
    import { served } from '../../../served.js';
    export const GET = ({ params }) => served('file', params)('file ' + params.name);
    export const POST = GET;`,
  'src/routes/open/[...rest]/+server.js': `
    import { served } from '../../../served.js';
    export const GET = ({ params }) => served('open', { '*': params.rest })('open ' + params.rest);`,
};

let app;
before(async () => {
  app = await serveApp(FILES);
});
after(() => app?.stop());

const bearer = (name) => [['Authorization', `Bearer ${mint({ scope: name })}`]];
const get = (path, headers = []) => send(app.origin + path, { headers });

/** What the page calls its remote form by. */
async function actionOf() {
  const { body } = await get('/health');
  const [, id] = /action="\?\/remote=([^"]+)"/.exec(body) ?? [];
  assert.ok(id, body);
  return decodeURIComponent(id);
}

test('a remote function is judged by its own path, whatever page its client says it comes from', async () => {
  const [hash] = (await actionOf()).split('/');
  const path = `/_app/remote/${hash}/secret`;
  for (const headers of [
    [],
    [['x-sveltekit-pathname', '/health']],
    [['x-sveltekit-pathname', '/health'], ...bearer('other')],
    [['x-sveltekit-pathname', '/open/x'], ['x-sveltekit-search', '?a=b'], ...bearer('admin')],
  ]) {
    const { status, body } = await get(path, headers);
    assert.ok(status === 401 || status === 403, `${status} ${body}`);
  }
  const { status, body } = await get(path, [['x-sveltekit-pathname', '/admin/x'], ...bearer('remote')]);
  assert.equal(status, 200, body);
  assert.match(body, /the secret/);
});

test('a remote form in the query of a page is judged by the form’s path as well', async () => {
  const action = await actionOf();
  const post = (headers) =>
    send(`${app.origin}/health?/remote=${encodeURIComponent(action)}`, {
      method: 'POST',
      headers: [
        ['Content-Type', 'application/x-www-form-urlencoded'],
        // A form without JavaScript; to a script the page's own actions answer.
        ['Accept', 'text/html'],
        ['Origin', app.origin],
        ...headers,
      ],
      body: 'a=b',
    });
  assert.equal((await post([])).status, 401);
  assert.equal((await post(bearer('other'))).status, 403);
  const { status, body } = await post(bearer('remote'));
  assert.equal(status, 200, body + action);
});

test('a page’s data is judged by the page, and rerouting by both paths', async () => {
  assert.equal((await get('/health/__data.json')).status, 200);
  assert.equal((await get('/health/__data.json?x-sveltekit-trailing-slash=1')).status, 401);
  assert.equal((await get('/open/a')).body, 'open a');
  assert.equal((await get('/open/to/admin/1')).status, 401);
  assert.equal((await get('/open/to/admin/1', bearer('other'))).status, 403);
  assert.equal((await get('/open/to/admin/1', bearer('admin'))).body, 'admin 1');
  assert.equal((await get('/open/to/files/a%20b', bearer('files'))).body, 'file a b');
  assert.equal((await get('/open/to/files/a%20b')).status, 401);
  assert.equal((await get('/open/to/open/b')).body, 'open b');
});

test('a route with groups, and parameters that are left out or escaped, is no other path', async () => {
  assert.equal((await get('/admin/1', bearer('admin'))).body, 'admin 1');
  assert.equal((await get('/admin/1/2', bearer('admin'))).body, 'admin 1');
  assert.equal((await get('/files/caf%C3%A9', bearer('files'))).body, 'file café');
  assert.equal((await get('/files/a@b', bearer('files'))).body, 'file a@b');
  assert.equal((await get('/files/a%40b', bearer('files'))).body, 'file a@b');
});

test('no target reaches a route without what the policy asks for there', async () => {
  const next = random(20_261_126);
  const rounds = Number(process.env.PORTCULLIS_ROUNDS ?? 700);
  const { host, port } = new URL(app.origin);
  const { ask, close } = client(Number(port));
  const tokens = new Map(['admin', 'files', 'other'].map((name) => [name, bearer(name)]));
  const faults = [];
  let served = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      const held = [...tokens.keys()][next(3)];
      const prefix = ['', '', '', '/open/to'][next(4)];
      const target =
        prefix + targetOf(next, { entries: ENTRIES }, host) + ['', '', '', '/__data.json'][next(4)];
      if (/\s/.test(target)) continue;
      const method = ['GET', 'HEAD', 'POST'][next(3)];
      const pathname = [[], [['x-sveltekit-pathname', '/open/x']]][next(2)];
      const { headers } = await ask(method, target, [
        ['Host', host],
        ['Content-Length', '0'],
        ...tokens.get(held),
        ...pathname,
      ]);
      if (headers['x-served'] === undefined) continue;
      served += 1;
      const [name, params] = JSON.parse(decodeURIComponent(headers['x-served']));
      const handler = ENTRIES.find((entry) => entry.name === name);
      const lacking = scopesOf({ entries: ENTRIES }, handler, params, method).filter((one) => one !== held);
      if (lacking.length > 0) faults.push(`${method} ${target} → ${handler.path} without ${lacking}`);
    }
  } finally {
    close();
  }
  assert.deepEqual(faults, []);
  assert.ok(served > rounds / 20, `${served} were served`);
});
