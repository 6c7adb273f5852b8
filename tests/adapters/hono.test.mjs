// The adapter for Hono: in Node, in workerd, and beside Hono's own `jwk` middleware.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { jwk } from 'hono/jwk';

import { ROOT } from '../../src/build/steps.mjs';
import { startWorker } from '../support/workerd.mjs';
import { key, mint, mintJwt, policy, send, showAll } from './cases.mjs';
import { makeApp } from './hono-app.mjs';

const bearer = (options) => [['Authorization', `Bearer ${mint(options)}`]];

function serving(make) {
  let running;
  before(async () => {
    running = await make();
  });
  after(() => running?.stop());
  return () => running.origin;
}

/** Hono's own server for Node, which makes a `Request` out of rawHeaders. */
function inNode(app) {
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
      const stop = () => {
        server.closeAllConnections();
        server.close();
      };
      resolve({ origin: `http://127.0.0.1:${port}`, stop });
    });
  });
}

function everyCase(origin) {
  showAll(test, origin);
  test('a body reaches its handler', async () => {
    const headers = [...bearer(), ['Content-Type', 'application/json']];
    const answer = await send(`${origin()}/notes`, { method: 'POST', headers, body: '{"text":"hello"}' });
    assert.deepEqual(JSON.parse(answer.body), { body: { text: 'hello' } });
  });
}

describe('in Node', () => everyCase(serving(() => inNode(makeApp(policy)))));

describe('in workerd', () => {
  const script = join(ROOT, 'tests', 'adapters', 'hono-worker.mjs');
  everyCase(serving(() => startWorker(script, { bindings: { POLICY: policy } })));
});

describe('what Hono’s own middleware has, ours has', () => {
  const keys = key.jwks().keys;
  // Hono's knows the `typ` "JWT" alone.
  const [issuer] = policy.issuers;
  const ofJwts = { ...policy, issuers: [{ ...issuer, types: ['JWT'] }] };
  /** Both apps, set up for the same; each is asked the same. */
  const both = ({ theirs, ours }) => {
    const app = new Hono();
    app.use('/notes', jwk({ keys, alg: ['ES256'], ...theirs }));
    app.get('/notes', (c) => c.json({ sub: c.get('jwtPayload')?.sub ?? null }));
    const path = theirs.allow_anon ? '/maybe' : '/notes';
    return [
      [app, '/notes'],
      [makeApp(ofJwts, ours), path],
    ];
  };
  const ask = async ([app, path], headers) => {
    const response = await app.request(`http://localhost${path}`, { headers });
    return { status: response.status, sub: response.ok ? (await response.json()).sub : undefined };
  };
  const SAME = [
    {
      name: 'a token in a cookie',
      theirs: { cookie: 'session' },
      ours: { credentials: { cookie: 'session' } },
      asked: [
        [() => ({ cookie: `a=1; session=${mintJwt()}; b=2` }), { status: 200, sub: 'ada' }],
        [() => ({ cookie: 'a=1' }), { status: 401 }],
        [() => ({ cookie: 'session=x' }), { status: 401 }],
      ],
    },
    {
      name: 'a token in another header',
      theirs: { headerName: 'x-token' },
      ours: { credentials: { header: 'x-token', scheme: 'Bearer' } },
      asked: [
        [() => ({ 'x-token': `Bearer ${mintJwt()}` }), { status: 200, sub: 'ada' }],
        [() => ({ authorization: `Bearer ${mintJwt()}` }), { status: 401 }],
      ],
    },
    {
      name: 'anonymous access',
      theirs: { allow_anon: true },
      ours: {},
      asked: [
        [() => ({}), { status: 200, sub: null }],
        [() => ({ authorization: `Bearer ${mintJwt()}` }), { status: 200, sub: 'ada' }],
        [() => ({ authorization: 'Bearer x.y.z' }), { status: 401 }],
      ],
    },
  ];
  for (const { name, theirs, ours, asked } of SAME) {
    test(name, async () => {
      const apps = both({ theirs, ours });
      for (const [headers, expected] of asked) {
        const sent = headers();
        for (const app of apps) assert.deepEqual(await ask(app, sent), { sub: undefined, ...expected });
      }
    });
  }

  test('a realm of one’s own', async () => {
    const response = await makeApp(policy, { realm: 'the notes' }).request('http://localhost/notes');
    assert.equal(response.headers.get('www-authenticate'), 'Bearer realm="the notes"');
  });

  test('the claims under a name of one’s own, frozen', async () => {
    const app = makeApp(policy, { key: 'user' });
    const response = await app.request('http://localhost/notes', { headers: bearer() });
    assert.equal((await response.json()).sub, 'ada');
  });
});

test('the client’s address is what the app says it is', async () => {
  const ask = async (address) => {
    const app = makeApp(policy, { clientAddress: (c) => c.env?.address });
    return (await app.request('https://api.example/office', { headers: bearer() }, { address })).status;
  };
  assert.equal(await ask('192.0.2.7'), 200);
  assert.equal(await ask('198.51.100.7'), 403);
  assert.equal(await ask(undefined), 403);
});
