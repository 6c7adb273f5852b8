// What a request says of itself and a framework believes: preflights, the host, and headers that
// only the gate may set. In every framework on Node, over HTTP.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect as connect2, createServer as createServer2 } from 'node:http2';
import { after, before, describe, test } from 'node:test';

import { serve } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { guard as guardExpress } from 'portcullis/express';
import { guard as guardFastify } from 'portcullis/fastify';
import { createGate } from 'portcullis/gate';
import { guard as guardHono } from 'portcullis/hono';

import { prover } from '../support/issuer.mjs';
import { listen, mint, policy, send } from './cases.mjs';

const APP = 'https://app.example';
const MARKS = [
  ['Origin', APP],
  ['Access-Control-Request-Method', 'PUT'],
];
const FORGED = [
  ['X-User', 'mallory'],
  ['x_user', 'mallory'],
  ['X.User', 'mallory'],
  ['x~user', 'mallory'],
];

const gated = (gate) => {
  const { origins: _, ...bare } = policy.gate;
  return createGate({ ...policy, gate: { ...bare, ...gate } });
};

/** Every app has the same paths, and notes what its handlers are shown. */
const GATES = {
  '/answered': { gate: gated({ cors: { origins: [APP] } }) },
  '/closed': { gate: gated({}) },
  '/passed': { gate: gated({ preflight: 'pass' }) },
  '/public': { gate: gated({ routes: [{ path: '/*', requirement: 'public' }] }) },
  '/anonymous': { gate: gated({}), requirement: { anonymous: true } },
  '/inside': { gate: gated({}), requirement: { anonymous: true, networks: ['127.0.0.0/8'] } },
  '/outside': { gate: gated({}), requirement: { anonymous: true, networks: ['192.0.2.0/24'] } },
  '/pinned': { gate: gated({ origins: ['http://127.0.0.1:*'], dpop: {} }) },
  '/unpinned': { gate: gated({ dpop: {} }) },
};

let seen = [];
/**
 * What a handler finds under the names that a server behind it might read, in every view of
 * Node's.
 */
const note = (raw, headers) => {
  const names = [...Object.keys(headers)];
  if (raw) {
    names.push(...raw.rawHeaders.filter((_, at) => at % 2 === 0));
    names.push(...Object.keys(raw.headers), ...Object.keys(raw.headersDistinct ?? {}));
  }
  seen.push(names.map((name) => name.toLowerCase()));
  return { told: [...new Set(names.map((name) => name.toLowerCase()))] };
};

const FRAMEWORKS = {
  express: async () => {
    const app = express();
    for (const [path, { gate, requirement }] of Object.entries(GATES)) {
      app.use(path, guardExpress(gate, requirement));
      app.all(path, (req, res) => res.json(note(req, req.headers)));
    }
    return listen(createServer(app));
  },
  fastify: async () => {
    const app = fastify();
    for (const [path, { gate, requirement }] of Object.entries(GATES)) {
      app.register(async (plugin) => {
        plugin.addHook('onRequest', guardFastify(gate, requirement));
        plugin.all(path, async (request) => note(request.raw, request.headers));
      });
    }
    const origin = await app.listen({ host: '127.0.0.1', port: 0 });
    return { origin, stop: () => app.close() };
  },
  hono: () => {
    const app = new Hono();
    for (const [path, { gate, requirement }] of Object.entries(GATES)) {
      app.use(path, guardHono(gate, requirement));
      app.all(path, (c) => c.json(note(c.env.incoming, Object.fromEntries(c.req.raw.headers))));
    }
    return inNode(app.fetch);
  },
  protect: () => {
    const handlers = Object.fromEntries(
      Object.entries(GATES).map(([path, { gate, requirement }]) => {
        const handler = (request) => Response.json(note(undefined, Object.fromEntries(request.headers)));
        const context = (_, { incoming }) => ({ clientAddress: incoming.socket.remoteAddress });
        return [path, gate.protect(handler, requirement, context)];
      }),
    );
    return inNode((request, env) => handlers[new URL(request.url).pathname](request, env));
  },
};

function inNode(fetch) {
  return new Promise((resolve) => {
    const server = serve({ fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
      const stop = () => {
        server.closeAllConnections();
        server.close();
      };
      resolve({ origin: `http://127.0.0.1:${port}`, stop });
    });
  });
}

