// Projects as `init` writes them, with this package installed as a stranger would: packed. What
// else they depend on is linked from this repository.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { ROOT } from '../../src/build/steps.mjs';
import { folder, json, portcullis } from './run.mjs';

const npm = (cwd, ...args) =>
  execFileSync('npm', [...args, '--ignore-scripts', '--no-audit', '--no-fund'], { cwd, encoding: 'utf8' });

let tarball;
/** The package, packed once. */
function packed() {
  tarball ??= join(
    folder,
    npm(ROOT, 'pack', '--silent', '--pack-destination', folder).trim().split('\n').at(-1),
  );
  return tarball;
}

/** Writes a project into an empty folder. */
export async function written(kind) {
  const path = join(folder, `a-${kind}`);
  const { code, answer } = await json(['init', kind, path]);
  assert.deepEqual([code, answer.ok, answer.folder], [0, true, path]);
  for (const name of answer.files) assert.ok(existsSync(join(path, name)), name);
  return { path, files: answer.files };
}

/** Makes a project, and installs what it names. */
export async function project(kind) {
  const { path } = await written(kind);
  const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const { portcullis, ...others } = manifest.dependencies;
  assert.equal(portcullis, `^${version}`);
  // Wrangler is for people; workerd is run here without it.
  writeFileSync(
    join(path, 'package.json'),
    JSON.stringify({ ...manifest, dependencies: {}, devDependencies: {} }),
  );
  npm(path, 'install', '--offline', '--no-save', packed());
  for (const name of Object.keys(others)) {
    const link = join(path, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link, 'junction');
  }
  return path;
}

/** What a script of a project prints. */
export const script = (path, ...args) =>
  execFileSync(process.execPath, args, { cwd: path, encoding: 'utf8' }).trim();

/** Starts a project's server on a free port; its first line is where it is. */
export async function serve(
  test,
  path,
  { program = process.execPath, args = ['server.mjs'], env = {} } = {},
) {
  const child = spawn(program, args, { cwd: path, env: { ...process.env, PORT: '0', ...env } });
  test.after(() => child.kill());
  let told = '';
  child.stderr.on('data', (chunk) => {
    told += chunk;
  });
  const [line] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => [])]);
  assert.ok(line !== undefined, told);
  return { url: String(line).trim(), told: () => told };
}

/** The routes of an API: without a token, with a bad one, with too little, and with a good one. */
export async function api(notes, token) {
  const ask = (authorization) => fetch(notes, { headers: authorization ? { authorization } : {} });
  const [missing, forged, narrow, good] = [
    await ask(),
    await ask(`Bearer ${token().slice(0, -6)}AAAAAA`),
    await ask(`Bearer ${token('other:scope')}`),
    await ask(`Bearer ${token()}`),
  ];
  assert.deepEqual([missing.status, (await missing.json()).code], [401, 'authorization-missing']);
  assert.deepEqual([forged.status, (await forged.json()).code], [401, 'signature-invalid']);
  assert.deepEqual([narrow.status, (await narrow.json()).code], [403, 'scope-insufficient']);
  assert.deepEqual([good.status, await good.text()], [200, 'Hello, alice\n']);
}

/** Whether `check` accepts the policy of a project. */
export const checked = async (path) =>
  assert.equal((await portcullis(['check', join(path, 'policy.json')])).code, 0);
