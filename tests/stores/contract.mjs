// What every store must do, whatever its engine: cases over a `place` that an engine has made. It
// runs in Node, Deno and Bun alike.
//
// A place: `connect()` → { store, close() }, a connection of its own each time; `stop()`. Where
// the engine can: `crash()`, which kills it in the middle and starts it again; `down(work)`, which
// is awaited while it is down; `size()` → { rows, bytes }; `withSchema(version)` → `connect` of a
// new place that has this schema, and from 1 on one entry, `old`; `rotate(key, times)`, swaps run
// beside the engine.
import assert from 'node:assert/strict';

const NOW = 1_800_000_000;
const LATER = NOW + 1_000_000;
let turn = 0;
const newKey = () => `s/${turn++}`;

const connected = (work) => async (place) => {
  const connections = [await place.connect(), await place.connect()];
  await work(...connections.map(({ store }) => store), place);
};

const many = (count, work) => Promise.all(Array.from({ length: count }, (_, index) => work(index)));
const winners = (answers) => answers.filter((answer) => answer === true).length;

const CASES = [
  [
    'a key is written once from version 0, and read over another connection',
    connected(async (one, two) => {
      const key = newKey();
      assert.equal(await one.read(key), null);
      assert.equal(await one.swap(key, 0, 'first', LATER), true);
      assert.deepEqual(await two.read(key), { version: 1, value: 'first' });
      assert.equal(await two.swap(key, 0, 'second', LATER), false);
      assert.deepEqual(await one.read(key), { version: 1, value: 'first' });
    }),
  ],
  [
    'a swap holds for the version that is there, and for no other',
    connected(async (one, two) => {
      const key = newKey();
      assert.equal(await one.swap(key, 1, 'nothing to replace', LATER), false);
      assert.equal(await one.read(key), null);
      await one.swap(key, 0, 'a', LATER);
      assert.equal(await two.swap(key, 1, 'b', LATER), true);
      for (const other of [0, 1, 3, 20, 22, Number.MAX_SAFE_INTEGER - 1])
        assert.equal(await one.swap(key, other, 'c', LATER), false, String(other));
      assert.deepEqual(await one.read(key), { version: 2, value: 'b' });
      assert.equal(await one.swap(key, 2, 'b', LATER), true, 'a value may be written for itself');
      assert.deepEqual(await two.read(key), { version: 3, value: 'b' });
    }),
  ],
  [
    'of 40 that insert at once over two connections one wins, and its value is there',
    connected(async (one, two) => {
      const key = newKey();
      const answers = await many(40, (n) => (n % 2 ? one : two).swap(key, 0, `by ${n}`, LATER));
      assert.equal(winners(answers), 1);
      assert.deepEqual(await one.read(key), { version: 1, value: `by ${answers.indexOf(true)}` });
    }),
  ],
  [
    'of 40 that swap at once over two connections one wins, in each of ten rounds',
    connected(async (one, two) => {
      const key = newKey();
      await one.swap(key, 0, '', LATER);
      for (let version = 1; version <= 10; version++) {
        const answers = await many(40, (n) => (n % 2 ? one : two).swap(key, version, `by ${n}`, LATER));
        assert.equal(winners(answers), 1);
        assert.deepEqual(await two.read(key), {
          version: version + 1,
          value: `by ${answers.indexOf(true)}`,
        });
      }
    }),
  ],
  [
    'eight that count by read and swap lose no count',
    connected(async (one, two) => {
      const key = newKey();
      await one.swap(key, 0, '0', LATER);
      await many(8, (n) => countTo(n % 2 ? one : two, key, 10));
      assert.deepEqual(await one.read(key), { version: 81, value: '80' });
    }),
  ],
  [
    'keys and values are texts that come back as they were',
    connected(async (one, two) => {
      const odd = ['', "'", '"', '\\', '$1', '?1', '%', 'ü', '–', '🔑', ' ', '\n', '{}', '\u0001', 'A', 'a'];
      const key = newKey();
      for (const text of odd) assert.equal(await one.swap(key + text, 0, text, LATER), true, text);
      for (const text of odd) assert.deepEqual(await two.read(key + text), { version: 1, value: text });
      const long = JSON.stringify({ long: 'x'.repeat(20_000) });
      assert.equal(await one.swap(`${key}long`, 0, long, LATER), true);
      assert.deepEqual(await two.read(`${key}long`), { version: 1, value: long });
      assert.equal(await one.swap(`${key}long`, 1, '', LATER), true);
      assert.deepEqual(await two.read(`${key}long`), { version: 2, value: '' });
    }),
  ],
  [
    'several keys are read at once, in their order, with those that are not there and those that stand twice',
    connected(async (one, two) => {
      if (!one.readMany) return 'the store has no readMany';
      const key = newKey();
      const odd = ['', "'", '"', '\\', '{', '}', ',', 'NULL', 'null', ' ', '$1', 'ü', '🔑', '\n'];
      const names = odd.map((text) => key + text);
      for (const [n, name] of names.entries()) if (n % 3) await one.swap(name, 0, `value ${n}`, LATER);
      await two.swap(names[1], 1, 'swapped', LATER);
      const expected = names.map((_, n) =>
        n % 3 === 0 ? null : n === 1 ? { version: 2, value: 'swapped' } : { version: 1, value: `value ${n}` },
      );
      assert.deepEqual(await one.readMany(names), expected);
      const turned = [...names].reverse();
      assert.deepEqual(await two.readMany([...turned, names[1]]), [
        ...expected.reverse(),
        { version: 2, value: 'swapped' },
      ]);
      assert.deepEqual(await one.readMany([names[0]]), [null]);
      const many = [...Array(64).keys()].map((n) => `${key}/${n}`);
      const long = 'x'.repeat(60_000);
      for (const name of many.slice(0, 20)) await one.swap(name, 0, long, LATER);
      const found = await two.readMany(many);
      assert.equal(found.length, 64);
      assert.deepEqual(
        found.slice(0, 20).map((entry) => entry?.value === long),
        Array(20).fill(true),
      );
      assert.deepEqual(found.slice(20), Array(44).fill(null));
    }),
  ],
  [
    'a sweep removes what has ended, to the second, and no more than it may',
    connected(async (one, two) => {
      const key = newKey();
      const names = [...Array(7).keys()].map((n) => `${key}/${n}`);
      for (const [n, name] of names.entries()) await one.swap(name, 0, `${n}`, NOW + n);
      const left = async () => {
        const found = await many(7, (n) => two.read(names[n]));
        return found.flatMap((entry, n) => (entry === null ? [] : [n]));
      };
      assert.equal(await one.sweep(NOW - 1, 100), 0);
      assert.deepEqual(await left(), [0, 1, 2, 3, 4, 5, 6]);
      assert.equal(await one.sweep(NOW + 4, 2), 2);
      assert.equal((await left()).filter((n) => n > 4).length, 2);
      assert.equal((await left()).length, 5);
      assert.equal(await two.sweep(NOW + 4, 100), 3);
      assert.deepEqual(await left(), [5, 6]);
      assert.equal(await one.sweep(NOW + 4, 100), 0);
      assert.equal(await one.swap(names[0], 1, 'it is gone', LATER), false);
      assert.equal(await one.swap(names[0], 0, 'a new one', LATER), true);
      assert.equal(await one.sweep(NOW + 6, 100), 2);
      assert.deepEqual(await two.read(names[0]), { version: 1, value: 'a new one' });
    }),
  ],
  [
    'what a swap has moved ends at its new end, and only there',
    connected(async (one, two) => {
      const [longer, shorter] = [newKey(), newKey()];
      await one.swap(longer, 0, '', NOW);
      await one.swap(shorter, 0, '', LATER);
      await two.swap(longer, 1, '', LATER);
      await two.swap(shorter, 1, '', NOW);
      assert.equal(await one.sweep(NOW, 100), 1);
      assert.equal(await one.read(shorter), null);
      assert.equal((await one.read(longer)).version, 2);
      assert.equal(await one.sweep(LATER - 1, 100), 0);
    }),
  ],
  [
    'sweeps that overlap remove each entry once',
    connected(async (one, two) => {
      const key = newKey();
      await many(60, (n) => one.swap(`${key}/${n}`, 0, '', NOW));
      let swept = 0;
      for (let round = 0; round < 60 && swept < 60; round++) {
        const counts = await many(4, (n) => (n % 2 ? one : two).sweep(NOW, 10));
        for (const count of counts) assert.ok(count <= 10);
        swept += counts.reduce((sum, count) => sum + count);
      }
      assert.equal(swept, 60);
      assert.equal(await one.sweep(NOW, 100), 0);
    }),
  ],
  [
    'an entry that is swapped while it is swept is swept or swapped, and never half of each',
    connected(async (one, two) => {
      for (let round = 0; round < 20; round++) {
        const key = newKey();
        await one.swap(key, 0, 'before', NOW);
        const [swapped, swept] = await Promise.all([one.swap(key, 1, 'after', LATER), two.sweep(NOW, 100)]);
        assert.equal(Number(swapped) + swept, 1, `swapped ${swapped}, swept ${swept}`);
        assert.deepEqual(await one.read(key), swapped ? { version: 2, value: 'after' } : null);
        assert.equal(await one.sweep(NOW, 100), 0);
      }
    }),
  ],
  [
    'of two that make the schema at once each works',
    async (place) => {
      if (!place.withSchema) return 'the engine keeps none';
      const connect = await place.withSchema(0);
      const connections = await many(4, connect);
      const answers = await many(8, (n) => connections[n % 4].store.swap('a', 0, `${n}`, LATER));
      assert.equal(winners(answers), 1);
      assert.equal((await connections[3].store.read('a')).version, 1);
    },
  ],
  [
    'an old schema is brought up to date, with what it holds',
    async (place) => {
      const connect = await place.withSchema?.(1);
      if (connect === undefined) return 'there was no schema before this one';
      const connections = await many(2, connect);
      const [one, two] = connections.map(({ store }) => store);
      const found = await many(2, (n) => [one, two][n].read('old'));
      for (const entry of found) assert.deepEqual(entry, { version: 7, value: 'kept' });
      assert.equal(await one.swap('old', 7, 'swapped', NOW), true);
      assert.equal(await two.sweep(NOW, 10), 1);
      assert.equal(await one.read('old'), null);
    },
  ],
  [
    'a newer schema is refused, and nothing is written under it',
    async (place) => {
      if (!place.withSchema) return 'the engine keeps none';
      const connect = await place.withSchema(99);
      const { store } = await connect();
      for (let attempt = 0; attempt < 2; attempt++) {
        await assert.rejects(store.read('old'), /schema 99; this version knows/);
        await assert.rejects(store.swap('new', 0, 'a', LATER), /schema 99/);
        await assert.rejects(store.sweep(LATER, 10), /schema 99/);
      }
    },
  ],
  [
    'rows and bytes of a session stay what they are over 10,000 rotations',
    async (place) => {
      if (!place.size) return 'there is nothing to measure';
      const { store } = await place.connect();
      const key = newKey();
      await rotate(store, key, 100);
      const before = await place.size();
      const times = place.rotations ?? 10_000;
      if (place.rotate) await place.rotate(key, times);
      else await rotate(store, key, times);
      const after = await place.size();
      assert.equal((await store.read(key)).version, times + 100);
      assert.equal(after.rows, before.rows);
      assert.ok(after.bytes <= before.bytes + place.slack, `${before.bytes} bytes became ${after.bytes}`);
      return `${after.rows} rows, ${before.bytes} bytes before, ${after.bytes} after`;
    },
  ],
  [
    'while the engine is down nothing is answered',
    async (place) => {
      if (!place.down) return 'it is never down alone';
      const key = newKey();
      const { store, close } = await place.connect();
      await store.swap(key, 0, 'a', LATER);
      await place.down(async () => {
        await assert.rejects(store.read(key));
        if (store.readMany) await assert.rejects(store.readMany([key, key]));
        await assert.rejects(store.swap(key, 1, 'b', LATER));
        await assert.rejects(store.swap(key, 0, 'b', LATER));
        await assert.rejects(store.sweep(LATER, 10));
      });
      await close();
      const again = await place.connect();
      assert.deepEqual(await again.store.read(key), { version: 1, value: 'a' });
    },
  ],
  [
    'what was written is there after a crash',
    async (place) => {
      if (!place.crash) return 'it lives in this process';
      const key = newKey();
      const before = await place.connect();
      await many(20, (n) => before.store.swap(`${key}/${n}`, 0, `${n}`, LATER));
      for (let version = 1; version <= 20; version++)
        assert.equal(await before.store.swap(`${key}/0`, version, `rotation ${version}`, LATER), true);
      await place.crash(before);
      const { store } = await place.connect();
      assert.deepEqual(await store.read(`${key}/0`), { version: 21, value: 'rotation 20' });
      const found = await many(19, (n) => store.read(`${key}/${n + 1}`));
      assert.deepEqual(
        found.map((entry) => entry.value),
        [...Array(19).keys()].map((n) => `${n + 1}`),
      );
      assert.equal(await store.swap(`${key}/0`, 20, 'from before', LATER), false);
    },
  ],
];

