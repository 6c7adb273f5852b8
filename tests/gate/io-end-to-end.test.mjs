// Introspection, report-only and observation, from the request to the decision.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { inspect } from 'node:util';

import { createGate, memoryReplayStore, PolicyError } from 'portcullis/gate';

import { AUDIENCE, asking, ISSUER, prover, signer } from '../support/issuer.mjs';
import { clock, context, drip, hang, huge, json, origin, paths, reset, status } from '../support/origin.mjs';

const TOKEN = 'opaque-canary';
let server;
let key;
before(async () => {
  server = await origin();
  key = await signer('k');
});
after(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
});

const ACTIVE = { active: true, iss: ISSUER, aud: AUDIENCE, sub: 's', client_id: 'c', scope: 'read write' };

/** What a test sets to null, its policy goes without. */
const withoutNull = (members) =>
  Object.fromEntries(Object.entries(members).filter(([, member]) => member !== null));

function setUp({
  introspection = {},
  secret = { clientSecret: 'secret-canary' },
  issuer = {},
  ...options
} = {}) {
  const time = clock();
  const told = [];
  const policy = {
    issuers: [
      {
        issuer: ISSUER,
        audience: AUDIENCE,
        ...(issuer.introspection !== null && {
          introspection: {
            endpoint: `${server.url}/introspect`,
            clientId: 'client',
            authentication: 'client_secret_basic',
            timeoutMs: 5000,
            ...introspection,
          },
        }),
        ...withoutNull(issuer),
      },
    ],
    gate: { origins: ['https://api.example'] },
  };
  const gate = createGate(policy, {
    now: time.read,
    platform: 'none',
    introspection: { [ISSUER]: secret },
    onDecision: (event) => told.push(event),
    ...options,
  });
  const check = (token = TOKEN, requirement, held) => gate.check(asking(token), requirement, held);
  const active = (more) => json({ ...ACTIVE, exp: time.now + 3600, ...more });
  return { time, told, gate, policy, check, active };
}
const refused = (decision, status, code) =>
  assert.deepEqual([decision.status, decision.code], [status, code]);

test('an opaque token is asked about, judged like any other, and the answer kept for its time', async () => {
  const { check, active, time } = setUp();
  server.behave = active({ exp: time.now + 40 });
  const decision = await check();
  assert.equal(decision.ok, true, inspect(decision));
  assert.deepEqual(
    [decision.source, decision.claims.sub, decision.header],
    ['introspection', 's', undefined],
  );
  assert.equal((await check(TOKEN, { scopes: ['read'] })).ok, true);
  refused(await check(TOKEN, { scopes: ['admin'] }), 403, 'scope-insufficient');
  time.pass(39);
  assert.equal((await check()).ok, true);
  assert.equal(server.requests.length, 1);
  time.pass(40);
  server.behave = json({ active: false });
  refused(await check(), 401, 'token-inactive');
  refused(await check(), 401, 'token-inactive');
  assert.equal(server.requests.length, 2);
});

test('an answer for another audience or issuer, or one that is over, is refused', async () => {
  for (const [more, code] of [
    [{ aud: 'https://other.example' }, 'audience-mismatch'],
    [{ iss: 'https://other.example' }, 'issuer-mismatch'],
    [{ exp: 1_700_000_000 }, 'expired'],
  ]) {
    const { check, active } = setUp();
    server.behave = active(more);
    refused(await check(), 401, code);
  }
});

const FAILURES = [
  ['status 500', status(500)],
  ['status 401', status(401)],
  ['reset', reset],
  ['silence', hang],
  ['a slow drip', drip],
  ['10 MB', huge(10_000_000)],
  ['a redirect', status(302, { location: '/steal' })],
  ['a page', json('<!doctype html>')],
  ['null', json('null')],
  ['active as text', json({ ...ACTIVE, active: 'true' })],
  ['active twice', json('{"active":false,"active":true}')],
];
for (const [name, behave] of FAILURES) {
  test(`${name} at the introspection endpoint is denied with 503, and told when to come again`, async () => {
    const introspection = behave === hang || behave === drip ? { timeoutMs: 1000 } : {};
    const { check, active, time } = setUp({ introspection });
    server.behave = behave;
    const decision = await check();
    refused(decision, 503, 'introspection-unavailable');
    assert.ok(Number(decision.response.headers.get('retry-after')) > 0);
    // An answer that only the core's reader can tell to be none was kept for a while.
    time.pass(60);
    server.behave = active();
    assert.equal((await check()).ok, true);
  });
}

