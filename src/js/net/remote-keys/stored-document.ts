import type { Response as WebResponse } from '../../shared/web.js';
import type { SharedStore } from '../io.js';
import { type FreshnessBounds, type KeyPlan, type KeyRule, planOf } from './freshness.js';

/** A JWK Set with what was known when the origin gave it. */
export interface JwksDocument {
  text: string;
  /** When, in seconds. */
  fetchedAt: number;
  /**
   * How long it is fresh from then by its response, in seconds. The policy's bounds come on top.
   */
  ttlSeconds: number;
  /**
   * The issuer's metadata by which its place was found, as text. None where the policy names the
   * place.
   */
  metadata?: string;
}

export interface TierLimits extends FreshnessBounds {
  maxBytes: number;
}

/** How far the clocks of two machines may be apart, in seconds. */
const SKEW_SECONDS = 5;

/** Workers KV keeps nothing for less. */
const LEAST_EXPIRATION_SECONDS = 60;

/**
 * The name under which a document is kept. It tells the place as well, since two gates may take
 * one issuer's keys from two places.
 */
export async function storeKey(issuer: string, place: string): Promise<string> {
  return keyOf('jwks', [issuer, place]);
}

/**
 * A name that any store takes, made of the kind of what is kept and of what tells it from others
 * of its kind.
 */
export async function keyOf(kind: string, parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return `portcullis-${kind}-1-${Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** What is put into the store, and for how long. */
export function toStore(
  issuer: string,
  document: JwksDocument,
  limits: TierLimits,
  rule: KeyRule,
): [value: string, options: { expirationTtl: number }] {
  const { text, fetchedAt, ttlSeconds, metadata } = document;
  const { staleUntil } = plan(document, limits, rule, fetchedAt);
  const expirationTtl = Math.max((staleUntil ?? fetchedAt) - fetchedAt, LEAST_EXPIRATION_SECONDS);
  return [JSON.stringify({ issuer, fetchedAt, ttlSeconds, jwks: text, metadata }), { expirationTtl }];
}

/**
 * Reads what a store gave as if an enemy had written it: form, size, issuer and times; the keys
 * themselves are read by the core as those of an origin. What was fetched in the future, or is
 * older than any origin's answer may get, is nothing.
 *
 * Whoever can write well-formed keys there is believed, as with any cache of keys: give it a store
 * that nobody else writes.
 */
export function fromStore(
  value: unknown,
  issuer: string,
  now: number,
  limits: TierLimits,
  rule: KeyRule,
): JwksDocument | undefined {
  // Escaped in JSON a character takes six at most, and there are two texts.
  if (typeof value !== 'string' || value.length > 12 * limits.maxBytes + 4096) return undefined;
  let entry: unknown;
  try {
    entry = JSON.parse(value);
  } catch {
    return undefined;
  }
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { issuer: whose, fetchedAt, ttlSeconds, jwks, metadata } = entry as Record<string, unknown>;
  if (whose !== issuer || typeof jwks !== 'string' || jwks.length > limits.maxBytes) return undefined;
  if (!isSeconds(fetchedAt) || !isSeconds(ttlSeconds) || fetchedAt > now + SKEW_SECONDS) return undefined;
  if (metadata !== undefined && (typeof metadata !== 'string' || metadata.length > limits.maxBytes))
    return undefined;
  const document = { text: jwks, fetchedAt, ttlSeconds, ...(metadata === undefined ? {} : { metadata }) };
  // The bounds are those of this policy, whatever gate wrote it.
  return plan(document, limits, rule, now).forget ? undefined : document;
}

function plan(
  { fetchedAt, ttlSeconds }: JwksDocument,
  limits: TierLimits,
  rule: KeyRule,
  now: number,
): KeyPlan {
  return planOf(rule, limits, { held: { fetchedAt, ttlSeconds, spread: 0 } }, now);
}

function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** As much of the Cache API as is used. */
export interface CacheLike {
  match(url: string): Promise<WebResponse | undefined>;
  put(url: string, response: WebResponse): Promise<void>;
}

/**
 * The Cache API as a shared store: of one data centre at Cloudflare, of one origin in a browser.
 *
 * `open` is called at each use, within the request: `() => caches.default`, or
 * `() => caches.open('keys')`. A KV namespace needs no adapter: it has `get` and `put` of this
 * form, and takes up to a minute to show elsewhere what was put.
 * @example
 * ```ts
 * import { cacheStore, createGate } from 'portcullis/gate';
 *
 * const gate = createGate(policy, { store: cacheStore(() => caches.open('portcullis')) });
 * ```
 */
export function cacheStore(open: () => CacheLike | Promise<CacheLike>): SharedStore {
  // A name that can never be resolved (RFC 6761 §6.4), so that the entry is in nobody's way.
  const url = (key: string) => `https://portcullis.invalid/${encodeURIComponent(key)}`;
  return {
    async get(key) {
      return (await (await open()).match(url(key)))?.text();
    },
    async put(key, value, { expirationTtl }) {
      const headers = { 'cache-control': `max-age=${expirationTtl}`, 'content-type': 'application/json' };
      await (await open()).put(url(key), new Response(value, { headers }));
    },
  };
}
