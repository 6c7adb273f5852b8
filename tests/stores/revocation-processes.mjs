// Revocations by several processes on one store, of which one is killed now and then: what was
// answered is in the feed, and what was not can be sent again. The same file is the process.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

import { clockOf, feedOf, issuerFor, percentile, start } from './revocation-rounds.mjs';

const FILE = fileURLToPath(import.meta.url);
/**
 * How old an intent is when another process carries it out, and the time until a process looks for
 * one.
 */
const LOST_SECONDS = 16;
/** As many sweeps as finish whatever the killed processes can have left. */
const MOST_SWEEPS = 40;

export async function processes(shared, store, parts, { perSecond, seconds, processes, killSeconds }) {
  const [started, answered, times] = [new Map(), new Set(), []];
  let [refused, killed] = [0, 0];
  const spawn = () => {
    const child = fork(FILE, ['--as-process'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.on('message', (message) => {
      if (message.started) started.set(message.started, message);
      if (message.answered) {
        answered.add(message.answered);
        times.push(message.ms);
      }
      if (message.refused) refused += 1;
    });
    child.gone = new Promise((resolve) => child.once('exit', resolve));
    child.send({ shared, parts, perSecond: perSecond / processes });
    return child;
  };
  const children = Array.from({ length: processes }, spawn);
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    await new Promise((resolve) =>
      setTimeout(resolve, Math.min(killSeconds * 1000, end - performance.now())),
    );
    if (performance.now() >= end) break;
    const victim = children.shift();
    victim.kill('SIGKILL');
    await victim.gone;
    killed += 1;
    children.push(spawn());
  }
  for (const child of children) child.send('stop');
  await Promise.all(children.map(({ gone }) => gone));
  // Another process, later: what the killed ones have decided is finished without anybody's asking.
  // Each sweep carries out a bounded number.
  const clock = clockOf();
  const finisher = issuerFor(parts, store, { now: () => clock.now() + LOST_SECONDS });
  const left = await intents(store);
  for (let round = 0; round < MOST_SWEEPS && (await intents(store)) > 0; round += 1) await finisher.sweep();
  assert.equal(await intents(store), 0, `of ${left} intents all are carried out`);
  const later = issuerFor(parts, store, clock);
  const feed = await feedOf(later, parts, clock);
  for (const sid of answered) {
    const { access, refresh } = started.get(sid);
    assert.ok(feed.isRefused(access), `${sid} was answered and is not in the feed`);
    assert.equal(await later.refreshed(refresh), 400);
  }
  const open = [...started.keys()].filter((sid) => !answered.has(sid));
  let half = 0;
  for (const sid of open) {
    const { access, refresh } = started.get(sid);
    const dead = (await later.refreshed(refresh)) === 400;
    assert.equal(feed.isRefused(access), dead, `${sid}: dead and in the feed, or neither`);
    if (!dead) half += 1;
    await later.endSession(sid);
    assert.equal(await later.refreshed(refresh), 400);
  }
  const rate = (answered.size / seconds) * 60;
  return `${answered.size} answered in ${seconds} s (${rate.toFixed(0)} a minute) by ${processes} processes, ${killed} killed, ${refused} refused, p50 ${percentile(times, 0.5)} ms, p99 ${percentile(times, 0.99)} ms; all in the feed and dead; ${open.length} unanswered, ${half} of them not begun, ${left} intents left; snapshot of ${feed.report.tokens}, ${feed.report.version} batches`;
}

/** How many intents the store holds (`src/issuer/feed/DESIGN.md`). */
async function intents(store) {
  const rows = await Promise.all(Array.from({ length: 8 }, (_, slot) => store.read(`f/intent/${slot}`)));
  return rows.reduce((sum, row) => sum + (row ? JSON.parse(row.value).open.length : 0), 0);
}

async function openShared({ kind, path, connection, database, prefix }) {
  if (kind === 'sqlite') return (await import('./engines/file.mjs')).openSqlite('node:sqlite', path);
  if (kind === 'pg') {
    const { default: pg } = await import('pg');
    const { postgresStore } = await import('../../dist/stores/index.js');
    const pool = new pg.Pool({ ...connection, database, max: 8 });
    return { store: postgresStore(pool), close: () => pool.end() };
  }
  const { redisStore } = await import('../../dist/stores/index.js');
  const { redisClient } = await import('./engines/redis.mjs');
  const { client, close } = await redisClient('ioredis', connection);
  return { store: redisStore(client, { prefix }), close };
}

async function asProcess() {
  let stopped = false;
  const { shared, parts, perSecond } = await new Promise((resolve) => process.once('message', resolve));
  process.on('message', () => {
    stopped = true;
  });
  const { store, close } = await openShared(shared);
  const issuer = issuerFor(parts, store, clockOf());
  const under = new Set();
  const one = async () => {
    const {
      sid,
      access_token: access,
      refresh_token: refresh,
    } = await start(issuer, `user ${crypto.randomUUID()}`);
    process.send({ started: sid, access, refresh });
    const began = performance.now();
    try {
      await issuer.endSession(sid);
      process.send({ answered: sid, ms: performance.now() - began });
    } catch {
      process.send({ refused: sid });
    }
  };
  for (let due = performance.now(); !stopped; due += 1000 / perSecond) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    // A machine that cannot keep up makes fewer, and says so by its figure.
    if (under.size >= 200) continue;
    const work = one().catch(() => {});
    under.add(work);
    work.then(() => under.delete(work));
  }
  await Promise.all(under);
  await close();
  process.disconnect();
}

if (process.argv.includes('--as-process')) await asProcess();
