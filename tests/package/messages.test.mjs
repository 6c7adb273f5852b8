// What users are told stands in one file, so that a person can read it all.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { messages } from '../../src/build/messages.mjs';

test('tests/messages.txt is what the sources say', async () => {
  const kept = readFileSync(new URL('../messages.txt', import.meta.url), 'utf8');
  const cure = 'run node src/build/messages.mjs, and read what has changed as a user would';
  assert.equal(await messages(), kept, cure);
  // Of each kind one, so that the collector cannot have lost a kind.
  for (const text of [
    'The token has expired.',
    'must be a non-empty array of non-empty strings',
    'too many requests',
    "verify requires --policy; write the name of the policy's file",
    'The verifier is unavailable at the moment; the token was not checked.',
  ])
    assert.ok(kept.includes(`  ${text}\n`), text);
});
