import { entryOf, type IssuerStore, StoreSchemaError } from './store.js';

/**
 * As much of a Redis or Valkey client as is used: one script, run by the server in one step.
 * - ioredis: `{ eval: (script, keys, args) => redis.eval(script, keys.length, ...keys, ...args) }`
 * - redis: `{ eval: (script, keys, args) => client.eval(script, { keys, arguments: args }) }`
 */
export interface RedisLike {
  eval(script: string, keys: string[], args: string[]): Promise<unknown>;
}

/**
 * What the store may be told.
 * @example
 * ```ts
 * import { Redis } from 'ioredis';
 * import { redisStore } from 'portcullis/stores';
 *
 * const redis = new Redis(env.REDIS_URL);
 * const sessions = redisStore(
 *   { eval: (script, keys, args) => redis.eval(script, keys.length, ...keys, ...args) },
 *   { prefix: '{sessions}:' },
 * );
 * ```
 */
export interface RedisOptions {
  /**
   * Put before every key: `{portcullis}:` by default. In a cluster the part in braces places all
   * keys on one node, which the scripts need; issuers of different prefixes are spread.
   */
  prefix?: string;
}

const KNOWN = 1;

// Every script first looks who wrote here. Versions are compared as text and counted in
// JavaScript: a number of Lua's prints 1e+15.
const GUARD = `local schema = redis.call('GET', KEYS[1])
if schema and schema ~= '${KNOWN}' then return 'schema ' .. schema end
`;

const READ = `${GUARD}return redis.call('HMGET', KEYS[2], 'version', 'value')`;

const READ_MANY = `${GUARD}local found = {}
for index = 2, #KEYS do
  local entry = redis.call('HMGET', KEYS[index], 'version', 'value')
  found[#found + 1] = entry[1]
  found[#found + 1] = entry[2]
end
return found`;

// The index is written before the entry: should the second write fail, a sweep finds the entry's
// own end to be another, and corrects the index.
const SWAP = `${GUARD}if (redis.call('HGET', KEYS[2], 'version') or '0') ~= ARGV[1] then return 0 end
if not schema then redis.call('SET', KEYS[1], '${KNOWN}') end
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[5])
redis.call('HSET', KEYS[2], 'version', ARGV[2], 'value', ARGV[3], 'ends_at', ARGV[4])
return 1`;

const ENDED = `${GUARD}return redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])`;

const SWEEP = `${GUARD}local swept = 0
for index = 3, #KEYS do
  local ends_at = redis.call('HGET', KEYS[index], 'ends_at')
  if ends_at and tonumber(ends_at) > tonumber(ARGV[1]) then
    redis.call('ZADD', KEYS[2], ends_at, ARGV[index - 1])
  else
    redis.call('ZREM', KEYS[2], ARGV[index - 1])
    swept = swept + redis.call('DEL', KEYS[index])
  end
end
return swept`;

/**
 * The store in Redis (7, or Valkey). It writes no expiry: what ends is found by an index and
 * removed by `sweep`, by the issuer's clock.
 *
 * A rotation must not be forgotten: `appendonly yes` with `appendfsync always`; with `everysec` a
 * crash takes back a second of them. Its replicas lag, so a failover does the same (`WAIT` helps
 * and promises nothing); and `maxmemory-policy` must be `noeviction`.
 * @example
 * ```ts
 * import { Redis } from 'ioredis';
 * import { redisStore } from 'portcullis/stores';
 *
 * const redis = new Redis(env.REDIS_URL, { enableOfflineQueue: false });
 * const sessions = redisStore({
 *   eval: (script, keys, args) => redis.eval(script, keys.length, ...keys, ...args),
 * });
 * ```
 */
export function redisStore(client: RedisLike, { prefix = '{portcullis}:' }: RedisOptions = {}): IssuerStore {
  const schema = `${prefix}schema`;
  const index = `${prefix}ends`;
  const run = async (script: string, keys: string[], args: (string | number)[]) => {
    const reply = await client.eval(script, [schema, ...keys], args.map(String));
    const other = typeof reply === 'string' ? /^schema (.*)$/.exec(reply)?.[1] : undefined;
    if (other !== undefined) throw new StoreSchemaError(Number(other), KNOWN);
    return reply;
  };
  const count = (reply: unknown) => {
    if (typeof reply !== 'number') throw new Error('the store gave no number');
    return reply;
  };
  return {
    async read(key) {
      const [version, value] = (await run(READ, [prefix + key], [])) as unknown[];
      return version === null && value === null ? null : entryOf(version, value);
    },
    async readMany(keys) {
      const found = (await run(
        READ_MANY,
        keys.map((key) => prefix + key),
        [],
      )) as unknown[];
      if (!Array.isArray(found) || found.length !== 2 * keys.length)
        throw new Error('the store gave no entries');
      return keys.map((_, index) => {
        const [version, value] = found.slice(2 * index, 2 * index + 2);
        return version === null && value === null ? null : entryOf(version, value);
      });
    },
    async swap(key, expected, value, endsAt) {
      const args = [expected, expected + 1, value, endsAt, key];
      return count(await run(SWAP, [prefix + key, index], args)) === 1;
    },
    async sweep(now, limit) {
      const ended = (await run(ENDED, [index], [now, limit])) as string[];
      if (ended.length === 0) return 0;
      const keys = ended.map((key) => prefix + key);
      return count(await run(SWEEP, [index, ...keys], [now, ...ended]));
    },
  };
}
