// The published JSON Schema agrees with the reader: what the reader takes is valid, and what is
// not valid the reader refuses.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import Ajv2020 from 'ajv/dist/2020.js';
// The one that knows the whole policy.
import { createGate, createVerifier } from 'portcullis/gate';

import { readVectors } from '../vectors/read.mjs';
import { GATES, READER_ALONE } from './gate-documents.mjs';

const require = createRequire(import.meta.url);
const schema = require('portcullis/policy.schema.json');

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
const valid = ajv.compile(schema);

/** Every policy of the vectors, once, with an id to name it by. */
function policies() {
  const found = new Map();
  for (const { policies = {}, vectors } of readVectors()) {
    for (const { id, policy } of vectors) {
      const value = typeof policy === 'string' ? policies[policy] : policy;
      if (value !== undefined) found.set(JSON.stringify(value), { id, policy: value });
    }
  }
  return [...found.values()];
}

const nonceSecret = new Uint8Array(32).fill(7);

/** Where the reader refuses a policy: a verifier leaves its gate to the gate. */
function refusal(policy) {
  return pointer(() =>
    policy?.gate === undefined ? createVerifier(policy) : createGate(policy, { nonceSecret }),
  );
}

function pointer(make) {
  try {
    make();
  } catch (error) {
    assert.equal(error.name, 'PolicyError', error.stack);
    return error.pointer;
  }
  return undefined;
}

/** What no schema says: cryptography, patterns, and comparisons of one field with another. */
const BEYOND =
  /\/jwks(\/|$)|\/keys\/\d+\/(pem|spki|certificate|secret|secret\/\w+|alg|kid)$|^\/gate\/routes\/\d+\/path$|\/(networks|trusted)\/(\d+|\w+\/\d+)$|^\/gate\/(cors\/)?(origins|methods|headers|privateHosts)\/\d+$/;
const COMPARED = [
  'deviation-refuses-missing-aud-beside-another-audience-claim',
  'refuses-an-issuer-named-twice',
  'refuses-a-policy-that-takes-the-list-of-an-issuer-it-has-not',
  'refuses-discovery-of-an-issuer-that-is-no-url',
  'kubernetes-refuses-a-issuer-that-leads-elsewhere',
  'refuses-remote-with-a-shorter-longest-time',
  'gate-policy-with-a-claim-in-authorization',
  'gate-policy-with-a-header-with-a-colon',
  'gate-policy-with-a-scheme-for-a-cookie',
  'gate-policy-with-a-realm-with-a-line-feed',
  'gate-policy-with-cors-of-any-with-credentials',
  'gate-policy-with-a-scheme-for-a-subprotocol',
  'gate-policy-with-a-subprotocol-of-two-words',
  'gate-policy-with-an-origin-of-cookies-with-a-path',
  'gate-policy-with-a-rule-for-cookies-and-none',
  'gate-policy-with-a-precedence-of-what-it-does-not-name',
];
/** A key that signs tokens as well, and comparisons within the section. */
const REVOCATION = /^\/revocation(\/(whenStale|feed|pullSeconds|statusLists\/\d+\/uri))?$/;
/** The holes of an issuer's name and what may stand in them; names that have to differ. */
const HOLES = /^(tenants|alternatives)-/;
/** Hosts and networks of plain HTTP, which are looked for in lists elsewhere in the policy. */
const PLAIN_HTTP = /^(gate-policy-with-plain-http|policy-with-keys-over-plain-http)-/;
/** Secrets stand in no policy. */
const SECRET = /^\/introspection\//;

test('policies of the vectors: valid when the reader takes them, and refused when they are not', () => {
  const all = policies();
  assert.ok(all.length > 300, `only ${all.length} policies were found`);
  let beyond = 0;
  for (const { id, policy } of all) {
    const refused = refusal(policy);
    const said = JSON.stringify(valid.errors?.slice(0, 3));
    if (refused === undefined)
      assert.ok(valid(policy), `${id}: the reader takes it and the schema does not: ${said}`);
    else if (valid(policy)) {
      const explained =
        COMPARED.includes(id) ||
        [HOLES, PLAIN_HTTP].some((known) => known.test(id)) ||
        [BEYOND, REVOCATION, SECRET].some((known) => known.test(refused));
      assert.ok(explained, `${id}: the schema takes it; the reader refuses ${refused}`);
      beyond += 1;
    }
  }
  assert.ok(beyond < all.length / 2, `${beyond} of ${all.length} are beyond the schema`);
});

test('sections of the gate: the schema tells good from bad', () => {
  for (const { gate, good, name } of GATES) {
    const policy = { issuers: [{ preset: 'google', audience: 'a' }], gate };
    const expected = good || READER_ALONE.includes(name);
    assert.equal(valid(policy), expected, `${name}: ${JSON.stringify(valid.errors?.slice(0, 3))}`);
  }
});

test('sections of the gate: the reader agrees', () => {
  for (const { gate, good, name } of GATES) {
    const policy = { issuers: [{ preset: 'google', audience: 'a' }], gate };
    const refused = pointer(() => createGate(policy, { nonceSecret }));
    if (good) assert.equal(refused, undefined, `${name}: ${refused}`);
    else assert.match(refused ?? 'taken', /^\/gate/, name);
  }
});

test('the schema describes every member', () => {
  let described = 0;
  const walk = (node, path) => {
    for (const [name, member] of Object.entries(node.properties ?? {})) {
      if (typeof member === 'boolean') continue;
      described += 1;
      assert.match(member.description ?? '', /\.$/, `${path}/${name}`);
      for (const inner of [member, member.items, ...(member.anyOf ?? [])])
        if (inner) walk(inner, `${path}/${name}`);
    }
  };
  walk(schema, '');
  for (const [name, definition] of Object.entries(schema.$defs)) walk(definition, `/$defs/${name}`);
  assert.ok(described > 80, `${described} members`);
});
