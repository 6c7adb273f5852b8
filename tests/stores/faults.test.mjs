// Faults injected at every Nth call of every store, judged by the issuer itself.
import { test } from 'node:test';

import { createIssuer, generateSigningKey } from '../../dist/entry/issuer-default.js';
import { filePlace } from './engines/file.mjs';
import { postgresPlace, startPostgres } from './engines/postgres.mjs';
import { redisPlace, startRedis } from './engines/redis.mjs';
import { d1Place, objectPlace, startWorkerd } from './engines/workerd.mjs';
import { judge } from './faults.mjs';
import { kinds } from './faulty.mjs';
import { issuerOver, newSecrets } from './issuer.mjs';
import { atEach, serving } from './places.mjs';

const secrets = newSecrets(generateSigningKey);
const makeIssuer = (store, clock) => issuerOver(createIssuer, secrets, store, clock);

const servers = serving({
  postgres: startPostgres,
  redis: startRedis,
  workerd: () => startWorkerd('engines/worker.mjs'),
});

// At which calls. Memory costs nothing, and is taken further; a store that answers nothing at all
// is the same over any engine.
const PLACES = {
  memory: [1, 30, () => filePlace('memory')],
  'a Durable Object': [2, 5, () => objectPlace(servers.workerd)],
  D1: [2, 3, () => d1Place(servers.workerd)],
  'Postgres through pg': [2, 5, () => postgresPlace(servers.postgres, 'pg')],
  'Postgres through postgres.js': [2, 3, () => postgresPlace(servers.postgres, 'postgres.js')],
  'Redis through ioredis': [2, 5, () => redisPlace(servers.redis, 'ioredis')],
  'Redis through redis': [2, 3, () => redisPlace(servers.redis, 'redis')],
};

atEach(PLACES, ({ least, most, store }) => {
  for (const kind of kinds) {
    // Where every other read is stale no swap can hold, and each request would wait until its time
    // is over.
    const from = kind.includes('stale') ? Math.max(least, 3) : least;
    test(`${kind}, at every ${from}th to every ${most}th call: exactly what is due, or 503`, async (t) => {
      const { injected, denied } = await judge({ store: store(), makeIssuer, kind, least: from, most });
      t.diagnostic(`${injected} faults, ${denied} times 503`);
    });
  }
});
