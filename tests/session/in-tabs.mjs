// Two real tabs of a real browser, for each of the three engines: answers are lost, a tab falls
// asleep with the lock in its hand, the device's clock is wrong, and neither is the session lost
// nor are two refreshes ever under way at once.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';

import { createIssuer, generateSigningKey } from 'portcullis/issuer';
import { memoryStore } from 'portcullis/stores';

import { seeded } from './authority.mjs';
import { engines } from './engines.mjs';
import { startHarness } from './tabs.mjs';

const ROUNDS = 200;
// What takes a day of a user is done in a minute here.
const SHORT = { attemptMs: 1000, holdMs: 5000, requestsAMinute: 6000 };
const ASLEEP_MS = 9500;
const HOUR = 3_600_000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The issuer of this package, with the windows it has by default. */
function realIssuer({ issuer, audience, clientId, now, onEvent }) {
  const client = { clientId, authentication: 'none', grants: ['refresh_token'], scope: 'notes' };
  return createIssuer({
    config: { issuer, audience, clients: [client] },
    signingKeys: [{ jwk: generateSigningKey('ES256').privateJwk() }],
    rootKeys: [{ secret: new Uint8Array(randomBytes(32)) }],
    store: memoryStore(),
    now,
    onEvent,
  });
}

/** Opens the tabs `a` and `b`, signs in in the first, and closes everything again. */
async function inTabs(engine, { query, ...options }, work) {
  const harness = await startHarness(options);
  let browser;
  try {
    browser = await engines[engine]();
    const [a, b] = [harness.tab('a'), harness.tab('b')];
    const tabs = [];
    for (const name of ['a', 'b']) tabs.push(await browser.open(harness.url(name, query)));
    await a('start');
    // The other tab has it without having done anything.
    for (let waits = 0; (await b('snapshot')).status !== 'signed-in' && waits < 100; waits++) await pause(20);
    for (const tab of [a, b]) assert.equal((await tab('call')).status, 200);
    await work({ ...harness, a, b, tabs, version: browser.version });
  } finally {
    await browser?.close();
    harness.stop();
  }
}

function isWhole({ rows, seen }) {
  assert.deepEqual(
    rows().map(({ revoked }) => revoked),
    [undefined],
  );
  assert.equal(seen.mostOpen, 1, 'two refreshes at once');
}

process.setMaxListeners(50);

