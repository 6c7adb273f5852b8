// The adapter for SvelteKit: an app built by it for Node, and served as its own adapter for Node does.
import assert from 'node:assert/strict';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ROOT, TARGET } from '../../src/js/build/steps.mjs';
import { finish, scratch, start, within } from '../conformance/drivers/common.mjs';
import { freeOrigin, mint, policy, REQUIREMENT, send, showAll } from './cases.mjs';

const TIMEOUT_MS = 180_000;

const FILES = {
  'package.json': JSON.stringify({ private: true, type: 'module' }),
  'svelte.config.js': `
    import adapter from '@sveltejs/adapter-node';
    export default { kit: { adapter: adapter() } };`,
  'vite.config.js': `import { sveltekit } from '@sveltejs/kit/vite'; export default { plugins: [sveltekit()] };`,
  'src/app.html': '<!doctype html><head>%sveltekit.head%</head><body>%sveltekit.body%</body>',
  'src/policy.json': JSON.stringify({
    ...policy,
    gate: {
      ...policy.gate,
      requirement: { scopes: ['admin'] },
      routes: [
        { path: '/maybe', requirement: { ...REQUIREMENT, anonymous: true } },
        { path: '/page', requirement: REQUIREMENT },
        { path: '/notes', requirement: REQUIREMENT },
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
  'src/routes/page/+page.svelte': '<script>let { data } = $props();</script>Hello, {data.sub}',
  'src/routes/page/+page.server.js': 'export const load = ({ locals }) => ({ sub: locals.auth.claims.sub });',
};

let project;
let server;
let origin;

before(async () => {
  await mkdir(TARGET, { recursive: true });
  // Within the work tree, where SvelteKit and the package are found.
  project = await scratch(join(TARGET, 'sveltekit-'));
  const { folder } = project;
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const installed = join(folder, 'node_modules', 'portcullis');
  await mkdir(installed, { recursive: true });
  await cp(join(ROOT, 'dist'), join(installed, 'dist'), { recursive: true });
  await cp(join(ROOT, 'package.json'), join(installed, 'package.json'));
  await cp(
    join(ROOT, 'tests', 'package', 'examples', 'sveltekit.mjs'),
    join(folder, 'src', 'hooks.server.js'),
  );
  const vite = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  await finish(process.execPath, [vite, 'build'], { cwd: folder, timeoutMs: TIMEOUT_MS });
  origin = await freeOrigin();
  const { hostname, port } = new URL(origin);
  const env = { HOST: hostname, PORT: port, ORIGIN: origin };
  server = start(process.execPath, ['build'], { cwd: folder, env, timeoutMs: TIMEOUT_MS });
  await within(60_000, 'the app', server.printed(/Listening on/));
});

after(() => {
  server?.stop();
  project?.remove();
});

showAll(test, () => origin);

const bearer = (options) => [['Authorization', `Bearer ${mint(options)}`]];

test('a body reaches its handler', async () => {
  const headers = [...bearer(), ['Content-Type', 'application/json']];
  const answer = await send(`${origin}/notes`, { method: 'POST', headers, body: '{"text":"hello"}' });
  assert.deepEqual(JSON.parse(answer.body), { body: { text: 'hello' } });
});

test('a page and its data are behind the same rule', async () => {
  for (const path of ['/page', '/page/__data.json', '/%70age', '/%70age/__data.json']) {
    assert.equal((await send(origin + path)).status, 401, path);
    const { status, body } = await send(origin + path, { headers: bearer() });
    assert.equal(status, 200, path);
    assert.match(body, /ada/);
  }
});

test('the client’s address is the platform’s', async () => {
  assert.equal((await send(`${origin}/office`, { headers: bearer() })).status, 200);
});
