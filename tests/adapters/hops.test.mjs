// A proxy behind the gate drops what a client's Connection names (RFC 9110 §7.6.1): that must not
// be a header which the gate wrote.
import assert from 'node:assert/strict';
import { request as ask, createServer } from 'node:http';
import { after, before, test } from 'node:test';

import express from 'express';
import { guard } from 'portcullis/express';
import { createGate } from 'portcullis/gate';

import { listen, mint, policy, send } from './cases.mjs';

let origin;
let app;
let seen;
before(async () => {
  origin = await listen(
    createServer((req, res) => {
      seen.push(req.headers['x-user']);
      res.end();
    }),
  );
  const service = express();
  service.use(guard(createGate(policy), { anonymous: true }));
  service.use(forward);
  app = await listen(createServer(service));
});
after(() => Promise.all([app?.stop(), origin?.stop()]));

/** Hands a request on as a proxy does. */
function forward(req, res) {
  const hops = (req.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const kept = Object.entries(req.headers).filter(([name]) => ![...hops, 'connection'].includes(name));
  const onward = ask(origin.origin, { method: req.method, path: req.url, headers: Object.fromEntries(kept) });
  onward.on('response', (answer) => {
    res.writeHead(answer.statusCode);
    answer.pipe(res);
  });
  onward.end();
}

test('the origin is told who sent a request, or gets none', async () => {
  const authorization = ['Authorization', `Bearer ${mint()}`];
  seen = [];
  for (const named of ['close', 'keep-alive, X-Users']) {
    const { status } = await send(`${app.origin}/`, { headers: [authorization, ['Connection', named]] });
    assert.equal(status, 200, named);
  }
  assert.deepEqual(seen, ['ada', 'ada']);
  seen = [];
  for (const named of ['X-User', 'close, x-user', 'close,X-USER ,te']) {
    const { status, body } = await send(`${app.origin}/`, {
      headers: [authorization, ['Connection', named]],
    });
    assert.deepEqual([status, seen], [400, []], named);
    assert.equal(JSON.parse(body).code, 'request-malformed');
  }
});
