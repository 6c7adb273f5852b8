// The first fetch fails: when it is tried again, and what is told of why.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { createGate } from 'portcullis/gate';

import { AUDIENCE, asking, ISSUER, signer } from '../support/issuer.mjs';
import { clock, json, origin, status } from '../support/origin.mjs';

let server;
let key;
before(async () => {
  server = await origin();
  key = await signer('a');
});
after(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.behave = status(500);
});

function setUp({ remote = { jwksUri: `${server.url}/keys` }, ...options } = {}) {
  const time = clock();
  const events = [];
  const issuer = { issuer: ISSUER, audience: AUDIENCE, remote };
  const gate = createGate(
    { issuers: [issuer] },
    { now: time.read, platform: 'none', onDecision: (event) => events.push(event), ...options },
  );
  const check = async () => gate.check(asking(await key.mint(time.now)));
  return { time, gate, check, events, keys: () => gate.stats().keys[0] };
}

test('an origin that fails before there are keys is asked after 1, 2, 4, 8 and 16 seconds, and then every 30', async () => {
  const { time, check } = setUp();
  for (const pause of [1, 2, 4, 8, 16, 30, 30]) {
    const before = server.requests.length;
    assert.equal((await check()).code, 'keys-unavailable');
    assert.equal(server.requests.length, before + 1);
    for (let passed = 0; passed < pause; passed++) {
      const decision = await check();
      assert.equal(decision.retryAfter, pause - passed, 'Retry-After counts down');
      assert.equal(decision.response.headers.get('retry-after'), String(pause - passed));
      time.pass(1);
    }
    assert.equal(server.requests.length, before + 1, `asked again before ${pause} s`);
  }
  server.behave = json({ keys: [key.jwk] });
  assert.equal((await check()).ok, true);
});

test('an origin that is back a second later serves the first request after that', async () => {
  const { time, check, keys } = setUp();
  assert.equal((await check()).status, 503);
  server.behave = json({ keys: [key.jwk] });
  time.pass(1);
  assert.equal((await check()).ok, true);
  assert.equal(keys().failuresInARow, 0);
});

test('an origin that gave keys once is asked no more often than before', async () => {
  const { time, check, gate } = setUp();
  server.behave = json({ keys: [key.jwk] });
  assert.equal((await check()).ok, true);
  server.behave = status(500);
  const other = await signer('other');
  const ask = async () => gate.check(asking(await other.mint(time.now)));
  for (let turn = 0; turn < 29; turn++) {
    time.pass(1);
    assert.equal((await ask()).code, 'kid-unknown');
  }
  assert.equal(server.requests.length, 1);
});

const nameless = { kty: 'RSA', kid: 'a', n: 'AA', e: 'AQAB' };
const FAULTS = [
  ['a redirect', status(302, { location: '/elsewhere' }), /^redirect$/],
  ['304 to a question without a condition', status(304), /^status-304$/],
  ['a status', status(404), /^status-404$/],
  ['a page', json('<!doctype html><title>keys</title>'), /^bad-document: .*HTML/],
  ['a byte order mark', json(`\ufeff${JSON.stringify({ keys: [] })}`), /^bad-document: .*byte order mark/],
  ['a set without keys', json({ keys: [] }), /^bad-document: .*no usable key/],
  ['RSA keys without alg', json({ keys: [nameless] }), /^bad-document: .*left out: \/alg/],
  ['other JSON', json({ error: 'maintenance' }), /^bad-document: \/keys: is required/],
];
for (const [name, behave, reason] of FAULTS) {
  test(`${name}: why there are no keys is in the decision, in onDecision and in the statistics`, async () => {
    const { check, events, keys } = setUp();
    server.behave = behave;
    const decision = await check();
    assert.equal(decision.code, 'keys-unavailable');
    assert.match(decision.reason, reason);
    assert.match(events.at(-1).reason, reason);
    assert.match(events.at(-1).attributes['portcullis.reason'], reason);
    const { lastFailure, lastFailureDetail } = keys();
    assert.match(lastFailureDetail === null ? lastFailure : `${lastFailure}: ${lastFailureDetail}`, reason);
    // Nobody but the developer is told: the client gets the code alone.
    assert.ok(!(await decision.response.text()).includes(lastFailureDetail ?? lastFailure));
  });
}

test('a request that waits for nothing new is still told why', async () => {
  const { check } = setUp();
  await check();
  assert.equal((await check()).reason, 'status-500');
});

test('a verifier that was never handed the keys of its policy says so', async () => {
  const { gate, time } = setUp();
  const token = await key.mint(time.now);
  const verify = () => gate.verifier.verify(token, { now: time.now });
  const { code, issuer } = verify();
  assert.deepEqual([code, issuer], ['keys-not-set', ISSUER]);
  gate.verifier.setRemoteKeys(ISSUER, { keys: [key.jwk] });
  assert.equal(verify().ok, true);
});

test('discovery that names another issuer is told by name', async () => {
  // The issuer of these tests is not on this machine: its metadata are answered by hand.
  const other = { issuer: 'https://other.example', jwks_uri: 'https://other.example/keys' };
  const { check } = setUp({
    remote: { discovery: 'oidc' },
    fetch: async () => new Response(JSON.stringify(other), { status: 200 }),
  });
  assert.equal((await check()).reason, 'discovery-issuer-mismatch');
});
