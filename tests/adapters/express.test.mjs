// The adapter for Express, in Express 5, over HTTP.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import express from 'express';
import { guard } from 'portcullis/express';
import { createGate } from 'portcullis/gate';

import { listen, mint, policy, REQUIREMENT, send, showAll } from './cases.mjs';

const gate = createGate(policy);
const app = express();
let running;
let seen;

const answer = (req, res) => {
  seen = req;
  const { authorization = null, 'x-user': user = null } = req.headers;
  res.json({ sub: req.auth.claims?.sub ?? null, user, authorization });
};
const routed = createGate({
  ...policy,
  gate: {
    ...policy.gate,
    requirement: { scopes: ['admin'] },
    routes: [
      { path: '/by-policy/open/*', requirement: 'public' },
      { path: '/by-policy/notes', requirement: REQUIREMENT },
    ],
  },
});
const router = express.Router();
router.get('/notes', answer);
app.get('/notes', guard(gate, REQUIREMENT), answer);
app.get('/maybe', guard(gate, { ...REQUIREMENT, anonymous: true }), answer);
app.post('/notes', guard(gate, REQUIREMENT), express.json(), (req, res) => res.json({ body: req.body }));
app.use('/mounted', guard(gate, REQUIREMENT), router);
app.get('/office', guard(gate, { networks: ['127.0.0.0/8'] }), answer);
app.get('/elsewhere', guard(gate, { networks: ['192.0.2.0/24'] }), answer);
app.use('/by-policy', guard(routed), (req, res) => res.json({ url: req.originalUrl, via: req.auth.via }));
app.use((error, _req, res, _next) => res.status(500).json({ error: String(error) }));

before(async () => {
  running = await listen(createServer(app));
});
after(() => running.stop());

showAll(test, () => running.origin);

const bearer = (options) => [['Authorization', `Bearer ${mint(options)}`]];

test('every view of the headers says the same', async () => {
  const headers = [...bearer(), ['X-User', 'mallory'], ['x_user', 'mallory'], ['Cookie', 'a=1']];
  assert.equal((await send(`${running.origin}/notes`, { headers })).status, 200);
  const names = seen.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  assert.deepEqual(names.toSorted(), ['connection', 'cookie', 'host', 'x-user']);
  assert.equal(seen.rawHeaders.at(-1), 'ada');
  assert.deepEqual(seen.headersDistinct['x-user'], ['ada']);
  assert.deepEqual(Object.keys(seen.headersDistinct).toSorted(), names.toSorted());
  assert.deepEqual(Object.keys(seen.headers).toSorted(), names.toSorted());
  assert.equal(seen.headers.cookie, 'a=1');
});

test('what is refused reaches no handler', async () => {
  for (const headers of [[], bearer({ scope: 'notes:write' }), bearer({ secondsAgo: 900 })]) {
    seen = undefined;
    assert.ok((await send(`${running.origin}/notes`, { headers })).status >= 401);
    assert.equal(seen, undefined);
  }
});

test('a body reaches its handler', async () => {
  const headers = [...bearer(), ['Content-Type', 'application/json']];
  const answer = await send(`${running.origin}/notes`, { method: 'POST', headers, body: '{"text":"hello"}' });
  assert.deepEqual(JSON.parse(answer.body), { body: { text: 'hello' } });
});

test('a mounted router is behind the gate, however its path is spelled', async () => {
  for (const target of [
    '/mounted/notes',
    '/MOUNTED/notes',
    '/mounted/./notes',
    '/mounted//notes',
    '//mounted/notes',
  ]) {
    assert.notEqual((await send(running.origin, { target })).status, 200, target);
  }
  assert.equal((await send(`${running.origin}/mounted/notes`, { headers: bearer() })).status, 200);
});

test('the gate decides by the path that Express routes by, and no spelling of it opens another', async () => {
  const ask = async (target, options) => (await send(running.origin, { target, ...options })).status;
  assert.equal(await ask('/by-policy/open/a'), 200);
  // The absolute form, which proxies are sent and every server has to take (RFC 9112 §3.2.2).
  assert.equal(await ask(`${running.origin}/by-policy/open/a`), 200);
  assert.equal(await ask('/by-policy/notes', { headers: bearer() }), 200);
  assert.equal(await ask('/by-policy/secret', { headers: bearer() }), 403);
  // Express takes each of these for a path below /by-policy that is not open.
  for (const target of [
    '/by-policy/open/../secret',
    '/by-policy/open/%2e%2e/secret',
    '/by-policy/secret/../open/a',
    '/by-policy/secret/%2e%2e/open/a',
    '/by-policy/secret?/../open/a',
    '/by-policy/secret#/../open/a',
    '/by-policy/secret\\..\\open\\a',
    '/by-policy//open/a',
    `${running.origin}/by-policy/secret`,
    `${running.origin}/by-policy/open/../secret`,
    'http://127.0.0.1/by-policy/open/a',
  ]) {
    assert.notEqual(await ask(target, { headers: bearer() }), 200, target);
  }
  // Nor does a Host header choose the path.
  for (const host of [
    '127.0.0.1/by-policy/open/a?',
    '127.0.0.1/by-policy/open/a#',
    'x@127.0.0.1/by-policy/open/',
  ]) {
    const answer = await ask('/by-policy/secret', { host, headers: bearer() });
    assert.notEqual(answer, 200, host);
  }
});

test('the client’s address is the connection’s, whatever a header says', async () => {
  const headers = [...bearer(), ['X-Forwarded-For', '192.0.2.7']];
  assert.equal((await send(`${running.origin}/office`, { headers })).status, 200);
  assert.equal((await send(`${running.origin}/elsewhere`, { headers })).status, 403);
});

test('a cookie with the token is taken out, and the others stay', async () => {
  const cookies = createGate({ ...policy, gate: { ...policy.gate, credentials: { cookie: 'session' } } });
  const app = express();
  app.get('/', guard(cookies), (req, res) => {
    const raw = req.rawHeaders[req.rawHeaders.indexOf('Cookie') + 1];
    res.json([req.headers.cookie, req.headersDistinct.cookie, raw]);
  });
  const { origin, stop } = await listen(createServer(app));
  const headers = [['Cookie', `a=1; session=${mint()}; b=2`]];
  const { body } = await send(origin, { headers });
  await stop();
  assert.deepEqual(JSON.parse(body), ['a=1; b=2', ['a=1; b=2'], 'a=1; b=2']);
});

test('plain HTTP is refused for a host that is not loopback', async () => {
  const answer = await send(`${running.origin}/notes`, { host: 'api.example', headers: bearer() });
  assert.notEqual(answer.status, 200);
});
