// What a caller of `gate.check` is told of a preflight, and a handler behind `gate.protect` is
// not.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { createGate } from 'portcullis/gate';
import { guard } from 'portcullis/sveltekit';

import { AUDIENCE, ISSUER, signer } from '../support/issuer.mjs';

const NOW = 1_800_000_000;
const URL_HERE = 'https://api.example/notes';
const APP = 'https://app.example';
const MARKS = [
  ['origin', APP],
  ['access-control-request-method', 'PUT'],
];

let key;
before(async () => {
  key = await signer('a');
});

function gateOf(gate, options = {}) {
  const policy = { issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } }], gate };
  return createGate(policy, { now: () => NOW, platform: 'none', ...options });
}

const preflight = (more = {}) => ({ method: 'OPTIONS', url: URL_HERE, headers: MARKS, ...more });

test('the answer is a decision that does not pass, with a response each time it is asked for', async () => {
  const told = [];
  const gate = gateOf({ cors: { origins: [APP] } }, { onDecision: (event) => told.push(event) });
  const decision = await gate.check(preflight());
  const { ok, via, status, code, challenges } = decision;
  assert.deepEqual([ok, via, status, code, challenges], [false, 'preflight', 204, undefined, []]);
  assert.ok(Object.isFrozen(decision) && Object.isFrozen(decision.headers));
  assert.notEqual(decision.response, decision.response);
  const { response } = decision;
  assert.deepEqual([response.status, response.body], [204, null]);
  assert.equal(response.headers.get('access-control-allow-origin'), APP);
  // Nothing was refused.
  assert.deepEqual([told[0].ok, told[0].code, told.length], [true, 'preflight', 1]);
  assert.deepEqual(gate.stats().observed.decisions, { preflight: 1 });
});

test('what a runtime alone knows of a body counts', async () => {
  const gate = gateOf({ preflight: 'pass' });
  assert.equal((await gate.check(preflight())).via, 'preflight');
  assert.equal((await gate.check(preflight({ hasBody: true }))).code, 'authorization-missing');
});

test('another policy answers otherwise from then on', async () => {
  const gate = gateOf({ cors: { origins: [APP] } });
  const allowed = async () => {
    const { response } = await gate.check(preflight());
    return response.headers.get('access-control-allow-origin');
  };
  assert.equal(await allowed(), APP);
  const policy = { issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } }] };
  gate.replacePolicy({ ...policy, gate: { cors: { origins: 'any' } } });
  assert.equal(await allowed(), '*');
  gate.replacePolicy(policy);
  assert.equal(await allowed(), null);
});

test('a remembered decision is of one origin, where scripts of some may read refusals', async () => {
  const gate = gateOf({ cors: { origins: [APP] } });
  const token = await key.mint(NOW);
  const ask = async (origin) => {
    const headers = [['authorization', `Bearer ${token}`], ...(origin ? [['origin', origin]] : [])];
    return gate.check({ method: 'GET', url: URL_HERE, headers });
  };
  assert.equal((await ask(APP)).ok, true);
  assert.equal((await ask(APP)).ok, true);
  assert.equal((await ask('https://attacker.example')).ok, true);
  assert.deepEqual(gate.stats().cache, { entries: 2, hits: 1, misses: 2 });
});

test('a mistake names its field', () => {
  for (const [gate, pointer] of [
    [{ cors: {} }, '/gate/cors/origins'],
    [{ cors: { origins: ['*'] } }, '/gate/cors/origins/0'],
    [{ cors: { origins: 'any', credentials: true } }, '/gate/cors/credentials'],
    [{ origins: ['http://api.example'] }, '/gate/origins/0'],
    [{ privateHosts: ['keys.corp:1'] }, '/gate/privateHosts/0'],
    [{ preflight: 'ignore' }, '/gate/preflight'],
  ])
    assert.throws(() => gateOf(gate), { name: 'PolicyError', pointer });
});

test('a body that no header announces makes a request of the Fetch standard no preflight', async () => {
  const gate = gateOf({ preflight: 'pass' });
  const asked = (body) => new Request(URL_HERE, { method: 'OPTIONS', headers: MARKS, body, duplex: 'half' });
  const streamOf = (...chunks) =>
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
        controller.close();
      },
    });
  const bodies = [];
  const handler = gate.protect(async (request) => {
    bodies.push(await request.text());
    return new Response('served');
  });
  for (const body of ['x', streamOf('x'), streamOf('', 'x')]) {
    assert.equal((await gate.check(asked(body))).code, 'authorization-missing');
  }
  assert.equal((await handler(asked('x'))).status, 401);
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) });
  assert.equal((await gate.check(asked(broken))).code, 'authorization-missing');
  const read = asked('x');
  await read.text();
  assert.equal((await gate.check(read)).code, 'authorization-missing');
  // Deno and Next give every OPTIONS a stream.
  for (const body of [() => undefined, () => streamOf()]) {
    assert.equal((await gate.check(asked(body()))).via, 'preflight');
    assert.equal((await handler(asked(body()))).status, 200);
  }
  const token = await key.mint(NOW);
  const request = asked('whole');
  request.headers.set('authorization', `Bearer ${token}`);
  assert.equal((await handler(request)).status, 200);
  assert.deepEqual(bodies, ['', '', 'whole']);
});

test('nor in SvelteKit', async () => {
  const handle = guard(gateOf({ preflight: 'pass' }));
  const ask = async (body) => {
    const request = new Request(URL_HERE, { method: 'OPTIONS', headers: MARKS, body });
    const event = { request, url: new URL(URL_HERE), locals: {}, getClientAddress: () => '192.0.2.1' };
    return (await handle({ event, resolve: () => new Response('served') })).status;
  };
  assert.equal(await ask(undefined), 200);
  assert.equal(await ask('x'), 401);
});
