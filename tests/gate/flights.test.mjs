// What requests share in place of promises.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BoundedTexts } from '../../dist/gate/introspection/bounded-texts.js';
import { Flights } from '../../dist/net/flights.js';
import { Misses } from '../../dist/net/remote-keys/unknown-kids.js';
import { clock } from '../support/origin.mjs';

test('a flight is under way until it is ended, or for its budget by the clock', () => {
  const time = clock();
  const flights = new Flights(time.read);
  const first = flights.begin('a', 2000);
  assert.equal(flights.underWay('a'), first);
  assert.equal(flights.underWay('b'), undefined);
  flights.end(first);
  assert.equal(flights.size, 0);
  const dead = flights.begin('a', 2000);
  time.pass(3);
  assert.equal(flights.underWay('a'), dead);
  time.pass(1);
  assert.equal(flights.size, 0);
  assert.equal(flights.underWay('a'), undefined);
  // One that was taken for dead and comes back ends nobody else's.
  const next = flights.begin('a', 2000);
  flights.end(dead);
  assert.equal(flights.underWay('a'), next);
});

test('who waits looks again at growing distances, and no longer than the budget', async () => {
  const naps = [];
  let flight;
  const flights = new Flights(clock().read, async (ms) => {
    naps.push(ms);
    if (naps.length === 6) flights.end(flight);
  });
  flight = flights.begin('a', 10_000);
  await flights.landed(flight);
  assert.deepEqual(naps, [4, 8, 16, 32, 64, 64]);
  naps.length = 0;
  await flights.landed(flights.begin('a', 100).key === 'a' && flights.begin('b', 100));
  assert.ok(naps.reduce((sum, ms) => sum + ms, 0) <= 200);
});

test('misses are bounded, the oldest first, and over after a minute or when the clock is set back', () => {
  const misses = new Misses();
  misses.add('k'.repeat(257), 0);
  assert.equal(misses.size, 0);
  for (let kid = 0; kid < 300; kid++) misses.add(`${kid}`, 100);
  assert.equal(misses.size, 256);
  assert.equal(misses.has('43', 100), false);
  assert.equal(misses.has('44', 100), true);
  assert.equal(misses.has('44', 159), true);
  assert.equal(misses.has('44', 160), false);
  assert.equal(misses.has('45', 99), false);
  misses.add('299', 150);
  assert.equal(misses.has('299', 209), true);
});

test('texts are bounded in entries and in characters, the first in first out, and never given out before or after their time', () => {
  const texts = new BoundedTexts(3, 10);
  const put = (key, text, from = 0, until = 100) => texts.set(key, { text, from, until });
  for (const key of ['a', 'b', 'c', 'd']) put(key, key);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => texts.get(key, 0)),
    [undefined, 'b', 'c', 'd'],
  );
  put('e', '12345678');
  assert.deepEqual(
    ['b', 'c', 'd', 'e'].map((key) => texts.get(key, 0)),
    [undefined, 'c', 'd', '12345678'],
  );
  put('f', '12345678901');
  assert.equal(texts.get('f', 0), undefined);
  assert.equal(texts.size, 3);
  put('e', '1');
  assert.equal(texts.get('e', 99), '1');
  assert.equal(texts.get('e', 100), undefined);
  put('g', 'g', 50);
  assert.equal(texts.get('g', 49), undefined);
  put('h', 'h', 50, 50);
  assert.equal(texts.get('h', 50), undefined);
  for (let turn = 0; turn < 100; turn++) put('same', '1234567890');
  assert.equal(texts.get('same', 0), '1234567890');
});