/** Declares the tests for one engine. */
export function testInTabs(engine) {
  describe(engine, { concurrency: 3 }, () => {
    test(`${ROUNDS} rounds, lost answers, a tab asleep`, { timeout: 280_000 }, async () => {
      const draw = seeded(2026);
      const fate = () => {
        const drawn = draw();
        return drawn < 0.08 ? 'before' : drawn < 0.2 ? 'after' : drawn < 0.21 ? 'unavailable' : '';
      };
      let losing = true;
      // Not so many in a row that a tab gives up for a while.
      let row = 0;
      const lose = () => {
        const what = losing && row < 2 ? fate() : '';
        row = what === '' ? 0 : row + 1;
        return what;
      };
      await inTabs(engine, { query: SHORT, lose, issuer: realIssuer }, async (world) => {
        const { a, b, tabs, seen, expire, hold } = world;
        const isServed = async (...calls) => {
          const answers = await Promise.all(calls);
          for (const { status } of answers) assert.equal(status, 200);
        };
        for (let round = 0; round < ROUNDS; round++) {
          // What is minted before the tokens expire, and arrives after, would be refused twice.
          while (seen.open > 0) await pause(5);
          expire();
          const before = seen.rotations;
          if (round % 100 === 40) {
            // Tab b has asked, and nothing of it runs when the answer comes. It holds the lock
            // meanwhile.
            losing = false;
            const release = hold();
            let awake = false;
            const call = b('callAsleep', { ms: ASLEEP_MS }).finally(() => {
              awake = true;
            });
            for (let waits = 0; seen.open === 0 && waits < 500; waits++) await pause(10);
            await pause(200);
            release();
            await isServed(a('call'));
            expire();
            await isServed(a('call'));
            assert.equal(awake, false, 'tab a has waited until b woke up');
            await isServed(call);
            losing = true;
          } else if (round % 100 === 79) {
            // Tab b sleeps through two generations, with nothing to do.
            const { freeze, wake } = tabs[1];
            const slept = freeze ? freeze() : b('block', { ms: 1500 });
            await pause(100);
            await isServed(a('call'));
            expire();
            await isServed(a('call'));
            await (wake ? wake() : slept);
            expire();
            await isServed(b('call'), a('call'));
          } else await isServed(a('call'), b('call'));
          assert.ok(seen.rotations > before, `round ${round} rotated nothing`);
        }
        isWhole(world);
        // One a round, and one for each answer that was lost or slept through.
        assert.ok(seen.refreshes <= seen.rotations + seen.lost + 10, `${seen.refreshes} refreshes`);
        assert.ok(seen.lost > 20, `${seen.lost} answers were lost`);
        console.log(
          `${engine} ${world.version}: ${seen.refreshes} refreshes, ${seen.rotations} rotations, ${seen.lost} lost`,
        );
      });
    });

    for (const hours of [3, -3]) {
      test(`a device clock ${hours} h off, which then jumps back and forth`, {
        timeout: 120_000,
      }, async () => {
        const query = { ...SHORT, wrongBy: hours * HOUR };
        await inTabs(engine, { query, lifeSeconds: 6 }, async (world) => {
          const { a, b, seen } = world;
          const calls = async (ms) => {
            for (const end = Date.now() + ms; Date.now() < end; await pause(150)) {
              for (const { status } of await Promise.all([a('call'), b('call')])) assert.equal(status, 200);
            }
          };
          const knowsTheTime = async () => {
            for (const tab of [a, b]) {
              const { seconds, uncertaintySeconds } = await tab('clock');
              assert.ok(Math.abs(seconds - Date.now() / 1000) < uncertaintySeconds + 1, `${seconds}`);
              assert.ok(uncertaintySeconds < 2, `${uncertaintySeconds}`);
            }
          };
          await calls(7000);
          await knowsTheTime();
          const { device } = await a('clock');
          assert.ok(Math.abs(device - Date.now() / 1000 - hours * 3600) < 60, 'the clock was right');
          for (const jump of [-hours, 2 * hours]) {
            await a('jump', { ms: jump * HOUR });
            await b('jump', { ms: jump * HOUR });
            await calls(1000);
          }
          await knowsTheTime();
          // Refreshed before the API had to say so, and not all the time.
          assert.equal(seen.refused, 0);
          assert.ok(seen.refreshes >= 1 && seen.refreshes <= 8, `${seen.refreshes}`);
          isWhole(world);
        });
      });
    }

    const poor = {
      'without Web Locks and BroadcastChannel': { withoutLocks: 1, withoutChannel: 1, local: 1 },
      'without BroadcastChannel': { withoutChannel: 1, local: 1 },
      'without Web Locks': { withoutLocks: 1 },
    };
    for (const [name, lacks] of Object.entries(poor)) {
      test(`${name}, 25 rounds`, { timeout: 120_000 }, async () => {
        const draw = seeded(7);
        const lose = () => (draw() < 0.15 ? 'after' : '');
        await inTabs(engine, { query: { ...SHORT, ...lacks }, lose }, async (world) => {
          const { a, b, expire, seen } = world;
          for (let round = 0; round < 25; round++) {
            expire();
            for (const { status } of await Promise.all([a('call'), b('call')]))
              assert.equal(status, 200, `round ${round}`);
          }
          isWhole(world);
          assert.ok(seen.rotations >= 25);
          await a('signOut');
          for (let waits = 0; (await b('snapshot')).status !== 'signed-out' && waits < 100; waits++)
            await pause(20);
          assert.equal((await b('snapshot')).status, 'signed-out');
        });
      });
    }

    test('signing out is for all tabs, and for the server', { timeout: 60_000 }, async () => {
      await inTabs(engine, { query: SHORT }, async ({ a, b, rows, seen }) => {
        assert.equal((await b('snapshot')).claims.sub, 'ada');
        await a('signOut');
        for (let waits = 0; (await b('snapshot')).status !== 'signed-out' && waits < 100; waits++)
          await pause(20);
        const before = seen.refreshes;
        for (const tab of [a, b]) {
          assert.deepEqual(await tab('token'), { code: 'signed-out' });
          assert.equal((await tab('call')).status, 401);
          assert.equal((await tab('snapshot')).claims, undefined);
        }
        assert.equal(rows()[0].revoked, 'by the client');
        assert.equal(seen.refreshes, before);
      });
    });
  });
}
