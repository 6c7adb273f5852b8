// Revocations under load, by store: what comes of them and what they cost. Loopback only. Figures
// are printed and judged by nobody; that every revocation that was answered is in the feed, and
// its session dead, is asserted.
//   node tests/stores/revocation-load.mjs [--only parallel,live,mass,processes] [--stores memory,…]
//     [--sessions 1000] [--live 100000] [--subjects 10000] [--refreshes 200]
//     [--rate 10000 --seconds 600 --processes 3 --kill-seconds 20]
//   node tests/stores/revocation-load.mjs --short       a few of each, over memory and SQLite, in a few seconds: as `npm test` runs it
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';

import { folder } from './engines/program.mjs';
import { processes } from './revocation-processes.mjs';
import {
  clockOf,
  countingStore,
  feedOf,
  issuerFor,
  newParts,
  percentile,
  start,
} from './revocation-rounds.mjs';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: 'parallel,live,mass,processes' },
    stores: { type: 'string', default: '' },
    sessions: { type: 'string', default: '1000' },
    live: { type: 'string', default: '100000' },
    subjects: { type: 'string', default: '10000' },
    refreshes: { type: 'string', default: '200' },
    rate: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '600' },
    processes: { type: 'string', default: '3' },
    'kill-seconds': { type: 'string', default: '20' },
    short: { type: 'boolean', default: false },
  },
});
const SHORT = {
  sessions: 100,
  live: 3000,
  subjects: 100,
  refreshes: 20,
  rate: 1200,
  seconds: 4,
  'kill-seconds': 2,
};
const number = (name) => Number((flags.short ? SHORT[name] : undefined) ?? flags[name]);
const wanted = flags.stores || (flags.short ? 'memory,node:sqlite' : '');

/** Name → how to make a place; `shared` says how another process gets to it. */
const PLACES = {
  memory: async () => (await files()).filePlace('memory'),
  'node:sqlite': async () => {
    const { path, remove } = folder('load');
    const place = (await files()).filePlace('node:sqlite', path);
    return {
      ...place,
      shared: { kind: 'sqlite', path: `${path}/node-sqlite.db` },
      stop: async () => remove(),
    };
  },
  'Durable Object': async () => onWorkerd(({ objectPlace }, server) => objectPlace(server)),
  D1: async () => onWorkerd(({ d1Place }, server) => d1Place(server)),
  Postgres: async () => {
    const { postgresPlace, startPostgres } = await import('./engines/postgres.mjs');
    const server = await startPostgres({ durable: true });
    const place = await postgresPlace(server, 'pg');
    const shared = { kind: 'pg', connection: server.connection, database: place.database };
    return { ...place, shared, stop: () => inTurn(place, server) };
  },
  Redis: async () => {
    const { redisPlace, startRedis } = await import('./engines/redis.mjs');
    const server = await startRedis();
    const place = await redisPlace(server, 'ioredis');
    const shared = { kind: 'redis', connection: server.connection, prefix: place.prefix };
    return { ...place, shared, stop: () => inTurn(place, server) };
  },
  // In Deno: `deno run … tests/stores/revocation-load.mjs --stores 'Deno KV'`.
  'Deno KV': async () => {
    const { path, remove } = folder('load');
    const place = (await files()).filePlace('Deno KV', path);
    return { ...place, stop: () => inTurn(place, { stop: remove }) };
  },
};
const files = () => import('./engines/file.mjs');

async function inTurn(place, server) {
  await place.stop?.();
  await server.stop();
}

async function onWorkerd(make) {
  const engines = await import('./engines/workerd.mjs');
  const server = await engines.startWorkerd('engines/worker.mjs');
  const place = await make(engines, server);
  return { ...place, stop: () => inTurn(place, server) };
}

