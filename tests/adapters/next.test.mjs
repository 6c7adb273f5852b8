// The adapter for Next: a `proxy.js` with a route behind it, and an edge route behind the gate
// itself, built and served for production on Node 24.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { ROOT } from '../support/binaries.mjs';
import { mint, policy, REQUIREMENT, send, showAll } from './cases.mjs';
import { serveApp } from './next-app.mjs';

// Next reads Node's `headers`, which keep the first of two.
const FIRST_LINE = { firstLine: true };

const FILES = {
  'policy.json': JSON.stringify({
    ...policy,
    gate: {
      ...policy.gate,
      requirement: REQUIREMENT,
      cors: { origins: ['https://app.example'] },
      routes: [{ path: '{/edge}?/maybe', requirement: { ...REQUIREMENT, anonymous: true } }],
    },
  }),
  // The very file that the documentation shows, for every path but the edge's.
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

let app;
let origin;

before(async () => {
  app = await serveApp(FILES);
  origin = app.origin;
});

after(() => app?.stop());

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
