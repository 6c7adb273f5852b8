// What `npm test` does on a machine that lacks programs, without being such a machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PROGRAMS, programs } from '../../src/build/programs.mjs';

const list = () => ['17'];

/** A machine that has the programs of these Debian packages, and notes what happens to it. */
function machine({ packages = [], root = true, env = {} } = {}) {
  const events = [];
  const there = PROGRAMS.filter(({ debian }) => packages.includes(debian)).flatMap(({ paths }) =>
    paths(list),
  );
  return {
    events,
    list,
    has: (path) => there.includes(path),
    mayInstall: () => root,
    install: async (names) => events.push(`install ${names.join(' ')}`),
    say: (line) => events.push(line),
    env,
  };
}

const ALL_BUT_REDIS = PROGRAMS.map(({ debian }) => debian).filter((name) => name !== 'redis-server');

test('root is told what will be installed, and how to forbid it, before it is', async () => {
  const bare = machine();
  await programs(bare);
  const [told, forbid, done, ...rest] = bare.events;
  for (const { name, debian } of PROGRAMS) {
    assert.ok(told.includes(name) && told.includes(debian), `${told} says nothing of ${name}`);
    assert.ok(done.includes(debian));
  }
  assert.match(told, /apt-get install/);
  assert.match(forbid, /PORTCULLIS_NO_INSTALL=1/);
  assert.match(done, /^install /);
  assert.deepEqual(rest, []);
});

test('PORTCULLIS_NO_INSTALL=1 installs nothing, and one sentence names all that is missing', async () => {
  const bare = machine({ env: { PORTCULLIS_NO_INSTALL: '1' } });
  await assert.rejects(programs(bare), ({ message }) => {
    assert.match(message, /PORTCULLIS_NO_INSTALL=1/);
    for (const { name, debian } of PROGRAMS)
      assert.ok(message.includes(name) && message.includes(debian), name);
    return true;
  });
  assert.deepEqual(bare.events, []);
});

test('who may not install is told what is missing and what helps', async () => {
  const other = machine({ root: false, packages: ALL_BUT_REDIS });
  await assert.rejects(programs(other), { message: /^Redis missing: install Redis/ });
  assert.deepEqual(other.events, []);
});

test('only what is missing is installed', async () => {
  const some = machine({ packages: ALL_BUT_REDIS });
  await programs(some);
  assert.deepEqual(some.events.at(-1), 'install redis-server');
});

for (const env of [{}, { PORTCULLIS_NO_INSTALL: '1' }])
  test(`a machine that has everything is told nothing: ${JSON.stringify(env)}`, async () => {
    const whole = machine({ env });
    whole.has = () => true;
    await programs(whole);
    assert.deepEqual(whole.events, []);
  });
