// Readers of what others wrote, given anything at all: they answer, within bounds, and throw
// nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { freshUntil, planOf } from '../../dist/net/remote-keys/freshness.js';
import { fromStore, toStore } from '../../dist/net/remote-keys/stored-document.js';
import { readMetadata } from './metadata.mjs';
import { rule } from './rule.mjs';

const ISSUER = 'https://issuer.example';
const NOW = 1_800_000_000;
const LIMITS = { minTtlSeconds: 60, maxTtlSeconds: 86_400, staleSeconds: 3600, maxBytes: 1000 };
const ROUNDS = 20_000;

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

/** Cuts, doubles, swaps and sprinkles. */
function mutate(text, next) {
  const at = () => Math.floor(next() * (text.length + 1));
  const [from, to] = [at(), at()].sort((a, b) => a - b);
  const sprinkle = [
    '"',
    '{',
    '}',
    ',',
    ':',
    '\\',
    '\0',
    '9',
    '-',
    'e',
    '\ud800',
    '[',
    ']',
    'null',
    '__proto__',
  ];
  const choice = sprinkle[Math.floor(next() * sprinkle.length)];
  return [
    text.slice(0, from) + text.slice(to),
    text.slice(0, to) + text.slice(from),
    text.slice(0, from) + choice + text.slice(from),
    text.slice(from),
  ][Math.floor(next() * 4)];
}

test('what a store holds is a document within bounds, or nothing', () => {
  const next = random(1);
  const [good] = toStore(
    ISSUER,
    { text: '{"keys":[]}', fetchedAt: NOW - 100, ttlSeconds: 600 },
    LIMITS,
    rule,
  );
  assert.ok(fromStore(good, ISSUER, NOW, LIMITS, rule));
  let text = good;
  let taken = 0;
  for (let round = 0; round < ROUNDS; round++) {
    text = round % 8 === 0 ? good : mutate(text, next);
    const document = fromStore(text, ISSUER, NOW, LIMITS, rule);
    if (document === undefined) continue;
    taken += 1;
    assert.ok(document.text.length <= 1000);
    assert.ok(document.fetchedAt <= NOW + 5);
    const { freshUntil: end, staleUntil } = planOf(rule, LIMITS, { held: { ...document, spread: 0 } }, NOW);
    const ttl = end - document.fetchedAt;
    assert.ok(staleUntil > NOW && ttl >= 60 && ttl <= 86_400);
  }
  assert.ok(taken > 0 && taken < ROUNDS);
});

test('metadata lead to a protected URL of the issuer that was asked, or nowhere', () => {
  const next = random(2);
  const good = JSON.stringify({
    issuer: ISSUER,
    jwks_uri: 'https://issuer.example/keys',
    other: [1, { a: 'b' }],
  });
  let text = good;
  let believed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    text = round % 8 === 0 ? good : mutate(text, next);
    const metadata = readMetadata(text, ISSUER);
    if (typeof metadata === 'string') continue;
    believed += 1;
    const { protocol, username } = new URL(metadata.jwksUri);
    assert.deepEqual([protocol, username], ['https:', '']);
    assert.equal(JSON.parse(text).issuer, ISSUER);
  }
  assert.ok(believed > 0 && believed < ROUNDS);
});

test('a life is within the bounds of the policy, whatever the headers say', () => {
  const next = random(3);
  const good = 'public, max-age=3600, s-maxage="120", stale-while-revalidate=60, no-transform';
  let text = good;
  for (let round = 0; round < ROUNDS; round++) {
    text = round % 8 === 0 ? good : mutate(text, next);
    // What no header can hold never gets here.
    const value = text.replace(/[^\x20-\x7e]/g, '');
    const headers = new Headers({ 'cache-control': value, age: value.slice(-4) });
    const seconds = freshUntil(rule, LIMITS, 1000, headers) - 1000;
    assert.ok(Number.isInteger(seconds) && seconds >= 60 && seconds <= 86_400, `${value}: ${seconds}`);
  }
});
