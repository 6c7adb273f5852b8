// A request-target has one reading, and what has none is refused alike by every adapter for Node:
// as it is written, over sockets.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { getRequestListener } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { guard as guardExpress } from 'portcullis/express';
import { guard as guardFastify } from 'portcullis/fastify';
import { createGate } from 'portcullis/gate';
import { guard as guardHono } from 'portcullis/hono';

import { listen, policy } from './cases.mjs';
import { client } from './routing/raw.mjs';

const gate = createGate({
  ...policy,
  gate: {
    ...policy.gate,
    requirement: { scopes: ['admin'] },
    routes: [
      { path: '/', requirement: 'public' },
      { path: '/open/*', requirement: 'public' },
    ],
  },
});

const APPS = {
  async express() {
    const app = express();
    app.use(guardExpress(gate), (_req, res) => res.end('served'));
    return listen(createServer(app));
  },
  async fastify() {
    const app = fastify();
    app.addHook('onRequest', guardFastify(gate));
    app.all('/*', () => 'served');
    app.setNotFoundHandler(() => 'served');
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { origin: `http://127.0.0.1:${app.server.address().port}`, stop: () => app.close() };
  },
  async hono() {
    const app = new Hono();
    app.use(guardHono(gate));
    app.all('*', (c) => c.text('served'));
    return listen(createServer(getRequestListener(app.fetch)));
  },
  /** The same where the app keeps what the server hands over beside bindings of its own. */
  async 'hono with bindings'() {
    const app = new Hono();
    app.use(guardHono(gate));
    app.all('*', (c) => c.text('served'));
    const fetch = (request, server) => app.fetch(request, { server, key: 'value' });
    return listen(createServer(getRequestListener(fetch)));
  },
};

const running = new Map();
before(async () => {
  for (const [name, serve] of Object.entries(APPS)) {
    const server = await serve();
    running.set(name, { ...server, ...client(Number(new URL(server.origin).port)) });
  }
});
after(async () => {
  for (const { close, stop } of running.values()) {
    close();
    await stop();
  }
});

/** What each answers, by name. */
async function each(method, target, { host } = {}) {
  const answers = {};
  for (const [name, { origin, ask }] of running) {
    const own = new URL(origin).host;
    const line = typeof target === 'function' ? target(own) : target;
    const { status } = await ask(method, line, [['Host', host ?? own]]);
    answers[name] = status;
  }
  return answers;
}

const all = (status) => Object.fromEntries(Object.keys(APPS).map((name) => [name, status]));

test('origin form, and absolute form of the very host, are served', async () => {
  for (const target of ['/', '/open/a', '/open/a?b=/../c', (host) => `http://${host}/open/a`])
    assert.deepEqual(await each('GET', target), all(200), String(target));
  assert.deepEqual(await each('GET', '/secret'), all(401));
});

test('whatever else is refused, by all of them', async () => {
  for (const target of [
    '*',
    'open/a',
    '?/open/a',
    'http://x?/open/a',
    (host) => `http://${host}?/secret`,
    (host) => `http://${host}`,
    (host) => `http://${host}#/secret`,
    (host) => `http://${host}\\/open/a`,
    (host) => `https://${host}/open/a`,
    (host) => `http://ada@${host}/open/a`,
    (host) => host,
    'http://other.example/open/a',
    'http:/open/a',
    'http:///open/a',
    '/open/a#b',
    '/#/open/a',
    '/open\\a',
    '/open/..\\..\\secret',
    '/open/a\u0001',
    '/open/a\u007f',
    '/open/caf\u00e9',
    '/open/../secret',
    '/secret/../open/a',
    '/open/%2e%2e/secret',
    '/open/./a',
  ]) {
    // Node's own parser, where it hangs up, has answered 400 before.
    for (const [name, status] of Object.entries(await each('GET', target)))
      assert.equal(status, 400, `${name}: ${target}`);
  }
  assert.deepEqual(await each('OPTIONS', '*'), all(400));
});

test('an absolute target for another host than the Host header’s is refused', async () => {
  assert.deepEqual(await each('GET', (host) => `http://${host}/open/a`, { host: '127.0.0.1' }), all(400));
  assert.deepEqual(await each('GET', 'http://127.0.0.1/open/a', { host: '127.0.0.1:80' }), all(200));
});
