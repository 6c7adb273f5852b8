// Refreshes a second, each one a rotation, by store: the whole issuer over a real connection.
// Printed, and judged by nobody.
//   node tests/stores/load.mjs [--refreshes 4000] [--sessions 64] [--clients 16]
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';

import { createIssuer, generateSigningKey } from '../../dist/entry/issuer-default.js';
import { main } from '../../src/build/steps.mjs';
import { filePlace } from './engines/file.mjs';
import { postgresPlace, startPostgres } from './engines/postgres.mjs';
import { redisPlace, startRedis } from './engines/redis.mjs';
import { issuerOver, newSecrets } from './issuer.mjs';
import { startIssuer } from './tabs/workerd.mjs';

const { values: options } = parseArgs({
  options: {
    refreshes: { type: 'string', default: '4000' },
    sessions: { type: 'string', default: '64' },
    clients: { type: 'string', default: '16' },
  },
});
const [REFRESHES, SESSIONS, CLIENTS] = [options.refreshes, options.sessions, options.clients].map(Number);
/** Past the interval of rotations. */
const NEXT_SECONDS = 100;

await main(async () => {
  const workerd = await startIssuer();
  const postgres = await startPostgres({ durable: true });
  const redis = await startRedis();
  const secrets = newSecrets(generateSigningKey);
  const over = async (place, clock) => {
    const connection = await place.connect();
    const issuer = issuerOver(createIssuer, secrets, connection.store, clock);
    return {
      issuer,
      async end() {
        await connection.close();
        await place.stop();
      },
    };
  };
  const inWorkerd = (store) => async (clock) => ({ issuer: workerd.over(store, clock), end: async () => {} });
  const rows = {
    memory: (clock) => over(filePlace('memory'), clock),
    'Durable Object (one), workerd': inWorkerd('a Durable Object'),
    'D1, workerd': inWorkerd('D1'),
    'Postgres, pg': async (clock) => over(await postgresPlace(postgres, 'pg'), clock),
    'Postgres, postgres.js': async (clock) => over(await postgresPlace(postgres, 'postgres.js'), clock),
    'Redis, ioredis': async (clock) => over(await redisPlace(redis, 'ioredis'), clock),
    'Redis, redis': async (clock) => over(await redisPlace(redis, 'redis'), clock),
  };
  console.log(`${REFRESHES} refreshes of ${SESSIONS} sessions by ${CLIENTS} clients at once\n`);
  console.log('| store | refreshes/s | p50 ms | p99 ms |\n| --- | --- | --- | --- |');
  try {
    for (const [name, make] of Object.entries(rows)) {
      const clock = { now: 1_800_000_000 };
      const { issuer, end } = await make(clock);
      const { perSecond, p50, p99 } = await load(issuer, clock);
      console.log(`| ${name} | ${perSecond.toFixed(0)} | ${p50.toFixed(1)} | ${p99.toFixed(1)} |`);
      await end();
    }
  } finally {
    for (const server of [workerd, postgres, redis]) await server.stop();
  }
});

/** All sessions in turns: in each the clock passes once, and each session rotates once. */
async function load(issuer, clock) {
  const tokens = await Promise.all(
    Array.from({ length: SESSIONS }, async () => (await issuer.start()).token),
  );
  const times = [];
  const turn = async () => {
    clock.now += NEXT_SECONDS;
    let next = 0;
    const client = async () => {
      while (next < SESSIONS) {
        const mine = next++;
        const started = performance.now();
        const { status, token } = await issuer.refresh(tokens[mine]);
        times.push(performance.now() - started);
        assert.equal(status, 200);
        assert.notEqual(token, undefined);
        tokens[mine] = token;
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
  };
  // Once for warming up.
  await turn();
  times.length = 0;
  const started = performance.now();
  while (times.length < REFRESHES) await turn();
  const seconds = (performance.now() - started) / 1000;
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(times.length * share)];
  return { perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99) };
}
