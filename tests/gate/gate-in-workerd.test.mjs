// The whole gate in workerd, where a promise that is shared would be cancelled: keys and answers
// for many requests at once.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { AUDIENCE, ISSUER, prover, signer } from '../support/issuer.mjs';
import { json, origin, paths, status } from '../support/origin.mjs';
import { workerd } from './workerd.mjs';

const OPAQUE = 'https://opaque.example';
let server;
let worker;
let key;
const waiting = [];
const held = (behave) => (request, response) => waiting.push(() => behave(request, response));
const answer = () => {
  for (const go of waiting.splice(0)) go();
};
const nowSeconds = () => Math.floor(Date.now() / 1000);
const visit = (token) => worker.get('/orders', { authorization: `Bearer ${token}` });
const until = async (condition) => {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'nothing came');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};
before(async () => {
  server = await origin();
  key = await signer('k');
  const remote = { jwksUri: `${server.url}/keys`, timeoutMs: 3000 };
  const introspection = {
    endpoint: `${server.url}/introspect`,
    clientId: 'client',
    authentication: 'client_secret_basic',
    timeoutMs: 3000,
  };
  worker = await workerd('gate-worker.mjs', {
    durableObjects: { PROOFS: { className: 'DpopReplayObject', useSQLite: true } },
    bindings: {
      ISSUER: OPAQUE,
      POLICY: {
        issuers: [
          { issuer: ISSUER, audience: AUDIENCE, remote },
          { issuer: OPAQUE, audience: AUDIENCE, introspection },
        ],
        gate: { origins: ['http://127.0.0.1:*'] },
      },
    },
  });
});
after(async () => {
  await worker.stop();
  await server.close();
});
beforeEach(async () => {
  server.requests.length = 0;
  waiting.length = 0;
  worker.logs.length = 0;
  await worker.get('/reset');
  const active = { active: true, sub: 'o', aud: AUDIENCE, client_id: 'c', exp: nowSeconds() + 600 };
  server.behave = paths({ '/keys': held(json({ keys: [key.jwk] })), '/introspect': held(json(active)) });
});
const quiet = () => assert.doesNotMatch(worker.logs.join(''), /different request|never generate|canceled/i);

test('fifty requests with tokens of their own at a cold start make one fetch, and all pass', async () => {
  const tokens = await Promise.all(Array.from({ length: 50 }, () => key.mint(nowSeconds())));
  const asked = tokens.map(visit);
  await until(() => waiting.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  answer();
  for (const response of await Promise.all(asked)) {
    assert.deepEqual([response.status, await response.text()], [200, '{"sub":"s"}']);
  }
  assert.equal(server.requests.length, 1);
  quiet();
});

test('ten requests with one opaque token ask once, and all pass', async () => {
  const asked = Array.from({ length: 10 }, () => visit('opaque-token'));
  await until(() => waiting.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  answer();
  for (const response of await Promise.all(asked)) {
    assert.deepEqual([response.status, await response.text()], [200, '{"sub":"o"}']);
  }
  assert.equal(server.requests.length, 1);
  quiet();
});

test('servers that are down are 503 with Retry-After, and the worker stays whole', async () => {
  server.behave = status(500);
  const jwt = await visit(await key.mint(nowSeconds()));
  const opaque = await visit('opaque-token');
  for (const response of [jwt, opaque]) {
    assert.equal(response.status, 503);
    assert.ok(Number(response.headers.get('retry-after')) > 0);
    assert.match(response.headers.get('content-type'), /problem\+json/);
    assert.match(response.headers.get('server-timing'), /portcullis-total/);
  }
  server.behave = paths({ '/keys': json({ keys: [key.jwk] }) });
  await worker.get('/reset');
  assert.equal((await visit(await key.mint(nowSeconds()))).status, 200);
  quiet();
});

test('of 100 parallel uses of one proof exactly one passes, by a Durable Object', async () => {
  server.behave = paths({ '/keys': json({ keys: [key.jwk] }) });
  const client = await prover();
  const token = await key.mint(nowSeconds(), { cnf: client.cnf });
  const url = new URL('/orders', worker.url).href;
  const headers = (dpop) => ({ authorization: `DPoP ${token}`, dpop });
  const one = await client.prove(token, nowSeconds(), { url });
  const uses = Array.from({ length: 100 }, () => worker.get('/orders', headers(one)));
  const statuses = (await Promise.all(uses)).map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 200).length, 1, statuses.join());
  assert.equal(statuses.filter((status) => status === 401).length, 99);
  const next = await client.prove(token, nowSeconds(), { url });
  assert.equal((await worker.get('/orders', headers(next))).status, 200);
  // Another isolate, as after a deployment, remembers as well.
  await worker.get('/reset');
  assert.equal((await worker.get('/orders', headers(next))).status, 401);
  quiet();
});
