// The caller's own code may run between a question and its answer: in a schema, a getter, an
// iterator, a callback. Whatever it does there, asking the same verifier and replacing its policy
// included, no answer is another's, and nothing is remembered by what came later.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createVerifier } from 'portcullis';
import { createGate } from 'portcullis/gate';
import { generateSigningKey } from 'portcullis/issuer';

const NOW = 1_800_000_000;
const ISSUER = 'https://issuer.example';
const AUDIENCE = 'https://api.example';
const [key, otherKey] = [generateSigningKey('ES256'), generateSigningKey('EdDSA')];
const base = { issuer: ISSUER, audience: AUDIENCE, subject: 's', clientId: 'c', scope: 'read' };
const mint = (more, from = key) => from.mintAccessToken({ ...base, ...more }, { now: NOW });
const policyOf = (...keys) => ({
  issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: keys.map(({ publicJwk }) => publicJwk) } }],
});
const short = mint({ lifetimeSeconds: 60, jti: 'short' });
const long = mint({ lifetimeSeconds: 3600, jti: 'long' });
const later = NOW + 600;
const asking = (token) => ({
  method: 'GET',
  url: 'https://api.example/',
  headers: [['authorization', `Bearer ${token}`]],
});

/** A schema that takes the claims as they are, and does something else on the way. */
const schemaThat = (act) => ({
  '~standard': {
    version: 1,
    vendor: 'test',
    validate(value) {
      act(value);
      return { value };
    },
  },
});

for (const ask of ['verify', 'verifyAuthorization']) {
  test(`${ask}: a verdict ends with its own token, whatever the schema verifies in between`, () => {
    let busy = false;
    const verifier = createVerifier(policyOf(key), {
      claims: schemaThat(({ jti }) => {
        if (jti !== 'short' || busy) return;
        busy = true;
        assert.equal(verifier.verify(long, { now: NOW }).ok, true);
        busy = false;
      }),
    });
    const question = ask === 'verify' ? short : `Bearer ${short}`;
    assert.equal(verifier[ask](question, { now: NOW }).ok, true);
    assert.equal(verifier[ask](question, { now: NOW + 64 }).ok, true);
    assert.equal(verifier[ask](question, { now: later }).code, 'expired');
  });
}

test('a policy that is replaced while the schema runs ends what was verified by the one before', () => {
  let replace;
  const verifier = createVerifier(policyOf(key), { claims: schemaThat(() => replace?.()) });
  replace = () => {
    replace = undefined;
    verifier.replacePolicy(policyOf(otherKey));
  };
  assert.equal(verifier.verify(long, { now: NOW }).ok, true);
  assert.equal(verifier.verify(long, { now: NOW }).code, 'kid-unknown');
});

test('keys that change while the schema runs end it as well', () => {
  let change;
  const [issuer] = policyOf(otherKey).issuers;
  const verifier = createVerifier(
    { issuers: [{ ...issuer, remote: { jwksUri: `${ISSUER}/jwks` } }] },
    { claims: schemaThat(() => change?.()) },
  );
  verifier.setRemoteKeys(ISSUER, key.jwks());
  change = () => {
    change = undefined;
    verifier.setRemoteKeys(ISSUER, generateSigningKey('ES256').jwks());
  };
  assert.equal(verifier.verify(long, { now: NOW }).ok, true);
  assert.equal(verifier.verify(long, { now: NOW }).code, 'kid-unknown');
});

test('a getter of an option may ask the same verifier, and answers once', () => {
  const verifier = createVerifier(policyOf(key));
  let asked = 0;
  const options = {
    get now() {
      asked += 1;
      assert.equal(verifier.verify(long, { now: NOW }).ok, true);
      return asked === 1 ? NOW : later;
    },
  };
  const verdict = verifier.verify(short, options);
  assert.deepEqual([verdict.ok, verdict.claims.jti, asked], [true, 'short', 1]);
  assert.equal(verifier.verify(short, { now: later }).code, 'expired');
  // Nothing but a string is a token, whatever it would say of itself.
  for (const token of [
    { toString: () => short },
    new String(short),
    new Proxy({}, { get: () => () => short }),
    [short],
  ])
    assert.equal(verifier.verify(token, { now: NOW }).code, 'token-missing');
});

