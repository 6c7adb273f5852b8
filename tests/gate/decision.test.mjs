// What a decision is to whoever asked: a response, a request for the origin, a handler that is
// called or not.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { createGate, createVerifier, PolicyError } from 'portcullis/gate';

import { AUDIENCE, asking, ISSUER, prover, signer } from '../support/issuer.mjs';

const NOW = 1_800_000_000;
const URL_HERE = 'https://api.example/orders';

let key;
before(async () => {
  key = await signer('a');
});

const policyOf = (gate, issuer = {}) => ({
  issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] }, ...issuer }],
  ...(gate && { gate }),
});
const gateOf = (section, options = {}) =>
  createGate(policyOf(section), { now: () => NOW, platform: 'none', ...options });

test('a refusal is a response: status, challenges, problem+json, never stored, and a new one each time', async () => {
  const decision = await gateOf({ dpop: {}, realm: 'orders' }).check(new Request(URL_HERE));
  const { response } = decision;
  assert.equal(response.status, 401);
  assert.equal(
    response.headers.get('www-authenticate'),
    'Bearer realm="orders", DPoP realm="orders", algs="ES256 EdDSA RS256"',
  );
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  assert.deepEqual(await response.json(), decision.problem);
  assert.deepEqual(Object.keys(decision.problem).sort(), [
    'code',
    'detail',
    'stage',
    'status',
    'title',
    'type',
  ]);
  assert.notEqual(decision.response, response);
  assert.ok(
    Object.isFrozen(decision) && Object.isFrozen(decision.challenges) && Object.isFrozen(decision.problem),
  );
});

test('the type of a problem is the page of its code, where the policy names the pages', async () => {
  const pages = 'https://docs.example/reference/codes/{code}.html';
  const decision = await gateOf({ problemTypes: pages }).check(new Request(URL_HERE));
  const { type, title, code } = await decision.response.json();
  assert.deepEqual(
    [type, title, code],
    [pages.replace('{code}', code), 'Authorization missing', 'authorization-missing'],
  );
  const { problem } = await gateOf({}).check(new Request(URL_HERE));
  assert.deepEqual([problem.type, problem.title], ['about:blank', 'Unauthorized']);
  for (const wrong of ['/codes/{code}', 'https://docs.example/'])
    assert.throws(
      () => gateOf({ problemTypes: wrong }),
      (error) => error instanceof PolicyError && error.pointer === '/gate/problemTypes',
    );
});

test('no byte of a token is in anything a refusal says', async () => {
  const canary = 'c4n4ry-in-the-token';
  const gate = gateOf({});
  const events = [];
  const watched = gateOf({}, { onDecision: (event) => events.push(event) });
  for (const request of [
    asking(await key.mint(NOW, { sub: canary, exp: NOW - 100 })),
    asking(await key.mint(NOW, { aud: AUDIENCE, nbf: NOW + 100, canary })),
    asking(`${canary}.${canary}.${canary}`),
    new Request(URL_HERE, { headers: { authorization: `Basic ${canary}` } }),
    new Request(`${URL_HERE}?access_token=${canary}`),
    new Request(URL_HERE, { headers: { authorization: `Bearer ${canary}, Bearer ${canary}` } }),
  ]) {
    for (const decision of [await gate.check(request), await watched.check(request)]) {
      assert.equal(decision.ok, false);
      const said = JSON.stringify([decision, [...decision.response.headers], await decision.response.text()]);
      assert.ok(!said.includes(canary), said);
    }
  }
  assert.ok(!JSON.stringify(events).includes(canary));
});

test('the origin sees claims where the client wrote its own, in every spelling of the header', async () => {
  const gate = gateOf({ forward: { claims: { sub: 'X-User-Id', scope: 'x-scope' } } });
  const token = await key.mint(NOW);
  const headers = {
    authorization: `Bearer ${token}`,
    'X-User-Id': 'admin',
    x_user_id: 'admin',
    'x_user-id': 'admin',
    'X-Scope': 'everything',
    'x-other': 'kept',
    dpop: 'x',
  };
  const request = new Request(URL_HERE, { method: 'POST', headers, body: 'the body' });
  const seen = (await gate.check(request)).apply(request);
  assert.deepEqual([...seen.headers].sort(), [
    ['content-type', 'text/plain;charset=UTF-8'],
    ['x-other', 'kept'],
    ['x-user-id', 's'],
  ]);
  assert.deepEqual([seen.method, seen.url, await seen.text()], ['POST', URL_HERE, 'the body']);
});

test('the token reaches the origin where the policy keeps it, and one cookie goes alone', async () => {
  const token = await key.mint(NOW);
  const kept = gateOf({ forward: { token: 'keep' } });
  const request = asking(token);
  assert.equal((await kept.check(request)).apply(request), request, 'nothing is to be changed');
  const cookie = gateOf({ credentials: { cookie: 'session' }, forward: {} });
  const apply = async (value) => {
    const request = new Request(URL_HERE, { headers: { cookie: value } });
    return (await cookie.check(request)).apply(request).headers.get('cookie');
  };
  assert.equal(await apply(`a=b; session=${token}; c=d`), 'a=b;  c=d'.replace('  ', ' '));
  assert.equal(await apply(`session=${token}`), null);
});

