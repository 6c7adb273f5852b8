// Tenants that a function of the program knows, against a server that counts.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { createGate } from 'portcullis/gate';

import { AUDIENCE, asking, signer } from '../support/issuer.mjs';
import { clock, json, origin } from '../support/origin.mjs';

let server;
let key;
before(async () => {
  server = await origin();
  key = await signer('shared');
});
after(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.behave = json({ keys: [key.jwk] });
});

const ISSUER = 'https://login.example/{tid}/v2.0';
const own = (tid) => ({ iss: `https://login.example/${tid}/v2.0`, tid });
const passed = (decision) => assert.equal(decision.ok, true, JSON.stringify(decision));
const policy = () => ({
  issuers: [
    {
      issuer: ISSUER,
      tenants: 'resolver',
      audience: AUDIENCE,
      remote: { jwksUri: `${server.url}/{tid}/keys` },
    },
  ],
});

function setUp(options = {}) {
  const ours = new Set(['a', 'b']);
  const asked = [];
  const time = clock();
  const tenants = (tenant, issuer) => {
    asked.push([tenant, issuer]);
    return ours.has(tenant.tid);
  };
  const gate = createGate(policy(), { now: time.read, platform: 'none', tenants, ...options });
  const check = async (claims) => gate.check(asking(await key.mint(time.now, claims)));
  return { gate, check, time, ours, asked };
}

test('a tenant that the function knows has its keys fetched, and is asked about by what stands in the holes', async () => {
  const { check, asked } = setUp();
  passed(await check(own('a')));
  passed(await check(own('b')));
  assert.deepEqual(
    server.requests.map(({ url }) => url),
    ['/a/keys', '/b/keys'],
  );
  assert.deepEqual(asked[0], [{ tid: 'a' }, ISSUER]);
  const mixed = await check({ ...own('a'), tid: 'b' });
  assert.equal(mixed.code, 'claim-mismatch');
});

test('nothing is fetched for 10,000 tenants that it does not know, nor for a name that is none', async () => {
  const { check } = setUp();
  passed(await check(own('a')));
  for (let number = 0; number < 10_000; number++) {
    const decision = await check(own(`x${number}`));
    assert.equal(decision.status, 401);
    assert.ok(['issuer-unknown', 'issuer-mismatch'].includes(decision.code), decision.code);
  }
  for (const iss of [
    'https://login.example//v2.0',
    'https://login.example/../v2.0',
    'https://login.example/a/b/v2.0',
  ])
    assert.equal((await check({ iss, tid: 'a' })).status, 401);
  assert.equal(server.requests.length, 1);
});

test('strangers who name every tenant take the keys from none that is in use, and have none fetched twice', async () => {
  const { gate, check, time } = setUp({ tenants: () => true });
  const stranger = await signer('shared');
  const name = async (number) =>
    gate.check(asking(await stranger.mint(time.now, own(`t${number}`)))).then(({ code }) => code);
  const fetches = (path) => server.requests.filter(({ url }) => path === undefined || url === path).length;
  passed(await check(own('a')));
  for (let number = 0; number < 600; number++) assert.equal(await name(number), 'signature-invalid');
  assert.equal(gate.stats().keys.length, 500);
  passed(await check(own('a')));
  assert.deepEqual([fetches('/a/keys'), fetches()], [1, 601]);
  // Those that made room, once a second.
  time.pass(29);
  for (let number = 0; number < 100; number++) assert.notEqual(await name(number), 'signature-invalid');
  assert.equal(fetches(), 601);
  time.pass(1);
  assert.equal(await name(0), 'signature-invalid');
  assert.equal(fetches('/t0/keys'), 2);
  passed(await check(own('a')));
  assert.equal(fetches('/a/keys'), 1);
});

test('a tenant that is ours no more is refused at once, also where its token was accepted before', async () => {
  const { gate, time, ours } = setUp();
  const token = await key.mint(time.now, own('a'));
  const check = () => gate.check(asking(token));
  const verify = () => gate.verifier.verify(token, { now: time.now });
  passed(await check());
  passed(await check());
  assert.equal(gate.stats().cache.hits, 1);
  assert.equal(verify().ok, true);
  ours.delete('a');
  const refused = await check();
  assert.deepEqual([refused.status, refused.code], [401, 'issuer-unknown']);
  assert.equal(verify().code, 'issuer-unknown');
  assert.equal(server.requests.length, 1);
  ours.add('a');
  passed(await check());
  assert.equal(server.requests.length, 2);
  assert.equal(verify().ok, true);
  ours.delete('a');
  assert.equal(verify().code, 'issuer-unknown');
});

test('only true admits: a promise, a throw or a truthy word does not', async () => {
  for (const tenants of [
    async () => true,
    () => 'yes',
    () => 1,
    () => {
      throw new Error('no database here');
    },
    () => Promise.reject(new Error('nobody hears of it')),
  ]) {
    const { check } = setUp({ tenants });
    assert.equal((await check(own('a'))).code, 'issuer-unknown');
  }
  assert.equal(server.requests.length, 0);
});

test('a policy that asks for the function is refused without it, also when it replaces another', () => {
  const pointer = (make) => {
    try {
      make();
    } catch (error) {
      return error.pointer;
    }
    return undefined;
  };
  assert.equal(
    pointer(() => createGate(policy(), { platform: 'none' })),
    '/issuers',
  );
  assert.equal(
    pointer(() => createGate(policy(), { platform: 'none', tenants: ['a'] })),
    '/tenants',
  );
  const listed = { issuers: [{ ...policy().issuers[0], tenants: ['a'] }] };
  const gate = createGate(listed, { platform: 'none' });
  assert.equal(
    pointer(() => gate.replacePolicy(policy())),
    '/issuers',
  );
});

test('a policy that is replaced keeps the function, and the tenants come back by it', async () => {
  const { gate, check } = setUp();
  passed(await check(own('a')));
  gate.replacePolicy({ ...policy(), leewaySeconds: 6 });
  passed(await check(own('a')));
  assert.equal((await check(own('c'))).status, 401);
});
