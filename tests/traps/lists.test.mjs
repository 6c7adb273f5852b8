// Lists of revocations through traps, under a policy that accepts what no list names when there is
// none (`whenStale: 'allow'`): what was revoked stays so, whatever becomes of the lists.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import zlib from 'node:zlib';

import { happened, plan } from './inject.mjs';

const { createGate } = await import('portcullis/gate');
const { feed, feedJwks, named } = await import('../gate/feed.mjs');
const { AUDIENCE, ISSUER } = await import('../support/issuer.mjs');
const { encode, publicJwk, signature } = await import('../vectors/generate/signing.mjs');

const FEED = 'https://issuer.example/revocations';
const STATUS = 'https://issuer.example/statuslists/1';
const key = Buffer.alloc(32, 1);
const asText = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function setUp(revocation) {
  const time = { now: 1_800_000_000 };
  const list = feed(time);
  const served = { asked: 0, answer: () => list.snapshot() };
  const gate = createGate(
    {
      issuers: [{ issuer: ISSUER, audience: AUDIENCE, types: 'any', keys: [{ alg: 'HS256', secret: key }] }],
      revocation: { jwks: feedJwks, maxStalenessSeconds: 600, whenStale: 'allow', ...revocation },
    },
    {
      now: () => time.now,
      platform: 'none',
      cache: 0,
      async fetch() {
        served.asked += 1;
        return new Response(served.answer());
      },
    },
  );
  const mint = (claims) => {
    const usual = { iss: ISSUER, aud: AUDIENCE, iat: time.now, exp: time.now + 600, ...claims };
    const input = `${asText({ alg: 'HS256' })}.${asText(usual)}`;
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
  };
  const check = async (claims) => {
    const headers = [['authorization', `Bearer ${mint(claims)}`]];
    const decision = await gate.check({ method: 'GET', url: 'https://api.example/', headers });
    return decision.ok ? (decision.stale ? 'stale' : 'ok') : decision.code;
  };
  /** The instance traps while it is asked about something else. */
  const trap = () => {
    plan({ name: 'rawgate_stats' });
    gate.stats();
    assert.ok(happened());
  };
  return { time, list, served, gate, check, trap };
}

test('a snapshot, the deltas after it and a renewal are all there after a trap, and go on from there', async () => {
  const { time, list, gate, check, trap } = setUp();
  const take = (...documents) => gate.verifier.applyRevocations(documents.join('\n'), { now: time.now });
  list.revoke(named('jti', 'first'));
  assert.equal(take(list.snapshot()).ok, true);
  for (const jti of ['second', 'third']) {
    list.revoke(named('jti', jti));
    assert.equal(take(list.deltas.at(-1), list.renewal()).ok, true);
  }
  time.now += 300;
  assert.equal(take(list.renewal()).ok, true);
  // Taken as far as it was good, and refused from there.
  list.revoke(named('jti', 'fourth'));
  assert.equal(take(list.deltas.at(-1), 'a~b').code, 'update-malformed');
  time.now += 400;
  for (let round = 0; round < 3; round++) {
    trap();
    for (const jti of ['first', 'second', 'third', 'fourth'])
      assert.equal(await check({ jti }), 'token-revoked');
    // Still fresh by the last document, and for no longer.
    assert.equal(await check({ jti: 'other' }), 'ok');
  }
  time.now += 500;
  assert.equal(await check({ jti: 'other' }), 'stale');
  assert.equal(await check({ jti: 'first' }), 'token-revoked');
  list.revoke(named('jti', 'fifth'));
  assert.equal(take(list.deltas.at(-1)).ok, true);
  assert.equal(await check({ jti: 'fifth' }), 'token-revoked');
});

test('a status list is there after a trap', async () => {
  const statusLists = [
    { uri: STATUS, jwks: { keys: [publicJwk('ed25519Other', { kid: 'status', alg: 'EdDSA' })] } },
  ];
  const { time, list, served, gate, check, trap } = setUp({ statusLists });
  const lst = encode(zlib.deflateSync(Buffer.from([8])));
  const input = `${encode({ alg: 'EdDSA', kid: 'status', typ: 'statuslist+jwt' })}.${encode({ sub: STATUS, iat: time.now, status_list: { bits: 1, lst } })}`;
  served.answer = () => 'nothing';
  const jwt = `${input}.${encode(signature('EdDSA', 'ed25519Other', input))}`;
  gate.verifier.applyRevocations(list.snapshot(), { now: time.now });
  assert.equal(gate.verifier.applyStatusList(STATUS, jwt, { now: time.now }).ok, true);
  const referring = (idx) => ({ status: { status_list: { idx, uri: STATUS } } });
  for (let round = 0; round < 3; round++) {
    assert.equal(await check(referring(3)), 'status-not-valid');
    assert.equal(await check(referring(2)), 'ok');
    trap();
  }
});

