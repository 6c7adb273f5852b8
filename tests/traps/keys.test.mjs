// Published keys through policies and traps: what the core let go does not come back with another
// instance.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { happened, plan } from './inject.mjs';

const { createGate } = await import('portcullis/gate');
const { createVerifier } = await import('portcullis');
const { AUDIENCE, ISSUER, signer } = await import('../support/issuer.mjs');

const NOW = 1_800_000_000;
const key = await signer('a', 'EdDSA');
const token = await key.mint(NOW);
const policy = (place, leewaySeconds = 0) => ({
  leewaySeconds,
  issuers: [{ issuer: ISSUER, audience: AUDIENCE, remote: { jwksUri: `https://issuer.example/${place}` } }],
});
const outcome = (verifier) => {
  const verdict = verifier.verify(token, { now: NOW });
  return verdict.ok ? 'ok' : verdict.code;
};
function trap(verifier) {
  plan({ name: 'rawverifier_stats' });
  verifier.stats();
  assert.ok(happened());
}

test('keys of one place do not come back under a policy that names another', () => {
  for (const places of [
    ['two'],
    ['two', 'two', 'two'],
    ['two', 'two', 'two', 'two', 'two'],
    ['one', 'one', 'one', 'two', 'one', 'one'],
  ]) {
    const verifier = createVerifier(policy('one'));
    verifier.setRemoteKeys(ISSUER, { keys: [key.jwk] });
    assert.equal(outcome(verifier), 'ok');
    for (const [index, place] of places.entries()) verifier.replacePolicy(policy(place, index));
    assert.equal(outcome(verifier), 'keys-not-set', `${places}`);
    trap(verifier);
    assert.equal(outcome(verifier), 'keys-not-set', `${places}, after a trap`);
  }
});

test('keys of the place that every policy names are there after a trap', () => {
  const verifier = createVerifier(policy('one'));
  verifier.setRemoteKeys(ISSUER, { keys: [key.jwk] });
  for (let leeway = 0; leeway < 6; leeway++) {
    verifier.replacePolicy(policy('one', leeway));
    trap(verifier);
    assert.equal(outcome(verifier), 'ok', `${leeway}`);
  }
});

test('a policy is in force as a whole, however often the core traps right after it', async () => {
  const issuers = [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } }];
  const gate = createGate({ issuers }, { now: () => NOW, platform: 'none' });
  const ask = async (path) => {
    const headers = [['authorization', `Bearer ${token}`]];
    return (await gate.check({ method: 'GET', url: `https://api.example${path}`, headers })).ok;
  };
  const routes = [{ path: '/admin/*', requirement: { scopes: ['admin'] } }];
  for (const name of ['rawgate_profile', 'rawgate_stats']) {
    gate.replacePolicy({ issuers });
    plan({ name, times: 2 });
    try {
      gate.replacePolicy({ issuers, gate: { routes } });
    } catch {
      // The policy is in force, or it is not.
    }
    happened();
    const now = await ask('/admin/x');
    assert.equal(await ask('/open'), true);
    assert.equal(await ask('/admin/x'), now, name);
    assert.equal(now, false, name);
  }
});
