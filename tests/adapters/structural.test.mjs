// The adapters know frameworks by their shape alone: neither their code nor their types import
// anything of one.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { ROOT } from '../../src/build/steps.mjs';

const FOLDER = join(ROOT, 'dist', 'adapters');
const NAMES = ['express', 'fastify', 'hono', 'next', 'sveltekit'];

const imports = async (name) => {
  // Examples in comments are written for a program that has the framework.
  const text = (await readFile(join(FOLDER, name), 'utf8')).replace(/\/\*\*[\s\S]*?\*\//g, '');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(([, from]) => from);
};

/** What adapters have in common, or what is one adapter’s and too long for it. */
const SHARED = ['node', 'target', 'sveltekit-paths'];

test('the code imports nothing but what Node’s adapters share', async () => {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.js'));
  assert.deepEqual(files.toSorted(), [...NAMES, ...SHARED].map((name) => `${name}.js`).toSorted());
  for (const name of files) {
    for (const from of await imports(name)) {
      assert.ok(
        SHARED.some((shared) => from === `./${shared}.js`),
        `${name} imports ${from}`,
      );
    }
  }
});

test('the types import nothing but the gate’s', async () => {
  for (const name of [...NAMES, ...SHARED]) {
    for (const from of await imports(`${name}.d.ts`)) {
      // By a type of Hono's its handlers know of the claims; a program without Hono does not look
      // at it.
      if (name === 'hono' && from === 'hono') continue;
      const allowed = ['../gate/index.js', '../shared/web.js', ...SHARED.map((shared) => `./${shared}.js`)];
      assert.ok(allowed.includes(from), `${name}.d.ts imports ${from}`);
    }
  }
});

test('each has an entry of the package, which offers `guard`', async () => {
  const more = { next: ['rscRedirect'] };
  for (const name of NAMES) {
    const offered = Object.keys(await import(`portcullis/${name}`));
    assert.deepEqual(offered, ['guard', ...(more[name] ?? [])], name);
  }
});
