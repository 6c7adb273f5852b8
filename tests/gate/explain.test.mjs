// `explain: true` and the facts of `onDecision`: what was expected, what was found, what to change.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';

import { createGate, PolicyError } from 'portcullis/gate';

import { AUDIENCE, asking, ISSUER, signer } from '../support/issuer.mjs';

const NOW = 1_800_000_000;
const URL_HERE = 'https://api.example/orders';

let key;
before(async () => {
  key = await signer('a');
});

/** A gate, the lines that it prints, and the events that it tells. */
function gateOf(test, { gate = {}, options = {} } = {}) {
  const lines = [];
  const events = [];
  test.mock.method(console, 'warn', (...args) => lines.push(args));
  const policy = { issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } }], gate };
  const told = { onDecision: (event) => events.push(event), explain: true };
  return {
    gate: createGate(policy, { now: () => NOW, platform: 'none', ...told, ...options }),
    lines,
    events,
  };
}

test('a refusal is one line: code, what was expected, what was found, and the field to change', async (test) => {
  const { gate, lines } = gateOf(test);
  await gate.check(asking(await key.mint(NOW, { aud: 'https://other.example' })));
  await gate.check(asking(await key.mint(NOW, { exp: NOW - 60 })));
  await gate.check(new Request(URL_HERE, { method: 'POST' }));
  await gate.check(asking(await key.mint(NOW)), { scopes: ['notes:write', 'notes:read'] });
  await gate.check(new Request('http://api.example/orders'));
  assert.deepEqual(lines, [
    [
      `portcullis: GET refused with 401 audience-mismatch: expected "${AUDIENCE}"; found "https://other.example"; change issuers[].audience in the policy`,
    ],
    [
      `portcullis: GET refused with 401 expired: expected "> ${NOW - 5}"; found "${NOW - 60}"; change leewaySeconds in the policy`,
    ],
    [
      'portcullis: POST refused with 401 authorization-missing: expected "Authorization header"; found "none"; change gate.credentials in the policy',
    ],
    [
      'portcullis: GET refused with 403 scope-insufficient: expected "notes:write notes:read"; change requirement.scopes in the policy',
    ],
    [
      'portcullis: GET refused with 403 transport-insecure: expected "https"; found "http"; change gate.proxies.trusted in the policy',
    ],
  ]);
});

test('onDecision gets the same facts, and the client none of them', async (test) => {
  const { gate, events } = gateOf(test, { options: { explain: false } });
  const decision = await gate.check(asking(await key.mint(NOW, { aud: 'https://other.example' })));
  const [{ code, expected, actual, field }] = events;
  assert.deepEqual(
    { code, expected, actual, field },
    {
      code: 'audience-mismatch',
      expected: AUDIENCE,
      actual: 'https://other.example',
      field: 'issuers[].audience',
    },
  );
  assert.deepEqual(decision.explanation, { expected, actual, field });
  const { response } = decision;
  const sent = JSON.stringify([await response.text(), ...response.headers]);
  for (const text of [AUDIENCE, actual, field]) assert.ok(!sent.includes(text), sent);
});

test('nothing is printed of what passes, nor where nobody asked for it', async (test) => {
  const { gate, lines } = gateOf(test);
  assert.equal((await gate.check(asking(await key.mint(NOW)))).ok, true);
  const quiet = gateOf(test, { options: { explain: false } });
  await quiet.gate.check(new Request(URL_HERE));
  const silent = createGate({
    issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } }],
  });
  await silent.check(new Request(URL_HERE));
  assert.deepEqual([lines, quiet.lines], [[], []]);
});

test('no line holds a piece of a token, and what a client wrote begins no second one', async (test) => {
  const { gate, lines, events } = gateOf(test, {
    options: { narrow: (claims) => `no ${claims.canary}` },
  });
  const canary = 'c4n4ry';
  const hostile = 'a\r\nportcullis: forged\u001b[31m\u202e\u2028\u0085';
  for (const request of [
    asking(await key.mint(NOW, { sub: canary, exp: NOW - 100 })),
    asking(await key.mint(NOW, { canary })),
    asking(`${canary}.${canary}.${canary}`),
    new Request(URL_HERE, { headers: { authorization: `Basic ${canary}` } }),
    new Request(`${URL_HERE}?access_token=${canary}`),
    new Request(URL_HERE, { method: canary.toUpperCase() }),
    asking(await key.mint(NOW, { aud: hostile })),
    asking(await key.mint(NOW, { aud: 'x'.repeat(5000) })),
  ])
    assert.equal((await gate.check(request)).ok, false);
  assert.equal(lines.length, 8);
  for (const [line] of lines) {
    assert.ok(!/c4n4ry/i.test(line), line);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    assert.ok(!/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/.test(line), JSON.stringify(line));
    assert.ok(line.length < 600, line);
  }
  assert.ok(!JSON.stringify(events.map(({ method: _, ...event }) => event)).includes(canary));
});

test('a console that throws changes no decision', async (test) => {
  const { gate } = gateOf(test);
  test.mock.method(console, 'warn', () => {
    throw new Error('closed');
  });
  const { code } = await gate.check(new Request(URL_HERE));
  assert.equal(code, 'authorization-missing');
});

test('explain is true or false', () => {
  const policy = { issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } }] };
  for (const explain of ['yes', 1, null, () => true])
    assert.throws(
      () => createGate(policy, { explain }),
      (error) => error instanceof PolicyError && error.pointer === '/explain',
    );
});

test('every field that an explanation names is one of the policy', () => {
  const source = readFileSync(new URL('../../src/gate/explanation.rs', import.meta.url), 'utf8');
  const named = new Set(
    source.match(/"(?:issuers\[\]|gate|requirement|limits|revocation|leeway)[\w.[\]]*"/g),
  );
  assert.ok(named.size > 25, `${named.size}`);
  const schema = JSON.parse(readFileSync(new URL('../../dist/policy.schema.json', import.meta.url), 'utf8'));
  for (const text of named) {
    const path = text.slice(1, -1).replace(/^requirement/, 'gate.requirement');
    const steps = path.replaceAll('[]', '.[]').split('.');
    assert.ok(isThere(schema, schema, steps), `${path} is no field of the policy`);
  }
});

/** Whether a schema has a member of that path, in one of its alternatives at least. */
function isThere(root, schema, [step, ...rest]) {
  if (schema === undefined || schema === true || schema === false) return false;
  if (step === undefined) return true;
  const { $ref, anyOf = [], oneOf = [], allOf = [], items, properties = {} } = schema;
  const others = [
    ...anyOf,
    ...oneOf,
    ...allOf,
    ...($ref ? [resolve(root, $ref)] : []),
    ...(schema.then ? [schema.then] : []),
    ...(schema.else ? [schema.else] : []),
  ];
  const inner = step === '[]' ? items : Object.hasOwn(properties, step) ? properties[step] : undefined;
  return (
    (inner !== undefined && isThere(root, inner, rest)) ||
    others.some((other) => isThere(root, other, [step, ...rest]))
  );
}

const resolve = (root, ref) =>
  ref
    .slice(2)
    .split('/')
    .reduce((schema, name) => schema[name], root);
