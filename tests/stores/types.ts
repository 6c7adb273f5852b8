// Compiled and never run: the stores take the clients in their own types, without a cast.

import type {
  D1Database,
  DurableObjectNamespace,
  DurableObjectState,
  DurableObjectStub,
} from '@cloudflare/workers-types';
import { Redis } from 'ioredis';
import pg from 'pg';
import {
  d1Store,
  durableObjectStore,
  type IssuerStore,
  memoryStore,
  postgresStore,
  redisStore,
  SessionStoreObject,
  type StoreEntry,
} from 'portcullis/stores';
import postgres from 'postgres';
import { createClient } from 'redis';

declare const env: { DB: D1Database; SESSIONS: DurableObjectNamespace };
declare const stub: DurableObjectStub;
declare const state: DurableObjectState;

export const stores: IssuerStore[] = [
  memoryStore(),
  d1Store(env.DB),
  d1Store(env.DB.withSession('first-primary')),
  durableObjectStore(env.SESSIONS),
  durableObjectStore(env.SESSIONS, { shards: 4 }),
  durableObjectStore(stub),
];

export class Sessions extends SessionStoreObject {}
new SessionStoreObject(state, env);

stores.push(postgresStore(new pg.Pool()));
const sql = postgres();
stores.push(postgresStore({ query: (text, params) => sql.unsafe(text, params) }));

const ioredis = new Redis();
stores.push(
  redisStore({ eval: (script, keys, args) => ioredis.eval(script, keys.length, ...keys, ...args) }),
);
const client = createClient();
stores.push(
  redisStore(
    { eval: (script, keys, args) => client.eval(script, { keys, arguments: args }) },
    { prefix: '{issuer-b}:' },
  ),
);

// What has no compare-and-swap is no store.
interface KvNamespace {
  get(key: string): Promise<string | null>;
  put(key: string, value: string): Promise<void>;
}
declare const kv: KvNamespace;
// @ts-expect-error: nothing here can swap
export const none: IssuerStore = kv;

export async function read(store: IssuerStore): Promise<number> {
  const entry: StoreEntry | null = await store.read('s/1');
  // @ts-expect-error: a version must be named
  await store.swap('s/1', 'value', 2_000_000_000);
  return entry?.version ?? 0;
}
