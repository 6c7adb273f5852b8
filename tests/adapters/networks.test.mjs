// Where a request comes from, in every framework on Node and over HTTP: the connection says it, and
// no header that the client writes.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';

import { serve } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { guard as guardExpress } from 'portcullis/express';
import { guard as guardFastify } from 'portcullis/fastify';
import { createGate } from 'portcullis/gate';
import { guard as guardHono } from 'portcullis/hono';

import { listen, mint, policy } from './cases.mjs';

const APP = 'https://app.example';
const REMOTE = '203.0.113.9';

const gated = (gate, more = {}) => {
  const { origins: _, ...bare } = policy.gate;
  return createGate({ ...policy, ...more, gate: { ...bare, ...gate } });
};

const GATES = {
  '/plain': gated({}),
  '/cluster': gated({ plainHttpFrom: ['10.0.0.0/8'] }),
  '/behind': gated({ proxies: { trusted: ['10.0.0.0/8'], host: true }, origins: ['https://api.example'] }),
  '/probed': gated({
    origins: ['https://api.example'],
    routes: [{ path: '/probed/health', requirement: 'public' }],
  }),
  '/cookie': gated({
    credentials: { header: 'authorization', cookie: 'session', precedence: ['header', 'cookie'] },
    cors: { origins: [APP], credentials: true },
  }),
  '/socket': gated({ credentials: { subprotocol: 'bearer' } }),
};

let seen;

/** An app of each framework, with `trust proxy` on: what the framework believes must not matter. */
const FRAMEWORKS = {
  express: () => {
    const app = express();
    app.set('trust proxy', true);
    for (const [path, gate] of Object.entries(GATES))
      app.use(path, guardExpress(gate), (req, res) => {
        seen = req.headers;
        res.end('served');
      });
    return createServer(app);
  },
  fastify: async () => {
    const app = fastify({ trustProxy: true });
    for (const [path, gate] of Object.entries(GATES))
      app.all(`${path}/*`, { onRequest: guardFastify(gate) }, async (request) => {
        seen = request.raw.headers;
        return 'served';
      });
    await app.ready();
    return app.server;
  },
  hono: () => {
    const app = new Hono();
    for (const [path, gate] of Object.entries(GATES))
      app.all(`${path}/*`, guardHono(gate), (c) => {
        seen = Object.fromEntries(c.req.raw.headers);
        return c.text('served');
      });
    return serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', createServer });
  },
  node: () =>
    createServer(async (request, response) => {
      const gate = GATES[`/${request.url.split('/')[1]}`];
      const headers = [];
      for (let at = 0; at < request.rawHeaders.length; at += 2)
        headers.push([request.rawHeaders[at], request.rawHeaders[at + 1]]);
      const url = `http://${request.headers.host}${request.url}`;
      const context = { clientAddress: request.socket.remoteAddress };
      const decision = await gate.check({ method: request.method, url, headers }, undefined, context);
      if (!decision.ok) {
        response.writeHead(decision.status, Object.fromEntries(decision.response.headers));
        return response.end(await decision.response.text());
      }
      seen = { ...request.headers, ...decision.headers.set };
      return response.end('served');
    }),
};

