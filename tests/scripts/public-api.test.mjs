import assert from 'node:assert/strict';
import { test } from 'node:test';

import { publicApi } from '../../src/build/public-api.mjs';

const PLAIN = { params: [], where_predicates: [] };
const item = (name, inner) => ({ name, inner, attrs: [], visibility: 'public' });
const resolved = (id, path) => ({ resolved_path: { id, path, args: null } });

/** A crate that exports `shown` and `open`; `open` returns what it is told to. */
const crate = (output) => ({
  root: 0,
  format_version: 57,
  index: {
    0: { id: 0, ...item('portcullis', { module: { items: [1, 2] } }) },
    1: { id: 1, ...item(null, { use: { name: 'Shown', source: 'hidden::Shown', id: 3 } }) },
    2: {
      id: 2,
      ...item('open', {
        function: { sig: { inputs: [['text', { primitive: 'str' }]], output }, generics: PLAIN, header: {} },
      }),
    },
    3: { id: 3, ...item('Shown', { struct: { kind: 'unit', generics: PLAIN, impls: [] } }) },
    4: { id: 4, ...item('Secret', { struct: { kind: 'unit', generics: PLAIN, impls: [] } }) },
  },
  paths: {
    3: { crate_id: 0, path: ['portcullis', 'hidden', 'Shown'] },
    4: { crate_id: 0, path: ['portcullis', 'hidden', 'Secret'] },
  },
});

test('an item has the path under which it is exported', () => {
  const { text, unnamed } = publicApi(crate(resolved(3, 'hidden::Shown')));
  assert.deepEqual(text.split('\n').slice(3, -1), ['pub struct Shown', 'pub fn open(text: str) -> Shown']);
  assert.deepEqual(unnamed, []);
});

test('a type that nobody can name is reported with the item that mentions it', () => {
  const { unnamed } = publicApi(crate(resolved(4, 'hidden::Secret')));
  assert.deepEqual(unnamed, ['open: portcullis::hidden::Secret']);
});

test('what the format says anew is a sentence, and no hole in the list', () => {
  assert.throws(() => publicApi(crate({ invented: true })), /invented.*written for format 57/);
});
