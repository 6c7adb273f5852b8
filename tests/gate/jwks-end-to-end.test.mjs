// Keys that change, from the request to the decision: the whole gate against a server on the
// loopback.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { createGate } from 'portcullis/gate';

import { AUDIENCE, asking, ISSUER, signer } from '../support/issuer.mjs';
import {
  clock,
  context,
  drip,
  hang,
  huge,
  json,
  memoryStore,
  origin,
  paths,
  reset,
  status,
} from '../support/origin.mjs';

let server;
let a;
let b;
let embedded;
let forger;
before(async () => {
  server = await origin();
  [a, b, embedded, forger] = await Promise.all(['a', 'b', 'embedded', 'a'].map((kid) => signer(kid)));
});
after(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.behave = publish(a);
});

const publish = (...keys) => json({ keys: keys.map(({ jwk }) => jwk) }, { 'cache-control': 'max-age=3600' });

function setUp({ remote = {}, issuer = {}, ...options } = {}) {
  const time = clock();
  const policy = {
    issuers: [
      {
        issuer: ISSUER,
        audience: AUDIENCE,
        remote: { jwksUri: `${server.url}/keys`, timeoutMs: 5000, ...remote },
        ...issuer,
      },
    ],
  };
  const gate = createGate(policy, { now: time.read, platform: 'none', ...options });
  const check = async (token, held) => gate.check(asking(await token), undefined, held);
  const by = (key, ...more) => key.mint(time.now, ...more);
  return { time, policy, gate, check, by, keys: () => gate.stats().keys[0] };
}
const passed = (decision) => assert.equal(decision.ok, true, JSON.stringify(decision));
const refused = (decision, status, code) =>
  assert.deepEqual([decision.status, decision.code], [status, code]);

test('the first token fetches the keys, and the synchronous verifier then has them', async () => {
  const { gate, check, by, time } = setUp();
  const token = await by(a);
  const verify = () => gate.verifier.verify(token, { now: time.now });
  assert.equal(verify().ok, false);
  assert.equal(server.requests.length, 0, 'a synchronous verifier fetches nothing');
  passed(await check(token));
  assert.equal(verify().ok, true);
  passed(await check(by(a)));
  assert.equal(server.requests.length, 1);
});

test('keys that are built in are used first, and nothing is fetched for them', async () => {
  const { check, by } = setUp({ issuer: { jwks: { keys: [embedded.jwk] } } });
  server.behave = status(500);
  passed(await check(by(embedded)));
  assert.equal(server.requests.length, 0);
  server.behave = publish(a);
  passed(await check(by(a)));
  passed(await check(by(embedded)));
  assert.equal(server.requests.length, 1);
});

test('a rotation is followed, and a key that was rotated out takes its remembered decisions with it', async () => {
  const { check, by, time, gate } = setUp();
  const old = await by(a);
  for (let turn = 0; turn < 3; turn++) passed(await check(old));
  assert.equal(gate.stats().cache.hits, 2, 'also the one that waited for the keys is remembered');
  server.behave = publish(b);
  time.pass(31);
  passed(await check(by(b)));
  refused(await check(old), 401, 'kid-unknown');
  assert.equal(server.requests.length, 2);
});

test('a key that is rotated out with no new one asked for is gone when the background fetch has seen it', async () => {
  const { check, by, time } = setUp();
  const old = await by(a);
  passed(await check(old));
  server.behave = publish(b);
  time.pass(3300);
  const request = context();
  passed(await check(old, request));
  assert.ok(request.left.length > 0);
  await request.settled();
  refused(await check(old), 401, 'kid-unknown');
});

test('keys past their end are asked for before they are used once more', async () => {
  const { check, by, time } = setUp();
  const old = await by(a);
  passed(await check(old));
  server.behave = publish(b);
  time.pass(3600);
  refused(await check(old), 401, 'kid-unknown');
});

test('the same keys again evict nothing', async () => {
  const { check, by, time, gate } = setUp();
  const token = await by(a);
  for (let turn = 0; turn < 2; turn++) passed(await check(token));
  const { hits } = gate.stats().cache;
  time.pass(3300);
  const request = context();
  passed(await check(token, request));
  await request.settled();
  passed(await check(token));
  assert.equal(server.requests.length, 2);
  assert.equal(gate.stats().cache.hits, hits + 2);
});

test('10,000 random kids make at most one fetch in 30 s, and good tokens pass all the while', async () => {
  const { check, by, time } = setUp();
  const good = await by(a);
  passed(await check(good));
  const head = (kid) =>
    Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid })).toString('base64url');
  const [, payload, signature] = good.split('.');
  for (let turn = 0; turn < 10_000; turn++) {
    if (turn % 350 === 349) time.pass(1);
    const decision = await check(`${head(`random ${turn}`)}.${payload}.${signature}`);
    refused(decision, 401, 'kid-unknown');
    if (turn % 1000 === 0) passed(await check(by(a)));
  }
  assert.equal(server.requests.length, 1);
});

test('a forged token with a known kid fetches nothing', async () => {
  const { check, by, time } = setUp();
  passed(await check(by(a)));
  time.pass(60);
  refused(await check(by(forger)), 401, 'signature-invalid');
  assert.equal(server.requests.length, 1);
});

test('a token that names an issuer, a jku or a jwk of its own sends us nowhere', async () => {
  const evil = await origin(publish(forger));
  const { check, by } = setUp();
  await check(by(forger, { iss: evil.url }, { kid: 'x' }));
  await check(by(forger, {}, { kid: 'x', jku: `${evil.url}/keys`, jwk: forger.jwk, x5u: evil.url }));
  assert.equal(evil.requests.length, 0);
  await evil.close();
});

