// Path patterns mean what the platform's own URLPattern says they mean.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { runtimeBinary } from '../support/binaries.mjs';

test('our patterns match as the URLPattern of Node 24 does', { timeout: 120_000 }, async () => {
  const script = fileURLToPath(new URL('url-pattern.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(runtimeBinary('node24'), ['--no-warnings', script], {
    maxBuffer: 1 << 24,
  });
  const { differences, ...count } = JSON.parse(stdout);
  console.log(JSON.stringify(count));
  assert.deepEqual(differences, []);
  assert.ok(
    count.patterns > 400 && count.comparisons > 40_000 && count.matches > 2_000,
    JSON.stringify(count),
  );
});
