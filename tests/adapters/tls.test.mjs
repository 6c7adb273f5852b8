// Node's adapters over TLS: the scheme is the connection's, a token that is bound to a certificate
// needs the connection it proves (RFC 8705 §3), and HTTP/2 is as HTTP/1.1.
import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { createServer, request } from 'node:https';
import { after, before, test } from 'node:test';

import express from 'express';
import fastify from 'fastify';
import { guard as guardExpress } from 'portcullis/express';
import { guard as guardFastify } from 'portcullis/fastify';
import { createGate } from 'portcullis/gate';

import { listen, mint, policy, REQUIREMENT } from './cases.mjs';
import { selfSigned } from './certificate.mjs';

const server = selfSigned('server');
const [mine, other] = [selfSigned('client'), selfSigned('another client')];
const tls = { cert: server.cert, key: server.key, requestCert: true, rejectUnauthorized: false };
const gate = createGate(policy);

let http1;
let http2;
const app = fastify({ http2: true, https: tls });

before(async () => {
  const handler = express();
  handler.get('/notes', guardExpress(gate, REQUIREMENT), (req, res) =>
    res.json({ binding: req.auth.binding }),
  );
  http1 = await listen(createServer(tls, handler));
  app.get('/notes', { onRequest: guardFastify(gate, REQUIREMENT) }, ({ auth, headers }) => ({
    binding: auth.binding,
    user: headers['x-user'],
  }));
  http2 = await app.listen({ host: '127.0.0.1', port: 0 });
});
after(async () => {
  await http1.stop();
  await app.close();
});

function ask({ token, certificate, host = 'api.example' }) {
  const { hostname, port } = new URL(http1.origin);
  const headers = { host, authorization: `Bearer ${token}` };
  const client = { cert: certificate?.cert, key: certificate?.key, rejectUnauthorized: false, agent: false };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { hostname, port, path: '/notes', headers, timeout: 10_000, ...client },
      async (response) => {
        let body = '';
        for await (const chunk of response.setEncoding('utf8')) body += chunk;
        resolve({ status: response.statusCode, ...JSON.parse(body) });
      },
    );
    outgoing.on('error', reject).end();
  });
}

function askHttp2(headers) {
  return new Promise((resolve, reject) => {
    const session = connect(http2, { rejectUnauthorized: false });
    session.on('error', reject);
    const stream = session.request({ ':path': '/notes', ':authority': 'api.example', ...headers });
    let [status, body] = [0, ''];
    stream.on('response', (head) => {
      status = head[':status'];
    });
    stream.setEncoding('utf8').on('data', (chunk) => {
      body += chunk;
    });
    stream.on('end', () => {
      session.close();
      resolve({ status, ...JSON.parse(body) });
    });
    stream.on('error', reject);
  });
}

const bound = (to) => mint({ claims: { cnf: { 'x5t#S256': to.thumbprint } } });

test('over TLS any host is one', async () => {
  assert.deepEqual(await ask({ token: mint() }), { status: 200, binding: null });
});

test('a token that is bound to a certificate needs its connection', async () => {
  assert.deepEqual(await ask({ token: bound(mine), certificate: mine }), { status: 200, binding: 'mtls' });
  assert.equal((await ask({ token: bound(mine), certificate: other })).status, 401);
  assert.equal((await ask({ token: bound(mine) })).status, 401);
  assert.deepEqual(await ask({ token: mint(), certificate: other }), { status: 200, binding: null });
});

test('HTTP/2 is judged and rewritten as HTTP/1.1', async () => {
  const good = { authorization: `Bearer ${mint()}`, 'x-user': 'mallory' };
  assert.deepEqual(await askHttp2(good), { status: 200, binding: null, user: 'ada' });
  assert.equal((await askHttp2({})).status, 401);
});
