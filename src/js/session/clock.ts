// The server's time under a device clock that is wrong, jumps or sleeps.

import type { Response } from '../shared/web.js';
import { timesOf } from './token-times.js';

/** An instant on this device: milliseconds of its monotonic clock and of its wall clock. */
export type Mark = readonly [monotonic: number, wall: number];

/**
 * Bounds on the server's time minus the wall clock of this device, in milliseconds: what another
 * tab of it can use.
 */
export type Offset = readonly [least: number, most: number];

/**
 * What a clock reads. Both in milliseconds; `monotonic` never goes back, and may stand still while
 * the device sleeps.
 * @example
 * ```ts
 * import { createClock } from 'portcullis/session';
 *
 * const clock = createClock({ wall: () => Date.now(), monotonic: () => performance.now() });
 * ```
 */
export interface ClockOptions {
  /** Of the wall clock, which may jump: `Date.now()` by default. */
  wall?(): number;
  /** `performance.now()` by default. */
  monotonic?(): number;
  /** From 0 to 1, drawn once: by how much this client refreshes earlier than others. */
  random?(): number;
}

/** Knows what time it is at the server, and within which bounds. */
export interface Clock {
  /** This instant: take it before a request is sent and hand it to `observe` with the answer. */
  mark(): Mark;
  /**
   * Learns from a response of the server whose time it is (its `Date`) or from an access token
   * that was minted for this request (its `iat`). Both are whole seconds, of an instant between
   * sending and now. A response without `no-store`, or with an `Age`, may be of another time: a
   * cache of the browser gives it back as it was. Says whether there was anything to learn from.
   */
  observe(evidence: Response | string, sent?: Mark): boolean;
  /**
   * The server's time: the best estimate, and by how much it can be off. `Infinity` until
   * something was observed.
   */
  now(): { seconds: number; uncertaintySeconds: number };
  /**
   * For how many seconds something is certainly still good that ends then, in seconds since 1970.
   */
  left(expiresAt: number): number;
  /** Milliseconds until something of that life is to be refreshed; times in seconds since 1970. */
  dueIn(issuedAt: number | undefined, expiresAt: number): number;
  /**
   * What has been observed, for another tab, and the other way round; what contradicts this
   * clock's own observations is not taken.
   */
  offset(): Offset | undefined;
  adopt(offset: Offset): void;
}

// Without knowing when a request was sent: no answer takes longer.
const SLOWEST_MS = 5000;
// Slewing, rounded timers: what both clocks may differ by before one of them has jumped or slept.
const TOLERANCE_MS = 1000;
// 100 ppm: a quartz off by a hundredth of a per cent.
const DRIFT = 1e-4;
const USUAL_LIFE_SECONDS = 300;

/**
 * Makes a clock that learns the server's time, and asks nobody for it. Until it has learned
 * something, it is the device's.
 * @example
 * ```ts
 * import { createClock } from 'portcullis/session';
 *
 * const clock = createClock();
 * const sent = clock.mark();
 * clock.observe(await fetch('https://issuer.example/token', { method: 'POST' }), sent);
 * const { seconds, uncertaintySeconds } = clock.now();
 * ```
 */
