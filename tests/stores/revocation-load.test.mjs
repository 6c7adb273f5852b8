// The short form of `revocation-load.mjs`: a few of each, in memory and in a file that three
// processes share, one of which is killed.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { ROOT } from '../../src/build/steps.mjs';
import { runtimeBinary } from '../support/binaries.mjs';

test('revocations under load are all in the feed, and none is refused', async (t) => {
  const program = join(ROOT, 'tests', 'stores', 'revocation-load.mjs');
  const args = ['--no-warnings', program, '--short'];
  const { stdout } = await promisify(execFile)(runtimeBinary('node24'), args, {
    timeout: 120_000,
    cwd: ROOT,
  });
  const lines = stdout.trim().split('\n');
  for (const line of lines) t.diagnostic(line);
  assert.equal(lines.length, 7, stdout);
});
