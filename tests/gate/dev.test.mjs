// `wrangler dev`: Miniflare as wrangler sets it up. With routes in the configuration every URL is
// http on their host; `dev.host` chooses another.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { workerd } from './workerd.mjs';

/** What the worker says of a request from this machine, where wrangler was told of that host. */
async function dev(host, policies) {
  const worker = await workerd('dev-worker.mjs', { cf: { colo: 'TST' }, upstream: `http://${host}` });
  try {
    const answers = [];
    for (const policy of policies) {
      const response = await fetch(worker.url, { headers: { 'x-policy': JSON.stringify(policy) } });
      answers.push(await response.json());
    }
    return answers;
  } finally {
    await worker.stop();
  }
}

test('with routes a refusal says what to set, and a network of the policy is let in', async () => {
  const here = { plainHttpFrom: ['127.0.0.1', '::1'] };
  const [refused, near, far] = await dev('api.example.com', [{}, here, { plainHttpFrom: ['10.0.0.0/8'] }]);
  assert.match(refused.url, /^http:\/\/api\.example\.com\//);
  assert.equal(refused.code, 'transport-insecure');
  assert.match(refused.message, /dev\.host to "localhost"/);
  assert.equal(near.code, 'authorization-missing');
  assert.equal(far.code, 'transport-insecure');
});

test('with dev.host it works as it does without routes', async () => {
  const [answer] = await dev('localhost', [{}]);
  assert.match(answer.url, /^http:\/\/localhost/);
  assert.equal(answer.code, 'authorization-missing');
});
