// What a gate remembers: decisions that are found again without entering the wasm, and every fact
// that makes one another.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { createGate } from 'portcullis/gate';

import * as glue from '../../dist/wasm/portcullis_gate_bg.js';
import { AUDIENCE, ISSUER, prover, signer } from '../support/issuer.mjs';

const NOW = 1_800_000_000;
const POLICY_URL = 'https://api.example/orders/1?page=2';

let key;
let other;
before(async () => {
  [key, other] = await Promise.all([signer('a'), signer('b')]);
});

let entered = 0;
for (const name of ['decide', 'decideLines']) {
  const own = glue.RawGate.prototype[name];
  glue.RawGate.prototype[name] = function (...args) {
    entered += 1;
    return own.apply(this, args);
  };
}

const policyOf = (gate, keys = [key]) => ({
  issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: keys.map(({ jwk }) => jwk) } }],
  gate,
});

function setUp(section = {}, options = {}) {
  const time = { now: NOW };
  const gate = createGate(policyOf(section), { now: () => time.now, platform: 'none', ...options });
  return { gate, time };
}

const facts = (token, { url = POLICY_URL, method = 'GET', headers = [], scheme = 'Bearer' } = {}) => ({
  method,
  url,
  headers: [['Authorization', `${scheme} ${token}`], ...headers],
});

/** Asks, and says whether the core was entered. */
async function ask(gate, request, requirement, context) {
  const before = entered;
  const decision = await gate.check(request, requirement, context);
  return { decision, found: entered === before };
}

test('the same request again is found, is the same frozen decision, and does not enter the wasm', async () => {
  const { gate } = setUp();
  const token = await key.mint(NOW);
  const first = await ask(gate, facts(token));
  const again = await ask(gate, facts(token));
  assert.deepEqual([first.found, again.found], [false, true]);
  assert.equal(again.decision, first.decision);
  assert.ok(
    Object.isFrozen(again.decision) &&
      Object.isFrozen(again.decision.claims) &&
      Object.isFrozen(again.decision.headers),
  );
  assert.deepEqual(gate.stats().cache, { entries: 1, hits: 1, misses: 1 });
});

test('where no route is asked the path and a harmless query do not matter, and the rest does', async () => {
  const { gate } = setUp();
  const token = await key.mint(NOW);
  await ask(gate, facts(token));
  for (const url of [
    'https://api.example/',
    'https://api.example/a/b?c=d',
    'https://api.example/x?a=b&c=d+e',
  ])
    assert.equal((await ask(gate, facts(token, { url }))).found, true, url);
  for (const [url, code] of [
    ['http://api.example/orders/1', 'transport-insecure'],
    ['https://api.example/?access_token=x', 'token-in-query'],
    ['https://api.example/?acc%65ss_token=x', 'token-in-query'],
    ['https://user@api.example/', 'request-malformed'],
    ['https://api.example/a\\b', 'request-malformed'],
    [`https://api.example/${'a'.repeat(9000)}`, 'request-malformed'],
    ['/orders', 'request-malformed'],
  ]) {
    const { decision, found } = await ask(gate, facts(token, { url }));
    assert.deepEqual([decision.code, found], [code, false], url.slice(0, 60));
  }
  const { decision } = await ask(gate, facts(token, { method: 'GET /' }));
  assert.equal(decision.code, 'request-malformed');
});

test('every credential is another: token, scheme, a second header', async () => {
  const { gate } = setUp();
  const [token, expired] = [await key.mint(NOW), await key.mint(NOW - 90_000)];
  await ask(gate, facts(token));
  assert.equal((await ask(gate, facts(token, { scheme: 'bearer' }))).found, false);
  assert.equal((await ask(gate, facts(expired))).decision.code, 'expired');
  assert.equal((await ask(gate, facts(await other.mint(NOW)))).decision.code, 'kid-unknown');
  const twice = facts(token, { headers: [['authorization', `Bearer ${token}`]] });
  assert.equal((await ask(gate, twice)).decision.code, 'authorization-ambiguous');
  assert.equal((await ask(gate, { ...facts(token), headers: [] })).decision.code, 'authorization-missing');
});

test('no value can pass for the end of another', async () => {
  const { gate } = setUp({ credentials: { header: 'authorization', cookie: 'session' } });
  const token = await key.mint(NOW);
  const cookie = ['cookie', 'a=b'];
  assert.equal((await ask(gate, facts(token, { headers: [cookie] }))).decision.ok, true);
  // These would be the same text if the facts were merely put one after the other.
  const joined = { ...facts(token), headers: [['authorization', `Bearer ${token}cookie a=b`]] };
  const shifted = { ...facts(token, { headers: [cookie] }), method: 'GEThttps', url: '://api.example' };
  for (const [request, code] of [
    [joined, 'authorization-malformed'],
    [shifted, 'request-malformed'],
  ]) {
    const { decision, found } = await ask(gate, request);
    assert.deepEqual([decision.code, found], [code, false]);
  }
});