test('also what passes without a token does not bring our headers along', async () => {
  const gate = gateOf({
    forward: { claims: { sub: 'x-user' } },
    requirement: { anonymous: true },
    routes: [{ path: '/health', requirement: 'public' }],
    preflight: 'pass',
  });
  const cors = { origin: 'https://a', 'access-control-request-method': 'PUT' };
  for (const [via, url, init] of [
    ['public', 'https://api.example/health', {}],
    ['anonymous', URL_HERE, {}],
    ['preflight', URL_HERE, { method: 'OPTIONS', headers: cors }],
  ]) {
    const request = new Request(url, {
      ...init,
      headers: { ...init.headers, 'x-user': 'admin', x_user: 'admin' },
    });
    const decision = await gate.check(request);
    assert.deepEqual([decision.ok, decision.via, decision.claims], [true, via, undefined]);
    const { headers } = decision.apply(request);
    assert.deepEqual([headers.get('x-user'), headers.get('x_user')], [null, null], via);
    // Node's own Request leaves these to browsers.
    if (via === 'preflight') assert.equal(headers.get('origin'), 'https://a');
  }
});

test('a handler is called with what passes and with nothing else', async () => {
  const calls = [];
  const gate = gateOf({ forward: { claims: { sub: 'x-user' } } });
  const handler = (request, auth, env, context) => {
    calls.push([
      request.headers.get('x-user'),
      request.headers.get('authorization'),
      auth.claims.sub,
      env,
      context.tag,
    ]);
    return new Response('hello', { status: 201 });
  };
  const protectedHandler = gate.protect(handler, { scopes: ['read'] });
  const context = { tag: 'ctx', waitUntil() {} };
  const good = asking(await key.mint(NOW, { scope: 'read' }));
  const response = await protectedHandler(good, 'env', context);
  assert.deepEqual([response.status, await response.text()], [201, 'hello']);
  const refused = await protectedHandler(asking(await key.mint(NOW)), 'env', context);
  assert.equal(refused.status, 403);
  assert.match(refused.headers.get('www-authenticate'), /insufficient_scope.*scope="read"/);
  assert.equal((await protectedHandler(new Request(URL_HERE), 'env', context)).status, 401);
  assert.deepEqual(calls, [['s', null, 's', 'env', 'ctx']]);
  assert.throws(() => gate.protect(handler, { scope: 'read' }), { name: 'PolicyError', pointer: '/scope' });
  await assert.rejects(gate.check(good, { scopes: [] }), { name: 'PolicyError', pointer: '/scopes' });
});

test('a context can be made of what the runtime hands over', async () => {
  const gate = gateOf({ requirement: { networks: ['192.0.2.0/24'] } });
  const handler = gate.protect(
    () => new Response('in'),
    undefined,
    (_, info) => ({ clientAddress: info.address }),
  );
  const request = asking(await key.mint(NOW));
  assert.equal((await handler(request, { address: '192.0.2.1' })).status, 200);
  assert.equal((await handler(request, { address: '203.0.113.1' })).status, 403);
});

test('nonces are asked for, given, and renewed; timings are told where they are wanted', async () => {
  const time = { now: NOW };
  const section = { dpop: { nonce: true, nonceSeconds: 60 }, origins: ['https://api.example'] };
  const options = { now: () => time.now, nonceSecret: new Uint8Array(32).fill(9), serverTiming: true };
  const gate = gateOf(section, options);
  const elsewhere = gateOf(section, options);
  const { cnf, prove } = await prover();
  const token = await key.mint(NOW, { cnf });
  const handler = gate.protect(() => Response.redirect(URL_HERE));
  const send = async (nonce) => {
    const dpop = await prove(token, time.now, { url: URL_HERE, ...(nonce && { nonce }) });
    return handler(new Request(URL_HERE, { headers: { authorization: `DPoP ${token}`, dpop } }));
  };
  const first = await send();
  assert.equal(first.status, 401);
  assert.match(first.headers.get('www-authenticate'), /^DPoP .*error="use_dpop_nonce"/);
  assert.match(first.headers.get('server-timing'), /portcullis-total;dur=/);
  const nonce = first.headers.get('dpop-nonce');
  const second = await send(nonce);
  assert.deepEqual([second.status, second.headers.get('dpop-nonce')], [302, null]);
  assert.match(second.headers.get('server-timing'), /portcullis-verify;dur=/);
  time.now += 60;
  const third = await send(nonce);
  assert.equal(third.status, 302);
  assert.notEqual(third.headers.get('dpop-nonce'), nonce);
  assert.ok(third.headers.get('dpop-nonce'));
  // Another isolate with the same secret knows it: nothing is stored.
  const dpop = await prove(token, time.now, { url: URL_HERE, nonce });
  const there = await elsewhere.check(
    new Request(URL_HERE, { headers: { authorization: `DPoP ${token}`, dpop } }),
  );
  assert.equal(there.ok, true);
  assert.throws(() => gateOf(section), { name: 'PolicyError', pointer: '/gate/dpop/nonce' });
  assert.throws(() => gateOf(section, { nonceSecret: new Uint8Array(31) }), { pointer: '/gate/dpop/nonce' });
});

