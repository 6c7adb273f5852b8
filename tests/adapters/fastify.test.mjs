// The adapter for Fastify, in Fastify 5, over HTTP.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import fastify from 'fastify';
import { guard } from 'portcullis/fastify';
import { createGate } from 'portcullis/gate';

import { mint, policy, REQUIREMENT, send, showAll } from './cases.mjs';

const gate = createGate(policy);
const app = fastify();
let origin;

let ran = 0;
const answer = async (request) => {
  ran += 1;
  const { authorization = null, 'x-user': user = null } = request.headers;
  return { sub: request.auth.claims?.sub ?? null, user, authorization };
};
app.get('/notes', { onRequest: guard(gate, REQUIREMENT) }, answer);
app.get('/maybe', { onRequest: guard(gate, { ...REQUIREMENT, anonymous: true }) }, answer);
app.post('/notes', { onRequest: guard(gate, REQUIREMENT) }, async ({ body }) => ({ body }));
app.register(
  async (plugin) => {
    plugin.addHook('onRequest', guard(gate, REQUIREMENT));
    plugin.get('/notes', answer);
  },
  { prefix: '/plugin' },
);

before(async () => {
  origin = await app.listen({ host: '127.0.0.1', port: 0 });
});
after(() => app.close());

showAll(test, () => origin);

const bearer = () => [['Authorization', `Bearer ${mint()}`]];

test('a hook of a plugin guards all its routes, however they are spelled', async () => {
  for (const target of ['/plugin/notes', '/%70lugin/notes', '/plugin/%6eotes']) {
    assert.equal((await send(origin, { target })).status, 401, target);
  }
  assert.equal((await send(`${origin}/plugin/notes`, { headers: bearer() })).status, 200);
});

test('what is refused reaches no handler', async () => {
  ran = 0;
  for (const path of ['/notes', '/plugin/notes']) assert.equal((await send(origin + path)).status, 401);
  assert.equal(ran, 0);
});

test('a body is read after the gate has decided', async () => {
  const json = ['Content-Type', 'application/json'];
  const post = (headers, body) => send(`${origin}/notes`, { method: 'POST', headers, body });
  assert.deepEqual(JSON.parse((await post([...bearer(), json], '{"text":"hello"}')).body), {
    body: { text: 'hello' },
  });
  assert.equal((await post([json], '{')).status, 401, 'a body that is no JSON would be a 400');
});
