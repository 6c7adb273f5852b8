// A trap leaves the memory of the core as it was in the middle of something. Whatever traps, and
// whenever: nothing of that instance answers any more, and the next one has the policy, the
// requirements, the keys and the lists.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { called, happened, made, plan } from './inject.mjs';

const { createGate, createVerifier, inspect, verifyJws } = await import('portcullis/gate');
const { feed, feedJwks, named } = await import('../gate/feed.mjs');
const { AUDIENCE, ISSUER } = await import('../support/issuer.mjs');

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const NOW = 1_800_000_000;
const TIMES = Number(process.env.TRAPS ?? 10_000);
const time = { now: NOW };
const secret = (byte) => Buffer.alloc(32, byte).toString('base64url');
const jwk = (kid, byte) => ({ kty: 'oct', alg: 'HS256', kid, k: secret(byte) });
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** HS256: tens of thousands of tokens are verified here. */
function mint(kid, byte, claims = {}, issuer = ISSUER) {
  const usual = { iss: issuer, aud: AUDIENCE, iat: NOW, exp: NOW + 600, scope: 'read', ...claims };
  const input = `${encode({ alg: 'HS256', kid, typ: 'at+jwt' })}.${encode(usual)}`;
  return `${input}.${createHmac('sha256', Buffer.alloc(32, byte)).update(input).digest('base64url')}`;
}
const OTHER = 'https://other.example';
const TOKENS = {
  good: mint('a', 1),
  fetched: mint('b', 2, {}, OTHER),
  revoked: mint('a', 1, { jti: 'revoked' }),
  expired: mint('a', 1, { exp: NOW - 600 }),
  forged: mint('a', 9),
  none: 'a.b.c',
};
const CODES = {
  good: 'ok',
  fetched: 'ok',
  revoked: 'token-revoked',
  expired: 'expired',
  forged: 'signature-invalid',
};

const list = feed(time);
list.revoke(named('jti', 'revoked'));
const policy = {
  issuers: [
    {
      issuer: ISSUER,
      audience: AUDIENCE,
      keys: [{ kid: 'a', alg: 'HS256', secret: { base64url: secret(1) } }],
    },
    {
      issuer: OTHER,
      audience: AUDIENCE,
      keys: [{ kid: 'z', alg: 'HS256', secret: { base64url: secret(7) } }],
      remote: { jwksUri: 'https://other.example/jwks' },
    },
  ],
  // A session that was revoked would be accepted by a core that has lost its lists.
  revocation: { jwks: feedJwks, maxStalenessSeconds: 600, whenStale: 'allow' },
  gate: { requirement: { scopes: ['read'] } },
};
const eddsa = {
  kty: 'OKP',
  crv: 'Ed25519',
  alg: 'EdDSA',
  kid: 'b',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
};
const offline = () => Promise.reject(new TypeError('no network'));
const requests = Object.fromEntries(
  Object.entries(TOKENS).map(([name, token]) => [
    name,
    { method: 'GET', url: 'https://api.example/orders', headers: [['authorization', `Bearer ${token}`]] },
  ]),
);
const code = (verdict) => (verdict.ok ? 'ok' : verdict.code);

/**
 * A verifier and a gate with all that they can hold; nothing is remembered, so that the core
 * answers every time.
 */
function world() {
  const verifier = createVerifier(policy, { cache: 0 });
  const gate = createGate(policy, { now: () => time.now, fetch: offline, platform: 'none', cache: 0 });
  for (const each of [verifier, gate.verifier]) {
    each.setRemoteKeys(OTHER, { keys: [eddsa] });
    assert.equal(each.applyRevocations(list.snapshot(), { now: NOW }).ok, true);
  }
  return { verifier, gate };
}

const requirement = { scopes: ['read'], types: ['at+jwt'] };
const lacking = { scopes: ['write'] };
const at = { now: NOW };

/**
 * What can be asked, and what comes of it when nothing traps. The answer is JSON, without what
 * instances count.
 */
const ASK = {
  verify: ({ verifier }) => verifier.verify(TOKENS.good, at),
  verifyRevoked: ({ verifier }) => verifier.verify(TOKENS.revoked, at),
  verifyForged: ({ verifier }) => verifier.verify(TOKENS.forged, at),
  verifyNothing: ({ verifier }) => verifier.verify(undefined, at),
  verifyAuthorization: ({ gate }) => gate.verifier.verifyAuthorization(`Bearer ${TOKENS.good}`, at),
  check: ({ gate }) => gate.check(requests.good),
  checkRevoked: ({ gate }) => gate.check(requests.revoked),
  checkRequirement: ({ gate }) => gate.check(requests.good, requirement),
  checkLacking: ({ gate }) => gate.check(requests.good, lacking),
  newRequirement: ({ gate, round }) =>
    gate.check(requests.good, { scopes: ['read'], types: ['at+jwt', `x${round % 8}`] }),
  setRemoteKeys: ({ verifier }) => verifier.setRemoteKeys(OTHER, { keys: [eddsa] }),
  setGateKeys: ({ gate }) => gate.verifier.setRemoteKeys(OTHER, { keys: [eddsa] }),
  badKeys: ({ verifier }) => verifier.setRemoteKeys(OTHER, { keys: [] }),
  renewal: ({ verifier }) => verifier.applyRevocations(list.renewal(), at),
  snapshot: ({ gate }) => gate.verifier.applyRevocations(list.snapshot(), at),
  badList: ({ gate }) => gate.verifier.applyRevocations('a~b', at),
  statusList: ({ verifier }) => verifier.applyStatusList('https://status.example/1', 'a.b.c', at),
  gateStatusList: ({ gate }) => gate.verifier.applyStatusList('https://status.example/1', 'a.b.c', at),
  replacePolicy({ verifier }) {
    verifier.replacePolicy(policy);
    verifier.setRemoteKeys(OTHER, { keys: [eddsa] });
  },
  replaceGatePolicy({ gate }) {
    gate.replacePolicy(policy);
    gate.verifier.setRemoteKeys(OTHER, { keys: [eddsa] });
  },
  badPolicy: ({ gate }) => gate.replacePolicy({}),
  stats: ({ verifier, gate }) => [verifier.stats().keys.length, gate.verifier.stats().keys.length],
  create: () => code(createVerifier(policy).verify(TOKENS.good, at)),
  createBad: () => createVerifier({}),
  createGate: () => createGate(policy).stats().verifier.keys.length,
  verifyJws: () => verifyJws(TOKENS.good, jwk('a', 1)),
  verifyJwsBadKey: () => verifyJws(TOKENS.good, {}),
  inspect: () => inspect(TOKENS.good),
};

