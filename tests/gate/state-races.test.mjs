// A policy that is replaced while a request is under way, and functions of the caller's that do
// not do as they should. The core decides in every test; a server on the loopback holds its
// answers back.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { createGate, durableObjectReplayStore, kvReplayStore, memoryReplayStore } from 'portcullis/gate';
import { AUDIENCE, asking, ISSUER, prover, signer } from '../support/issuer.mjs';
import { clock, json, memoryStore, origin, paths, status } from '../support/origin.mjs';
import { workerd } from './workerd.mjs';

const OTHER = 'https://other.example';
const URL_HERE = 'https://api.example/orders';
let server;
let key;
let own;
const rejections = [];
const heard = (reason) => rejections.push(reason);
before(async () => {
  process.on('unhandledRejection', heard);
  server = await origin();
  key = await signer('a', 'EdDSA');
  own = await prover('EdDSA');
});
after(() => {
  process.off('unhandledRejection', heard);
  return server.close();
});
beforeEach(() => {
  server.requests.length = 0;
  rejections.length = 0;
});

/** Holds each answer of a path back until `go` is called; `came` waits for the question. */
function held(behave) {
  const waiting = [];
  const behaviour = (request, response, body) => waiting.push(() => behave(request, response, body));
  return Object.assign(behaviour, {
    async came() {
      for (let tries = 0; waiting.length === 0; tries++) {
        assert.ok(tries < 2000, 'nobody asked');
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
    go() {
      for (const answer of waiting.splice(0)) answer();
    },
  });
}

const introspection = (path) => ({
  endpoint: `${server.url}${path}`,
  clientId: 'api',
  authentication: 'client_secret_basic',
});
const SECRETS = { [ISSUER]: { clientSecret: 'a' }, [OTHER]: { clientSecret: 'b' } };
const opaque = (issuer, path, more = {}) => ({
  issuers: [{ issuer, audience: AUDIENCE, introspection: introspection(path) }],
  ...more,
});
const remote = (path, more = {}) => ({
  issuers: [{ issuer: ISSUER, audience: AUDIENCE, remote: { jwksUri: `${server.url}${path}`, ...more } }],
});
const builtIn = (gate = {}) => ({
  issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } }],
  gate: { origins: ['https://api.example'], ...gate },
});
function make(policy, options = {}) {
  const time = clock();
  const gate = createGate(policy, { now: time.read, platform: 'none', introspection: SECRETS, ...options });
  return { time, gate };
}
const active = { active: true, aud: AUDIENCE, sub: 's' };

test('what one issuer says of a token vouches for nothing under a policy with another', async () => {
  for (const [what, next] of [
    ['another issuer', () => opaque(OTHER, '/b')],
    ['another endpoint', () => opaque(ISSUER, '/b')],
  ]) {
    const first = held(json(active));
    server.behave = paths({ '/a': first, '/b': json({ active: false }) });
    const { gate } = make(opaque(ISSUER, '/a'));
    const decision = gate.check(asking('opaque'));
    await first.came();
    gate.replacePolicy(next());
    first.go();
    assert.equal((await decision).code, 'token-inactive', what);
    assert.equal((await gate.check(asking('opaque'))).code, 'token-inactive', `${what}, afterwards`);
  }
});

test('an answer that was kept under one policy does not count under another', async () => {
  server.behave = paths({ '/a': json(active), '/b': json({ active: false }) });
  const { gate } = make(opaque(ISSUER, '/a'));
  assert.equal((await gate.check(asking('opaque'))).ok, true);
  gate.replacePolicy(opaque(ISSUER, '/b'));
  assert.equal((await gate.check(asking('opaque'))).code, 'token-inactive');
  assert.throws(() => gate.replacePolicy(opaque('https://third.example', '/a')), { name: 'PolicyError' });
  assert.equal((await gate.check(asking('opaque'))).code, 'token-inactive');
});

