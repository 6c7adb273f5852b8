// Lists of revocations, pulled through the whole gate. The core decides in every test; a server on
// the loopback revokes, fails, hangs and lies.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import zlib from 'node:zlib';

import { createVerifier } from 'portcullis';
import { createGate } from 'portcullis/gate';
import { AUDIENCE, asking, ISSUER, signer } from '../support/issuer.mjs';
import {
  clock,
  context,
  hang,
  huge,
  json,
  memoryStore,
  origin,
  paths,
  reset,
  status,
} from '../support/origin.mjs';
import { encode, publicJwk, signature } from '../vectors/generate/signing.mjs';
import { feed, feedJwks, named } from './feed.mjs';

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

/** A gate on a feed of its own. */
function setUp({ revocation = {}, issuer = {}, ...options } = {}) {
  const time = clock();
  const list = feed(time);
  server.behave = list.serve;
  const policy = {
    issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] }, ...issuer }],
    revocation: { jwks: feedJwks, feed: `${server.url}/revocations`, maxStalenessSeconds: 60, ...revocation },
  };
  const gate = createGate(policy, { now: time.read, platform: 'none', ...options });
  const stats = () => gate.stats().revocations[0];
  return { time, list, policy, gate, stats };
}

const mint = (time, claims) => key.mint(time.now, { sid: 'session', ...claims });
const urls = () => server.requests.map(({ url }) => url);
/** Waits until something has come about that a request does not wait for. */
async function until(condition) {
  for (let tries = 0; !condition(); tries++) {
    assert.ok(tries < 2000, 'it never came about');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a token passes until it is revoked, and deltas are pulled where there was a snapshot', async () => {
  const { time, list, gate, stats } = setUp();
  const token = await mint(time, { jti: 'one' });
  assert.equal((await gate.check(asking(token))).ok, true);
  assert.deepEqual(urls(), ['/revocations']);
  list.revoke(named('jti', 'one'));
  time.pass(15);
  // The list is fresh: nobody waits for the pull, whose news counts from the moment it is there.
  await gate.check(asking(token));
  await until(() => stats().version === 1);
  const decision = await gate.check(asking(token));
  assert.deepEqual([decision.code, decision.status, decision.claim], ['token-revoked', 401, 'jti']);
  assert.deepEqual(urls(), ['/revocations', '/revocations?since=0']);
  assert.equal((await gate.check(asking(await mint(time, { jti: 'two' })))).ok, true);
  assert.equal(gate.verifier.verify(token, { now: time.now }).code, 'token-revoked');
});

test('a session, a subject and a key end by one entry each', async () => {
  for (const revoke of [
    (list) => list.revoke(named('sid', 'session')),
    (list) => {
      list.snapshot = (
        (whole) => () =>
          whole({ cutoffs: [[named('sub', 's'), 1_800_000_001]] })
      )(list.snapshot);
    },
    (list) => {
      list.snapshot = (
        (whole) => () =>
          whole({ cutoffs: [[named('kid', 'a'), 253_402_300_799]] })
      )(list.snapshot);
    },
  ]) {
    const { time, list, gate } = setUp();
    revoke(list);
    const { ok, status, response } = await gate.check(asking(await mint(time)));
    assert.deepEqual([ok, status], [false, 401]);
    assert.match(response.headers.get('www-authenticate'), /error="invalid_token"/);
  }
});

test('what a feed has forgotten, or does not continue, the snapshot has', async () => {
  const { time, list, gate, stats } = setUp();
  const token = await mint(time, { jti: 'one' });
  await gate.check(asking(token));
  list.revoke(named('jti', 'one'));
  list.revoke(named('jti', 'other'));
  list.forgotten = 1;
  gate.revocationsChanged();
  time.pass(1);
  assert.equal((await gate.check(asking(token))).code, 'token-revoked');
  assert.deepEqual(urls(), ['/revocations', '/revocations?since=0', '/revocations']);
  // The first of two deltas is left out.
  list.revoke(named('jti', 'two'));
  list.revoke(named('jti', 'three'));
  const { serve, deltas } = list;
  server.behave = (request, response) => {
    if (!request.url.includes('since')) return serve(request, response);
    response.end(deltas.at(-1));
  };
  gate.revocationsChanged();
  time.pass(1);
  assert.equal((await gate.check(asking(await mint(time, { jti: 'two' })))).code, 'token-revoked');
  assert.deepEqual(
    [stats().version, stats().entries, stats().pulls, stats().snapshots, stats().failures],
    [4, 4, 3, 3, 0],
  );
});

