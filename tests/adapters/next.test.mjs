// The adapter for Next: a `proxy.js` with a route behind it, and an edge route behind the gate itself, built and served for production on
// Node 24.
import assert from 'node:assert/strict';
import { cp, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { finish, scratch, start, within } from '../conformance/drivers/common.mjs';
import { EXTRA, ROOT, runtimeBinary } from '../conformance/runtimes/binaries.mjs';
import { mint, policy, REQUIREMENT, send, showAll } from './cases.mjs';

const TIMEOUT_MS = 180_000;
// Next reads Node's `headers`, which keep the first of two.
const FIRST_LINE = { firstLine: true };

const FILES = {
  'package.json': JSON.stringify({ private: true, type: 'module' }),
  'policy.json': JSON.stringify({
    ...policy,
    gate: {
      ...policy.gate,
      requirement: REQUIREMENT,
      cors: { origins: ['https://app.example'] },
      routes: [{ path: '{/edge}?/maybe', requirement: { ...REQUIREMENT, anonymous: true } }],
    },
  }),
  // The very file that the README shows, for every path but the edge's.
  'proxy.js': readFile(join(ROOT, 'tests', 'package', 'examples', 'next-proxy.mjs')),
  'app/[page]/route.js': `
    export const dynamic = 'force-dynamic';
    const answer = ({ headers }) => {
      const user = headers.get('x-user');
      return Response.json({ sub: user, user, authorization: headers.get('authorization') });
    };
    export const GET = answer;
    export const POST = async (request) => Response.json({ body: await request.json() });`,
  'app/edge/[page]/route.js': `
    import { createGate } from 'portcullis/gate';
    import policy from '../../../policy.json';
    export const runtime = 'edge';
    const gate = createGate(policy);
    export const GET = gate.protect(({ headers }, { claims }) => Response.json({
      sub: claims?.sub ?? null, user: headers.get('x-user'), authorization: headers.get('authorization'),
    }));
    // Next answers OPTIONS itself where a route has none.
    export const OPTIONS = GET;`,
};

let project;
let server;
let origin;

before(async () => {
  const [node, cli, root] = [runtimeBinary('node24'), runtimeBinary('next'), await realpath(EXTRA)];
  project = await scratch(join(root, 'adapter-'));
  const { folder } = project;
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), await text);
  }
  const config = `export default { turbopack: { root: ${JSON.stringify(root)} } };`;
  await writeFile(join(folder, 'next.config.mjs'), config);
  const installed = join(folder, 'node_modules', 'portcullis');
  await mkdir(installed, { recursive: true });
  await cp(join(ROOT, 'dist'), join(installed, 'dist'), { recursive: true });
  await cp(join(ROOT, 'package.json'), join(installed, 'package.json'));
  const env = {
    NEXT_TELEMETRY_DISABLED: '1',
    NEXT_IGNORE_INCORRECT_LOCKFILE: '1',
    CI: '1',
    NODE_ENV: 'production',
  };
  await finish(node, [cli, 'build'], { cwd: folder, env, timeoutMs: TIMEOUT_MS });
  const serve = [cli, 'start', '--hostname', '127.0.0.1', '--port', '0'];
  server = start(node, serve, { cwd: folder, env, timeoutMs: TIMEOUT_MS });
  const [, port] = await within(60_000, 'next start', server.printed(/127\.0\.0\.1:(\d+)/));
  origin = `http://127.0.0.1:${port}`;
});

after(() => {
  server?.stop();
  project?.remove();
});

describe('proxy.js', () => {
  showAll(test, () => origin, FIRST_LINE);
  test('a body reaches its route', async () => {
    const headers = [
      ['Authorization', `Bearer ${mint()}`],
      ['Content-Type', 'application/json'],
    ];
    const answer = await send(`${origin}/notes`, { method: 'POST', headers, body: '{"text":"hello"}' });
    assert.deepEqual(JSON.parse(answer.body), { body: { text: 'hello' } });
  });
});

for (const [name, path] of [
  ['proxy.js', '/notes'],
  ['an edge route', '/edge/notes'],
]) {
  test(`${name}: the host is what was asked for, and one that the policy names`, async () => {
    const ask = async (host) => {
      const headers = [
        ['Authorization', `Bearer ${mint()}`],
        ['X-Forwarded-Proto', 'https'],
      ];
      return (await send(origin + path, { host, headers })).status;
    };
    assert.equal(await ask('api.example'), 200);
    assert.equal(await ask('attacker.example'), 421);
    assert.equal(await ask('api.example:8443'), 421);
  });
}

test('a preflight is answered, and one with credentials is none', async () => {
  const marks = [
    ['Origin', 'https://app.example'],
    ['Access-Control-Request-Method', 'PUT'],
  ];
  const ask = (headers, path = '/notes') => send(origin + path, { method: 'OPTIONS', headers });
  const { status, headers } = await ask(marks);
  assert.equal(status, 204);
  assert.equal(headers['access-control-allow-origin'], 'https://app.example');
  assert.equal((await ask([...marks, ['Authorization', 'Bearer forged']])).status, 401);
  assert.equal(
    (await ask([['Origin', 'https://attacker.example'], marks[1]])).headers['access-control-allow-origin'],
    undefined,
  );
  const route = await ask(marks, '/edge/notes');
  assert.deepEqual(
    [route.status, route.headers['access-control-allow-origin']],
    [204, 'https://app.example'],
  );
});

describe('an edge route', () => showAll(test, () => `${origin}/edge`, FIRST_LINE));