export const cases = CASES.map(([name, run]) => ({ name, run: (place) => closing(place, run) }));

/**
 * Runs a case, and closes every connection that it has opened and left open, also when it fails.
 */
async function closing(place, run) {
  const open = new Set();
  const kept = (connect) => async () => {
    const connection = await connect();
    open.add(connection);
    const close = async () => {
      if (open.delete(connection)) await connection.close();
    };
    return { ...connection, close };
  };
  try {
    return await run({
      ...place,
      connect: kept(place.connect),
      ...(place.withSchema && {
        async withSchema(version) {
          const connect = await place.withSchema(version);
          return connect && kept(connect);
        },
      }),
    });
  } finally {
    for (const connection of open) await connection.close();
  }
}

/** Adds so many, one at a time, by read and swap. */
export async function countTo(store, key, times) {
  for (let done = 0, tries = 0; done < times; tries++) {
    assert.ok(tries < 100_000, 'it makes no progress');
    const { version, value } = await store.read(key);
    if (await store.swap(key, version, `${Number(value) + 1}`, LATER)) done += 1;
  }
}

/** So many rotations of a session, whose end moves with each, from wherever it is. */
export async function rotate(store, key, times) {
  let version = (await store.read(key))?.version ?? 0;
  for (const last = version + times; version < last; version++) {
    const row = JSON.stringify({ salt: 'x'.repeat(43), generation: 1_000_000 + version });
    assert.equal(await store.swap(key, version, row, LATER + version), true);
  }
}