test('an answer of nothing at all leads to the snapshot', async () => {
  const { time, list, gate, stats } = setUp();
  await gate.check(asking(await mint(time)));
  server.behave = (request, response) =>
    request.url.includes('since') ? status(204)(request, response) : list.serve(request, response);
  gate.revocationsChanged();
  time.pass(1);
  assert.equal((await gate.check(asking(await mint(time)))).ok, true);
  assert.equal(stats().snapshots, 2);
});

test('what was remembered dies with the list that changes, and outlives one that does not', async () => {
  const { time, list, gate, stats } = setUp();
  const token = await mint(time, { jti: 'one' });
  const hits = () => gate.stats().cache.hits;
  const pull = async () => {
    const { pulls } = stats();
    gate.revocationsChanged();
    time.pass(1);
    await gate.check({ method: 'OPTIONS', url: 'https://api.example/', headers: [] });
    await until(() => stats().pulls > pulls);
  };
  await gate.check(asking(token));
  await gate.check(asking(token));
  gate.verifier.verify(token, { now: time.now });
  assert.equal(hits(), 1);
  await pull();
  await gate.check(asking(token));
  assert.equal(hits(), 2);
  list.revoke(named('jti', 'another'));
  await pull();
  assert.equal((await gate.check(asking(token))).ok, true);
  assert.equal(hits(), 2);
  list.revoke(named('jti', 'one'));
  await pull();
  assert.equal((await gate.check(asking(token))).code, 'token-revoked');
  assert.equal(gate.verifier.verify(token, { now: time.now }).code, 'token-revoked');
  assert.equal(hits(), 2);
});

test('a remembered decision ends when the list is stale', async () => {
  const { time, gate } = setUp();
  const token = await mint(time);
  await gate.check(asking(token));
  server.behave = reset;
  time.pass(59);
  assert.equal((await gate.check(asking(token))).ok, true);
  time.pass(1);
  const decision = await gate.check(asking(token));
  assert.deepEqual([decision.code, decision.status, decision.retryAfter], ['revocation-stale', 503, 5]);
  assert.equal(decision.response.headers.get('retry-after'), '5');
  assert.equal(decision.response.headers.get('www-authenticate'), null);
  assert.equal((await decision.response.json()).code, 'revocation-stale');
});

test('while a feed is down requests are refused at once, and it is asked now and then', async () => {
  const { time, list, gate, stats } = setUp();
  server.behave = status(500);
  for (let asked = 0; asked < 50; asked++) {
    assert.equal((await gate.check(asking(await mint(time)))).status, 503);
  }
  assert.equal(server.requests.length, 1);
  assert.deepEqual([stats().version, stats().staleAt, stats().lastFailure], [null, null, 'status-500']);
  time.pass(4);
  server.behave = list.serve;
  assert.equal((await gate.check(asking(await mint(time)))).ok, true);
  assert.equal(server.requests.length, 2);
});

test('of many requests at once one pulls, and the others wait for what it brings', async () => {
  const { time, gate } = setUp();
  const tokens = await Promise.all(Array.from({ length: 50 }, () => mint(time)));
  const decisions = await Promise.all(tokens.map((token) => gate.check(asking(token))));
  assert.ok(decisions.every(({ ok }) => ok));
  assert.equal(server.requests.length, 1);
});

test('a list that is fresh is pulled in the background, and a feed that hangs delays nobody', {
  timeout: 20_000,
}, async () => {
  const { time, gate } = setUp({ revocation: { timeoutMs: 30_000 } });
  const token = await mint(time);
  await gate.check(asking(token));
  server.behave = hang;
  time.pass(15);
  const visit = context();
  assert.equal((await gate.check(asking(token), undefined, visit)).ok, true);
  assert.equal(visit.left.length, 1);
  await until(() => server.requests.length === 2);
});

test('pulls are spread over a quarter of their time', async () => {
  for (const [random, seconds] of [
    [0, 15],
    [0.999, 20],
  ]) {
    const { time, gate, stats } = setUp({ revocation: { pullSeconds: 20 } });
    const { random: before } = Math;
    Math.random = () => random;
    try {
      await gate.check(asking(await mint(time)));
      time.pass(seconds - 1);
      await gate.check(asking(await mint(time)));
      assert.equal(stats().pulls, 1);
      time.pass(1);
      await gate.check(asking(await mint(time)));
      assert.equal(stats().pulls, 2);
    } finally {
      Math.random = before;
    }
  }
});

