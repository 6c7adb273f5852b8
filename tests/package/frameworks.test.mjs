// SECURITY.md promises for framework versions what tests hold: those that are installed, within
// the ranges of `peerDependencies`.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { ROOT } from '../../src/build/steps.mjs';
import { EXTRA } from '../support/binaries.mjs';

const read = (...path) => readFile(join(ROOT, ...path), 'utf8');
const json = async (...path) => JSON.parse(await read(...path));
const installed = async (name) => (await json('node_modules', ...name.split('/'), 'package.json')).version;

const ADAPTERS = {
  'portcullis/express': 'express',
  'portcullis/fastify': 'fastify',
  'portcullis/hono': 'hono',
  'portcullis/sveltekit': '@sveltejs/kit',
  'portcullis/next': 'next',
};

/** The version in which Next is installed for tests. */
async function nextVersion() {
  const { version } = JSON.parse(await readFile(join(EXTRA, 'node_modules', 'next', 'package.json'), 'utf8'));
  return version;
}

/** The row of SECURITY.md that begins with that adapter. */
async function rowOf(adapter) {
  const row = (await read('.github', 'SECURITY.md'))
    .split('\n')
    .find((line) => line.startsWith(`| ${adapter} |`));
  assert.ok(row, `SECURITY.md has no row for ${adapter}`);
  return row.split('|').map((cell) => cell.trim());
}

for (const [entry, framework] of Object.entries(ADAPTERS)) {
  test(`${entry} is tested with the version that SECURITY.md names, in the range that is supported`, async () => {
    const { peerDependencies, peerDependenciesMeta } = await json('package.json');
    const range = peerDependencies[framework];
    const version = framework === 'next' ? await nextVersion() : await installed(framework);
    const [, , supported, tested] = await rowOf(`\`${entry}\``);
    assert.ok(supported.endsWith(`\`${range}\``), `${supported} is not ${range}`);
    assert.equal(tested.split(',')[0], version);
    assert.deepEqual(peerDependenciesMeta[framework], { optional: true });
    const [major, minor] = range.replace('^', '').split('.').map(Number);
    const [own, ownMinor] = version.split('.').map(Number);
    assert.ok(own === major && ownMinor >= minor, `${version} is not in ${range}`);
  });
}

test('Hono’s server for Node, axum and the crate `worker` are the versions that SECURITY.md names', async () => {
  const [, , , hono] = await rowOf('`portcullis/hono`');
  assert.ok(hono.endsWith(`\`@hono/node-server\` ${await installed('@hono/node-server')}`), hono);
  const lock = await read('tests', 'tower', 'Cargo.lock');
  const [, axum] = /name = "axum"\nversion = "([^"]+)"/.exec(lock);
  const [, , , tower] = await rowOf('feature `tower`');
  assert.equal(tower, `axum ${axum}`);
  const [, worker] = /name = "worker"\nversion = "([^"]+)"/.exec(await read('tests', 'fetch', 'Cargo.lock'));
  const [, , , fetch] = await rowOf('feature `fetch`');
  assert.equal(fetch, `worker ${worker}`);
});
