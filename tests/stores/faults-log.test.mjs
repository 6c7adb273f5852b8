// Faults injected at every Nth call while sessions, subjects and clients are revoked: the feed and
// the sessions are judged.
import { test } from 'node:test';

import { filePlace } from './engines/file.mjs';
import { postgresPlace, startPostgres } from './engines/postgres.mjs';
import { redisPlace, startRedis } from './engines/redis.mjs';
import { judgeLog } from './faults-log.mjs';
import { kinds } from './faulty.mjs';
import { atEach, serving } from './places.mjs';

const servers = serving({ redis: startRedis, postgres: startPostgres });

// Where every second read is one of a copy that lags, no append is ever up to date.
const PLACES = {
  memory: [3, 12, () => filePlace('memory')],
  'Postgres through pg': [3, 5, () => postgresPlace(servers.postgres, 'pg')],
  'Redis through ioredis': [3, 5, () => redisPlace(servers.redis, 'ioredis')],
};

atEach(PLACES, ({ least, most, store }) => {
  for (const kind of kinds) {
    test(`${kind}, at every Nth call, N from ${least} to ${most}: what was answered is in the feed`, async (t) => {
      const { injected, denied } = await judgeLog({ store: store(), kind, least, most });
      t.diagnostic(`${injected} faults, ${denied} times no answer`);
    });
  }
});
