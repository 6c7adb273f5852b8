// In workerd, what nobody keeps alive ends with the response: commands in process too have a place
// for `waitUntil`.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createIssuer, generateSigningKey } from 'portcullis/issuer';
import { memoryStore } from 'portcullis/stores';

import { workerd } from '../gate/workerd.mjs';

let worker;
before(async () => {
  worker = await workerd('../issuer/waiting-worker.mjs');
});
after(() => worker.stop());

test('the sweep beside a command ends behind the response, where the issuer is bound to the context', async () => {
  for (const command of ['start', 'end', 'endAll']) {
    assert.deepEqual(await worker.ask({ command, bound: true }), { swept: 0 }, command);
    const until = Date.now() + 20_000;
    let swept = 0;
    while (swept === 0 && Date.now() < until) ({ swept } = await worker.ask({ command: 'swept' }));
    assert.equal(swept, 1, command);
  }
});

test('what is bound is the same issuer: sessions, keys and the feed', async () => {
  const page = { clientId: 'page', authentication: 'none', grants: ['refresh_token'] };
  const kept = [];
  const issuer = createIssuer({
    config: { issuer: 'https://issuer.example', audience: 'https://api.example', clients: [page] },
    signingKeys: [{ jwk: generateSigningKey('ES256').privateJwk() }],
    rootKeys: [{ secret: new Uint8Array(32).fill(7) }],
    store: memoryStore(),
  });
  const bound = issuer.with({ waitUntil: (promise) => kept.push(promise) });
  const { refresh_token } = await bound.startSession('alice', { clientId: 'page' });
  assert.equal(kept.length, 1, 'the sweep beside the first answer');
  await kept[0];
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'page', refresh_token });
  const response = await issuer.fetch(new Request('https://issuer.example/token', { method: 'POST', body }));
  assert.equal(response.status, 200);
  assert.deepEqual(bound.jwks(), issuer.jwks());
});

test('what is no context is refused', () => {
  const issuer = createIssuer({
    config: {
      issuer: 'https://issuer.example',
      audience: 'https://api.example',
      clients: [{ clientId: 'page', authentication: 'none', grants: ['refresh_token'] }],
    },
    signingKeys: [{ jwk: generateSigningKey('ES256').privateJwk() }],
    rootKeys: [{ secret: new Uint8Array(32).fill(7) }],
    store: memoryStore(),
  });
  for (const [context, pointer] of [
    [undefined, '/context'],
    [null, '/context'],
    [{ waitUntil: true }, '/context/waitUntil'],
  ])
    assert.throws(() => issuer.with(context), { name: 'PolicyError', pointer });
});