export function createClock({
  wall = () => Date.now(),
  monotonic = () => performance.now(),
  random = Math.random,
}: ClockOptions = {}): Clock {
  const jitter = random();
  const mark = (): Mark => [monotonic(), wall()];
  /** Bounds on the server's time minus the monotonic clock, and when they were observed. */
  let least = 0;
  let most = 0;
  let observed: number | undefined;
  let reference = mark();

  /** Brings the bounds up to date with what the clocks did since, and says what they are now. */
  const bounds = () => {
    const now = mark();
    const gap = now[1] - reference[1] - (now[0] - reference[0]);
    if (observed === undefined) least = most = now[1] - now[0];
    // The monotonic clock has slept, or the wall clock was set forward; nobody can tell which. A
    // wall clock set back changes nothing.
    else if (gap > TOLERANCE_MS) most += gap;
    if (Math.abs(gap) > TOLERANCE_MS) reference = now;
    const drift = (now[0] - (observed ?? now[0])) * DRIFT;
    return [now[0] + least - drift, now[0] + most + drift, now] as const;
  };
  const narrow = (low: number, high: number, own: boolean) => {
    const [from, to, now] = bounds();
    const [a, b] = [Math.max(low, from), Math.min(high, to)];
    const agreed = observed !== undefined && a <= b;
    // What contradicts all before it is newer, or another's mistake.
    if (!own && !agreed && observed !== undefined) return;
    least = (agreed ? a : low) - now[0];
    most = (agreed ? b : high) - now[0];
    observed = now[0];
    reference = now;
  };
  const left = (expiresAt: number) => expiresAt - bounds()[1] / 1000;
  const dueIn = (issuedAt: number | undefined, expiresAt: number) =>
    (left(expiresAt) - (expiresAt - (issuedAt ?? expiresAt - USUAL_LIFE_SECONDS)) * (0.1 + 0.15 * jitter)) *
    1000;

  return {
    mark,
    observe(evidence, sent) {
      const said =
        typeof evidence === 'string'
          ? Number(timesOf(evidence).iat) * 1000
          : isNew(evidence)
            ? Date.parse(evidence.headers.get('date') as string)
            : NaN;
      if (!(said >= 0)) return false;
      const now = mark();
      // The device may have slept in between: of both clocks the one that has run longer.
      const elapsed = sent ? Math.max(now[0] - sent[0], now[1] - sent[1]) : SLOWEST_MS;
      narrow(said, said + 1000 + elapsed, true);
      return true;
    },
    now() {
      const [low, high] = bounds();
      const uncertaintySeconds = observed === undefined ? Infinity : (high - low) / 2000;
      return { seconds: (low + high) / 2000, uncertaintySeconds };
    },
    left,
    dueIn,
    offset() {
      const [low, high, [, at]] = bounds();
      return observed === undefined ? undefined : [low - at, high - at];
    },
    adopt(offset) {
      const at = wall();
      // It may come from anybody who can write to the channel.
      const [low = 1, high = 0] = Array.isArray(offset) && offset.every(Number.isFinite) ? offset : [];
      if (low <= high) narrow(low + at, high + at, false);
    },
  };
}

/** Can no cache have kept it? */
const isNew = ({ headers }: Response) =>
  (headers.get('age') ?? '0') === '0' && /\bno-store\b/i.test(headers.get('cache-control') as string);

/**
 * For how many seconds a token is certainly still good; zero or less when it may have expired;
 * undefined when it does not say.
 * @example
 * ```ts
 * import { createClock, expiresIn } from 'portcullis/session';
 *
 * const seconds = expiresIn(token, createClock());
 * ```
 */
export function expiresIn(token: string, clock: Clock): number | undefined {
  const { exp } = timesOf(token);
  return exp && clock.left(exp);
}

/**
 * May it have expired? One that does not say has not.
 * @example
 * ```ts
 * import { createClock, isExpired } from 'portcullis/session';
 *
 * if (isExpired(token, createClock())) console.log('sign in again');
 * ```
 */
export function isExpired(token: string, clock: Clock): boolean {
  return (expiresIn(token, clock) ?? 1) <= 0;
}

/**
 * Is it time to refresh it? After 75 to 90 % of its life, by this client's jitter.
 * @example
 * ```ts
 * import { createClock, refreshDue } from 'portcullis/session';
 *
 * if (refreshDue(token, createClock())) console.log('refresh it');
 * ```
 */
export function refreshDue(token: string, clock: Clock): boolean {
  const { iat, exp } = timesOf(token);
  return exp !== undefined && clock.dueIn(iat, exp) <= 0;
}
