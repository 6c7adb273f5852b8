// Lists of revocations against everything that vouches for a token, and against every way in which
// a policy is replaced. The core decides in every test; a server on the loopback is the feed, the
// authorization server and the origin of keys.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { createGate } from 'portcullis/gate';
import { AUDIENCE, asking, ISSUER, signer } from '../support/issuer.mjs';
import { clock, json, origin, paths, status } from '../support/origin.mjs';
import { feed, feedJwks, hashKey, named } from './feed.mjs';

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

const SECRETS = { [ISSUER]: { clientSecret: 'a secret' } };
const asked = (path) => server.requests.filter(({ url }) => url.split('?')[0] === path).length;

/** A gate on a feed, with an authorization server that says `answer`. */
function setUp({
  revocation = {},
  issuer = { jwks: { keys: [key.jwk] } },
  answer = { active: true },
  ...options
} = {}) {
  const time = clock();
  const list = feed(time);
  const world = { answer, feed: list.serve };
  server.behave = paths({
    '/introspect': (request, response) => json(world.answer)(request, response),
  });
  const { behave } = server;
  server.behave = (request, response, body) =>
    request.url.startsWith('/revocations') ? world.feed(request, response) : behave(request, response, body);
  const introspection = {
    endpoint: `${server.url}/introspect`,
    clientId: 'api',
    authentication: 'client_secret_basic',
    cacheSeconds: 300,
    negativeCacheSeconds: 300,
  };
  const policy = {
    issuers: [{ issuer: ISSUER, audience: AUDIENCE, introspection, ...issuer }],
    revocation: { jwks: feedJwks, feed: `${server.url}/revocations`, maxStalenessSeconds: 60, ...revocation },
  };
  const settings = { now: time.read, platform: 'none', introspection: SECRETS, ...options };
  const gate = createGate(policy, settings);
  return { time, list, world, policy, gate };
}

const active = (more = {}) => ({ active: true, aud: AUDIENCE, sub: 's', ...more });
const cutoff = (list, claim, value, before) => {
  const whole = list.snapshot;
  list.snapshot = () => whole({ cutoffs: [[named(claim, value), before]] });
};

test('what an authorization server vouches for is looked up in the lists', async () => {
  const now = clock().now;
  for (const [what, revoke, answer, code] of [
    ['jti', (list) => list.revoke(named('jti', 'one')), active({ jti: 'one' }), 'token-revoked'],
    ['sid', (list) => list.revoke(named('sid', 'one')), active({ sid: 'one' }), 'token-revoked'],
    ['sub', (list) => cutoff(list, 'sub', 's', now), active({ iat: now - 1 }), 'issued-before-cutoff'],
    ['sub, without iat', (list) => cutoff(list, 'sub', 's', now), active(), 'issued-before-cutoff'],
    [
      'client',
      (list) => cutoff(list, 'client_id', 'c', now),
      active({ client_id: 'c' }),
      'issued-before-cutoff',
    ],
    ['issuer', (list) => cutoff(list, 'iss', '', now), active({ iat: now - 1 }), 'issued-before-cutoff'],
    [
      'issuer, named',
      (list) => cutoff(list, 'iss', '', now),
      active({ iss: ISSUER }),
      'issued-before-cutoff',
    ],
    [
      'sid that cannot be read',
      (list) => list.revoke(named('sid', 'one')),
      active({ sid: 1 }),
      'claim-malformed',
    ],
  ]) {
    const { list, gate } = setUp({ issuer: {}, answer });
    revoke(list);
    const decision = await gate.check(asking('opaque'));
    assert.equal(decision.code, code, what);
    assert.equal((await gate.check(asking('opaque'))).code, code, `${what}, by an answer that was kept`);
  }
  for (const answer of [active(), active({ jti: 'two', sid: 'two', iat: now })]) {
    const { list, gate } = setUp({ issuer: {}, answer });
    list.revoke(named('jti', 'one'), named('sid', 'one'));
    cutoff(list, 'sub', 'other', now);
    const decision = await gate.check(asking('opaque'));
    assert.deepEqual([decision.ok, decision.source], [true, 'introspection']);
  }
});

test('a JWT that an authorization server vouches for is looked up by what it says of itself too', async () => {
  for (const revoke of [
    (list) => list.revoke(named('jti', 'one')),
    (list) => list.revoke(named('sid', 'one')),
    (list) => cutoff(list, 'kid', 'a', 253_402_300_799),
  ]) {
    const { time, list, gate } = setUp({ issuer: {}, answer: active() });
    const token = await key.mint(time.now, { jti: 'one', sid: 'one' });
    revoke(list);
    const { ok, stage } = await gate.check(asking(token));
    assert.deepEqual([ok, stage], [false, 'revocation']);
  }
});

