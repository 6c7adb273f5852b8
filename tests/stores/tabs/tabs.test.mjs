// Two tabs, 1,000 rounds: no honest session is ever lost, and a stolen token is always caught.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createIssuer, generateSigningKey } from '../../../dist/entry/issuer-default.js';
import { postgresPlace, startPostgres } from '../engines/postgres.mjs';
import { redisPlace, startRedis } from '../engines/redis.mjs';
import { issuerOver, newSecrets } from '../issuer.mjs';
import { play } from './rounds.mjs';
import { startIssuer } from './workerd.mjs';

const ROUNDS = 1000;
const SEED = Number(process.env.SEED ?? 20_261_124);
const newClock = () => ({ now: 1_800_000_000 });

async function playAndTell(t, issuers, clock) {
  const told = await play({ issuers, clock, count: ROUNDS, seed: SEED });
  t.diagnostic(JSON.stringify(told));
  assert.equal(told.rounds, ROUNDS);
  // It was no quiet afternoon: answers were lost, tokens stolen in both ways, and every thief was
  // caught but one who may be about.
  assert.ok(told.lost > 500 && told.rotations > 500 && told.sleepers > 10 && told.rivals > 10, 'too quiet');
  assert.ok(told.signOuts > 10, 'too quiet');
  assert.ok(told.sleepers + told.rivals - told.caught <= 1, 'a thief got away');
}

test('in a Durable Object, the issuer in workerd', async (t) => {
  const workerd = await startIssuer();
  t.after(() => workerd.stop());
  const clock = newClock();
  const issuer = workerd.over('a Durable Object', clock);
  await playAndTell(t, [issuer, issuer], clock);
});

/** Two processes' worth of issuers, each with a connection of its own. */
async function twoOver(t, server, place) {
  const connections = [await place.connect(), await place.connect()];
  t.after(async () => {
    for (const { close } of connections) await close();
    await place.stop();
    await server.stop();
  });
  const clock = newClock();
  const secrets = newSecrets(generateSigningKey);
  const issuers = connections.map(({ store }) => issuerOver(createIssuer, secrets, store, clock));
  await playAndTell(t, issuers, clock);
}

test('on Postgres, two issuers', async (t) => {
  const server = await startPostgres();
  await twoOver(t, server, await postgresPlace(server, 'pg'));
});

test('on Redis, two issuers', async (t) => {
  const server = await startRedis();
  await twoOver(t, server, await redisPlace(server, 'ioredis'));
});