test('a bad document never replaces a good one, and versions never go back', async () => {
  const { time, list, gate, stats } = setUp();
  list.revoke(named('jti', 'one'));
  const token = await mint(time, { jti: 'one' });
  assert.equal((await gate.check(asking(token))).code, 'token-revoked');
  const older = feed(time);
  const forked = feed(time);
  forked.revoke(named('jti', 'other'));
  forked.revoke(named('jti', 'more'));
  const text = (body) => (_, response) => response.end(body);
  for (const [behave, reason] of [
    [text('<!doctype html>'), 'update-malformed'],
    [text(''), 'update-malformed'],
    [text(older.snapshot()), 'update-older'],
    [text(older.renewal()), 'update-older'],
    [text(list.snapshot({ version: 1, head: encode(Buffer.alloc(32, 3)) })), 'update-forked'],
    [text(list.snapshot({ key: 'ed25519Other', version: 9 })), 'update-foreign'],
    [text(list.snapshot({ header: { typ: 'JWT' }, version: 9 })), 'update-type'],
    [text(list.snapshot({ iat: time.now + 3600, version: 9 })), 'update-from-future'],
    [text(await mint(time)), 'update-malformed'],
    [status(302, { location: '/elsewhere' }), 'redirect'],
    [status(404), 'status-404'],
    [reset, 'network'],
    [huge(32 * 1024 * 1024), 'too-large'],
    [text(Buffer.from([0xff, 0xfe])), 'not-utf8'],
  ]) {
    server.behave = behave;
    const { failures } = stats();
    gate.revocationsChanged();
    time.pass(1);
    await gate.check({ method: 'OPTIONS', url: 'https://api.example/', headers: [] });
    await until(() => stats().failures > failures);
    assert.deepEqual([stats().lastFailure, stats().version], [reason, 1]);
    assert.equal((await gate.check(asking(token))).code, 'token-revoked', reason);
    assert.equal((await gate.check(asking(await mint(time)))).ok, true, reason);
  }
});

test('a feed that hangs is given up in time', async () => {
  const { time, gate, stats } = setUp({ revocation: { timeoutMs: 100 } });
  server.behave = hang;
  assert.equal((await gate.check(asking(await mint(time)))).status, 503);
  assert.equal(stats().lastFailure, 'timeout');
});

test('a push makes the next pull early, once a second at most, and not for what is held', async () => {
  const { time, list, gate } = setUp();
  const token = await mint(time, { jti: 'one' });
  await gate.check(asking(token));
  list.revoke(named('jti', 'one'));
  for (let pushed = 0; pushed < 10; pushed++) {
    gate.revocationsChanged({ version: 1 });
    await gate.check(asking(token));
  }
  assert.equal(server.requests.length, 1);
  time.pass(1);
  assert.equal((await gate.check(asking(token))).code, 'token-revoked');
  assert.equal(server.requests.length, 2);
  time.pass(1);
  gate.revocationsChanged({ version: 1 });
  await gate.check(asking(token));
  assert.equal(server.requests.length, 2);
});

test('where a stale list is allowed the decision says so and is not remembered', async () => {
  const { time, list, gate } = setUp({ revocation: { whenStale: 'allow' } });
  server.behave = status(500);
  const token = await mint(time);
  const decision = await gate.check(asking(token));
  assert.deepEqual([decision.ok, decision.stale], [true, true]);
  await gate.check(asking(token));
  assert.equal(gate.stats().cache.entries, 0);
  server.behave = list.serve;
  time.pass(4);
  const fresh = await gate.check(asking(token));
  assert.deepEqual([fresh.ok, 'stale' in fresh], [true, false]);
});

/** A gate that asks the issuer, whose answer is in the test's hand. */
function asksWhenStale(behave) {
  const introspection = {
    endpoint: `${server.url}/introspect`,
    clientId: 'api',
    negativeCacheSeconds: 0,
    cacheSeconds: 0,
  };
  const made = setUp({
    revocation: { whenStale: 'introspect' },
    issuer: { introspection },
    introspection: { [ISSUER]: { clientSecret: 'a secret' } },
  });
  const asked = () => server.requests.filter(({ url }) => url === '/introspect').length;
  server.behave = paths({ '/introspect': behave, '/revocations': status(500) });
  return { ...made, asked };
}

test('when the list is stale the issuer is asked, and says that the token is active', async () => {
  const { time, list, gate, asked } = asksWhenStale(json({ active: true }));
  const token = await mint(time);
  const decision = await gate.check(asking(token));
  assert.deepEqual([decision.ok, decision.stale, decision.source, asked()], [true, true, 'jwt', 1]);
  assert.equal(decision.claims.sid, 'session');
  // What rests on an answer is asked again the next time.
  await gate.check(asking(token));
  assert.equal(asked(), 2);
  server.behave = list.serve;
  time.pass(4);
  const fresh = await gate.check(asking(token));
  assert.deepEqual([fresh.ok, fresh.stale, asked()], [true, undefined, 2]);
});

