// The package as tests of others load it: packed, in Jest (CommonJS, ES modules, jsdom) and in
// Vitest, with the configuration that www/docs/guides/testing.md shows.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';

import { ROOT, runtimeBinary } from '../support/binaries.mjs';

const TIMEOUT_MS = 120_000;
const MODULES = join(ROOT, 'node_modules');
const FLAG = '--experimental-vm-modules';
const PAGE = readFileSync(join(ROOT, 'www', 'docs', 'guides', 'testing.md'), 'utf8');
const blocks = [...PAGE.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
const blockWith = (text) => blocks.find((code) => code.includes(text));

/** What a server does with the package, whatever loads it. */
const SERVER = `
  module.exports = async (load, expect) => {
    const { createVerifier } = await load('portcullis');
    const { createGate } = await load('portcullis/gate');
    const { generateSigningKey } = await load('portcullis/issuer');
    const key = generateSigningKey('ES256');
    const [issuer, audience, now] = ['https://issuer.example', 'https://api.example', 1_800_000_000];
    const token = key.mintAccessToken({ issuer, audience, subject: 's', clientId: 'c' }, { now });
    const policy = { issuers: [{ issuer, audience, jwks: key.jwks() }] };
    expect(createVerifier(policy).verify(token, { now }).claims.sub).toBe('s');
    const gate = createGate(policy, { now: () => now, platform: 'none' });
    const ask = (headers) => gate.check(new Request('https://api.example/', { headers }));
    expect((await ask({ authorization: 'Bearer ' + token })).ok).toBe(true);
    expect((await ask({})).response.status).toBe(401);
  };`;
/** What a page does with it. */
const PAGE_SIDE = `
  module.exports = async (load, expect) => {
    const { createSession } = await load('portcullis/session');
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const seconds = Math.floor(Date.now() / 1000);
    const token = [part({ alg: 'ES256' }), part({ iat: seconds, exp: seconds + 300 }), 'AA'].join('.');
    const session = createSession({ name: 'n', refresh: async () => { throw new Error('too early'); } });
    await session.start({ access_token: token, refresh_token: 'r' });
    expect(await session.accessToken()).toBe(token);
    await load('portcullis/react');
    session.close();
    expect(typeof document).toBe('object');
    await load('portcullis/session/dpop');
    await load('portcullis/vue');
    await load('portcullis/svelte');
  };`;
const JEST = JSON.stringify({
  testMatch: ['**/*.test.{js,mjs}'],
  moduleFileExtensions: ['js', 'mjs', 'cjs', 'json'],
});

const FILES = {
  'package.json': '{ "private": true }',
  'jest.config.json': JEST,
  'server.cjs': SERVER,
  'page.cjs': PAGE_SIDE,
  'jsdom-and-node.cjs': blockWith('TestEnvironment'),
  'required/a.test.js': `test('a', () => require('../server.cjs')(async (name) => require(name), expect));`,
  'commonjs/a.test.js': `test('a', () => require('../server.cjs')((name) => import(name), expect));`,
  'modules/a.test.mjs': `
    import { expect, test } from '@jest/globals';
    import 'portcullis';
    import server from '../server.cjs';
    test('a', () => server((name) => import(name), expect));`,
  'jsdom/a.test.js': `test('a', () => require('../page.cjs')((name) => import(name), expect));`,
  'both/a.test.js': `
    test('page', () => require('../page.cjs')((name) => import(name), expect));
    test('server', () => require('../server.cjs')((name) => import(name), expect));`,
  'line/a.test.js': `${blockWith('@jest-environment')}
    test('a', () => require('../server.cjs')((name) => import(name), expect));`,
  'fails/a.test.js': `test('a', async () => expect((await import('portcullis')).createVerifier).toBe(1));`,
  'vitest/shown.test.mjs': blockWith("from 'vitest'"),
  'vitest/a.test.mjs': `
    import { expect, test } from 'vitest';
    import server from '../server.cjs';
    test('a', () => server((name) => import(name), expect));`,
};

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'portcullis-runners-')));
after(() => rmSync(folder, { recursive: true, force: true }));
for (const [name, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
const installed = join(folder, 'node_modules', 'portcullis');
mkdirSync(installed, { recursive: true });
const npm = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
const tarball = execFileSync('npm', npm, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n').at(-1);
execFileSync('tar', ['-xzf', join(folder, tarball), '-C', installed, '--strip-components=1']);
for (const name of ['jest-environment-jsdom', 'react', 'vue', 'svelte', 'vitest'])
  symlinkSync(join(MODULES, name), join(folder, 'node_modules', name));

/** Runs a program of Node's in the project: whether it ended well, and what it printed. */
function run(node, ...args) {
  const env = { ...process.env, CI: '1', NO_COLOR: '1', NODE_OPTIONS: '' };
  return new Promise((resolve) =>
    execFile(node, args, { cwd: folder, env, timeout: TIMEOUT_MS }, (error, out, err) =>
      resolve({ ok: error === null, text: out + err }),
    ),
  );
}
const jest = (node, flags, name, environment = 'node') =>
  run(
    node,
    ...flags,
    join(MODULES, 'jest', 'bin', 'jest.js'),
    '--rootDir',
    '.',
    '-c',
    'jest.config.json',
    '--env',
    environment,
    `/${name}/`,
  );

const node24 = runtimeBinary('node24');
const own = process.execPath;

for (const [what, node, name, environment] of [
  ['CommonJS with import()', own, 'commonjs'],
  ['CommonJS with require, on Node from 24.9 on', node24, 'required'],
  ['ES modules', own, 'modules'],
  ['ES modules on Node 24', node24, 'modules'],
  ['jsdom, for what belongs to a page', own, 'jsdom', 'jsdom'],
  ['the environment of the page', own, 'both', './jsdom-and-node.cjs'],
  ['a line that chooses the environment', own, 'line', 'jsdom'],
]) {
  test(`Jest: ${what}`, async () => {
    const { ok, text } = await jest(node, [FLAG], name, environment);
    assert.ok(ok && /Tests: +[12] passed/.test(text), text);
  });
}

test('Jest: without the flag and with a test that fails it is red', async () => {
  const without = await jest(own, [], 'commonjs');
  assert.match(without.text, /experimental-vm-modules/);
  const failing = await jest(own, [FLAG], 'fails');
  assert.ok(!without.ok && !failing.ok, failing.text);
});

for (const environment of ['node', 'jsdom']) {
  for (const pool of ['forks', 'threads', 'vmThreads']) {
    test(`Vitest: ${environment}, ${pool}`, async () => {
      const vitest = join(MODULES, 'vitest', 'vitest.mjs');
      const { ok, text } = await run(
        own,
        vitest,
        'run',
        '--dir',
        'vitest',
        '--environment',
        environment,
        '--pool',
        pool,
      );
      assert.ok(ok && /Tests +2 passed/.test(text), text);
    });
  }
}
