// What an adapter tells the gate and what of a decision it carries out, by a gate that answers as
// it is told: a nonce for the next proof, challenges one a line, and work that goes on after the
// response.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';

import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { guard as guardExpress } from 'portcullis/express';
import { guard as guardFastify } from 'portcullis/fastify';
import { guard as guardHono } from 'portcullis/hono';
import { guard as guardNext } from 'portcullis/next';
import { guard as guardSvelteKit } from 'portcullis/sveltekit';

import { listen } from './cases.mjs';

const PASSED = {
  ok: true,
  via: 'token',
  claims: { sub: 'ada' },
  headers: { set: {}, strip: [] },
  nonce: 'next',
  apply: (request) => request,
};
const CHALLENGES = ['Bearer realm="a"', 'DPoP realm="a"'];
const REFUSED = {
  ok: false,
  status: 401,
  challenges: CHALLENGES,
  get response() {
    return new Response('{}', { status: 401, headers: { 'dpop-nonce': 'first' } });
  },
};
const REQUIREMENT = { scopes: ['a'] };

/** A gate that keeps what it was asked. */
function gateThat(decision) {
  const asked = [];
  const check = async (...question) => {
    asked.push(question);
    return decision;
  };
  return { check, asked, requirement: (requirement) => requirement };
}

async function overHttp(app, decision) {
  const gate = gateThat(decision);
  const { origin, stop } = await app(gate);
  const answer = await new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(new URL(origin).port, '127.0.0.1', () => {
      socket.write('GET /a?b HTTP/1.1\r\nHost: api.example\r\nX-A: 1\r\nx-a: 2\r\nConnection: close\r\n\r\n');
    });
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text)).on('error', reject);
  });
  await stop();
  return { answer, asked: gate.asked };
}

const NODE = {
  express: async (gate) => {
    const app = express();
    app.use('/a', guardExpress(gate, REQUIREMENT), (req, res) => res.send(req.auth.claims.sub));
    return listen(createServer(app));
  },
  fastify: async (gate) => {
    const app = fastify();
    app.get('/a', { onRequest: guardFastify(gate, REQUIREMENT) }, (request) => request.auth.claims.sub);
    return { origin: await app.listen({ host: '127.0.0.1', port: 0 }), stop: () => app.close() };
  },
};

for (const [name, app] of Object.entries(NODE)) {
  test(`${name} asks about the request as it came`, async () => {
    const { answer, asked } = await overHttp(app, PASSED);
    assert.match(answer, /^HTTP\/1\.1 200/);
    assert.match(answer, /\r\ndpop-nonce: next\r\n/i);
    assert.match(answer, /ada$/m);
    const [[facts, requirement, context]] = asked;
    assert.deepEqual(requirement, REQUIREMENT);
    assert.deepEqual(context, { clientAddress: '127.0.0.1', certificate: undefined, served: [] });
    assert.equal(facts.method, 'GET');
    assert.equal(facts.url, 'http://api.example/a?b');
    assert.deepEqual(
      facts.headers.filter(([header]) => /^x-a$/i.test(header)),
      [
        ['X-A', '1'],
        ['x-a', '2'],
      ],
    );
  });

  test(`${name} answers with a line for each challenge`, async () => {
    const { answer } = await overHttp(app, REFUSED);
    assert.match(answer, /^HTTP\/1\.1 401/);
    const lines = [...answer.matchAll(/\r\nwww-authenticate: ([^\r]*)/gi)].map(([, value]) => value);
    assert.deepEqual(lines, CHALLENGES);
    assert.match(answer, /\r\ndpop-nonce: first\r\n/i);
  });
}

const request = () => new Request('https://api.example/a');

/** Something to wait for, and who keeps it. */
function keeper() {
  const kept = [];
  return { kept, waitUntil: (promise) => kept.push(promise) };
}

test('hono: the nonce, the claims, and work that goes on where there is a place for it', async () => {
  const gate = gateThat(PASSED);
  const app = new Hono();
  app.use(guardHono(gate, REQUIREMENT));
  app.get('/a', (c) => c.text(c.get('jwtPayload').sub));
  const ctx = keeper();
  const response = await app.fetch(request(), {}, { ...ctx, passThroughOnException() {} });
  assert.equal(response.headers.get('dpop-nonce'), 'next');
  assert.equal(await response.text(), 'ada');
  const [[, requirement, context]] = gate.asked;
  assert.deepEqual(requirement, REQUIREMENT);
  context.waitUntil(Promise.resolve());
  assert.equal(ctx.kept.length, 1);
  // Without a context, Hono's getter throws.
  await app.fetch(request());
  gate.asked[1][2].waitUntil(Promise.reject(new Error('unheard')));
});

test('hono: a second guard that asks for nothing leaves what the first one knows', async () => {
  const app = new Hono();
  app.use(guardHono(gateThat(PASSED)), guardHono(gateThat({ ...PASSED, via: 'public', claims: undefined })));
  app.get('/a', (c) => c.text(c.get('jwtPayload').sub));
  assert.equal(await (await app.fetch(request())).text(), 'ada');
});

test('hono: what is refused reaches no handler', async () => {
  const app = new Hono();
  let ran = false;
  app.use(guardHono(gateThat(REFUSED)));
  app.get('/a', (c) => {
    ran = true;
    return c.text('');
  });
  assert.equal((await app.fetch(request())).status, 401);
  assert.equal(ran, false);
});

test('next: the nonce, and work that goes on', async () => {
  const gate = gateThat(PASSED);
  const proxy = guardNext(gate, { next: () => new Response(null) }, REQUIREMENT);
  const event = keeper();
  assert.equal((await proxy(request(), event)).headers.get('dpop-nonce'), 'next');
  gate.asked[0][2].waitUntil(Promise.resolve());
  assert.equal(event.kept.length, 1);
  assert.equal((await guardNext(gateThat(REFUSED), {})(request())).status, 401);
});

test('sveltekit: the nonce, who the client is, and work that goes on', async () => {
  const gate = gateThat(PASSED);
  const ctx = keeper();
  const event = {
    request: request(),
    url: new URL('https://api.example/a'),
    locals: {},
    platform: { ctx },
    getClientAddress: () => '192.0.2.7',
  };
  const handle = guardSvelteKit(gate, REQUIREMENT);
  const response = await handle({
    event,
    resolve: async ({ locals }) => new Response(locals.auth.claims.sub),
  });
  assert.equal(response.headers.get('dpop-nonce'), 'next');
  assert.equal(await response.text(), 'ada');
  const [[, , context]] = gate.asked;
  assert.equal(context.clientAddress, '192.0.2.7');
  context.waitUntil(Promise.resolve());
  assert.equal(ctx.kept.length, 1);
  // While pages are prerendered nobody is at the other end.
  const prerendered = { ...event, platform: undefined, getClientAddress: () => assert.fail() };
  await handle({ event: prerendered, resolve: async () => new Response(null) });
  const nobody = { clientAddress: undefined, urlVouched: undefined, waitUntil: undefined, served: [] };
  assert.deepEqual(gate.asked[1][2], nobody);
  assert.equal(context.urlVouched, undefined);
  // An app that asks itself is judged by what it asks.
  const within = {
    ...event,
    isSubRequest: true,
    platform: { req: { rawHeaders: ['Authorization', 'Bearer outer'] } },
  };
  await handle({ event: within, resolve: async () => new Response(null) });
  assert.equal(gate.asked[2][0].headers, within.request.headers);
});