test('what is required is part of it, by its text and not by the object', async () => {
  const { gate } = setUp();
  const token = await key.mint(NOW, { scope: 'a' });
  const required = { scopes: ['a'] };
  assert.equal((await ask(gate, facts(token), required)).decision.ok, true);
  assert.equal((await ask(gate, facts(token), { scopes: ['a'] })).found, true);
  required.scopes = ['b'];
  assert.equal((await ask(gate, facts(token), required)).decision.code, 'scope-insufficient');
  assert.equal((await ask(gate, facts(token))).found, false);
});

test('where routes decide, method and path are part of it', async () => {
  const routes = [
    { path: '/admin/*', requirement: { scopes: ['admin'] } },
    { path: '/write', methods: ['POST'], requirement: { scopes: ['write'] } },
  ];
  const { gate } = setUp({ routes });
  const token = await key.mint(NOW);
  const at = (path, method) => ask(gate, facts(token, { url: `https://api.example${path}`, method }));
  assert.equal((await at('/write')).decision.ok, true);
  assert.equal((await at('/write?page=3')).found, true);
  assert.equal((await at('/write', 'POST')).decision.code, 'scope-insufficient');
  for (const path of ['/admin/x', '/%61dmin/x', '/write/../admin/x', '//admin/x'])
    assert.equal((await at(path)).decision.ok, false, path);
  const required = {};
  const given = (path) => ask(gate, facts(token, { url: `https://api.example${path}` }), required);
  await given('/write');
  assert.equal((await given('/admin/x')).found, true, 'the caller says what is required, wherever it is');
});

test('what is remembered of a URL says nothing of another target, nor of another path that serves it', async () => {
  for (const section of [{}, { routes: [{ path: '/other/*', requirement: { scopes: ['x'] } }] }]) {
    const { gate } = setUp(section);
    const token = await key.mint(NOW);
    const url = 'https://api.example/orders/1?page=2';
    const of = (target) => ({ ...facts(token, { url }), target });
    const good = '/orders/1?page=2';
    assert.equal((await ask(gate, facts(token, { url }))).decision.ok, true);
    const again = await ask(gate, of(good));
    assert.deepEqual([again.decision.ok, again.found], [true, true]);
    for (const target of [
      '',
      '*',
      '/orders/2?page=2',
      '/1?page=2',
      'https://other.example/orders/1?page=2',
      'https://api.example?/orders/1?page=2',
    ]) {
      const { decision, found } = await ask(gate, of(target));
      assert.deepEqual([decision.code, found], ['request-malformed', false], target);
    }
    const dotted = 'https://api.example/other/../orders';
    const { decision } = await ask(gate, { ...facts(token, { url: dotted }), target: '/other/../orders' });
    assert.equal(decision.code, 'request-malformed');
    const elsewhere = await ask(gate, facts(token, { url }), undefined, { served: ['/other/x'] });
    assert.equal(elsewhere.found, false);
    assert.equal(elsewhere.decision.ok, section.routes === undefined);
  }
});

test('the client’s address is part of it where a network is asked for, by the policy or by one requirement', async () => {
  const { gate } = setUp();
  const token = await key.mint(NOW);
  const from = (clientAddress, requirement) => ask(gate, facts(token), requirement, { clientAddress });
  await from('192.0.2.1');
  assert.equal((await from('192.0.2.2')).found, true, 'no network is asked for');
  const office = { networks: ['192.0.2.0/24'] };
  assert.equal((await from('192.0.2.1', office)).decision.ok, true);
  assert.equal((await from('192.0.2.1', office)).found, true);
  assert.equal((await from('203.0.113.1', office)).decision.code, 'network-denied');
  assert.equal((await from(undefined, office)).decision.code, 'address-unknown');
});

test('the certificate is part of it', async () => {
  const { gate } = setUp();
  const x5t = 'A'.repeat(43);
  const token = await key.mint(NOW, { cnf: { 'x5t#S256': x5t } });
  const by = (certificate) => ask(gate, facts(token), undefined, { certificate });
  assert.equal((await by(x5t)).decision.binding, 'mtls');
  assert.equal((await by(x5t)).found, true);
  assert.equal((await by(undefined)).decision.code, 'certificate-missing');
  assert.equal((await by(`${'A'.repeat(42)}E`)).decision.code, 'certificate-mismatch');
});

test('a decision holds from and until its instants', async () => {
  const { gate, time } = setUp();
  const token = await key.mint(NOW, { exp: NOW + 60 });
  await ask(gate, facts(token));
  time.now = NOW + 64;
  assert.equal((await ask(gate, facts(token))).found, true);
  time.now = NOW + 65;
  assert.equal((await ask(gate, facts(token))).decision.code, 'expired');
  time.now = NOW;
  const fresh = await key.mint(NOW, { auth_time: NOW - 290 });
  const recent = { maxAgeSeconds: 300 };
  await ask(gate, facts(fresh), recent);
  time.now = NOW + 15;
  assert.equal((await ask(gate, facts(fresh), recent)).found, true);
  time.now = NOW + 16;
  assert.equal((await ask(gate, facts(fresh), recent)).decision.code, 'authentication-too-old');
});