test('stale lists hold for what an authorization server vouches for as for any token', async () => {
  for (const [whenStale, expected] of [
    ['deny', [false, 'revocation-stale', undefined]],
    ['allow', [true, undefined, true]],
    ['introspect', [true, undefined, true]],
  ]) {
    const { world, gate } = setUp({ revocation: { whenStale }, issuer: {}, answer: active() });
    world.feed = status(500);
    const { ok, code, stale } = await gate.check(asking('opaque'));
    assert.deepEqual([ok, code, stale], expected, whenStale);
  }
});

test('while lists are stale, the issuer is asked about a token every time', async () => {
  for (const [kind, issuer] of [
    ['an opaque token', {}],
    ['a JWT', undefined],
  ]) {
    const { time, world, gate } = setUp({
      revocation: { whenStale: 'introspect' },
      ...(issuer && { issuer }),
      answer: active(),
    });
    world.feed = status(500);
    const token = issuer ? 'opaque' : await key.mint(time.now);
    for (let turn = 1; turn <= 3; turn++) {
      assert.equal((await gate.check(asking(token))).ok, true, kind);
      assert.equal(asked('/introspect'), turn, kind);
    }
    world.answer = { active: false };
    assert.equal((await gate.check(asking(token))).code, 'token-inactive', kind);
    // Nor does the refusal stand for longer than it is asked about.
    world.answer = active();
    assert.equal((await gate.check(asking(token))).ok, true, kind);
    assert.equal(asked('/introspect'), 5, kind);
    server.requests.length = 0;
  }
});

test('an answer that was asked for before the lists were stale does not count afterwards', async () => {
  const { time, world, gate } = setUp({
    revocation: { whenStale: 'introspect' },
    issuer: {},
    answer: active(),
  });
  assert.equal((await gate.check(asking('opaque'))).ok, true);
  assert.equal((await gate.check(asking('opaque'))).ok, true);
  assert.equal(asked('/introspect'), 1, 'while they are fresh, an answer is kept');
  // A question that is asked while they are fresh, and answered when they are not.
  let go;
  world.feed = status(500);
  const { behave } = server;
  server.behave = (request, response, body) => {
    if (request.url !== '/introspect' || go) return behave(request, response, body);
    go = () => json(active())(request, response);
  };
  const early = gate.check(asking('another'));
  for (let tries = 0; go === undefined && tries < 500; tries++) await new Promise((r) => setTimeout(r, 2));
  time.pass(61);
  // It does not wait for that answer either.
  world.answer = { active: false };
  assert.equal((await gate.check(asking('another'))).code, 'token-inactive');
  go();
  assert.equal((await early).code, 'token-inactive', 'the late answer was to an early question');
  assert.equal((await gate.check(asking('another'))).code, 'token-inactive');
});

test('an early answer that comes late takes the place of no later one', async () => {
  const { time, world, gate } = setUp({
    revocation: { whenStale: 'introspect' },
    issuer: {},
    answer: active(),
  });
  assert.equal((await gate.check(asking('other'))).ok, true);
  let go;
  const { behave } = server;
  server.behave = (request, response, body) => {
    if (request.url !== '/introspect' || go) return behave(request, response, body);
    go = () => json(active())(request, response);
  };
  const early = gate.check(asking('opaque'));
  for (let tries = 0; go === undefined && tries < 500; tries++) await new Promise((r) => setTimeout(r, 2));
  const { feed: fresh } = world;
  world.feed = status(500);
  time.pass(61);
  world.answer = { active: false };
  assert.equal((await gate.check(asking('opaque'))).code, 'token-inactive');
  go();
  await early;
  // The lists are back, so that kept answers count: the last one said no.
  world.feed = fresh;
  time.pass(30);
  world.answer = status(500);
  server.behave = (request, response, body) =>
    request.url === '/introspect' ? status(500)(request, response) : behave(request, response, body);
  assert.equal((await gate.check(asking('opaque'))).ok, false);
});

