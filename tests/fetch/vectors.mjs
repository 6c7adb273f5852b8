// The gate's vectors, put to the worker. Those that a `Request` of workerd cannot say are counted.
import assert from 'node:assert/strict';

import { readVectors } from '../vectors/read.mjs';

/** What a `Request` has no place for. */
const BEYOND = {
  target: ({ request }) => request.target !== undefined,
  served: ({ request }) => request.served !== undefined,
  'a check of the caller’s own': ({ evidence }) => evidence?.check !== undefined,
};

/** So many are there at least, lest they go unnoticed. */
const LEAST_ASKED = 550;

export async function askVectors(worker) {
  const counts = { asked: 0, 'another request in workerd': 0 };
  for (const { policies, vectors } of readVectors('gate')) {
    const asked = vectors.filter((vector) => {
      if (vector.kind !== 'gate') return false;
      const [reason] = Object.entries(BEYOND).find(([, is]) => is(vector)) ?? [];
      if (reason !== undefined) counts[reason] = (counts[reason] ?? 0) + 1;
      return reason === undefined;
    });
    const answers = await worker.ask(
      '/of-test/vectors',
      asked.map((vector) => asking(vector, policies)),
    );
    asked.forEach((vector, index) => {
      const answer = answers[index];
      counts[answer.impossible ? 'another request in workerd' : 'asked'] += 1;
      if (!answer.impossible) compare(vector, answer, policies);
    });
  }
  console.log(counts);
  assert.ok(counts.asked >= LEAST_ASKED, JSON.stringify(counts));
}

function asking({ policy, requirement, nonceSecret, ...vector }, policies) {
  return {
    ...vector,
    policy: JSON.stringify(policyOf(policy, policies)),
    ...(requirement === undefined ? {} : { requirement: JSON.stringify(requirement) }),
    ...(nonceSecret === undefined ? {} : { nonceSecret: [...Buffer.from(nonceSecret, 'base64url')] }),
  };
}

const policyOf = (policy, policies) => (typeof policy === 'string' ? policies[policy] : policy);

function compare({ id, policy, request, expect }, answer, policies) {
  const { ok, code, error, fields = {}, claims = {} } = expect;
  if (error !== undefined) return assert.equal(answer.error, error, id);
  const isAnswered = fields.step === 'preflight' && policyOf(policy, policies).gate?.preflight !== 'pass';
  assert.equal(answer.ok, ok && !isAnswered, `${id}: ${JSON.stringify(answer)}`);
  const headers = Object.fromEntries(answer.headers ?? []);
  if (isAnswered) {
    assert.equal(answer.status, 204, id);
    if (fields.answer !== undefined) assert.deepEqual(headers, lower(fields.answer.headers), id);
  } else if (ok) passed(id, request, fields, claims, answer);
  else {
    assert.notEqual(answer.body, '', `${id}: ${answer.status} without a problem`);
    const problem = JSON.parse(answer.body);
    assert.equal(problem.code, code, id);
    assert.equal(problem.status, answer.status, id);
    if (fields.status !== undefined) assert.equal(answer.status, fields.status, id);
    if (fields.problem !== undefined) assert.deepEqual(problem, fields.problem, id);
    if (fields.challenges !== undefined)
      assert.equal(headers['www-authenticate'] ?? '', fields.challenges.join(', '), id);
    if (fields.nonce !== undefined) assert.equal(headers['dpop-nonce'], fields.nonce, id);
    if (fields.retryAfter !== undefined) assert.equal(headers['retry-after'], `${fields.retryAfter}`, id);
    for (const [name, value] of Object.entries(fields.cors ?? {})) assert.equal(headers[name], value, id);
    assert.equal(headers['cache-control'], 'no-store', id);
    assert.equal(headers['content-type'], 'application/problem+json', id);
  }
}

const lower = (headers) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

function passed(id, request, fields, claims, answer) {
  for (const name of ['issuer', 'binding', 'nonce'])
    if (fields[name] !== undefined) assert.equal(answer[name], fields[name], `${id}: ${name}`);
  if (fields.step !== undefined) assert.equal(answer.claims !== null, fields.step === 'allowed', id);
  if (fields.source !== undefined)
    assert.equal(answer.header === null, fields.source === 'introspection', id);
  for (const [name, value] of Object.entries(claims))
    assert.deepEqual(answer.claims[name], value, `${id}: ${name}`);
  const { set = {}, strip = [], stripCookie } = fields.forward ?? {};
  const view = Object.fromEntries(answer.forwarded);
  for (const [name, value] of Object.entries(set)) assert.equal(view[name], value, id);
  for (const name of strip) if (!(name in set)) assert.ok(!(name in view), `${id}: ${name}`);
  if (stripCookie !== undefined)
    assert.doesNotMatch(view.cookie ?? '', new RegExp(`(^|;\\s*)${stripCookie}=`), id);
  // What nobody strips, stays.
  for (const [name] of request.headers)
    if (fields.forward !== undefined && /^x-trace|accept/i.test(name))
      assert.ok(name.toLowerCase() in view, id);
}
