// A path that a comment or a document names leads somewhere: files move, and what points to them
// has to move with them.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { ROOT } from '../../src/build/steps.mjs';

const PLACES = [
  'README.md',
  '.github',
  'src',
  'www',
  join('tests', 'README.md'),
  join('tests', 'vectors', 'README.md'),
];
const TEXT = /\.(?:md|rs|ts|mjs|js|yml|toml)$/;
const PATH = /(?<![\w/.-])(?:src|tests|www)\/[\w/.-]*\w/g;

const filesOf = (place) =>
  TEXT.test(place)
    ? [place]
    : readdirSync(join(ROOT, place), { recursive: true })
        .map((name) => join(place, String(name)))
        .filter((path) => TEXT.test(path));

/** The paths of a text that lead nowhere; a script may be named by what it is compiled to. */
const lost = (text) =>
  (text.match(PATH) ?? []).filter((path) =>
    [path, path.replace(/\.js$/, '.ts')].every((candidate) => !existsSync(join(ROOT, candidate))),
  );

test('every path that is named is there', () => {
  const files = PLACES.flatMap(filesOf);
  assert.ok(files.length > 300, `${files.length} files were read`);
  const found = files.flatMap((file) =>
    lost(readFileSync(join(ROOT, file), 'utf8')).map((path) => `${file} names ${path}`),
  );
  assert.deepEqual(found, []);
});

test('a path that leads nowhere is found', () => {
  assert.deepEqual(lost('see src/lib.rs, `src/gone.rs` and tests/rust.'), ['src/gone.rs']);
});