test('gate: a schema and a check that ask the gate and its verifier change no decision but their own', async () => {
  const inner = [];
  const gate = createGate(policyOf(key), {
    now: () => NOW,
    platform: 'none',
    claims: schemaThat(
      ({ jti }) => jti === 'short' && inner.push(gate.verifier.verify(long, { now: NOW }).ok),
    ),
    narrow(claims) {
      if (claims.jti === 'short')
        inner.push(gate.verifier.verify(mint({ jti: 'third' }), { now: NOW }).claims.jti);
      return true;
    },
  });
  for (let round = 0; round < 3; round++) {
    const decision = await gate.check(asking(short));
    assert.deepEqual([decision.ok, decision.claims.jti], [true, 'short']);
  }
  assert.deepEqual(inner.slice(0, 2), [true, 'third']);
});

test('gate: a policy that is replaced by the schema, the check or the clock ends what is remembered', async () => {
  for (const where of ['claims', 'narrow', 'now', 'onDecision']) {
    let act;
    const turn = (place) => {
      if (place !== where || act === undefined) return;
      const acting = act;
      act = undefined;
      acting();
    };
    const gate = createGate(policyOf(key), {
      platform: 'none',
      claims: schemaThat(() => turn('claims')),
      narrow() {
        turn('narrow');
        return true;
      },
      now() {
        turn('now');
        return NOW;
      },
      onDecision: () => turn('onDecision'),
    });
    act = () => gate.replacePolicy(policyOf(otherKey));
    await gate.check(asking(long));
    assert.equal(act, undefined, where);
    assert.equal((await gate.check(asking(long))).code, 'kid-unknown', where);
    assert.equal((await gate.check(asking(mint({}, otherKey)))).ok, true, where);
  }
});

test('gate: headers that can be read once are enough, on every platform, and a request is read once', async () => {
  for (const platform of ['none', 'cloudflare', 'vercel']) {
    const gate = createGate(policyOf(key), { now: () => NOW, platform });
    const once = {
      ...asking(long),
      headers: (function* () {
        yield ['authorization', `Bearer ${long}`];
        yield ['x-real-ip', '192.0.2.1'];
      })(),
    };
    assert.equal((await gate.check(once)).ok, true, platform);
    // The first answer counts: a request that is GET for one reader and OPTIONS for the next.
    const methods = ['GET', 'OPTIONS', 'OPTIONS'];
    const changing = {
      ...asking(short),
      get method() {
        return methods.shift() ?? 'OPTIONS';
      },
    };
    changing.headers.push(['origin', 'https://a.example'], ['access-control-request-method', 'GET']);
    const decision = await gate.check(changing);
    assert.equal(decision.via, 'token', platform);
  }
});

test('gate: a request that is none is a refusal, whatever its members are', async () => {
  const gate = createGate(
    { ...policyOf(key), gate: { networks: { a: ['192.0.2.0/24'] }, requirement: { networks: ['a'] } } },
    { now: () => NOW, platform: 'none' },
  );
  const good = asking(long);
  for (const request of [
    { ...good, url: undefined },
    { ...good, url: new URL(good.url) },
    { ...good, url: 7 },
    { ...good, method: undefined },
    { ...good, method: { toJSON: () => 'GET' } },
    { ...good, method: 1n },
    { ...good, headers: [['authorization', undefined]] },
    { ...good, headers: [['authorization', 1n]] },
    { ...good, headers: [[Symbol('authorization'), 'x']] },
    { ...good, headers: [[undefined, 'x']] },
    { ...good, headers: [['authorization', { toJSON: () => `Bearer ${long}` }]] },
  ]) {
    const decision = await gate.check(request);
    assert.equal(decision.ok, false);
    assert.ok([400, 401, 403].includes(decision.status), `${decision.status} ${decision.code}`);
  }
});