test('when the list is stale and the issuer says no, or nothing, the token is refused', async () => {
  const { time, gate } = asksWhenStale(json({ active: false }));
  const refusal = await gate.check(asking(await mint(time)));
  assert.deepEqual([refusal.code, refusal.status], ['token-inactive', 401]);
  server.behave = paths({ '/introspect': reset, '/revocations': status(500) });
  const down = await gate.check(asking(await mint(time)));
  assert.deepEqual([down.code, down.status], ['introspection-unavailable', 503]);
  server.behave = paths({ '/introspect': json('{"active":1}'), '/revocations': status(500) });
  assert.equal((await gate.check(asking(await mint(time)))).code, 'introspection-unavailable');
});

test('nobody is asked about a token that is bad, or that a stale list names', async () => {
  const { time, list, gate, asked } = asksWhenStale(json({ active: true }));
  const forged = `${(await mint(time)).slice(0, -8)}AAAAAAAA`;
  assert.equal((await gate.check(asking(forged))).code, 'signature-invalid');
  list.revoke(named('jti', 'one'));
  server.behave = paths({ '/introspect': json({ active: true }), '/revocations': list.serve });
  time.pass(4);
  await gate.check(asking(await mint(time)));
  server.behave = paths({ '/introspect': json({ active: true }), '/revocations': status(500) });
  time.pass(100);
  assert.equal((await gate.check(asking(await mint(time, { jti: 'one' })))).code, 'token-revoked');
  assert.equal(asked(), 0);
});

test('an isolate begins with the snapshot that another has put into the store, and asks for what came since', async () => {
  const store = memoryStore();
  const one = setUp({ store });
  one.list.revoke(named('jti', 'one'));
  const visit = context();
  await one.gate.check(asking(await mint(one.time)), undefined, visit);
  await visit.settled();
  // The pull, and putting its text there.
  assert.deepEqual([store.puts.length, visit.left.length], [1, 2]);
  assert.match(store.puts[0].key, /^portcullis-revocations-1-[0-9a-f]{64}$/);
  one.list.revoke(named('jti', 'two'));
  server.requests.length = 0;
  const gate = createGate(one.policy, { now: one.time.read, platform: 'none', store });
  assert.equal((await gate.check(asking(await mint(one.time, { jti: 'two' })))).code, 'token-revoked');
  assert.equal((await gate.check(asking(await mint(one.time, { jti: 'one' })))).code, 'token-revoked');
  assert.deepEqual(urls(), ['/revocations?since=1']);
  assert.equal(gate.stats().revocations[0].fromStore, 1);
});

test('a store that lies, fails or holds no text is as good as none', async () => {
  for (const value of [
    '',
    '{}',
    'a.b.c~',
    7,
    null,
    undefined,
    feed(clock()).snapshot({ key: 'ed25519Other' }),
  ]) {
    const store = { get: async () => value, put: async () => Promise.reject(new Error('full')) };
    const { time, gate, stats } = setUp({ store });
    assert.equal((await gate.check(asking(await mint(time)))).ok, true);
    assert.equal(stats().fromStore, 0);
  }
  const store = {
    get: async () => Promise.reject(new Error('down')),
    put: () => Promise.reject(new Error('down')),
  };
  const { time, gate, stats } = setUp({ store });
  assert.equal((await gate.check(asking(await mint(time)))).ok, true);
  await until(() => stats().storeFaults === 2);
});

test('another policy keeps the list of the same keys, and none that others signed', async () => {
  const { time, list, gate, policy } = setUp();
  list.revoke(named('jti', 'one'));
  const token = await mint(time, { jti: 'one' });
  await gate.check(asking(token));
  server.behave = status(500);
  gate.replacePolicy({ ...policy, leewaySeconds: 6 });
  const { pulls } = gate.stats().revocations[0];
  assert.equal((await gate.check(asking(token))).code, 'token-revoked');
  assert.equal((await gate.check(asking(await mint(time)))).ok, true);
  assert.equal(gate.stats().revocations[0].pulls, pulls + 1);
  const others = { keys: [publicJwk('ed25519Other', { kid: 'list', alg: 'EdDSA' })] };
  gate.replacePolicy({ ...policy, revocation: { ...policy.revocation, jwks: others } });
  time.pass(5);
  assert.equal((await gate.check(asking(token))).code, 'revocation-stale');
  const { revocation: _, ...without } = policy;
  gate.replacePolicy(without);
  assert.equal((await gate.check(asking(token))).ok, true);
  assert.deepEqual(gate.stats().revocations, []);
});

