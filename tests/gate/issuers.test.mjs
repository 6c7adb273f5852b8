// Many issuers: those that publish the same keys, and tenants, against a server that counts.
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

const name = (index) => `https://${index}.example`;
const passed = (decision) => assert.equal(decision.ok, true, JSON.stringify(decision));

function gateOf(issuers) {
  const time = clock();
  const gate = createGate({ issuers }, { now: time.read, platform: 'none' });
  const check = async (claims) => gate.check(asking(await key.mint(time.now, claims)));
  return { gate, check, time };
}
const remote = (index) => ({
  issuer: name(index),
  audience: AUDIENCE,
  remote: { jwksUri: `${server.url}/${index}` },
});

for (const order of [
  [0, 1],
  [1, 0],
]) {
  test(`two issuers that publish one key are both accepted when ${order[0]} comes first`, async () => {
    const { check } = gateOf([remote(0), remote(1)]);
    for (const index of [...order, ...order]) passed(await check({ iss: name(index) }));
    assert.deepEqual(
      server.requests.map(({ url }) => url),
      order.map((index) => `/${index}`),
      'each is fetched once, when its first token comes',
    );
  });
}

test('fifty issuers publish one key, and an issuer of nobody is called so and fetched from nowhere', async () => {
  const { check } = gateOf(Array.from({ length: 50 }, (_, index) => remote(index)));
  const first = await check({ iss: name(99) });
  assert.deepEqual([first.status, first.code], [401, 'issuer-unknown']);
  assert.equal(server.requests.length, 0);
  for (const index of [49, 0, 25, 7, 31, 12]) passed(await check({ iss: name(index) }));
  assert.equal(server.requests.length, 6);
  assert.equal((await check({ iss: name(99) })).code, 'issuer-unknown');
  assert.equal(server.requests.length, 6);
});

const tenant = (number) => `00000000-0000-0000-0000-${String(number).padStart(12, '0')}`;
const own = (id) => ({ iss: `https://login.example/${id}/v2.0`, tid: id });
const tenants = (list) => ({
  issuer: 'https://login.example/{tid}/v2.0',
  tenants: list,
  audience: AUDIENCE,
  remote: { jwksUri: `${server.url}/{tid}/keys` },
});

test('a tenant that is listed has its keys fetched from its own place', async () => {
  const { check } = gateOf([tenants([tenant(1), tenant(2)])]);
  passed(await check(own(tenant(2))));
  passed(await check(own(tenant(1))));
  passed(await check(own(tenant(2))));
  assert.deepEqual(
    server.requests.map(({ url }) => url),
    [`/${tenant(2)}/keys`, `/${tenant(1)}/keys`],
  );
  const mixed = await check({ ...own(tenant(1)), tid: tenant(2) });
  assert.equal(mixed.code, 'claim-mismatch');
});

test('10,000 random tenants cost no fetch, before there are keys and with them', async () => {
  const { check } = gateOf([tenants([tenant(1), tenant(2)])]);
  const flood = async (from) => {
    for (let number = from; number < from + 5000; number++) {
      const decision = await check(own(tenant(number)));
      assert.equal(decision.status, 401);
    }
  };
  await flood(1000);
  assert.equal(server.requests.length, 0);
  passed(await check(own(tenant(1))));
  await flood(6000);
  assert.equal(server.requests.length, 1);
});

test('a policy with 10,000 tenants serves any of them and fetches for no other', async () => {
  const { check, gate } = gateOf([tenants(Array.from({ length: 10_000 }, (_, index) => tenant(index)))]);
  for (const number of [0, 9_999, 5_000]) passed(await check(own(tenant(number))));
  assert.equal((await check(own(tenant(10_000)))).status, 401);
  assert.equal(server.requests.length, 3);
  assert.equal(gate.stats().keys.filter(({ keys }) => keys > 0).length, 3);
});
