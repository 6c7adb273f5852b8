// A second policy beside the live one, which nobody notices but the counters and the callback.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Shadow } from '../../dist/gate/decision/shadow.js';

const NOW = 1_800_000_000;
const settle = () => new Promise((resolve) => setImmediate(resolve));

function core(decide) {
  const seen = { facts: [], requirements: [], keys: [] };
  return {
    seen,
    requirement: (json) => seen.requirements.push(json),
    decide: (facts, now) => {
      seen.facts.push(JSON.parse(facts));
      return typeof decide === 'string' ? decide : JSON.stringify(decide(JSON.parse(facts), now));
    },
    setRemoteKeys: (issuer, jwks) => {
      seen.keys.push([issuer, jwks]);
      return '{"changed":true,"keys":[],"leftOut":[]}';
    },
    forgetKeys: (issuer) => seen.keys.push([issuer]),
  };
}
const refused = (code) => ({ step: 'refused', code, stage: 'policy', message: 'm' });

test('what both decide alike is counted and told to nobody', () => {
  const told = [];
  const shadow = new Shadow(
    core(() => ({ step: 'allowed' })),
    (difference) => told.push(difference),
  );
  shadow.compare('allowed', { method: 'GET' }, undefined, NOW);
  const strict = new Shadow(
    core(() => refused('expired')),
    (difference) => told.push(difference),
  );
  strict.compare('expired', { method: 'GET' }, undefined, NOW);
  assert.deepEqual(told, []);
  assert.deepEqual(shadow.stats(), { compared: 1, same: 1, differences: [], callbackErrors: 0 });
  assert.equal(strict.stats().same, 1);
});

test('differences are counted by both codes and told, with no more of the request than its method and route', () => {
  const told = [];
  const answers = [
    refused('scope-insufficient'),
    refused('scope-insufficient'),
    { step: 'public' },
    { step: 'keys' },
  ];
  const shadow = new Shadow(
    core(() => answers.shift()),
    (difference) => told.push(difference),
  );
  const facts = { method: 'GET', authorization: 'Bearer canary', url: 'https://api.example/canary' };
  const about = { method: 'GET', route: '/admin/*' };
  for (const live of ['allowed', 'allowed', 'expired', 'allowed'])
    shadow.compare(live, facts, undefined, NOW, about);
  assert.deepEqual(shadow.stats().differences, [
    { live: 'allowed', shadow: 'scope-insufficient', count: 2 },
    { live: 'allowed', shadow: 'undecided', count: 1 },
    { live: 'expired', shadow: 'public', count: 1 },
  ]);
  assert.deepEqual(told[0], {
    live: 'allowed',
    shadow: 'scope-insufficient',
    shadowStage: 'policy',
    ...about,
  });
  assert.equal(told.length, 4);
  assert.ok(!JSON.stringify([told, shadow.stats()]).includes('canary'));
});

test('the shadow reads requirements by its own numbers, each once, and leaves the facts as they were', () => {
  const raw = core(() => ({ step: 'allowed' }));
  raw.seen.requirements.push('one that the live gate does not have');
  const shadow = new Shadow(raw);
  const facts = Object.freeze({ method: 'GET', requirement: 0 });
  for (let turn = 0; turn < 3; turn++) shadow.compare('allowed', facts, '{"scopes":["a"]}', NOW);
  shadow.compare('allowed', { method: 'GET' }, undefined, NOW);
  assert.deepEqual(raw.seen.requirements.slice(1), ['{"scopes":["a"]}']);
  assert.deepEqual(
    raw.seen.facts.map(({ requirement }) => requirement),
    [2, 2, 2, undefined],
  );
});

test('the live keys are handed to it, and what it says of them reaches nobody', () => {
  const raw = core(() => ({ step: 'allowed' }));
  const shadow = new Shadow(raw);
  shadow.setKeys('https://a.example', '{"keys":[]}');
  shadow.forgetKeys('https://a.example');
  assert.deepEqual(raw.seen.keys, [['https://a.example', '{"keys":[]}'], ['https://a.example']]);
  const refusing = new Shadow({
    ...raw,
    setRemoteKeys: () => {
      throw '{"pointer":"/issuer","reason":"is not one"}';
    },
  });
  assert.equal(refusing.setKeys('https://a.example', '{}'), undefined);
  assert.equal(refusing.stats().callbackErrors, 1);
});

test('nothing that the shadow or the callback does is thrown: traps, garbage, exceptions, rejections', async () => {
  const throwing = () => {
    throw new Error('trap');
  };
  for (const [raw, callback] of [
    [core(throwing), undefined],
    [core('garbage'), undefined],
    [core('null'), undefined],
    [{ ...core(() => ({})), requirement: throwing }, undefined],
    [core(() => refused('x')), throwing],
    [core(() => refused('x')), async () => throwing()],
  ]) {
    const shadow = new Shadow(raw, callback);
    shadow.compare('allowed', { method: 'GET' }, '{}', NOW);
    await settle();
    assert.equal(shadow.stats().callbackErrors, 1);
    assert.equal(shadow.stats().compared, 1);
  }
  const circular = {};
  circular.self = circular;
  const shadow = new Shadow(core(() => ({ step: 'allowed' })));
  shadow.compare('allowed', circular, undefined, NOW);
  assert.equal(shadow.stats().callbackErrors, 1);
});

test('pairs of codes are bounded, whatever a core says', () => {
  let turn = 0;
  const shadow = new Shadow(core(() => refused(`code ${turn++}`)));
  for (let count = 0; count < 3000; count++) shadow.compare('allowed', {}, undefined, NOW);
  assert.equal(shadow.stats().differences.length, 1024);
  assert.equal(shadow.stats().compared, 3000);
});