test('another policy is taken whole or not at all, and requirements go along', async () => {
  const gate = gateOf({ networks: { office: ['192.0.2.0/24'] } });
  const request = asking(await key.mint(NOW, { scope: 'a' }));
  const office = { networks: ['office'] };
  const from = (clientAddress) => gate.check(request, office, { clientAddress });
  assert.equal((await from('192.0.2.1')).ok, true);
  const introspection = {
    endpoint: 'https://issuer.example/i',
    clientId: 'c',
    authentication: 'client_secret_basic',
  };
  for (const [policy, pointer] of [
    [policyOf({ realm: 7 }), '/gate/realm'],
    [policyOf({}), '/networks/0'],
    [{ issuers: [] }, '/issuers'],
    [policyOf({ networks: { office: ['10.0.0.0/8'] } }, { introspection }), undefined],
  ]) {
    const wrong = (error) =>
      error instanceof PolicyError && (pointer === undefined || error.pointer.endsWith(pointer));
    assert.throws(() => gate.replacePolicy(policy), wrong, pointer);
    assert.equal((await from('192.0.2.1')).ok, true, 'the present policy stays');
  }
  gate.verifier.replacePolicy(policyOf({ networks: { office: ['203.0.113.0/24'] } }));
  assert.equal((await from('192.0.2.1')).code, 'network-denied');
  assert.equal((await from('203.0.113.1')).ok, true);
});

test('the verifier inside is synchronous, on the same keys, and the entry has the main one’s functions', async () => {
  const gate = gateOf({});
  const token = await key.mint(NOW);
  assert.equal(gate.verifier.verify(token, { now: NOW }).ok, true);
  assert.equal(gate.verifier.verifyAuthorization(`Bearer ${token}`, { now: NOW }).ok, true);
  assert.equal(createVerifier(policyOf(undefined)).verify(token, { now: NOW }).ok, true);
  assert.equal(gate.stats().verifier.keys[0].kid, 'a');
});

test('whatever a request is, the answer is a value', async () => {
  const gate = gateOf({});
  for (const request of [
    { method: 'GET', url: 'https://a/\ud800', headers: [] },
    { method: '', url: '', headers: [] },
    { method: 'GET', url: URL_HERE, headers: [['authorization', '\ud800']] },
    { method: 'GET', url: URL_HERE, headers: [['authorization', `Bearer ${'a'.repeat(1_000_000)}`]] },
    {
      method: 'GET',
      url: URL_HERE,
      headers: Array.from({ length: 10_000 }, () => ['authorization', 'Bearer a']),
    },
    { method: 'GET', url: `https://a/${'%2e%2e/'.repeat(100_000)}`, headers: [] },
  ]) {
    const decision = await gate.check(request);
    assert.equal(decision.ok, false);
    assert.ok(decision.status >= 400 && decision.status < 404, decision.code);
  }
});

test('claims are what a schema makes of them, and a token that does not fit is refused', async () => {
  const validate = (claims) =>
    typeof claims.tenant === 'string'
      ? { value: { tenant: claims.tenant.toUpperCase() } }
      : { issues: [{ path: ['tenant'] }] };
  const schema = { '~standard': { version: 1, vendor: 'test', validate } };
  const seen = [];
  const narrow = (claims) => seen.push(claims.tenant) > 0;
  const gate = gateOf({ forward: { claims: { tenant: 'x-tenant' } } }, { claims: schema, narrow });
  const fits = asking(await key.mint(NOW, { tenant: 'a' }));
  for (let time = 0; time < 2; time++) {
    const decision = await gate.check(fits);
    assert.deepEqual(decision.claims, { tenant: 'A' });
    // The origin is told what was signed.
    assert.deepEqual(decision.headers.set, { 'x-tenant': 'a' });
  }
  assert.deepEqual(seen, ['A', 'A']);
  const { status, code, reason } = await gate.check(asking(await key.mint(NOW, { tenant: 7 })));
  assert.deepEqual([status, code, reason], [403, 'refused-by-check', 'the claims do not fit the schema']);
  const promised = { '~standard': { version: 1, vendor: 'test', validate: async () => ({ value: {} }) } };
  assert.throws(() => gateOf({}, { claims: promised }), { name: 'PolicyError', pointer: '/claims' });
});