test('a question under a policy that was refused stays asked, and its answer counts', async () => {
  const first = held(json(active));
  server.behave = paths({ '/a': first });
  const { gate } = make(opaque(ISSUER, '/a'));
  const decision = gate.check(asking('opaque'));
  await first.came();
  assert.throws(() => gate.replacePolicy(opaque('https://third.example', '/b')), { name: 'PolicyError' });
  first.go();
  assert.equal((await decision).ok, true);
  assert.equal(server.requests.length, 1);
});

test('keys that were asked for under one policy are not taken under another', async () => {
  const attacker = await signer('x', 'EdDSA');
  const first = held(json({ keys: [attacker.jwk] }));
  server.behave = paths({ '/a': first, '/b': json({ keys: [key.jwk] }) });
  const { time, gate } = make(remote('/a'));
  const [bad, good] = [await attacker.mint(time.now), await key.mint(time.now)];
  const decision = gate.check(asking(bad));
  await first.came();
  gate.replacePolicy(remote('/b'));
  first.go();
  assert.equal((await decision).code, 'kid-unknown');
  assert.equal((await gate.check(asking(bad))).code, 'kid-unknown');
  assert.equal((await gate.check(asking(good))).ok, true);
});

test('that no key was found under one policy says nothing under another', async () => {
  const first = held(status(500));
  server.behave = paths({ '/a': first, '/b': json({ keys: [key.jwk] }) });
  const { time, gate } = make(remote('/a'));
  const decision = gate.check(asking(await key.mint(time.now)));
  await first.came();
  gate.replacePolicy(remote('/b'));
  first.go();
  assert.equal((await decision).ok, true);
});

test('keys that were fetched stay where they were when a policy is refused, and over a detour', async () => {
  server.behave = paths({ '/a': json({ keys: [key.jwk] }) });
  const { time, gate } = make(remote('/a'));
  const token = await key.mint(time.now);
  assert.equal((await gate.check(asking(token))).ok, true);
  const [before] = gate.stats().keys;
  const [issuer] = remote('/a').issuers;
  server.behave = status(500);
  for (const refused of [
    { issuers: [] },
    { issuers: [{ ...issuer, issuer: 'https://third.example', introspection: introspection('/i') }] },
    { issuers: [{ ...issuer, remote: { jwksUri: 'http://public.example/' } }] },
    {
      issuers: [
        issuer,
        { issuer: 'https://third.example', audience: AUDIENCE, introspection: introspection('/i') },
      ],
    },
  ]) {
    assert.throws(() => gate.replacePolicy(refused), { name: 'PolicyError' });
    assert.equal((await gate.check(asking(token))).ok, true);
    assert.deepEqual(gate.stats().keys, [before]);
  }
  gate.replacePolicy(opaque(OTHER, '/i'));
  assert.equal((await gate.check(asking(token))).ok, false);
  gate.replacePolicy(remote('/a'));
  assert.equal(gate.verifier.verify(token, { now: time.now }).ok, true);
  assert.equal((await gate.check(asking(token))).ok, true);
  // What is too old by then is not taken up again.
  gate.replacePolicy(opaque(OTHER, '/i'));
  time.pass(10 * 86_400);
  gate.replacePolicy(remote('/a'));
  const late = await key.mint(time.now);
  assert.equal(gate.verifier.verify(late, { now: time.now }).code, 'keys-not-set');
  assert.equal((await gate.check(asking(late))).code, 'keys-unavailable');
});

test('another policy’s bounds hold for keys that are there already', async () => {
  server.behave = paths({ '/a': json({ keys: [key.jwk] }, { 'cache-control': 'max-age=86400' }) });
  const { time, gate } = make(remote('/a'));
  assert.equal((await gate.check(asking(await key.mint(time.now)))).ok, true);
  gate.replacePolicy(remote('/a', { maxTtlSeconds: 120, staleSeconds: 60 }));
  assert.equal(gate.stats().keys[0].freshUntil, time.now + 120);
  server.behave = status(500);
  time.pass(179);
  assert.equal((await gate.check(asking(await key.mint(time.now)))).ok, true);
  time.pass(1);
  assert.equal((await gate.check(asking(await key.mint(time.now)))).code, 'keys-unavailable');
});

