// Requests as they come over a wire: a Node server whose raw headers are handed to the gate, and
// clients that send what no library would.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';

import { createGate } from 'portcullis/gate';

import { AUDIENCE, ISSUER, prover, signer } from '../support/issuer.mjs';
import { json, origin } from '../support/origin.mjs';

let issuer;
let key;
let server;
let gate;
let port;

before(async () => {
  key = await signer('a');
  issuer = await origin();
  issuer.behave = json({ keys: [key.jwk] }, { 'cache-control': 'max-age=300' });
  gate = createGate({
    issuers: [{ issuer: ISSUER, audience: AUDIENCE, remote: { jwksUri: `${issuer.url}/keys` } }],
    gate: {
      routes: [
        { path: '/health', requirement: 'public' },
        { path: '/admin/*', requirement: { scopes: ['admin'] } },
        { path: '/proven', requirement: { binding: 'dpop' } },
      ],
      dpop: {},
      origins: ['http://localhost:*', 'http://127.0.0.1:*'],
    },
  });
  server = createServer(async (request, response) => {
    const { rawHeaders } = request;
    const headers = [];
    for (let at = 0; at < rawHeaders.length; at += 2) headers.push([rawHeaders[at], rawHeaders[at + 1]]);
    const facts = { method: request.method, url: `http://${request.headers.host}${request.url}`, headers };
    const decision = await gate.check(facts, undefined, { clientAddress: request.socket.remoteAddress });
    if (decision.ok) return response.end(`hello ${decision.claims?.sub ?? decision.via}`);
    const { response: told } = decision;
    response.writeHead(told.status, {
      ...Object.fromEntries(told.headers),
      'www-authenticate': [...decision.challenges],
    });
    response.end(await told.text());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = server.address().port;
});
after(() => {
  server.close();
  issuer.close();
});

/** Writes bytes to the server and reads what comes back. */
async function raw(lines) {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  let text = '';
  for await (const chunk of socket) text += chunk;
  const [head = '', ...body] = text.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head, body: body.join('\r\n\r\n') };
}

const get = (path, ...headers) =>
  raw([`GET ${path} HTTP/1.1`, `Host: localhost:${port}`, 'Connection: close', ...headers]);
const nowSeconds = () => Math.floor(Date.now() / 1000);

test('the first token fetches the keys over HTTP, and the next ones do not', async () => {
  const first = await get('/orders', `Authorization: Bearer ${await key.mint(nowSeconds())}`);
  assert.equal(first.status, 200);
  assert.match(first.body, /hello s/);
  for (let time = 0; time < 3; time++)
    assert.equal((await get('/orders', `Authorization: Bearer ${await key.mint(nowSeconds())}`)).status, 200);
  assert.equal(issuer.requests.length, 1);
});

test('duplicates are seen as they were sent', async () => {
  const token = await key.mint(nowSeconds());
  for (const headers of [
    [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`],
    [`Authorization: Bearer ${token}`, 'AUTHORIZATION: Basic YTpi'],
    [`Authorization: Bearer ${token}, Bearer ${token}`],
  ]) {
    const { status, head, body } = await get('/orders', ...headers);
    assert.equal(status, 400);
    assert.match(head, /www-authenticate: Bearer realm="api", error="invalid_request"/i);
    assert.equal(
      JSON.parse(body.replace(/^[\da-f]+\r\n|\r\n0\r\n\r\n$/gi, '')).code,
      'authorization-ambiguous',
    );
  }
});

test('both challenges are fields of their own', async () => {
  const { status, head } = await get('/orders');
  assert.equal(status, 401);
  const challenges = head.split('\r\n').filter((line) => /^www-authenticate:/i.test(line));
  assert.equal(challenges.length, 2);
  assert.match(challenges[0], /: Bearer realm="api"$/);
  assert.match(challenges[1], /: DPoP realm="api", algs="ES256 EdDSA RS256"$/);
});

test('paths as they stand on the wire find their rule', async () => {
  const authorization = `Authorization: Bearer ${await key.mint(nowSeconds())}`;
  assert.equal((await get('/health')).status, 200);
  for (const path of ['/admin/x', '/%61dmin/x', '/ADMIN/x', '/admin'])
    assert.equal((await get(path, authorization)).status, 403, path);
  for (const path of [
    '//admin/x',
    '/health/..%2fadmin/x',
    '/admin%5cx',
    '/health%00',
    '/admin%2Fx',
    '/admin;a=b/x',
    // A router may look for these as they stand.
    '/health/../admin/x',
    '/health/%2e%2e/admin/x',
    '/x/./../admin/x',
  ])
    assert.equal((await get(path, authorization)).status, 400, path);
});

test('a name that is not the loopback’s needs TLS, and nobody is believed about it', async () => {
  const token = await key.mint(nowSeconds());
  const sent = (host) =>
    raw([
      'GET /orders HTTP/1.1',
      `Host: ${host}`,
      'Connection: close',
      'X-Forwarded-Proto: https',
      `Authorization: Bearer ${token}`,
    ]);
  assert.equal((await sent('127.0.0.1:1')).status, 200);
  assert.equal((await sent('api.example')).status, 403);
});

test('a proof passes once, over the wire', async () => {
  const { cnf, prove } = await prover();
  const token = await key.mint(nowSeconds(), { cnf });
  const url = `http://localhost:${port}/proven`;
  const proof = await prove(token, nowSeconds(), { url });
  const send = (...headers) => get('/proven?x=y', ...headers);
  assert.equal((await send(`Authorization: DPoP ${token}`, `DPoP: ${proof}`)).status, 200);
  assert.equal((await send(`Authorization: DPoP ${token}`, `DPoP: ${proof}`)).status, 401);
  const fresh = await prove(token, nowSeconds(), { url });
  assert.equal((await send(`Authorization: DPoP ${token}`, `DPoP: ${fresh}`, `DPoP: ${fresh}`)).status, 401);
  assert.equal((await send(`Authorization: Bearer ${token}`, `DPoP: ${fresh}`)).status, 401);
  assert.equal(
    (await send(`Authorization: DPoP ${token}`, `DPoP: ${fresh}`)).status,
    200,
    'it was not spent',
  );
});