const replacements = (policy) => {
  const [issuer] = policy.issuers;
  return [
    ['a policy that is none', {}],
    ['an unknown member', { ...policy, issuer: 1 }],
    ['a secret that nobody has', { ...policy, issuers: [{ ...issuer, issuer: 'https://other.example' }] }],
    [
      'a secret of another kind',
      {
        ...policy,
        issuers: [
          { ...issuer, introspection: { ...issuer.introspection, authentication: 'private_key_jwt' } },
        ],
      },
    ],
    [
      'no lists and a secret that nobody has',
      {
        issuers: [{ ...issuer, issuer: 'https://other.example' }],
      },
    ],
    [
      'other lists and a secret that nobody has',
      {
        ...policy,
        issuers: [{ ...issuer, issuer: 'https://other.example' }],
        revocation: { ...policy.revocation, feed: `${server.url}/other` },
      },
    ],
    ['a network that a requirement names', { ...policy, gate: { networks: { other: ['192.0.2.0/24'] } } }],
    ['what cannot be written', Object.assign({ loop: 1n }, policy)],
    [
      'nonces without a secret',
      { ...policy, gate: { networks: { office: ['192.0.2.0/24'] }, dpop: { nonce: true } } },
    ],
  ];
};

for (const whenStale of ['allow', 'deny', 'introspect']) {
  test(`a policy that is refused changes nothing, with whenStale "${whenStale}"`, async () => {
    const { time, list, policy, gate, world } = setUp({ revocation: { whenStale }, answer: active() });
    policy.gate = { networks: { office: ['192.0.2.0/24'] } };
    gate.replacePolicy(policy);
    const office = { clientAddress: '192.0.2.1' };
    await gate.check(asking('opaque'), { networks: ['office'] }, office);
    const [bad, good] = [await key.mint(time.now, { jti: 'bad' }), await key.mint(time.now, { jti: 'good' })];
    list.revoke(named('jti', 'bad'));
    const outcome = async (token) => {
      const { ok, code, stale } = await gate.check(asking(token), { networks: ['office'] }, office);
      const { ok: own, code: why } = gate.verifier.verify(token, { now: time.now });
      return [ok, code, stale, own, why];
    };
    gate.revocationsChanged();
    time.pass(1);
    const revoked = await outcome(bad);
    assert.deepEqual(revoked, [false, 'token-revoked', undefined, false, 'token-revoked']);
    assert.deepEqual(await outcome(good), [true, undefined, undefined, true, undefined]);
    const { version, staleAt } = gate.stats().revocations[0];
    // From here on no list can be had: what was held must do.
    world.feed = status(500);
    server.requests.length = 0;
    for (const [what, other] of replacements(policy)) {
      for (const replace of [gate.replacePolicy, gate.verifier.replacePolicy]) {
        assert.throws(() => replace(other), { name: 'PolicyError' }, what);
        assert.deepEqual(await outcome(bad), revoked, what);
        assert.deepEqual(await outcome(good), [true, undefined, undefined, true, undefined], what);
        const held = gate.stats().revocations[0];
        assert.deepEqual([held.version, held.staleAt], [version, staleAt], what);
      }
    }
    assert.deepEqual(server.requests, [], 'nothing had to be asked for again');
  });
}

test('a secret that the options have by now is enough, and the policy is taken whole', async () => {
  const { time, list, policy, world } = setUp({ revocation: { whenStale: 'allow' } });
  const options = { now: time.read, platform: 'none', introspection: SECRETS };
  const gate = createGate(policy, options);
  const token = await key.mint(time.now, { jti: 'bad' });
  list.revoke(named('jti', 'bad'));
  assert.equal((await gate.check(asking(token))).code, 'token-revoked');
  const shown = [];
  world.feed = (request, response) => {
    shown.push(request.headers.authorization);
    list.serve(request, response);
  };
  const closed = { ...policy, revocation: { ...policy.revocation, clientId: 'edge' } };
  assert.throws(() => gate.replacePolicy(closed), { pointer: '/revocation/clientSecret' });
  options.revocation = { clientSecret: 'a secret' };
  gate.replacePolicy(closed);
  time.pass(1);
  assert.equal((await gate.check(asking(token))).code, 'token-revoked');
  assert.deepEqual(shown, [`Basic ${btoa('edge:a+secret')}`]);
});

