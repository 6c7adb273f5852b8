// What a caller of `gate.check` is told of a preflight, and a handler behind `gate.protect` is
// not.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { createGate } from 'portcullis/gate';

import { AUDIENCE, ISSUER, signer } from './issuer.mjs';

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