test('a request is judged by the facts that the present policy asks for', async () => {
  const first = held(status(500));
  server.behave = paths({ '/a': first });
  const { time, gate } = make(remote('/a'));
  const token = await key.mint(time.now);
  const request = (cookie) =>
    new Request(URL_HERE, { headers: { authorization: `Bearer ${token}`, cookie } });
  const decision = gate.check(request(`session=${token}`));
  await first.came();
  // There a token comes in a cookie, and nowhere else.
  gate.replacePolicy(builtIn({ credentials: { cookie: 'session' } }));
  first.go();
  assert.equal((await decision).ok, true);
});

const proven = async (time, made = time.now, more = {}) => {
  const token = await key.mint(time.now, { cnf: own.cnf });
  const proof = await own.prove(token, made, { url: URL_HERE, ...more });
  return new Request(URL_HERE, { headers: { authorization: `DPoP ${token}`, dpop: proof } });
};

test('a proof is asked about once, though the policy is replaced meanwhile', async () => {
  let go;
  const uses = [];
  const replay = {
    firstUse: (...use) => {
      uses.push(use);
      return new Promise((resolve) => {
        go = () => resolve(true);
      });
    },
  };
  const { time, gate } = make(builtIn(), { replay });
  const decision = gate.check(await proven(time));
  await new Promise((resolve) => setTimeout(resolve, 5));
  gate.replacePolicy(builtIn({ realm: 'another' }));
  go();
  assert.equal((await decision).ok, true);
  assert.equal(uses.length, 1);
});

/** Stores by name, each in the test's hand as far as time goes. */
const STORES = {
  'in memory': (time) => memoryReplayStore({ now: time.read }),
  'in a key-value store': (time) => kvReplayStore(expiring(time), { now: time.read }),
};
/** As Workers KV: entries are gone with their time. */
function expiring(time) {
  const kv = memoryStore();
  return {
    get: async (name) => {
      const put = kv.puts.findLast(({ key: own }) => own === name);
      return put && time.now < put.at + put.options.expirationTtl ? put.value : null;
    },
    put: async (name, value, options) => {
      kv.puts.push({ key: name, value, options, at: time.now });
    },
  };
}
for (const [name, store] of Object.entries(STORES)) {
  test(`${name}: a wider window revives no proof that was used and forgotten`, async () => {
    for (const again of ['another policy', 'another gate']) {
      for (const later of [0, 40, 100, 200]) {
        const time = clock();
        const replay = store(time);
        const options = { now: time.read, platform: 'none', replay };
        let gate = createGate(builtIn({ dpop: { iatWindowSeconds: 10 } }), options);
        const used = [await proven(time)];
        assert.equal((await gate.check(used[0])).ok, true);
        time.pass(30);
        used.push(await proven(time));
        assert.equal((await gate.check(used[1])).ok, true);
        const wide = builtIn({ dpop: { iatWindowSeconds: 300 } });
        if (again === 'another policy') gate.replacePolicy(wide);
        else gate = createGate(wide, options);
        assert.equal((await gate.check(await proven(time))).ok, true, `${again}, a new proof`);
        time.pass(later);
        // A memory sweeps with every proof that it is asked about.
        assert.equal((await gate.check(await proven(time))).ok, true, `${again}, a new proof`);
        for (const request of used)
          assert.equal((await gate.check(request)).ok, false, `${again}, ${later} s later`);
        time.pass(301);
        await gate.check(await proven(time));
        time.pass(250);
        const old = await proven(time, time.now - 240);
        assert.equal((await gate.check(old)).ok, true, 'by then the wider window is all there was');
      }
    }
  });
}