for (const [name, start] of Object.entries(FRAMEWORKS)) {
  describe(name, () => {
    let running;
    before(async () => {
      running = await start();
    });
    after(() => running?.stop());
    const ask = async (path, options) => {
      seen = [];
      return send(running.origin + path, options);
    };
    const preflight = (path, headers = [], more = {}) =>
      ask(path, { method: 'OPTIONS', headers: [...MARKS, ...headers], ...more });

    test('a preflight is answered by the policy and reaches no handler', async () => {
      const { status, headers, body } = await preflight('/answered');
      assert.deepEqual([status, body, seen], [204, '', []]);
      assert.equal(headers['access-control-allow-origin'], APP);
      assert.equal(headers['access-control-allow-headers'], 'authorization, dpop, content-type');
      assert.match(headers['access-control-allow-methods'], /PUT/);
      assert.match(headers.vary, /Origin/);
    });

    test('no other origin is allowed anything, and without a policy none is', async () => {
      const other = [['Origin', 'https://attacker.example'], MARKS[1]];
      const answers = [
        await ask('/answered', { method: 'OPTIONS', headers: other }),
        await preflight('/closed'),
        await preflight('/public'),
        await preflight('/anonymous'),
      ];
      for (const { status, headers } of answers) {
        assert.equal(status, 204);
        assert.deepEqual(
          Object.keys(headers).filter((header) => header.startsWith('access-control-')),
          [],
        );
      }
      assert.deepEqual(seen, []);
    });

    test('a preflight with credentials or a body is none, and is refused', async () => {
      for (const path of ['/answered', '/closed', '/passed']) {
        for (const [headers, more] of [
          [[['Authorization', 'Bearer forged']]],
          [[['Authorization', 'Basic eDp5']]],
          [[['Cookie', 'session=forged']]],
          [[['DPoP', 'forged']]],
          [[], { body: 'a body' }],
          [[['Transfer-Encoding', 'chunked']]],
        ]) {
          const { status } = await preflight(path, headers, more);
          assert.deepEqual([status, seen], [401, []], `${path} ${JSON.stringify(headers)}`);
        }
      }
    });

    test('a preflight goes to the handler where the policy says so, without what only the gate may set', async () => {
      const { status } = await preflight('/passed', FORGED);
      assert.deepEqual([status, seen.length], [200, 1]);
      for (const header of ['x-user', 'x_user', 'x.user', 'x~user'])
        assert.ok(!seen[0].includes(header), header);
      assert.ok(seen[0].includes('origin'));
    });

    test('transport and host hold for preflights too', async () => {
      const { status, body } = await preflight('/answered', [], { host: 'api.example' });
      assert.deepEqual([status, JSON.parse(body).code], [403, 'transport-insecure']);
      const pinned = await preflight('/pinned', [], { host: 'localhost' });
      assert.deepEqual([pinned.status, JSON.parse(pinned.body).code], [421, 'request-misdirected']);
      assert.deepEqual(seen, []);
    });

    test('what passes without a token brings no credential and no header of the gate’s along', async () => {
      const headers = [['Accept', '*/*'], ...FORGED];
      const credentials = [
        ['Authorization', 'Bearer forged'],
        ['DPoP', 'forged'],
      ];
      for (const [path, sent] of [
        ['/public', [...headers, ...credentials]],
        ['/anonymous', [...headers, credentials[1]]],
      ]) {
        const { status } = await ask(path, { headers: sent });
        assert.equal(status, 200);
        const found = seen[0].filter((header) => /user|authorization|dpop/.test(header));
        assert.deepEqual(found, [], path);
        assert.ok(seen[0].includes('accept'));
      }
    });

    test('networks hold for whoever is anonymous', async () => {
      assert.equal((await ask('/inside')).status, 200);
      const { status, body } = await ask('/outside');
      assert.deepEqual([status, JSON.parse(body).code, seen], [403, 'network-denied', []]);
    });

    test('a refusal can be read by the scripts that the policy lists', async () => {
      const { status, headers } = await ask('/answered', { headers: [MARKS[0]] });
      assert.deepEqual([status, headers['access-control-allow-origin']], [401, APP]);
      assert.match(headers['access-control-expose-headers'], /WWW-Authenticate/);
      const other = await ask('/answered', { headers: [['Origin', 'https://attacker.example']] });
      assert.equal(other.headers['access-control-allow-origin'], undefined);
      assert.equal(other.headers.vary, 'Origin');
    });

    test('two hosts are none', async () => {
      const headers = [['Host', 'attacker.example']];
      for (const path of ['/public', '/anonymous', '/pinned']) {
        const { status, body } = await ask(path, { headers });
        assert.deepEqual([status, JSON.parse(body).code, seen], [400, 'request-malformed', []], path);
      }
    });

    test('no header of the gate’s, and none with credentials, is for one connection alone', async () => {
      for (const named of ['X-User', 'close, x_user', 'Authorization', 'keep-alive,\tDPoP', 'cookie'])
        for (const path of ['/public', '/anonymous', '/passed']) {
          const { status, body } = await ask(path, { headers: [['Connection', named]] });
          assert.deepEqual([status, JSON.parse(body).code, seen], [400, 'request-malformed', []], named);
        }
      for (const named of ['close', 'keep-alive, TE', 'x-users'])
        assert.equal((await ask('/anonymous', { headers: [['Connection', named]] })).status, 200, named);
    });

    test('a proof for another host does not pass, whatever the Host header says', async () => {
      const { cnf, prove } = await prover();
      const token = mint({ claims: { cnf } });
      const sent = async (path, host) => {
        const url = `http://${host}${path}`;
        const dpop = await prove(token, Math.floor(Date.now() / 1000), { url });
        const headers = [
          ['Authorization', `DPoP ${token}`],
          ['DPoP', dpop],
        ];
        const { status, body } = await ask(path, { headers, host });
        return [status, JSON.parse(body).code];
      };
      const { host } = new URL(running.origin);
      assert.deepEqual(await sent('/pinned', host), [200, undefined]);
      assert.deepEqual(await sent('/pinned', 'localhost:1'), [421, 'request-misdirected']);
      assert.deepEqual(seen, []);
      // Nobody says which hosts are ours.
      assert.deepEqual(await sent('/unpinned', host), [500, 'dpop-origin-unknown']);
      assert.deepEqual(await sent('/unpinned', 'localhost:1'), [500, 'dpop-origin-unknown']);
      assert.deepEqual(seen, []);
    });
  });
}

