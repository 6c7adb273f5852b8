// Where a middleware, an option or a router writes another path than the one that was asked for,
// both are judged.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { getRequestListener } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { guard as guardExpress } from 'portcullis/express';
import { guard as guardFastify } from 'portcullis/fastify';
import { createGate } from 'portcullis/gate';
import { guard as guardHono } from 'portcullis/hono';

import { listen, mint, policy, send } from './cases.mjs';

const gate = createGate({
  ...policy,
  gate: {
    ...policy.gate,
    requirement: { scopes: ['other'] },
    routes: [
      { path: '/open/*', requirement: 'public' },
      { path: '/health', requirement: 'public' },
      { path: '/admin/*', requirement: { scopes: ['admin'] } },
      { path: '/docs{/}?', requirement: 'public' },
    ],
  },
});
const admin = () => [['Authorization', `Bearer ${mint({ scope: 'admin' })}`]];
const other = () => [['Authorization', `Bearer ${mint({ scope: 'other' })}`]];

/** `/open/to/admin/x` is given to the handler of `/admin/x`. */
const rewritten = (target) => target.replace('/open/to/', '/');

async function showsBoth({ origin, stop }) {
  try {
    const ask = async (path, headers = []) => (await send(origin + path, { headers })).status;
    assert.equal(await ask('/open/a'), 200);
    assert.equal(await ask('/open/to/health'), 200);
    assert.equal(await ask('/open/to/admin/x'), 401);
    assert.equal(await ask('/open/to/admin/x', other()), 403);
    assert.equal(await ask('/open/to/admin/x', admin()), 200);
  } finally {
    await stop();
  }
}

test('a middleware of Express that writes req.url hides no path', async () => {
  const app = express();
  app.use((req, _res, next) => {
    req.url = rewritten(req.url);
    next();
  });
  app.use(guardExpress(gate), (_req, res) => res.end('served'));
  await showsBoth(await listen(createServer(app)));
});

test('what a router of Express takes off is no other path, and what was written before is', async () => {
  const app = express();
  const router = express.Router();
  router.use(guardExpress(gate), (_req, res) => res.end('served'));
  app.use((req, _res, next) => {
    if (req.url.startsWith('/x/')) req.url = `/admin/${req.url.slice(3)}`;
    next();
  });
  app.use('/admin', router);
  app.use('/open', router);
  const { origin, stop } = await listen(createServer(app));
  const ask = async (path, headers = []) => (await send(origin + path, { headers })).status;
  // What is mounted has `url` without its prefix, which is no other path.
  assert.equal(await ask('/open/a'), 200);
  assert.equal(await ask('/open/'), 200);
  assert.equal(await ask('/admin/x', admin()), 200);
  assert.equal(await ask('/admin', admin()), 403);
  assert.equal(await ask('/x/1', other()), 403);
  await stop();
});

test('rewriteUrl of Fastify hides no path', async () => {
  const app = fastify({ rewriteUrl: (req) => rewritten(req.url) });
  app.addHook('onRequest', guardFastify(gate));
  app.get('/*', () => 'served');
  await app.listen({ port: 0, host: '127.0.0.1' });
  const origin = `http://127.0.0.1:${app.server.address().port}`;
  await showsBoth({ origin, stop: () => app.close() });
});

test('getPath of Hono hides no path', async () => {
  const app = new Hono({ getPath: (request) => rewritten(new URL(request.url).pathname) });
  app.use(guardHono(gate));
  app.get('*', (c) => c.text('served'));
  await showsBoth(await listen(createServer(getRequestListener(app.fetch))));
});

test('in an app that Hono mounts, the path that its handlers are found by is judged', async () => {
  const inner = new Hono();
  inner.use(guardHono(gate));
  inner.get('*', (c) => c.text('served'));
  const app = new Hono().mount('/open', inner.fetch);
  const { origin, stop } = await listen(createServer(getRequestListener(app.fetch)));
  const ask = async (path, headers = []) => (await send(origin + path, { headers })).status;
  assert.equal(await ask('/open/health'), 200);
  assert.equal(await ask('/open/admin/x'), 401);
  assert.equal(await ask('/open/admin/x', admin()), 200);
  await stop();
});

test('what an app of Hono asks itself is judged by its own path, whatever its host', async () => {
  const app = new Hono();
  app.use(guardHono(gate));
  app.get('/open/batch', async (c) => {
    const [target, authorization] = [c.req.query('of'), c.req.header('x-as')];
    const headers = authorization === undefined ? {} : { authorization };
    const { status } = await app.request(target, { headers }, c.env);
    return c.text('asked', status);
  });
  app.get('*', (c) => c.text('served'));
  const { origin, stop } = await listen(createServer(getRequestListener(app.fetch)));
  const batch = async (target, [[, as] = []] = []) => {
    const headers = as === undefined ? [] : [['X-As', as]];
    return (await send(`${origin}/open/batch?of=${encodeURIComponent(target)}`, { headers })).status;
  };
  try {
    for (const base of ['', origin, 'http://localhost', 'http://127.0.0.1:1']) {
      assert.equal(await batch(`${base}/health`), 200, base);
      assert.equal(await batch(`${base}/admin/x`), 401, base);
      assert.equal(await batch(`${base}/admin/x`, other()), 403, base);
      assert.equal(await batch(`${base}/admin/x`, admin()), 200, base);
    }
  } finally {
    await stop();
  }
});

test('two Host headers have no URL', async () => {
  const app = express();
  app.use(guardExpress(gate), (_req, res) => res.end('served'));
  const { origin, stop } = await listen(createServer(app));
  const { host } = new URL(origin);
  const ask = async (second) => (await send(`${origin}/health`, { headers: [['Host', second]] })).status;
  assert.equal(await ask('other.example'), 400);
  assert.equal((await send(`${origin}/health`, { host })).status, 200);
  await stop();
});