test('another policy is another: nothing that was remembered counts', async () => {
  const { gate } = setUp();
  const token = await key.mint(NOW);
  await ask(gate, facts(token));
  gate.replacePolicy(policyOf({}, [other]));
  assert.equal((await ask(gate, facts(token))).decision.code, 'kid-unknown');
  gate.replacePolicy(policyOf({}));
  const { decision, found } = await ask(gate, facts(token));
  assert.deepEqual([decision.ok, found], [true, false]);
});

test('what rests on a proof is never remembered', async () => {
  const { gate } = setUp({ origins: ['https://api.example'] });
  const { cnf, prove } = await prover();
  const token = await key.mint(NOW, { cnf });
  const headers = [['dpop', await prove(token, NOW, { url: POLICY_URL })]];
  const request = facts(token, { scheme: 'DPoP', headers });
  assert.equal((await ask(gate, request)).decision.binding, 'dpop');
  assert.equal((await ask(gate, request)).decision.code, 'dpop-replayed');
  assert.equal(gate.stats().cache.entries, 0);
});

test('a check of the caller’s own is asked each time, also about what is remembered', async () => {
  let answer = true;
  const seen = [];
  const narrow = (claims, request) => {
    seen.push([claims.sub, request.url]);
    if (answer === 'throw') throw new Error('x');
    return answer;
  };
  const { gate } = setUp({}, { narrow });
  const token = await key.mint(NOW);
  assert.equal((await ask(gate, facts(token))).decision.ok, true);
  assert.equal((await ask(gate, facts(token))).found, true);
  assert.deepEqual(seen, [
    ['s', POLICY_URL],
    ['s', POLICY_URL],
  ]);
  for (const [value, reason] of [
    ['the account is closed', 'the account is closed'],
    [false, 'the check did not answer true'],
    [undefined, 'the check did not answer true'],
    [Promise.resolve(true), 'narrow must be synchronous, and it returned a promise'],
    ['throw', 'the check threw'],
  ]) {
    answer = value;
    const { decision } = await ask(gate, facts(token));
    assert.deepEqual([decision.status, decision.code, decision.reason], [403, 'refused-by-check', reason]);
  }
  answer = true;
  assert.equal((await ask(gate, facts(token))).found, true);
});

test('refusals, preflights and what is public are not remembered', async () => {
  const { gate } = setUp({ routes: [{ path: '/health', requirement: 'public' }] });
  const token = await key.mint(NOW, { aud: 'https://other.example' });
  for (let time = 0; time < 2; time++) {
    await ask(gate, facts(token));
    await ask(gate, facts(token, { url: 'https://api.example/health' }));
    const cors = [
      ['origin', 'https://a'],
      ['access-control-request-method', 'PUT'],
    ];
    const preflight = { method: 'OPTIONS', url: POLICY_URL, headers: cors };
    assert.equal((await ask(gate, preflight)).decision.via, 'preflight');
  }
  assert.equal(gate.stats().cache.entries, 0);
});

test('as many are remembered as were asked for, and none for 0', async () => {
  for (const [cache, most] of [
    [0, 0],
    [4, 4],
    [undefined, 20],
  ]) {
    const { gate } = setUp({}, cache === undefined ? {} : { cache });
    for (let i = 0; i < 20; i++) await ask(gate, facts(await key.mint(NOW)));
    assert.ok(gate.stats().cache.entries <= most && gate.stats().cache.entries >= most / 2);
  }
  assert.throws(() => setUp({}, { cache: -1 }), { name: 'PolicyError', pointer: '/cache' });
});

test('what an authorization server said is asked for again when its time is over', async () => {
  const time = { now: NOW };
  let active = true;
  let questions = 0;
  const introspection = {
    endpoint: 'https://issuer.example/introspect',
    clientId: 'api',
    authentication: 'client_secret_basic',
    cacheSeconds: 60,
  };
  const gate = createGate(
    { issuers: [{ issuer: ISSUER, audience: AUDIENCE, introspection }] },
    {
      now: () => time.now,
      platform: 'none',
      introspection: { [ISSUER]: { clientSecret: 'a secret' } },
      fetch: async () => {
        questions += 1;
        // Without `exp` nothing in the answer says when it ends.
        return Response.json({ active, aud: AUDIENCE });
      },
    },
  );
  const outcome = async () => (await gate.check(facts('opaque'))).code ?? 'in';
  assert.deepEqual([await outcome(), await outcome(), questions], ['in', 'in', 1]);
  active = false;
  time.now += 61;
  assert.deepEqual([await outcome(), questions], ['token-inactive', 2]);
  assert.equal(gate.stats().cache.entries, 0);
});
