// Comments end before column 100 (the house style). What a line cannot break, as an address or a
// piece of code, may pass it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { ROOT } from '../../src/build/steps.mjs';

const COLUMNS = 100;

/** Files at their limit of lines, in which longer comments stay until a part of them moves out. */
const CROWDED = [
  'src/driver/key_refresh.rs',
  'src/engine/ed25519/field.rs',
  'src/issuer/sessions/operation.rs',
  'src/js/gate/gate.ts',
  'src/js/gate/types.ts',
  'src/js/session/create-session.ts',
  'src/js/verifier/policy.ts',
  'src/rejection.rs',
];

/** The lines of prose in comments that are too long and could be broken. Examples are code. */
function tooLong(text) {
  let isCode = false;
  return text.split('\n').filter((line) => {
    const [, prose] = /^\s*(?:\/\/[/!]?|\/\*\*?| \*) (.*)$/.exec(line) ?? [];
    if (prose === undefined) return false;
    if (prose.startsWith('```')) isCode = !isCode;
    // Indented text and tables stand as they are, and so does what tools read.
    if (isCode || /^(?:\s{2}|\|)|biome-ignore|@ts-/.test(prose)) return false;
    const words = prose.replace(/`[^`]*`/g, '`').trim();
    return line.length > COLUMNS && words.lastIndexOf(' ', COLUMNS) > 0;
  });
}

test('comments end before column 100', () => {
  const patterns = [
    'src/*.rs',
    'src/*.ts',
    'src/*.mjs',
    'www/*.js',
    'www/*.mjs',
    'tests/*.rs',
    'tests/*.mjs',
    'tests/*.ts',
  ];
  const names = execFileSync('git', ['ls-files', ...patterns], { cwd: ROOT, encoding: 'utf8' }).split('\n');
  const files = names.filter((name) => name !== '' && existsSync(join(ROOT, name)));
  assert.ok(files.length > 400, `${files.length} files`);
  const found = files.flatMap((name) => {
    const lines = tooLong(readFileSync(join(ROOT, name), 'utf8'));
    return lines.length > 0 ? [[name, lines[0].trim()]] : [];
  });
  assert.deepEqual(
    found.filter(([name]) => !CROWDED.includes(name)),
    [],
  );
  const clean = CROWDED.filter((name) => !found.some(([own]) => own === name));
  assert.deepEqual(clean, [], 'these may leave the list');
});

test('a comment that is too long is seen', () => {
  const words = 'word '.repeat(25).trim();
  for (const line of [`// ${words}`, `  /// ${words}`, ` * ${words}`, `/** ${words} */`])
    assert.equal(tooLong(line).length, 1, line);
  assert.deepEqual(tooLong(`// https://example.com/${'a'.repeat(100)}\nlet a = 1; // ${words}`), []);
});
