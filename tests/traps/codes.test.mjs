// Every code of the closed table has a vector, or stands here with the reason why it has none and
// with a test that makes it. Vectors are a token, a policy and an answer of the core; these two are
// made around the core, in JavaScript.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { readVectors } from '../vectors/read.mjs';
import { called, happened, plan } from './inject.mjs';

const { createGate } = await import('portcullis/gate');
const { createVerifier } = await import('portcullis');
const { AUDIENCE, ISSUER, signer } = await import('../support/issuer.mjs');

const NOW = 1_800_000_000;
const key = await signer('a', 'EdDSA');
const token = await key.mint(NOW);
const policy = { issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } }] };

const WITHOUT_A_VECTOR = {
  /** No token and no policy makes the core trap. */
  'verifier-unavailable': () => {
    const verifier = createVerifier(policy);
    plan({ name: 'rawverifier_verify', times: 1 });
    assert.equal(verifier.verify(token, { now: NOW }).ok, true, 'one trap is none');
    assert.ok(happened());
    // That one is remembered.
    verifier.replacePolicy({ ...policy, leewaySeconds: 1 });
    plan({ name: 'rawverifier_verify', times: 2 });
    const verdict = verifier.verify(token, { now: NOW });
    assert.ok(happened());
    assert.equal(verifier.verify(token, { now: NOW }).ok, true);
    return verdict;
  },
  /** A policy is data, and a schema is a function. */
  'claims-refused': () => {
    const validate = ({ sub }) =>
      sub === 'nobody' ? { value: {} } : { issues: [{ path: ['sub'], message: '' }] };
    const claims = { '~standard': { version: 1, vendor: 'tests', validate } };
    return createVerifier(policy, { claims }).verify(token, { now: NOW });
  },
};

/** The codes that `interface Fields` of src/js/verifier/verdict.ts names. */
function table() {
  const source = readFileSync(new URL('../../src/js/verifier/verdict.ts', import.meta.url), 'utf8');
  const [, body] = /\ninterface Fields \{\n([\s\S]*?)\n\}\n/.exec(source);
  return [...body.matchAll(/^ {2}'?([a-z\d-]+)'?:/gm)].map(([, code]) => code).sort();
}

/** The codes that vectors expect. */
function covered() {
  const vectors = readVectors().flatMap((file) => file.vectors);
  return new Set(vectors.map(({ expect }) => expect.code).filter((code) => code !== undefined));
}

test('every code has a vector, or stands here with its reason', () => {
  const codes = table();
  assert.ok(codes.length > 70, `${codes.length} codes were read`);
  const without = codes.filter((code) => !covered().has(code));
  assert.deepEqual(without, Object.keys(WITHOUT_A_VECTOR).sort());
  assert.deepEqual(
    [...covered()].filter((code) => !codes.includes(code)),
    [],
  );
});

for (const [code, make] of Object.entries(WITHOUT_A_VECTOR))
  test(`${code} is what comes of it`, () => {
    const { ok, code: own, message } = make();
    assert.deepEqual([ok, own], [false, code]);
    assert.match(message, /\.$/);
  });

test('a gate whose core cannot be run says 503, and to come again', async () => {
  const gate = createGate(policy, { now: () => NOW, platform: 'none' });
  const ask = async () => {
    const headers = [['authorization', `Bearer ${token}`]];
    return gate.check({ method: 'GET', url: 'https://api.example/', headers });
  };
  called.clear();
  assert.equal((await ask()).ok, true);
  // The way in may have another name: it is the call that is given the request.
  const name = [...called].find((each) => /^rawgate_decide/.test(each));
  assert.ok(name, [...called].join());
  gate.replacePolicy({ ...policy, leewaySeconds: 1 });
  plan({ name, times: 2 });
  const { ok, code, status, response } = await ask();
  assert.ok(happened());
  assert.deepEqual([ok, code, status], [false, 'verifier-unavailable', 503]);
  assert.equal(response.headers.get('retry-after'), '1');
  assert.equal((await ask()).ok, true);
});