test('a store of one’s own that knows nothing of it revives no proof with a wider policy', async () => {
  const time = clock();
  const used = new Map();
  const replay = {
    firstUse(name, until) {
      for (const [other, end] of used) if (end < time.now) used.delete(other);
      if (used.has(name)) return false;
      used.set(name, until);
      return true;
    },
  };
  const { gate } = make(builtIn({ dpop: { iatWindowSeconds: 10 } }), { replay, now: time.read });
  const request = await proven(time);
  assert.equal((await gate.check(request)).ok, true);
  time.pass(5);
  gate.replacePolicy(builtIn({ dpop: { iatWindowSeconds: 300 } }));
  for (let passed = 0; passed < 330; passed += 10) {
    assert.equal((await gate.check(request)).ok, false, `${passed} s later`);
    time.pass(10);
  }
  assert.equal((await gate.check(await proven(time, time.now - 200))).ok, true);
});

test('in a Durable Object: what a narrow policy has used is there for a wide one', async () => {
  const worker = await workerd('replay-worker.mjs', {
    durableObjects: { PROOFS: { className: 'DpopReplayObject', useSQLite: true } },
    kvNamespaces: ['KV'],
  });
  try {
    const namespace = {
      idFromName: (name) => name,
      get: () => ({
        fetch: async (_, { body }) => Response.json(await worker.ask({ body: JSON.parse(body) })),
      }),
    };
    const time = clock(Math.floor(Date.now() / 1000));
    const replay = durableObjectReplayStore(namespace);
    const options = { now: time.read, platform: 'none', replay };
    const used = await proven(time);
    assert.equal(
      (await createGate(builtIn({ dpop: { iatWindowSeconds: 1 } }), options).check(used)).ok,
      true,
    );
    // A minute later the object has swept.
    const { keys } = await worker.ask({ sweep: 60 });
    assert.equal(keys.length, 1);
    const wide = createGate(builtIn({ dpop: { iatWindowSeconds: 300 } }), options);
    assert.equal((await wide.check(used)).code, 'dpop-replayed');
  } finally {
    await worker.stop();
  }
});

test('a narrow that answers later refuses, says so at once, and ends no process when it rejects', async () => {
  for (const narrow of [
    async () => true,
    async () => {
      throw new Error('down');
    },
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested.
    () => ({ then: (_, reject) => reject(new Error('down')) }),
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: that is what is tested.
      get then() {
        throw new Error('down');
      },
    }),
  ]) {
    const { time, gate } = make(builtIn(), { narrow });
    const token = await key.mint(time.now);
    for (let turn = 0; turn < 2; turn++) {
      const { code, reason } = await gate.check(asking(token));
      assert.equal(code, 'refused-by-check');
      assert.match(reason, /narrow must be synchronous/);
    }
  }
  await settled();
});

test('no function of the caller’s ends the process by a promise that rejects', async () => {
  const later = async () => {
    throw new Error('later');
  };
  server.behave = paths({ '/a': json({ keys: [key.jwk] }), '/i': json(active) });
  const store = { get: later, put: later };
  for (const options of [
    { onDecision: later },
    { reportOnly: { policy: builtIn({ requirement: { scopes: ['x'] } }), onDifference: later } },
    { store },
  ]) {
    const { time, gate } = make(remote('/a'), options);
    assert.equal(
      (await gate.check(asking(await key.mint(time.now)), undefined, { waitUntil: later })).ok,
      true,
    );
    await settled();
  }
  const { time, gate } = make(remote('/a'), { fetch: later });
  assert.equal((await gate.check(asking(await key.mint(time.now)))).code, 'keys-unavailable');
  const replaying = make(builtIn(), { replay: { firstUse: later } });
  assert.equal((await replaying.gate.check(await proven(time))).code, 'replay-unavailable');
  const misused = { name: 'PolicyError', pointer: '/now' };
  const token = await key.mint(time.now);
  await assert.rejects(createGate(builtIn(), { now: later }).check(asking(token)), misused);
  await assert.rejects(createGate(builtIn(), { now: () => 1.5 }).check(asking(token)), misused);
  await assert.rejects(make(builtIn()).gate.check(asking(token), undefined, { clientAddress: later() }), {
    name: 'PolicyError',
    pointer: '/clientAddress',
  });
  await settled();
});

/** Rejections that nobody hears are told after the microtasks. */
async function settled() {
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  assert.deepEqual(rejections, []);
}