test('a list that is too long to be kept is pulled again before anybody is answered; without it nothing is allowed for want of it', async () => {
  const { time, list, served, check, trap } = setUp({ feed: FEED });
  list.tokens = Array.from({ length: 800_000 }, (_, index) => BigInt(index) * 7919n);
  list.tokens.push(named('jti', 'gone'));
  list.deltas.length = 1;
  const snapshot = list.snapshot();
  assert.ok(snapshot.length > 8 * 1024 * 1024);
  served.answer = () => snapshot;
  assert.equal(await check({ jti: 'gone' }), 'token-revoked');
  assert.equal(await check({ jti: 'other' }), 'ok');
  assert.equal(served.asked, 1);
  trap();
  served.answer = () => 'out of order';
  time.now += 1;
  assert.equal(await check({ jti: 'gone' }), 'revocation-stale');
  assert.equal(await check({ jti: 'other' }), 'revocation-stale');
  trap();
  assert.equal(await check({ jti: 'gone' }), 'revocation-stale');
  served.answer = () => snapshot;
  time.now += 400;
  assert.equal(await check({ jti: 'gone' }), 'token-revoked');
  assert.equal(await check({ jti: 'other' }), 'ok');
});

test('a detour through a policy without lists, with a trap in between, brings none of them back to life', async () => {
  const { time, list, gate, check, trap } = setUp();
  list.revoke(named('jti', 'gone'));
  gate.verifier.applyRevocations(list.snapshot(), { now: time.now });
  const issuers = [
    { issuer: ISSUER, audience: AUDIENCE, types: 'any', keys: [{ alg: 'HS256', secret: key }] },
  ];
  gate.replacePolicy({ issuers });
  trap();
  assert.equal(await check({ jti: 'gone' }), 'ok');
  gate.replacePolicy({
    issuers,
    revocation: { jwks: feedJwks, maxStalenessSeconds: 600, whenStale: 'allow' },
  });
  assert.equal(await check({ jti: 'gone' }), 'token-revoked');
  trap();
  assert.equal(await check({ jti: 'gone' }), 'token-revoked');
});

test('however often the policy was replaced since, the lists that it trusts are there after a trap', async () => {
  const { time, list, gate, check, trap } = setUp();
  list.revoke(named('jti', 'gone'));
  gate.verifier.applyRevocations(list.snapshot(), { now: time.now });
  const issuers = [
    { issuer: ISSUER, audience: AUDIENCE, types: 'any', keys: [{ alg: 'HS256', secret: key }] },
  ];
  for (let leewaySeconds = 0; leewaySeconds < 8; leewaySeconds++) {
    const revocation = { jwks: feedJwks, maxStalenessSeconds: 600, whenStale: 'allow' };
    gate.replacePolicy({ issuers, leewaySeconds, revocation });
    assert.equal(await check({ jti: 'gone' }), 'token-revoked');
    trap();
    assert.equal(await check({ jti: 'gone' }), 'token-revoked', `${leewaySeconds}`);
    assert.equal(await check({ jti: 'other' }), 'ok');
  }
});

test('a snapshot of the feed makes no other list that was too long come back', async () => {
  const jwks = { keys: [publicJwk('ed25519Other', { kid: 'status', alg: 'EdDSA' })] };
  const { time, list, served, gate, check, trap } = setUp({ statusLists: [{ uri: STATUS, jwks }] });
  served.answer = () => 'nothing';
  const lst = encode(zlib.deflateSync(Buffer.from([8])));
  const input = `${encode({ alg: 'EdDSA', kid: 'status', typ: 'statuslist+jwt' })}.${encode({ sub: STATUS, iat: time.now, status_list: { bits: 1, lst } })}`;
  const jwt = `${input}.${encode(signature('EdDSA', 'ed25519Other', input))}`;
  const take = () =>
    assert.equal(gate.verifier.applyRevocations(list.snapshot(), { now: time.now }).ok, true);
  assert.equal(gate.verifier.applyStatusList(STATUS, jwt, { now: time.now }).ok, true);
  list.tokens = Array.from({ length: 800_000 }, (_, index) => BigInt(index) * 7919n);
  list.deltas.length = 0;
  assert.ok(list.snapshot().length > 8 * 1024 * 1024);
  take();
  list.tokens = [];
  list.revoke(named('jti', 'gone'));
  take();
  const referring = { status: { status_list: { idx: 3, uri: STATUS } } };
  assert.equal(await check(referring), 'status-not-valid');
  for (let round = 0; round < 2; round++) {
    trap();
    assert.notEqual(await check(referring), 'ok');
    assert.notEqual(await check(referring), 'stale');
    assert.notEqual(await check({ jti: 'gone' }), 'ok');
  }
});
