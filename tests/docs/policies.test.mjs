// Every policy that a page shows is one, and every example of a field is of the field's type.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import Ajv from 'ajv/dist/2020.js';
import { createGate, createVerifier } from 'portcullis/gate';

import { sections } from '../../src/build/docs/policy.mjs';
import { readPages } from '../../src/build/docs/tree.mjs';
import { ROOT } from '../../src/build/steps.mjs';

const read = (path) => readFileSync(join(ROOT, path), 'utf8');

const clientSecret = 'a secret that nobody uses, of some length';

/** What a gate needs besides, where its policy asks for it. */
const secretsOf = ({ issuers, revocation }) => ({
  nonceSecret: new Uint8Array(32).fill(7),
  introspection: Object.fromEntries(
    issuers
      .filter(({ introspection }) => introspection !== undefined)
      .map(({ issuer }) => [issuer, { clientSecret }]),
  ),
  ...(revocation?.clientId && { revocation: { clientSecret } }),
});

test('every JSON block is JSON, and every policy among them is taken by a gate', () => {
  let policies = 0;
  for (const { source, markdown } of [
    ...readPages().values(),
    { source: 'README.md', markdown: read('README.md') },
  ]) {
    for (const [, text] of markdown.matchAll(/^```json\n([\s\S]*?)^```/gm)) {
      const value = JSON.parse(text);
      if (value.issuers === undefined) continue;
      assert.doesNotThrow(() => createGate(value, secretsOf(value)), `${source}: ${text}`);
      createVerifier(value);
      policies += 1;
    }
  }
  assert.ok(policies > 30, `${policies} policies were read`);
});

test('the example of a field has the type that the schema asks for', () => {
  const schema = JSON.parse(read('src/policy/policy.schema.json'));
  const examples = JSON.parse(read('www/docs/reference/policy-examples.json'));
  const nodes = new Map(
    sections().flatMap(({ name, fields }) =>
      fields.map(([field, node]) => [name === '' ? field : `${name}.${field}`, node]),
    ),
  );
  const ajv = new Ajv({ strict: false });
  for (const [path, example] of Object.entries(examples)) {
    assert.ok(nodes.has(path), `${path} is no field of the policy`);
    const validate = ajv.compile({ ...nodes.get(path), $defs: schema.$defs });
    assert.ok(validate(example), `${path}: ${JSON.stringify(validate.errors)}`);
  }
});