test('a list that has grown far past its snapshot is pulled whole, and what has expired goes', async () => {
  const { time, list, gate, stats } = setUp();
  await gate.check(asking(await mint(time)));
  list.revoke(...Array.from({ length: 4200 }, (_, index) => named('jti', `gone-${index}`)));
  const pull = async () => {
    gate.revocationsChanged();
    time.pass(1);
    await gate.check(asking(await mint(time)));
  };
  await pull();
  assert.equal(stats().entries, 4200);
  // Longer than the core's input: it comes in pieces, and every one of them is found.
  for (const index of [0, 1, 2047, 2048, 4198, 4199])
    assert.equal(
      (await gate.check(asking(await mint(time, { jti: `gone-${index}` })))).code,
      'token-revoked',
    );
  list.tokens = [named('jti', 'gone-0')];
  await pull();
  assert.deepEqual([stats().entries, stats().snapshots], [1, 2]);
  assert.equal((await gate.check(asking(await mint(time, { jti: 'gone-0' })))).code, 'token-revoked');
});

test('status lists are pulled from where they are', async () => {
  const uri = `${server.url}/statuslists/1`;
  const statusLists = [{ uri, jwks: { keys: [publicJwk('ed25519Other', { kid: 'status', alg: 'EdDSA' })] } }];
  const { time, list, gate } = setUp({ revocation: { statusLists } });
  const statusList = (bytes) => {
    const lst = encode(zlib.deflateSync(Buffer.from(bytes)));
    const payload = { sub: uri, iat: time.now, status_list: { bits: 1, lst } };
    const input = `${encode({ alg: 'EdDSA', kid: 'status', typ: 'statuslist+jwt' })}.${encode(payload)}`;
    return `${input}.${encode(signature('EdDSA', 'ed25519Other', input))}`;
  };
  let bytes = [0];
  server.behave = (request, response) =>
    request.url.startsWith('/statuslists') ? response.end(statusList(bytes)) : list.serve(request, response);
  const referring = (idx) => mint(time, { status: { status_list: { idx, uri } } });
  const token = await referring(3);
  assert.equal((await gate.check(asking(token))).ok, true);
  assert.match(server.requests.find(({ url }) => url === '/statuslists/1').headers.accept, /statuslist\+jwt/);
  bytes = [8];
  gate.revocationsChanged();
  time.pass(1);
  assert.equal((await gate.check(asking(token))).code, 'status-not-valid');
  assert.equal((await gate.check(asking(await referring(8)))).code, 'status-out-of-range');
  assert.equal((await gate.check(asking(await referring(2)))).ok, true);
  server.behave = (request, response) =>
    request.url.startsWith('/statuslists') ? reset(request) : list.serve(request, response);
  time.pass(60);
  assert.equal((await gate.check(asking(await referring(2)))).code, 'revocation-stale');
  assert.equal((await gate.check(asking(await mint(time)))).ok, true);
  assert.equal(gate.stats().revocations.find(({ url }) => url === uri).entries, 8);
});

test('the main entry refuses such a policy and says where it is read', () => {
  const { policy } = setUp();
  assert.throws(
    () => createVerifier(policy),
    (error) => {
      assert.equal(error.pointer, '/revocation');
      assert.match(error.reason, /portcullis\/gate/);
      return true;
    },
  );
  const { revocation: _, ...without } = policy;
  assert.throws(() => createVerifier(without).applyRevocations(''), /portcullis\/gate/);
});

test('a shadow is handed the lists as well', async () => {
  const { policy, time, list } = setUp();
  const differences = [];
  list.revoke(named('jti', 'one'));
  const { revocation: _, ...live } = policy;
  // The live policy has lists and the shadow the same: they agree.
  const gate = createGate(policy, {
    now: time.read,
    platform: 'none',
    reportOnly: { policy, onDifference: (difference) => differences.push(difference) },
  });
  assert.equal((await gate.check(asking(await mint(time, { jti: 'one' })))).code, 'token-revoked');
  assert.equal((await gate.check(asking(await mint(time)))).ok, true);
  assert.deepEqual(differences, []);
  const without = createGate(policy, {
    now: time.read,
    platform: 'none',
    reportOnly: { policy: live, onDifference: (difference) => differences.push(difference) },
  });
  await without.check(asking(await mint(time, { jti: 'one' })));
  assert.deepEqual(
    differences.map(({ live, shadow }) => [live, shadow]),
    [['token-revoked', 'allowed']],
  );
});
