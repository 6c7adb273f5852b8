import { isPromise } from '../shared/synchronous.js';
import type { Fetch } from '../shared/web.js';

/**
 * Where an issuer's keys are and how long they are believed, as the core tells it: every default
 * filled in.
 */
export interface RemoteSource {
  issuer: string;
  jwksUri?: string | undefined;
  discovery?: 'oidc' | 'oauth' | undefined;
  /** Where the metadata is that names the `jwks_uri`, when the policy does not. */
  discoveryUrl?: string | undefined;
  minTtlSeconds: number;
  maxTtlSeconds: number;
  /** How long keys outlive their freshness while the origin fails. */
  staleSeconds: number;
  timeoutMs: number;
  maxBytes: number;
}

/** Whom to ask about an issuer's opaque tokens, as the core tells it: every default filled in. */
export interface IntrospectionSource {
  issuer: string;
  endpoint: string;
  clientId: string;
  authentication: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';
  cacheSeconds: number;
  negativeCacheSeconds: number;
  timeoutMs: number;
  concurrency: number;
}

/**
 * Where lists of revocations are, and how they are pulled, as the core tells it: every default
 * filled in.
 */
export interface RevocationSource {
  feed?: string | undefined;
  /** The client that the feed is pulled as. */
  clientId?: string | undefined;
  statusLists: string[];
  pullSeconds: number;
  maxStalenessSeconds: number;
  timeoutMs: number;
  maxBytes: number;
}

/** What the core says of a JWK Set that it took. */
export interface KeyReport {
  changed: boolean;
  keys: { kid: string | null; alg: string }[];
  leftOut: { kid: string | null; reason: string }[];
}

/** A tier that many isolates share: Workers KV as it is, or the Cache API through `cacheStore`. */
export interface SharedStore {
  get(key: string): Promise<string | null | undefined>;
  put(key: string, value: string, options: { expirationTtl: number }): Promise<unknown>;
}

/** What of a request's context the I/O uses. */
export interface IoContext {
  /** Keeps the runtime at work after the answer was sent. */
  waitUntil?: ((promise: Promise<unknown>) => void) | undefined;
}

/** Something that happened beside a decision. It holds no piece of a token. */
export interface IoEvent {
  name:
    | 'keys-fetched'
    | 'keys-failed'
    | 'keys-dropped'
    | 'revocations-pulled'
    | 'revocations-failed'
    | 'store-failed'
    | 'store-refused'
    | 'introspection-failed'
    | 'introspection-busy'
    | 'introspection-credentials-refused'
    | 'wait-until-failed';
  /** Or, of lists of revocations, where they are pulled from. */
  issuer: string;
  reason?: string;
}

/** The world, as an argument. */
export interface Io {
  fetch: Fetch;
  /** The core's word about an issuer's metadata: `{ "jwksUri": … }` or `{ "error": … }`. */
  readMetadata(issuer: string, text: string): string;
  /** Whole seconds since 1970. */
  now(): number;
  store?: SharedStore | undefined;
  /** From 0 to 1, for jitter. */
  random?: (() => number) | undefined;
  sleep?: ((ms: number) => Promise<void>) | undefined;
  observe?: ((event: IoEvent) => void) | undefined;
}

/** Lets work outlive the request that began it. The work must never reject. */
export function keepAlive(context: IoContext, io: Io, issuer: string, work: Promise<unknown>): void {
  try {
    isPromise(context.waitUntil?.(work));
  } catch (error) {
    // A `waitUntil` that was taken off its context, as workerd's may not be.
    io.observe?.({
      name: 'wait-until-failed',
      issuer,
      reason: error instanceof Error ? error.name : 'unknown',
    });
  }
}
