// A feed that asks for a client: the gate shows itself there by the policy's client and the secret
// of its options, and nowhere else.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { createGate } from 'portcullis/gate';
import { AUDIENCE, asking, ISSUER, signer } from '../support/issuer.mjs';
import { clock, origin, status } from '../support/origin.mjs';
import { feed, feedJwks } from './feed.mjs';

const SECRET = 'a+secret/with:every%character&a=form has to escape';
const EXPECTED = `Basic ${Buffer.from(`edge:${new URLSearchParams({ v: SECRET }).toString().slice(2)}`).toString('base64')}`;

let server;
let key;
before(async () => {
  server = await origin();
  key = await signer('a', 'EdDSA');
});
after(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
});

const policyOf = (revocation = {}) => ({
  issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } }],
  revocation: {
    jwks: feedJwks,
    feed: `${server.url}/revocations`,
    clientId: 'edge',
    maxStalenessSeconds: 60,
    ...revocation,
  },
});

/** Serves the list to those who show the client. */
function guarded(list) {
  return (request, response) =>
    request.headers.authorization === EXPECTED
      ? list.serve(request, response)
      : status(401)(request, response);
}

function gateOn(time, options = {}, revocation = {}) {
  return createGate(policyOf(revocation), {
    now: time.read,
    platform: 'none',
    revocation: { clientSecret: SECRET },
    ...options,
  });
}

test('the gate pulls as the client of its policy, with the secret of its options', async () => {
  const time = clock();
  server.behave = guarded(feed(time));
  const gate = gateOn(time);
  const token = await key.mint(time.now, { sid: 's', jti: 'one' });
  assert.equal((await gate.check(asking(token))).ok, true);
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.authorization),
    [EXPECTED],
  );
  // With another secret the list never comes, and what the policy says of a stale one holds.
  const stranger = gateOn(time, { revocation: { clientSecret: 'another' } });
  const { code } = await stranger.check(asking(token));
  assert.equal(code, 'revocation-stale');
  assert.equal(stranger.stats().revocations[0].lastFailure, 'status-401');
  assert.equal(JSON.stringify([stranger.stats(), gate.stats()]).includes(SECRET), false);
});

test('no status list is shown the secret', async () => {
  const time = clock();
  const list = feed(time);
  server.behave = (request, response) =>
    request.url.startsWith('/status') ? status(500)(request, response) : guarded(list)(request, response);
  const statusLists = [{ uri: `${server.url}/status`, jwks: feedJwks }];
  const gate = gateOn(time, {}, { statusLists });
  await gate.check(asking(await key.mint(time.now, { sid: 's', jti: 'one' })));
  const shown = Object.fromEntries(server.requests.map(({ url, headers }) => [url, headers.authorization]));
  assert.deepEqual(shown, { '/revocations': EXPECTED, '/status': undefined });
});

test('a client without a secret, and a secret that is none, are mistakes of the options', () => {
  const time = clock();
  for (const revocation of [undefined, {}, { clientSecret: '' }, { clientSecret: 5 }])
    assert.throws(() => gateOn(time, { revocation }), {
      name: 'PolicyError',
      pointer: '/revocation/clientSecret',
    });
  assert.throws(() => gateOn(time, {}, { feed: undefined }), {
    name: 'PolicyError',
    pointer: '/revocation/feed',
  });
  assert.throws(() => gateOn(time, {}, { clientId: '' }), {
    name: 'PolicyError',
    pointer: '/revocation/clientId',
  });
});

test('a policy whose client has no secret is not taken, and the one before it stays', async () => {
  const time = clock();
  server.behave = feed(time).serve;
  const open = policyOf();
  delete open.revocation.clientId;
  const gate = createGate(open, { now: time.read, platform: 'none' });
  const token = await key.mint(time.now, { sid: 's', jti: 'one' });
  assert.equal((await gate.check(asking(token))).ok, true);
  assert.throws(() => gate.replacePolicy(policyOf()), {
    name: 'PolicyError',
    pointer: '/revocation/clientSecret',
  });
  assert.equal((await gate.check(asking(token))).ok, true);
  assert.equal(
    server.requests.every(({ headers }) => headers.authorization === undefined),
    true,
  );
});

test('a policy that is only reported on fetches nothing, and needs no secret', async () => {
  const time = clock();
  server.behave = guarded(feed(time));
  const gate = gateOn(time, { reportOnly: { policy: policyOf({ clientId: 'another' }) } });
  const token = await key.mint(time.now, { sid: 's', jti: 'one' });
  assert.equal((await gate.check(asking(token))).ok, true);
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.authorization),
    [EXPECTED],
  );
});
