// What stands in .github is anybody's: it names no secret, no owner and no registry, and runs
// nobody's code of tomorrow.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { ROOT } from '../../src/build/steps.mjs';

const FOLDER = join(ROOT, '.github');

const files = readdirSync(FOLDER, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.yml'))
  .map((name) => ({ name, text: readFileSync(join(FOLDER, name), 'utf8') }));

/** What is wrong with the text of a file. */
function faults(text) {
  const found = [];
  for (const line of text.split('\n')) {
    const [, used] = /^\s*(?:- )?uses: (\S+)/.exec(line) ?? [];
    if (used && !used.startsWith('./') && !/@[0-9a-f]{40}$/.test(used)) found.push(`not pinned: ${used}`);
    if (/\bsecrets\b/.test(line)) found.push(`names a secret: ${line}`);
    if (/registry\.|crates\.io\/|npmjs/.test(line)) found.push(`names a registry: ${line}`);
    if (/github\.com\//.test(line)) found.push(`names an owner: ${line}`);
    if (/\$\{\{[^}]*\}\}/.test(line) && /\brun:/.test(line)) found.push(`expands into a script: ${line}`);
  }
  return found;
}

test('no file names a secret, an owner or a registry, and every action is pinned', () => {
  assert.ok(files.length >= 5, `${files.length} files were found`);
  for (const { name, text } of files) assert.deepEqual(faults(text), [], name);
});

const expanded = (what) => `$\{{ ${what} }}`;

test('each of these is found', () => {
  for (const line of [
    '      - uses: actions/checkout@v7',
    '    uses: someone/else/.github/workflows/x.yml@main',
    `          TOKEN: ${expanded('secrets.NPM_TOKEN')}`,
    '          registry-url: https://registry.example',
    '      url: https://github.com/owner/portcullis/security',
    `      - run: echo ${expanded('github.head_ref')}`,
  ])
    assert.equal(faults(line).length, 1, line);
});

test('every workflow begins with no permission, and only a release may write', () => {
  const workflows = files.filter(({ name }) => name.startsWith('workflows'));
  assert.deepEqual(workflows.map(({ name }) => name).sort(), [
    join('workflows', 'ci.yml'),
    join('workflows', 'release.yml'),
  ]);
  for (const { name, text } of workflows) {
    assert.match(text, /^permissions: \{\}$/m, name);
    if (!name.endsWith('release.yml')) assert.doesNotMatch(text, /: write\b/, name);
  }
});