async function answer(ask, context) {
  try {
    const value = await ask(context);
    return JSON.stringify(value, (name, member) =>
      name === 'uses' || typeof member === 'function' ? undefined : member,
    );
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

/** Everything decides as ever, by the keys and lists that were there. */
async function sound({ verifier, gate }, what) {
  for (const [name, expected] of Object.entries(CODES)) {
    const verifiers = [verifier.verify(TOKENS[name], at), gate.verifier.verify(TOKENS[name], at)];
    if (name === 'fetched') {
      // Under a key of the fetched set there is none of ours; what counts is that its issuer's
      // keys are known.
      for (const verdict of verifiers) assert.equal(verdict.code, 'alg-mismatch', what);
      continue;
    }
    for (const verdict of verifiers) assert.equal(code(verdict), expected, `${what}: ${name}`);
    assert.equal(code(await gate.check(requests[name])), expected, `${what}: ${name}`);
  }
  assert.equal(code(await gate.check(requests.good, requirement)), 'ok', what);
  assert.equal(code(await gate.check(requests.good, lacking)), 'scope-insufficient', what);
}

test('a trap at any export changes no answer, and everything works afterwards', async (t) => {
  const context = { ...world(), round: 0 };
  await sound(context, 'before');
  // Which exports each question calls, when everything has to be made anew for it.
  const cases = [];
  for (const [name, ask] of Object.entries(ASK)) {
    const expected = await answer(ask, context);
    called.clear();
    plan({ name: 'rawverifier_verify' });
    context.verifier.verify(TOKENS.good, at);
    context.round += 1;
    called.clear();
    plan({ name: 'rawverifier_stats', times: 1 });
    context.verifier.stats();
    assert.equal(await answer(ask, context), expected, name);
    assert.ok(happened());
    for (const export_ of called) cases.push({ name, export_, expected });
  }
  const exports = new Set(cases.map(({ export_ }) => export_));
  assert.ok(exports.size >= 30, [...exports].join(' '));
  let trapped = 0;
  let twice = 0;
  for (let round = 0; trapped < TIMES; round++) {
    const { name, export_, expected } = cases[round % cases.length];
    const turn = Math.floor(round / cases.length);
    const what = `${name}, trapped in ${export_}, turn ${turn}`;
    const times = turn % 3 === 2 ? 2 : 1;
    context.round = round;
    plan({ name: export_, after: turn % 2 === 1, times, skip: turn % 5 === 4 ? 1 : 0 });
    const told = await answer(ASK[name], context);
    if (happened()) trapped += times;
    if (told !== expected) {
      // Twice in one question: it is no answer about the token, and nothing else.
      assert.equal(times, 2, `${what}: ${told}`);
      assert.match(told, /verifier-unavailable|^CoreError/, what);
      if (/^(verify|check|inspect|newReq)/.test(name)) assert.match(told, /^\{"ok":false/, what);
      twice += 1;
      // A policy that was replaced may still lack its keys.
      if (name.startsWith('replace')) assert.equal(await answer(ASK[name], context), expected, what);
    }
    if (round % 8 === 0) await sound(context, what);
  }
  await sound(context, 'after all');
  assert.ok(twice > TIMES / 100, `${twice}`);
  t.diagnostic(
    `${trapped} traps in ${exports.size} exports, ${made.count} instances, ${twice} questions without an answer`,
  );
});

test('the memory of the instances that trapped goes, and that of the last one is no larger than the first one’s', async () => {
  const { verifier } = world();
  const memories = [];
  const pages = [];
  for (let round = 0; round < 300; round++) {
    plan({ name: 'rawverifier_verify' });
    assert.equal(verifier.verify(TOKENS.good, at).ok, true);
    assert.ok(happened());
    memories.push(new WeakRef(made.memory));
    pages.push(made.memory.buffer.byteLength / 65_536);
    if (round % 50 === 0) {
      collectGarbage();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  collectGarbage();
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  const alive = memories.filter((memory) => memory.deref() !== undefined).length;
  assert.ok(alive <= 2, `${alive} memories`);
  assert.equal(pages.at(-1), pages[0]);
});

test('what was dropped before a trap is not freed in the instance after it', async () => {
  for (let round = 0; round < 20; round++) {
    for (let index = 0; index < 50; index++) createVerifier(policy);
    const { verifier, gate } = world();
    plan({ name: 'rawverifier_verify' });
    assert.equal(verifier.verify(TOKENS.good, at).ok, true);
    const fresh = Array.from({ length: 50 }, () => createVerifier(policy));
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
    await sound({ verifier, gate }, `round ${round}`);
    for (const each of fresh) assert.equal(each.verify(TOKENS.good, at).ok, true);
  }
});
