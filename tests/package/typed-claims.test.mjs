// Claims typed by a Standard Schema, with the libraries that speak it.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type } from 'arktype';
import { createVerifier, PolicyError } from 'portcullis';
import { generateSigningKey } from 'portcullis/issuer';
import * as v from 'valibot';
import { z } from 'zod';

const NOW = 1_800_000_000;
const at = { now: NOW };
const key = generateSigningKey('ES256');
const request = {
  issuer: 'https://issuer.example',
  audience: 'https://api.example',
  subject: 's',
  clientId: 'c',
};
const policy = { issuers: [{ issuer: request.issuer, audience: request.audience, jwks: key.jwks() }] };
const mint = (claims) => key.mintAccessToken({ ...request, claims }, at);
const good = mint({ tenant: 'a', roles: ['r1', 'r2'], level: 3 });
const CANARY = 'canary-7f3a91';
const bad = mint({ tenant: 7, roles: ['r1', { name: CANARY }], level: CANARY });

const SCHEMAS = {
  zod: z.object({ sub: z.string(), tenant: z.string(), roles: z.array(z.string()), level: z.number() }),
  valibot: v.object({ sub: v.string(), tenant: v.string(), roles: v.array(v.string()), level: v.number() }),
  arktype: type({ sub: 'string', tenant: 'string', roles: 'string[]', level: 'number' }),
};

for (const [name, claims] of Object.entries(SCHEMAS)) {
  test(`${name}: claims that fit come as the schema makes them`, () => {
    const verdict = createVerifier(policy, { claims }).verify(good, at);
    assert.equal(verdict.ok, true);
    assert.deepEqual(
      [verdict.claims.sub, verdict.claims.tenant, verdict.claims.roles, verdict.claims.level],
      ['s', 'a', ['r1', 'r2'], 3],
    );
  });

  test(`${name}: claims that do not fit are a verdict, which says where and holds nothing of the token`, () => {
    const verifier = createVerifier(policy, { claims });
    for (const verdict of [verifier.verify(bad, at), verifier.verifyAuthorization(`Bearer ${bad}`, at)]) {
      assert.deepEqual([verdict.ok, verdict.code, verdict.stage], [false, 'claims-refused', 'policy']);
      assert.deepEqual([...verdict.issues].sort(), ['/level', '/roles/1', '/tenant']);
      assert.ok(!JSON.stringify(verdict).includes(CANARY), JSON.stringify(verdict));
    }
  });

  test(`${name}: the schema is asked about nothing that the core refuses`, () => {
    const verifier = createVerifier(policy, { claims });
    assert.equal(verifier.verify(bad, { now: NOW + 900 }).code, 'expired');
    const [header, payload] = bad.split('.');
    assert.equal(verifier.verify(`${header}.${payload}.${good.split('.')[2]}`, at).stage, 'signature');
    assert.notEqual(verifier.verify('a.b.c', at).code, 'claims-refused');
  });
}

test('a transformation is run once for a token, and what it makes is kept', () => {
  let runs = 0;
  const claims = z.object({ sub: z.string() }).transform(({ sub }) => {
    runs += 1;
    return { user: { id: sub, roles: ['a'] } };
  });
  const verifier = createVerifier(policy, { claims });
  const first = verifier.verify(good, at);
  assert.deepEqual([first.claims.user.id, first.claims.sub], ['s', undefined]);
  assert.equal(verifier.verify(good, at), first);
  assert.equal(runs, 1);
  assert.ok(
    Object.isFrozen(first) && Object.isFrozen(first.claims.user) && Object.isFrozen(first.claims.user.roles),
  );
});

test('a refusal by the schema is not kept', () => {
  let asked = 0;
  const claims = z.unknown().refine(() => {
    asked += 1;
    return asked > 2;
  });
  const verifier = createVerifier(policy, { claims });
  // The probe was the first question.
  assert.equal(verifier.verify(good, at).code, 'claims-refused');
  assert.equal(verifier.verify(good, at).ok, true);
  assert.equal(verifier.stats().cache.entries, 1);
});

test('a transformation that throws refuses the token', () => {
  const claims = z.object({ tenant: z.unknown() }).transform(({ tenant }) => JSON.parse(tenant));
  const verifier = createVerifier(policy, { claims });
  assert.equal(verifier.verify(bad, at).claims, 7);
  const refused = verifier.verify(good, at);
  assert.deepEqual([refused.code, refused.issues], ['claims-refused', []]);
});

const isClaimsError = (error) => error instanceof PolicyError && error.pointer === '/claims';

test('an asynchronous schema is the caller’s mistake: at once where a probe shows it', () => {
  const async = [
    v.objectAsync({ sub: v.string() }),
    z.unknown().refine(async () => true),
    { '~standard': { version: 1, vendor: 'test', validate: async (value) => ({ value }) } },
    { '~standard': { version: 1, vendor: 'test', validate: () => Promise.reject(new Error('unheard')) } },
  ];
  for (const claims of async) assert.throws(() => createVerifier(policy, { claims }), isClaimsError);
});

test('and with the first token where it does not', () => {
  const claims = z.object({ sub: z.string().refine(async () => true) });
  const verifier = createVerifier(policy, { claims });
  assert.throws(() => verifier.verify(good, at), isClaimsError);
  assert.equal(verifier.verify('a.b.c', at).ok, false);
});

test('what is no schema is the caller’s mistake', () => {
  for (const claims of [
    undefined,
    null,
    1,
    {},
    () => true,
    { '~standard': { version: 2, validate() {} } },
    { '~standard': null },
  ]) {
    assert.throws(() => createVerifier(policy, { claims }), isClaimsError);
  }
});

test('issues are few and short', () => {
  const issues = Array.from({ length: 100 }, () => ({
    message: CANARY,
    path: ['a/b', { key: '~' }, 'x'.repeat(1000)],
  }));
  const claims = { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues }) } };
  const verdict = createVerifier(policy, { claims }).verify(good, at);
  assert.equal(verdict.issues.length, 16);
  assert.ok(verdict.issues[0].startsWith('/a~1b/~0/xxx') && verdict.issues[0].length === 200);
  assert.ok(!JSON.stringify(verdict).includes(CANARY));
});