for (const [name, make] of Object.entries(FRAMEWORKS)) {
  describe(name, () => {
    let running;
    /** Where the next connection begins, as its socket will say. */
    let peer;
    before(async () => {
      const server = await make();
      server.on('connection', (socket) => {
        const address = peer;
        if (address !== undefined) Object.defineProperty(socket, 'remoteAddress', { value: address });
      });
      running = server.listening ? here(server) : await listen(server);
    });
    after(() => running.stop());

    const ask = async (path, { from, method = 'GET', headers = [], token = true } = {}) => {
      peer = from;
      seen = undefined;
      const own = token ? [['Authorization', `Bearer ${mint()}`]] : [];
      return raw(running.origin, method, path, [...own, ...headers]);
    };
    const code = (answer) => JSON.parse(answer.body).code;

    test('no Host makes a request from elsewhere one of this machine', async () => {
      for (const host of [
        'localhost',
        'localhost:3000',
        '127.0.0.1',
        '[::1]:80',
        'app.localhost',
        '127.1.2.3',
      ]) {
        for (const more of [
          [],
          [
            ['X-Forwarded-For', '127.0.0.1'],
            ['X-Forwarded-Proto', 'https'],
            ['X-Forwarded-Host', 'localhost'],
            ['Forwarded', 'for=127.0.0.1;proto=https;host=localhost'],
          ],
        ]) {
          const answer = await ask('/plain/a', { from: REMOTE, headers: [['Host', host], ...more] });
          assert.deepEqual([answer.status, code(answer), seen], [403, 'transport-insecure', undefined], host);
        }
      }
      assert.equal((await ask('/plain/a', { headers: [['Host', 'localhost:3000']] })).status, 200);
    });

    test('a proxy on this machine that asks for somebody elsewhere is not this machine', async () => {
      for (const header of [
        ['X-Forwarded-For', REMOTE],
        ['Forwarded', `for=${REMOTE}`],
      ]) {
        const answer = await ask('/plain/a', { headers: [['Host', 'localhost'], header] });
        assert.deepEqual([answer.status, code(answer)], [403, 'transport-insecure'], header[0]);
      }
      const near = await ask('/plain/a', {
        headers: [
          ['Host', 'localhost'],
          ['X-Forwarded-For', '::1'],
        ],
      });
      assert.equal(near.status, 200);
    });

    test('plain HTTP comes from the networks of the policy, by the connection', async () => {
      const host = ['Host', 'api:3000'];
      assert.equal((await ask('/cluster/a', { from: '10.1.2.3', headers: [host] })).status, 200);
      for (const from of [REMOTE, '11.0.0.1', undefined]) {
        const headers = [host, ['X-Forwarded-For', '10.1.2.3'], ['X-Real-IP', '10.1.2.3']];
        const answer = await ask('/cluster/a', { from, headers });
        assert.equal(code(answer), 'transport-insecure', from);
        assert.match(
          JSON.parse(answer.body).detail,
          /gate\.proxies\.trusted.*gate\.plainHttpFrom.*dev\.host/,
        );
      }
    });

    test('a public route answers a probe, and nothing else does', async () => {
      const headers = [
        ['Host', '10.1.2.3:8080'],
        ['User-Agent', 'kube-probe/1.33'],
      ];
      assert.equal((await ask('/probed/health', { from: '10.1.2.1', token: false, headers })).status, 200);
      for (const [path, token] of [
        ['/probed/orders', false],
        ['/probed/health', true],
      ]) {
        const answer = await ask(path, { from: '10.1.2.1', token, headers });
        assert.deepEqual([answer.status, code(answer)], [403, 'transport-insecure'], path);
      }
    });

    test('a proxy of the policy says what it was asked for', async () => {
      const told = [
        ['Host', 'pod:8080'],
        ['X-Forwarded-For', REMOTE],
        ['X-Forwarded-Proto', 'https'],
      ];
      const host = (name) => [...told, ['X-Forwarded-Host', name]];
      assert.equal((await ask('/behind/a', { from: '10.0.0.1', headers: host('api.example') })).status, 200);
      assert.equal((await ask('/behind/a', { from: '10.0.0.1', headers: host('evil.example') })).status, 421);
      const two = await ask('/behind/a', { from: '10.0.0.1', headers: host('evil.example, api.example') });
      assert.deepEqual([two.status, code(two)], [400, 'request-malformed']);
      assert.equal((await ask('/behind/a', { from: REMOTE, headers: host('api.example') })).status, 403);
    });

    test('a cookie that another site has sent changes nothing', async () => {
      const cookie = ['Cookie', `session=${mint()}`];
      const post = (...headers) =>
        ask('/cookie/a', {
          method: 'POST',
          token: false,
          headers: [['Host', 'localhost'], cookie, ...headers],
        });
      assert.equal((await post(['Sec-Fetch-Site', 'same-origin'])).status, 200);
      assert.equal((await post(['Origin', 'http://localhost'])).status, 200);
      for (const headers of [[], [['Origin', 'https://evil.example']], [['Sec-Fetch-Site', 'cross-site']]]) {
        const answer = await post(...headers);
        assert.deepEqual([answer.status, code(answer), seen], [403, 'request-cross-site', undefined]);
      }
      // The header counts where both are there, and no page of another site can write it.
      const both = await ask('/cookie/a', {
        method: 'POST',
        headers: [
          ['Host', 'localhost'],
          ['Cookie', 'session=forged'],
          ['Sec-Fetch-Site', 'cross-site'],
        ],
      });
      assert.equal(both.status, 200);
    });

    test('a page of a listed origin can read why it was refused', async () => {
      const headers = [
        ['Host', 'localhost'],
        ['Origin', APP],
      ];
      const answer = await ask('/cookie/a', { token: false, headers });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers['access-control-allow-origin'], APP);
      assert.match(answer.headers['access-control-expose-headers'], /WWW-Authenticate/);
      const other = await ask('/cookie/a', {
        token: false,
        headers: [headers[0], ['Origin', 'https://evil.example']],
      });
      assert.equal(other.headers['access-control-allow-origin'], undefined);
    });

    test('the origin is offered all subprotocols but the token', async () => {
      const headers = [
        ['Host', 'localhost'],
        ['Sec-WebSocket-Protocol', `chat, bearer, ${mint()}, v2`],
      ];
      assert.equal((await ask('/socket/a', { token: false, headers })).status, 200);
      assert.equal(seen['sec-websocket-protocol'], 'chat, bearer, v2');
    });
  });
}

const here = (server) => ({
  origin: `http://127.0.0.1:${server.address().port}`,
  stop: () => new Promise((stopped) => server.close(stopped)),
});

/** Writes a request as it stands; no client would send all of these. */
function raw(origin, method, path, headers) {
  const { port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1');
    const lines = [`${method} ${path} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`)];
    socket.end(`${[...lines, 'Connection: close', 'Content-Length: 0'].join('\r\n')}\r\n\r\n`);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const [head, ...rest] = text.split('\r\n\r\n');
      const [status, ...fields] = head.split('\r\n');
      const pairs = fields
        .map((field) => field.split(': '))
        .map(([name, ...value]) => [name.toLowerCase(), value.join(': ')]);
      const body = rest.join('\r\n\r\n').replace(/^[\da-f]+\r\n|\r\n0\r\n\r\n$/gi, '');
      resolve({ status: Number(status.split(' ')[1]), headers: Object.fromEntries(pairs), body });
    });
  });
}
