// Debian's Redis on loopback, and a place on it through ioredis and through redis.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Redis } from 'ioredis';
import { createClient } from 'redis';

import { redisStore } from '../../../dist/stores/index.js';
import { freePort } from '../../../src/build/steps.mjs';
import { folder, program } from './program.mjs';

// While it is not connected ioredis keeps commands for later otherwise, as redis does; their
// callers have long been told 503 then.
const FAIL_AT_ONCE = { enableOfflineQueue: false, maxRetriesPerRequest: 0, lazyConnect: true };

const CLIENTS = {
  async ioredis({ port, password }) {
    const redis = new Redis({ host: '127.0.0.1', port, password, ...FAIL_AT_ONCE });
    redis.on('error', () => {});
    await redis.connect();
    return {
      client: { eval: (script, keys, args) => redis.eval(script, keys.length, ...keys, ...args) },
      close: async () => redis.disconnect(),
    };
  },
  async redis({ port, password }) {
    const client = createClient({ socket: { host: '127.0.0.1', port }, password, disableOfflineQueue: true });
    client.on('error', () => {});
    await client.connect();
    return {
      client: { eval: (script, keys, args) => client.eval(script, { keys, arguments: args }) },
      close: async () => client.destroy(),
    };
  },
};

function binary() {
  const found = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) => existsSync(path));
  if (found === undefined) throw new Error('Redis is missing: set-up has not installed it');
  return found;
}

/**
 * Starts a server that forgets nothing it has confirmed: with `everysec` a kill alone takes writes
 * back, while the disk is slow.
 */
export async function startRedis() {
  const { path, remove } = folder('redis');
  const port = await freePort();
  const password = randomBytes(16).toString('hex');
  const set = {
    port,
    bind: '127.0.0.1',
    dir: path,
    requirepass: password,
    appendonly: 'yes',
    appendfsync: 'always',
    save: '',
    'maxmemory-policy': 'noeviction',
  };
  const args = Object.entries(set).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const start = () => program(binary(), args, { cwd: path, ready: /Ready to accept connections/ });
  let server = await start();
  return {
    connection: { port, password },
    async crash() {
      await server.end('SIGKILL');
      server = await start();
    },
    async down(work) {
      await server.end('SIGTERM');
      try {
        await work();
      } finally {
        server = await start();
      }
    },
    async stop() {
      await server.end('SIGTERM');
      remove();
    },
  };
}

export const redisClient = (name, connection) => CLIENTS[name](connection);

/** A place under a prefix of its own. */
export async function redisPlace(server, name) {
  const { client: admin, close: closeAdmin } = await CLIENTS.ioredis(server.connection);
  const ask = (...command) => admin.eval('return redis.call(unpack(ARGV))', [], command);
  let prefixes = 0;
  const newPrefix = () => `{${name} ${prefixes++}}:`;
  const connectTo = (prefix) => async () => {
    const { client, close } = await CLIENTS[name](server.connection);
    return { store: redisStore(client, { prefix }), close };
  };
  const prefix = newPrefix();
  return {
    prefix,
    connect: connectTo(prefix),
    // Once for the engine is enough.
    rotations: name === 'ioredis' ? 10_000 : 1000,
    slack: 0,
    async withSchema(version) {
      if (version === 1) return undefined;
      const another = newPrefix();
      if (version > 0) await ask('SET', `${another}schema`, String(version));
      return connectTo(another);
    },
    async size() {
      const keys = await ask('KEYS', `${prefix}*`);
      let bytes = 0;
      for (const key of keys) bytes += await ask('MEMORY', 'USAGE', key, 'SAMPLES', '0');
      return { rows: keys.length + (await ask('ZCARD', `${prefix}ends`)), bytes };
    },
    down: (work) => server.down(work),
    async crash({ close }) {
      await close();
      await server.crash();
    },
    stop: closeAdmin,
  };
}