/** So many sessions that end at once in one process. */
async function parallel(store, parts) {
  const clock = clockOf();
  const issuer = issuerFor(parts, store, clock);
  const sessions = await inParts(number('sessions'), 50, (n) => start(issuer, `user ${n}`));
  const times = [];
  const outcomes = await Promise.allSettled(
    sessions.map(async ({ sid }) => {
      const began = performance.now();
      await issuer.endSession(sid);
      times.push(performance.now() - began);
    }),
  );
  const refused = outcomes.filter(({ status }) => status === 'rejected').length;
  assert.equal(refused, 0, `${refused} refused`);
  const alive = await inParts(sessions.length, 50, (n) => issuer.refreshed(sessions[n].refresh_token));
  assert.deepEqual([...new Set(alive)], [400], 'none refreshes');
  const feed = await feedOf(issuerFor(parts, store, clock), parts, clock);
  assert.equal(feed.report.tokens, sessions.length, 'all are in the feed');
  return `${sessions.length} dead, 0 refused, p50 ${percentile(times, 0.5)} ms, p99 ${percentile(times, 0.99)} ms, ${feed.report.version} batches`;
}

/** So many live revocations, and a process that knows none of them. */
async function live(store, parts) {
  const clock = clockOf();
  const issuer = issuerFor(parts, store, clock);
  const count = number('live');
  await inParts(count, 1000, (n) => issuer.endSessionsOf(`live ${n}`));
  const { store: counted, calls } = countingStore(store);
  const cold = issuerFor(parts, counted, clock);
  const began = performance.now();
  const response = await cold.pull();
  const ms = performance.now() - began;
  const body = await response.text();
  assert.equal(response.status, 200);
  const feed = await feedOf(cold, parts, clock);
  assert.ok(feed.report.cutoffs >= count, `${feed.report.cutoffs} of ${count}`);
  const gzip = (await (await cold.pull('', 'gzip')).arrayBuffer()).byteLength;
  return `${count} live: cold ${calls()} store calls, ${ms.toFixed(0)} ms, ${body.length} bytes (${gzip} in gzip)`;
}

/** Everybody is signed out while others refresh. */
async function mass(store, parts) {
  const clock = clockOf();
  const issuer = issuerFor(parts, store, clock);
  const tokens = await inParts(50, 50, async (n) => (await start(issuer, `goes on ${n}`)).refresh_token);
  const [times, misses] = [[], []];
  let over = false;
  const interval = 1000 / number('refreshes');
  const refreshing = (async () => {
    const under = [];
    for (let n = 0; !over; n++) {
      const due = performance.now() + interval;
      const mine = n % tokens.length;
      const began = performance.now();
      under.push(
        issuer.refreshed(tokens[mine]).then((status) => {
          times.push(performance.now() - began);
          if (status !== 200) misses.push(status);
        }),
      );
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    }
    await Promise.all(under);
  })();
  const began = performance.now();
  await inParts(number('subjects'), 100, (n) => issuer.endSessionsOf(`mass ${n}`));
  const seconds = (performance.now() - began) / 1000;
  over = true;
  await refreshing;
  assert.deepEqual(misses, [], 'every refresh was answered');
  const perSecond = times.length / seconds;
  return `${number('subjects')} subjects in ${seconds.toFixed(1)} s beside ${perSecond.toFixed(0)} refreshes/s, p99 ${percentile(times, 0.99)} ms, none refused`;
}

/** So many at a time, in their order. */
async function inParts(count, size, work) {
  const done = [];
  for (let from = 0; from < count; from += size) {
    const part = Array.from({ length: Math.min(size, count - from) }, (_, n) => work(from + n));
    done.push(...(await Promise.all(part)));
  }
  return done;
}

const ROUNDS = { parallel, live, mass };
const all =
  globalThis.Deno === undefined ? Object.keys(PLACES).filter((name) => name !== 'Deno KV') : ['Deno KV'];
for (const name of wanted ? wanted.split(',') : all) {
  for (const round of flags.only.split(',')) {
    const place = await PLACES[name]();
    const connection = await place.connect();
    try {
      const parts = newParts();
      if (round !== 'processes')
        console.log(`${name}, ${round}: ${await ROUNDS[round](connection.store, parts)}`);
      else if (place.shared) {
        const options = {
          perSecond: number('rate') / 60,
          seconds: number('seconds'),
          processes: number('processes'),
          killSeconds: number('kill-seconds'),
        };
        console.log(`${name}, processes: ${await processes(place.shared, connection.store, parts, options)}`);
      }
    } finally {
      await connection.close();
      await place.stop();
    }
  }
}
