// The adapter for Hono says under which other path a request is served without parsing a URL where
// it can see that there is none. What it sees has to be what the URL standard says.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { guard } from 'portcullis/hono';

const PASSED = { ok: true, via: 'public', headers: { set: {}, strip: [] }, apply: (request) => request };

/** What the adapter says of a request whose routes are compared with `path`. */
async function served(url, path) {
  let told;
  const gate = {
    requirement: (asked) => asked,
    async check(_, __, context) {
      told = context.served;
      return PASSED;
    },
  };
  await guard(gate)({ req: { raw: { url }, path }, env: {}, set() {}, header() {} }, async () => {});
  return told;
}

/** The same by the URL standard alone. */
function standard(url, path) {
  const own = new URL(url);
  const routed = new URL(own.origin + path).pathname;
  const [one, other] = [own.pathname, routed].map((each) => each.replace(/\/$/, ''));
  return one === other ? [] : [routed];
}

/** Numbers that look random and are the same in every run (mulberry32). */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ORIGINS = [
  'https://api.example',
  'http://a',
  'http://[::1]:8080',
  'http://localhost:3000',
  'https://A.b:80',
];
const PIECES = [
  '/',
  'a',
  'b',
  '.',
  '..',
  '%2e',
  '%61',
  '?',
  '#',
  '\\',
  'é',
  ' ',
  ':',
  '@',
  '~',
  'A',
  '|',
  '{',
  ';',
  '\t',
];

test('a path that is another to the URL standard is said to be one', async () => {
  for (const [url, path, expected] of [
    ['https://api.example/notes', '/notes', []],
    ['https://api.example/notes?a=/b', '/notes', []],
    ['https://api.example/notes/', '/notes', []],
    ['https://api.example/notes', '/admin', ['/admin']],
    ['https://api.example/notes', '/note', ['/note']],
    ['https://api.example/a/../b', '/a/../b', []],
    // The path is `/`: what looks like one stands in the query.
    ['https://api.example?/admin', '/admin', ['/admin']],
    ['https://api.example#/admin', '/admin', ['/admin']],
  ])
    assert.deepEqual(await served(url, path), expected, `${url} ${path}`);
  const next = random(1);
  const pick = (list) => list[Math.floor(next() * list.length)];
  const pathOf = () => `/${Array.from({ length: Math.floor(next() * 6) }, () => pick(PIECES)).join('')}`;
  let others = 0;
  for (let round = 0; round < 50_000; round++) {
    const path = pathOf();
    const origin = pick(ORIGINS);
    const url = pick([origin + path, new URL(origin + path).href, `${origin}?${path}`]);
    const routed = pick([path, path.split(/[?#]/)[0], pathOf(), path.slice(0, -1)]);
    const expected = standard(url, routed);
    assert.deepEqual(await served(url, routed), expected, JSON.stringify([url, routed]));
    others += expected.length;
  }
  assert.ok(others > 5000 && others < 45_000, `${others}`);
});
