// Where an issuer's sessions are kept. No driver is imported: each store takes the client that its
// caller has, by its form.
//
// Workers KV has no compare-and-swap, and so there is no store on it: two requests would both win,
// and one session become two.
export type { DurableObjectNamespaceLike, DurableObjectStubLike } from '../shared/durable-object.js';
export { type D1Like, type D1StatementLike, d1Store } from './d1.js';
export { type DenoKvAtomicLike, type DenoKvLike, denoKvStore } from './deno-kv.js';
export { durableObjectStore, SessionStoreObject, type SessionStoreStateLike } from './durable-object.js';
export { memoryStore } from './memory.js';
export { type PostgresLike, postgresStore, type RowsLike } from './postgres.js';
export { type RedisLike, type RedisOptions, redisStore } from './redis.js';
export { type SqliteLike, sqliteStore } from './sqlite.js';
export { type IssuerStore, type StoreEntry, StoreSchemaError } from './store.js';
