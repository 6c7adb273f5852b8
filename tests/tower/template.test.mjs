// `init axum`: the project is written into an empty folder, built with what `cargo test` of this
// folder has fetched, and started on loopback.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { ROOT } from '../../src/build/steps.mjs';
import { api, checked, serve, written } from '../cli/projects.mjs';

test('init axum: an API in Rust', async (test) => {
  const { path } = await written('axum');
  await checked(path);
  // The versions that the tests beside this one are built with, and what is compiled for them.
  cpSync(join(ROOT, 'tests', 'tower', 'Cargo.lock'), join(path, 'Cargo.lock'));
  const settings = [
    `patch.crates-io.portcullis.path=${JSON.stringify(ROOT)}`,
    'profile.dev.opt-level=1',
    'profile.dev.debug=false',
    'profile.dev.package."*".opt-level=1',
  ].flatMap((setting) => ['--config', setting]);
  const target = join(ROOT, 'target');
  execFileSync('cargo', ['build', '--bins', '--offline', ...settings, '--target-dir', target], {
    cwd: path,
    stdio: 'pipe',
  });
  const program = (name) => join(target, 'debug', name);
  const { url } = await serve(test, path, { program: program('my-axum'), args: [] });
  const token = (...scope) => execFileSync(program('token'), scope, { encoding: 'utf8' }).trim();
  await api(`${url}/notes`, token);
  assert.equal((await fetch(`${url}/health`)).status, 200);
});