test('a detour through a policy without lists lets no older list in', async () => {
  for (const detour of [1, 3]) {
    const { time, list, policy, gate, world } = setUp({ revocation: { whenStale: 'allow' } });
    const token = await key.mint(time.now, { jti: 'bad' });
    const old = list.snapshot();
    list.revoke(named('jti', 'bad'));
    assert.equal((await gate.check(asking(token))).code, 'token-revoked');
    for (let turn = 0; turn < detour; turn++) {
      gate.replacePolicy({ issuers: policy.issuers, leewaySeconds: turn });
      assert.equal((await gate.check(asking(token))).ok, true, 'nothing is said of lists there');
    }
    // The old list is still within its time, and signed.
    world.feed = (_, response) => response.end(old);
    gate.replacePolicy(policy);
    assert.equal(gate.verifier.verify(token, { now: time.now }).code, 'token-revoked');
    assert.equal((await gate.check(asking(token))).code, 'token-revoked');
    assert.equal(gate.verifier.applyRevocations(old, { now: time.now }).code, 'update-older');
    world.feed = status(500);
    time.pass(3600);
    assert.equal((await gate.check(asking(token))).code, 'token-revoked');
  }
});

test('a detour through a policy that trusts another signer lets no older list in either', async () => {
  const { publicJwk } = await import('../vectors/generate/signing.mjs');
  const { time, list, policy, gate } = setUp({ revocation: { whenStale: 'allow' } });
  const token = await key.mint(time.now, { jti: 'bad' });
  const old = list.snapshot();
  list.revoke(named('jti', 'bad'));
  assert.equal((await gate.check(asking(token))).code, 'token-revoked');
  const stranger = { keys: [publicJwk('es256', { kid: 'other', alg: 'ES256' })] };
  gate.replacePolicy({ ...policy, revocation: { ...policy.revocation, jwks: stranger } });
  assert.equal(
    gate.verifier.verify(token, { now: time.now }).stale,
    true,
    'that signer has said nothing yet',
  );
  gate.replacePolicy(policy);
  assert.equal(gate.verifier.verify(token, { now: time.now }).code, 'token-revoked');
  assert.equal(gate.verifier.applyRevocations(old, { now: time.now }).code, 'update-older');
});

test('a key that signs for two issuers lets neither’s list stand for the other’s', async () => {
  const { createVerifier } = await import('portcullis/gate');
  const { list } = await import('../vectors/generate/revocation-list.mjs');
  const time = clock();
  const other = 'https://other.example';
  const policy = (issuer) => ({
    issuers: [{ issuer, audience: AUDIENCE, jwks: { keys: [key.jwk] } }],
    revocation: { jwks: feedJwks, maxStalenessSeconds: 60 },
  });
  const made = { hashKey, iat: time.now, not_after: time.now + 60 };
  const of = (iss, version) => list({ ...made, iss, version, tokens: [named('jti', 'bad')] });
  const now = { now: time.now };
  const verifier = createVerifier(policy(ISSUER));
  assert.equal(verifier.applyRevocations(of(ISSUER, 7), now).ok, true);
  verifier.replacePolicy(policy(other));
  assert.equal(verifier.applyRevocations(of(other, 3), now).ok, true, 'its versions are its own');
  verifier.replacePolicy(policy(ISSUER));
  assert.equal(verifier.verify(await key.mint(time.now, { jti: 'bad' }), now).code, 'token-revoked');
  assert.equal(verifier.applyRevocations(of(ISSUER, 6), now).code, 'update-older');
  verifier.replacePolicy(policy(other));
  assert.equal(verifier.applyRevocations(of(other, 2), now).code, 'update-older');
});

test('a verifier that has no gate around it keeps its lists over a refused policy and over a detour', async () => {
  const { createVerifier } = await import('portcullis/gate');
  const time = clock();
  const list = feed(time);
  const policy = {
    issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } }],
    revocation: { jwks: feedJwks, maxStalenessSeconds: 60, whenStale: 'allow' },
  };
  const verifier = createVerifier(policy);
  const token = await key.mint(time.now, { jti: 'bad' });
  const old = list.snapshot();
  list.revoke(named('jti', 'bad'));
  const now = { now: time.now };
  assert.equal(verifier.applyRevocations(list.snapshot(), now).ok, true);
  assert.throws(() => verifier.replacePolicy({ ...policy, issuers: [] }), { name: 'PolicyError' });
  assert.equal(verifier.verify(token, now).code, 'token-revoked');
  verifier.replacePolicy({ issuers: policy.issuers });
  assert.equal(verifier.verify(token, now).ok, true);
  verifier.replacePolicy(policy);
  assert.equal(verifier.verify(token, now).code, 'token-revoked');
  assert.equal(verifier.applyRevocations(old, now).code, 'update-older');
});
