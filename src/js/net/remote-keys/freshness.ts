import type { Headers } from '../../shared/web.js';
import type { RemoteSource } from '../io.js';

/**
 * The rule about when keys are fetched anew (src/keys/freshness.rs), as the core's module exports
 * it.
 */
export interface KeyRule {
  /** For how many seconds a response is fresh, by its `Cache-Control` and `Age`. */
  keyLifetime(cacheControl: string | undefined, age: string | undefined): number;
  /**
   * `KeyTimes` with the bounds of the policy and the present second as JSON, and a `KeyPlan` for
   * them.
   */
  keyPlan(question: string): string;
}

/** What is known of an issuer's keys. Times are seconds since 1970. */
export interface KeyTimes {
  held?: { fetchedAt: number; ttlSeconds: number; spread: number } | undefined;
  askedAt?: number | undefined;
  /** How often it failed since then, in a row. */
  failures?: number | undefined;
  /** They were let go after that, to make room for others. */
  letGo?: boolean | undefined;
}

/** What is to be done about them. */
export interface KeyPlan {
  /** They are too old to be used. */
  forget: boolean;
  /** `ahead`: fetch them while they serve on; `first`: before they are used once more. */
  fetch: 'no' | 'ahead' | 'first';
  /** Whether the origin may be asked at all. */
  mayAsk: boolean;
  /** From when it may be; `null` for at once. */
  mayAskFrom: number | null;
  /** When there is something to do next; `null` for never. */
  againAt: number | null;
  freshUntil: number | null;
  staleUntil: number | null;
}

/** What the policy allows. */
export type FreshnessBounds = Pick<RemoteSource, 'minTtlSeconds' | 'maxTtlSeconds' | 'staleSeconds'>;

export function planOf(
  rule: KeyRule,
  { minTtlSeconds, maxTtlSeconds, staleSeconds }: FreshnessBounds,
  times: KeyTimes,
  now: number,
): KeyPlan {
  const question = { minTtlSeconds, maxTtlSeconds, staleSeconds, ...times, now };
  return JSON.parse(rule.keyPlan(JSON.stringify(question))) as KeyPlan;
}

/** For how many seconds a response is fresh, whatever a policy allows. */
export function lifetimeOf(rule: KeyRule, headers: Headers): number {
  return rule.keyLifetime(headers.get('cache-control') ?? undefined, headers.get('age') ?? undefined);
}

/** Until when it is fresh within the policy's bounds. */
export function freshUntil(
  rule: KeyRule,
  bounds: FreshnessBounds,
  fetchedAt: number,
  headers: Headers,
): number {
  const held = { fetchedAt, ttlSeconds: lifetimeOf(rule, headers), spread: 0 };
  return planOf(rule, bounds, { held }, fetchedAt).freshUntil ?? fetchedAt;
}