test('a server that is asked more than it may be is spared, and the rest told to come again', async () => {
  const { check, active, time } = setUp({ introspection: { concurrency: 3 } });
  const waiting = [];
  server.behave = (request, response) => waiting.push(() => active()(request, response));
  const asked = Array.from({ length: 10 }, (_, turn) => check(`opaque-${turn}`));
  while (waiting.length < 3) await new Promise((resolve) => setImmediate(resolve));
  for (const answer of waiting) answer();
  const decisions = await Promise.all(asked);
  assert.equal(decisions.filter(({ ok }) => ok).length, 3);
  const busy = decisions.filter(({ ok }) => !ok);
  for (const decision of busy) refused(decision, 503, 'introspection-unavailable');
  assert.equal(busy[0].retryAfter, 1);
  assert.ok(time.now > 0);
});

test('a secret that is missing is the caller’s mistake, at once and when the policy is replaced', () => {
  const is = (error) => error instanceof PolicyError && error.pointer.startsWith('/introspection/');
  assert.throws(() => setUp({ introspection: { authentication: 'private_key_jwt' } }), is);
  const { gate, policy } = setUp();
  const [issuer] = policy.issuers;
  const introspection = { ...issuer.introspection, authentication: 'private_key_jwt' };
  assert.throws(() => gate.replacePolicy({ issuers: [{ ...issuer, introspection }] }), is);
});

test('a stricter policy beside the live one is counted, told, and changes nothing; it fetches nothing of its own', async () => {
  const differences = [];
  const jwks = json({ keys: [key.jwk] });
  const remote = { jwksUri: `${server.url}/keys` };
  const live = { issuer: { introspection: null, remote } };
  const { policy } = setUp(live);
  const strict = { ...policy, gate: { requirement: { scopes: ['admin'] } } };
  const { check, gate, time, told } = setUp({
    ...live,
    reportOnly: {
      policy: strict,
      onDifference: (difference) => {
        differences.push(difference);
        throw new Error('a callback that fails');
      },
    },
  });
  server.behave = paths({ '/keys': jwks });
  const token = await key.mint(time.now, { scope: 'read' });
  const admin = await key.mint(time.now, { scope: 'admin' });
  for (const text of [token, token, admin, 'garbage']) await check(text);
  assert.equal((await check(token)).ok, true);
  assert.equal(server.requests.length, 1);
  const { compared, same, differences: counted } = gate.stats().reportOnly;
  assert.deepEqual([compared, same], [5, 2]);
  assert.deepEqual(counted, [{ live: 'allowed', shadow: 'scope-insufficient', count: 3 }]);
  assert.equal(differences.length, 3);
  assert.ok(!inspect([differences, told]).includes(token.slice(0, 40)));
});

test('keys that are past their time are gone for the shadow as well', async () => {
  const live = { issuer: { introspection: null, remote: { jwksUri: `${server.url}/keys` } } };
  const { policy } = setUp(live);
  const { check, gate, time } = setUp({ ...live, reportOnly: { policy } });
  server.behave = json({ keys: [key.jwk] });
  const token = await key.mint(time.now, { exp: time.now + 1_000_000 });
  assert.equal((await check(token)).ok, true);
  server.behave = status(500);
  time.pass(200_000);
  refused(await check(token), 503, 'keys-unavailable');
  assert.deepEqual(gate.stats().reportOnly, { compared: 2, same: 2, differences: [], callbackErrors: 0 });
});

test('the shadow decides about opaque tokens by the live answer', async () => {
  const plain = setUp();
  const strict = { ...plain.policy, gate: { requirement: { scopes: ['admin'] } } };
  const { check, active, gate } = setUp({ reportOnly: { policy: strict } });
  server.behave = active();
  assert.equal((await check()).ok, true);
  assert.deepEqual(gate.stats().reportOnly.differences, [
    { live: 'allowed', shadow: 'scope-insufficient', count: 1 },
  ]);
  assert.equal(server.requests.length, 1);
});