test('a body that HTTP/2 does not announce makes a request of a preflight', async () => {
  const handler = guardExpress(GATES['/passed'].gate);
  let reached = 0;
  const server = createServer2((req, res) => {
    handler(req, res, () => {
      reached += 1;
      res.end();
    });
  });
  const { origin, stop } = await listen(server);
  const session = connect2(origin);
  const ask = (body) =>
    new Promise((resolve, reject) => {
      const headers = { ':method': 'OPTIONS', ':path': '/', ...Object.fromEntries(MARKS) };
      const stream = session.request(headers, { endStream: body === undefined });
      stream.on('response', (answer) => resolve(answer[':status']));
      stream.on('error', reject);
      stream.resume();
      if (body !== undefined) stream.end(body);
    });
  try {
    assert.deepEqual([await ask(undefined), reached], [200, 1]);
    assert.deepEqual([await ask('a body'), reached], [401, 1]);
  } finally {
    session.destroy();
    await stop();
  }
});

test('plain HTTP from elsewhere is refused, whatever the Host header says', async () => {
  const handler = guardExpress(GATES['/closed'].gate);
  const from = async (remoteAddress, host) => {
    const req = {
      method: 'GET',
      url: '/',
      rawHeaders: ['Host', host, 'Authorization', `Bearer ${mint()}`],
      headers: {},
      socket: { remoteAddress },
    };
    return new Promise((resolve) => {
      const res = { setHeader() {}, writeHead: resolve, end() {} };
      handler(req, res, () => resolve(200));
    });
  };
  for (const host of ['localhost', '127.0.0.1:3000', '[::1]', 'api.localhost']) {
    assert.equal(await from('203.0.113.9', host), 403, host);
    assert.equal(await from(undefined, host), 403, host);
    assert.equal(await from('127.0.0.1', host), 200, host);
    assert.equal(await from('::ffff:127.0.0.1', host), 200, host);
  }
});
