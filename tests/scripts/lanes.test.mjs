// The scheduler of `npm test`: what may run beside what, and what becomes of the rest when a stage
// fails.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { runInLanes } from '../../src/build/lanes.mjs';
import { stages as allStages } from '../../src/build/stages.mjs';

/**
 * Runs them; each takes a turn of the event loop for every unit of `takes`. The beginnings and
 * ends come back in their order.
 */
async function played(stages) {
  const events = [];
  const perform = async ({ name, takes = 1, fails }) => {
    events.push(`+${name}`);
    for (let turn = 0; turn < takes; turn++) await new Promise(setImmediate);
    events.push(`-${name}`);
    if (fails === 'thrown') throw new Error(name);
    if (fails) return new Error(name);
  };
  const results = await runInLanes(stages, perform);
  return { events, results };
}

const stage = (name, lane, more = {}) => ({ name, lane, ...more });

test('a lane runs its stages one after the other, and lanes run side by side', async () => {
  const { events } = await played([stage('a', 'x', { takes: 3 }), stage('b', 'x'), stage('c', 'y')]);
  assert.deepEqual(events, ['+a', '+c', '-c', '-a', '+b', '-b']);
});

test('a stage waits for those it stands on, in whatever lane they are, and others of its lane go first', async () => {
  const { events } = await played([
    stage('late', 'x', { after: ['base'] }),
    stage('early', 'x'),
    stage('base', 'y', { takes: 5 }),
  ]);
  assert.deepEqual(events, ['+early', '+base', '-early', '-base', '+late', '-late']);
});

for (const fails of ['returned', 'thrown'])
  test(`what stands on a stage that failed is not reached, and nothing else is lost: ${fails}`, async () => {
    const { results } = await played([
      stage('base', 'x', { fails }),
      stage('above', 'x', { after: ['base'] }),
      stage('far above', 'y', { after: ['above'] }),
      stage('beside', 'y'),
    ]);
    assert.deepEqual([...results.keys()].sort(), ['base', 'beside']);
    assert.equal(results.get('base').error.message, 'base');
    assert.equal(results.get('beside').error, undefined);
  });

test('a stage whose foundation was not chosen runs all the same', async () => {
  const { results } = await played([stage('above', 'x', { after: ['base'] })]);
  assert.ok(results.has('above'));
});

test('no quiet stage runs beside two busy lanes, and each of them is run in the end', async () => {
  const list = [
    ...['c1', 'c2', 'c3'].map((name) => stage(name, 'compute', { busy: true, takes: 4 })),
    ...['q1', 'q2', 'q3', 'q4'].map((name) => stage(name, 'browsers', { quiet: true, takes: 2 })),
    ...['f1', 'f2'].map((name) => stage(name, 'fuzz', { busy: true, takes: 3 })),
    stage('s1', 'servers', { takes: 9 }),
  ];
  const { events, results } = await played(list);
  assert.equal(results.size, list.length);
  const running = new Set();
  let most = 0;
  for (const event of events) {
    if (event.startsWith('+')) running.add(event.slice(1));
    else running.delete(event.slice(1));
    const of = (kind) => list.filter(({ name, [kind]: is }) => is && running.has(name)).length;
    if (of('quiet') > 0) assert.ok(of('busy') <= 1, [...running].join(' '));
    most = Math.max(most, of('busy'));
  }
  assert.equal(most, 2, 'busy lanes run side by side where nothing quiet does');
});

test('a quiet stage that becomes ready beside two busy lanes waits for one of them', async () => {
  const { events } = await played([
    stage('compute', 'compute', { busy: true, takes: 9 }),
    stage('fuzz', 'fuzz', { busy: true, takes: 6 }),
    stage('base', 'setup', { takes: 2 }),
    stage('page', 'browsers', { quiet: true, after: ['base'] }),
  ]);
  assert.deepEqual(events.slice(3), ['-base', '-fuzz', '+page', '-page', '-compute']);
});

test('the stages are well formed: names are unique, and what a stage stands on is there and before it', () => {
  const names = allStages().map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, after } of allStages())
    for (const other of after)
      assert.ok(
        names.includes(other) && names.indexOf(other) < names.indexOf(name),
        `${name} after ${other}`,
      );
});