test('decisions are told with code, stage, timings and the names of OpenTelemetry, and never a byte of a token', async () => {
  const { check, active, gate, told, time } = setUp({
    issuer: { jwks: { keys: [key.jwk] } },
    serverTiming: true,
  });
  server.behave = active();
  const canary = await key.mint(time.now, { sub: 'sub-canary', scope: 'scope-canary' });
  const forged = `${canary.slice(0, -8)}AAAAAAAA`;
  const stranger = await (await signer('kid-canary')).mint(time.now);
  await check(canary);
  await check(canary);
  const { response } = await check(forged);
  await check(stranger);
  await check();
  await check('canary.canary.canary');
  assert.deepEqual(told.map(({ code, cached }) => [code, cached]).slice(0, 3), [
    ['allowed', false],
    ['allowed', true],
    ['signature-invalid', false],
  ]);
  const [first] = told;
  assert.deepEqual([first.issuer, first.kid, first.method], [ISSUER, 'k', 'GET']);
  assert.equal(first.attributes['http.request.method'], 'GET');
  assert.equal(told[2].attributes['error.type'], 'signature-invalid');
  assert.equal(told[2].attributes['http.response.status_code'], 401);
  assert.ok(told[4].durations.introspection > 0);
  assert.match(
    response.headers.get('server-timing'),
    /^portcullis-verify;dur=[\d.]+, portcullis-total;dur=[\d.]+$/,
  );
  const all = inspect([told, gate.stats()], { depth: 9 });
  assert.ok(!all.includes('canary'), all);
  for (const token of [canary, forged, stranger]) {
    for (const part of token.split('.')) assert.ok(!all.includes(part.slice(0, 24)));
  }
});

test('a callback that throws changes no decision', async () => {
  const { check, active, gate } = setUp({
    onDecision: () => {
      throw new Error('x');
    },
  });
  server.behave = active();
  assert.equal((await check()).ok, true);
  assert.equal(gate.stats().observed.callbackErrors, 1);
});

test('that our own credentials are wrong is told by a name of its own', async () => {
  const { check, gate } = setUp();
  server.behave = status(401);
  await check(TOKEN, undefined, context());
  assert.deepEqual(gate.stats().observed.events, { 'introspection-credentials-refused:status-401': 1 });
  assert.ok(!inspect(gate.stats(), { depth: 9 }).includes('canary'));
});

/** A gate whose tokens are bound, and requests with a proof each. */
async function bound(options) {
  const set = setUp({ issuer: { introspection: null, jwks: { keys: [key.jwk] } }, ...options });
  const client = await prover();
  const token = await key.mint(set.time.now, { cnf: client.cnf });
  const url = 'https://api.example/orders';
  const proof = (more) => client.prove(token, set.time.now, { url, ...more });
  const use = async (text) =>
    set.gate.check(new Request(url, { headers: { authorization: `DPoP ${token}`, dpop: await text } }));
  return { ...set, proof, use };
}

test('of 100 parallel uses of one proof exactly one passes, and none of the others is told to try again', async () => {
  const { proof, use } = await bound();
  const one = await proof();
  const decisions = await Promise.all(Array.from({ length: 100 }, () => use(one)));
  assert.equal(decisions.filter(({ ok }) => ok).length, 1);
  for (const decision of decisions.filter(({ ok }) => !ok)) refused(decision, 401, 'dpop-replayed');
  assert.equal((await use(proof())).ok, true);
});

test('a replay store that fails, is full or answers nonsense denies: 503, to be tried again with a new proof', async () => {
  const full = memoryReplayStore({ entries: 0 });
  let answer = () => Promise.reject(new Error('store-canary'));
  const { proof, use, told, gate } = await bound({ replay: { firstUse: (...use) => answer(...use) } });
  for (const failure of [
    answer,
    () => {
      throw new Error('store-canary');
    },
    (...use) => full.firstUse(...use),
    () => new Promise(() => {}),
  ]) {
    answer = failure;
    const decision = await use(proof());
    refused(decision, 503, 'replay-unavailable');
    assert.ok(Number(decision.response.headers.get('retry-after')) > 0);
  }
  for (const nonsense of ['yes', 1, {}, undefined, null]) {
    answer = () => nonsense;
    refused(await use(proof()), 401, 'dpop-replayed');
  }
  answer = async () => true;
  assert.equal((await use(proof())).ok, true);
  assert.ok(!inspect([told, gate.stats()], { depth: 9 }).includes('canary'));
});

test('a proof that is refused for anything else is not spent', async () => {
  const keys = [];
  const { proof, use } = await bound({
    replay: {
      firstUse: (name, until) => {
        keys.push([name, until]);
        return true;
      },
    },
  });
  assert.equal((await use(proof({ htm: 'POST' }))).ok, false);
  assert.equal((await use(proof({ ath: 'x' }))).ok, false);
  assert.deepEqual(keys, []);
  assert.equal((await use(proof())).ok, true);
  assert.match(keys[0][0], /^[\w-]{43}$/);
  assert.ok(keys[0][1] >= clock().now && keys[0][1] <= clock().now + 120);
});
