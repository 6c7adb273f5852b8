// A guard reads its requirement when it is made: what is none stops the program at its start, and
// not every request with a 500.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createGate, PolicyError } from 'portcullis/gate';

import { policy } from './cases.mjs';

const NextResponse = { next: () => new Response() };
/** How each way to guard something takes a requirement. */
const GUARDS = {
  'gate.protect': (gate, requirement) => gate.protect(() => new Response(), requirement),
  'gate.requirement': (gate, requirement) => gate.requirement(requirement),
};
for (const name of ['express', 'fastify', 'hono', 'sveltekit']) {
  const { guard } = await import(`portcullis/${name}`);
  GUARDS[`portcullis/${name}`] = guard;
}
const { guard: guardNext } = await import('portcullis/next');
GUARDS['portcullis/next'] = (gate, requirement) => guardNext(gate, NextResponse, requirement);

const NO_REQUIREMENTS = {
  'scopes that are no list': [{ scopes: 'admin' }, '/scopes'],
  'an empty list of scopes': [{ scopes: [] }, '/scopes'],
  'a member that nobody knows': [{ scope: ['admin'] }, '/scope'],
  'a scope that is undefined': [{ scopes: [undefined] }, '/scopes/0'],
  'a network that the policy does not name': [{ networks: ['office'] }, '/networks/0'],
  'the text of a route': ['public', ''],
  'a claim without a path': [{ claims: [{ anyOf: ['admin'] }] }, '/claims/0'],
  null: [null, ''],
};

for (const [way, guard] of Object.entries(GUARDS)) {
  for (const [what, [requirement, pointer]] of Object.entries(NO_REQUIREMENTS)) {
    test(`${way} refuses ${what} when the guard is made`, () => {
      const gate = createGate(policy);
      assert.throws(
        () => guard(gate, requirement),
        (error) => {
          assert.ok(error instanceof PolicyError, `${error}`);
          assert.ok(error.pointer.startsWith(pointer), `${error.pointer} is not ${pointer}`);
          return true;
        },
      );
    });
  }

  test(`${way} takes what is a requirement, and none`, () => {
    const gate = createGate(policy);
    guard(gate, { scopes: ['notes:read'] });
    guard(gate, undefined);
    guard(gate);
  });
}

test('what becomes of the requirement’s object later changes no guard', async () => {
  const { guard } = await import('portcullis/hono');
  const gate = createGate(policy);
  const requirement = { scopes: ['notes:read'] };
  const read = gate.requirement(requirement);
  assert.notEqual(read, requirement);
  assert.ok(Object.isFrozen(read) && Object.isFrozen(read.scopes));
  const handle = guard(gate, requirement);
  requirement.scopes = 'admin';
  const raw = new Request('https://api.example/notes');
  const refused = await handle({ req: { raw }, env: {}, header() {}, set() {} }, async () => {});
  assert.equal(refused.status, 401);
});