const FAILURES = [
  ['status 500', status(500)],
  ['a connection that is reset', reset],
  ['silence', hang],
  ['a slow drip', drip],
  ['10 MB', huge(10_000_000)],
  ['a redirect', status(302, { location: '/elsewhere' })],
  ['a page', json('<!doctype html>')],
  ['JSON that is no JWK Set', json({ error: 'x' })],
  ['a JWK Set that says its keys twice', json('{"keys":[],"keys":[]}')],
  ['a JWK Set without usable keys', json({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'a', alg: 'HS256' }] })],
  ['JSON of great depth', json(`{"keys":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)],
  [
    'a byte order mark',
    (request, response) => json(`\ufeff${JSON.stringify({ keys: [a.jwk] })}`)(request, response),
  ],
];
for (const [name, behave] of FAILURES) {
  test(`${name}: without keys 503 and when to come again, with keys nothing that a good token notices`, async () => {
    const remote = behave === hang || behave === drip ? { timeoutMs: 1000 } : {};
    const cold = setUp({ remote });
    server.behave = behave;
    const decision = await cold.check(cold.by(a));
    refused(decision, 503, 'keys-unavailable');
    assert.equal(decision.response.headers.get('retry-after'), '1');
    assert.equal(decision.response.headers.get('www-authenticate'), null);
    assert.equal(cold.keys().failures, 1);

    const warm = setUp({ remote });
    server.behave = publish(a);
    passed(await warm.check(warm.by(a)));
    server.behave = behave;
    warm.time.pass(3600);
    passed(await warm.check(warm.by(a)));
    refused(await warm.check(warm.by(b)), 401, 'kid-unknown');
    assert.equal(warm.keys().failures, 1);
  });
}

test('keys outlive their origin by the policy’s bound; then nothing passes, remembered decisions included', async () => {
  const { check, by, time, keys, gate } = setUp({ remote: { staleSeconds: 7200 } });
  const token = await by(a);
  passed(await check(token));
  const { staleUntil } = keys();
  server.behave = status(500);
  time.now = staleUntil - 1;
  passed(await check(token));
  time.now = staleUntil;
  refused(await check(token), 503, 'keys-unavailable');
  assert.equal(gate.verifier.verify(token, { now: time.now }).ok, false);
  server.behave = publish(a);
  time.pass(31);
  passed(await check(token));
});

test('what one isolate fetched another takes from the store, and garbage there is nothing', async () => {
  const store = memoryStore();
  const first = setUp({ store });
  const request = context();
  passed(await first.check(first.by(a), request));
  await request.settled();
  const second = setUp({ store });
  passed(await second.check(second.by(a)));
  assert.equal(server.requests.length, 1);
  for (const [key, value] of store.values) store.values.set(key, value.replace('keys', 'kees'));
  const third = setUp({ store });
  passed(await third.check(third.by(a)));
  assert.equal(server.requests.length, 2);
});

test('keys are found by discovery, OpenID Connect’s and OAuth’s, and not when the issuer is another', async () => {
  for (const [kind, path] of [
    ['oidc', '/tenant/.well-known/openid-configuration'],
    ['oauth', '/.well-known/oauth-authorization-server/tenant'],
  ]) {
    const issuer = `${server.url}/tenant`;
    const behave = (named) =>
      paths({ [path]: json({ issuer: named, jwks_uri: `${server.url}/keys` }), '/keys': publish(a) });
    const set = { issuer: { issuer, remote: { discovery: kind, timeoutMs: 5000 } } };
    server.behave = behave(issuer);
    server.requests.length = 0;
    const good = setUp(set);
    passed(await good.check(good.by(a, { iss: issuer })));
    assert.deepEqual(
      server.requests.map(({ url }) => url),
      [path, '/keys'],
    );
    server.behave = behave(`${issuer}/`);
    const bad = setUp(set);
    refused(await bad.check(bad.by(a, { iss: issuer })), 503, 'keys-unavailable');
    assert.equal(bad.keys().lastFailure, 'discovery-issuer-mismatch');
  }
});

test('a hundred requests at a cold start make one fetch, and all pass', async () => {
  const { check, by } = setUp();
  const token = await by(a);
  let answer;
  server.behave = (request, response) => {
    answer = () => publish(a)(request, response);
  };
  const asked = Array.from({ length: 100 }, () => check(token));
  while (answer === undefined) await new Promise((resolve) => setImmediate(resolve));
  answer();
  for (const decision of await Promise.all(asked)) passed(decision);
  assert.equal(server.requests.length, 1);
});

test('a decision that was made by keys which change at once is not remembered under the new ones', async () => {
  const { check, by, time, gate } = setUp();
  const old = await by(a);
  passed(await check(old));
  time.pass(31);
  server.behave = publish(b);
  const news = await by(b);
  // Many decisions by the old key while the new one arrives.
  const decisions = Array.from({ length: 20 }, () => by(a).then(check));
  passed(await check(news));
  await Promise.all(decisions);
  const { hits } = gate.stats().cache;
  refused(await check(old), 401, 'kid-unknown');
  assert.equal(gate.stats().cache.hits, hits);
});

test('another policy keeps the keys of a place that stayed, and drops those of one that went', async () => {
  const { check, by, gate, policy } = setUp();
  const token = await by(a);
  passed(await check(token));
  gate.replacePolicy({ ...policy, leewaySeconds: 7 });
  passed(await check(token));
  assert.equal(server.requests.length, 1);
  server.behave = publish(b);
  const [issuer] = policy.issuers;
  gate.replacePolicy({ issuers: [{ ...issuer, remote: { jwksUri: `${server.url}/moved` } }] });
  refused(await check(token), 401, 'kid-unknown');
  assert.equal(server.requests.at(-1).url, '/moved');
});
