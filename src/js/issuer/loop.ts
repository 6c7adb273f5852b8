import { CoreError } from '../instance/instance.js';
import type { RemoteKeys } from '../net/remote-keys/remote-keys.js';
import { type IssuerStore, readMany } from '../stores/store.js';
import type { Deadline } from './deadline.js';
import { asError, type Failure, stopwatch } from './failures.js';
import type { IssuerEvent, RateCounter, RequestContext } from './index.js';
import type { ResidentExchange } from './resident.js';

/** A store or a counter that takes longer cannot tell, in milliseconds. */
const STORE_MS = 5000;

/** What the core asks for (`IssuerStep` of src/issuer/endpoint/channel.rs). */
type OpenIssuerStep =
  | { step: 'read'; key: string }
  | { step: 'readMany'; keys: string[] }
  | { step: 'wait'; milliseconds: number }
  | { step: 'swap'; key: string; expected: number; value: string; endsAt: number }
  | { step: 'count'; key: string; limit: number; seconds: number }
  | { step: 'body' }
  | { step: 'keys'; issuer: string; kid: string | null };

/** What it ends with. */
export type FinalIssuerStep =
  | {
      step: 'done';
      response: { status: number; headers: [string, string][]; body: string };
      events: (Omit<IssuerEvent, 'cause'> & { cause?: string })[];
      /** Whether it is time for the command `tend` and a sweep. */
      tend: boolean;
    }
  | { step: 'mistake'; error: { pointer: string; reason: string } };

/** Where its questions are answered. */
export interface World {
  store: IssuerStore;
  counter: RateCounter;
  keys: RemoteKeys;
  now: () => number;
  /**
   * Calls of the store that are under way: until when each of them may take, in milliseconds since
   * this began, the oldest first.
   */
  calls: Set<{ until: number }>;
}

/**
 * As many as are under way at once. More would wait in the pool of the store's client until their
 * time was over, and be refused for it. Nobody waits here for another request's promise, which
 * workerd would not have: whoever finds it full looks again.
 */
const MOST_CALLS = 40;
const LOOK_MS = 4;

async function calling<T>(world: World, deadline: Deadline, call: () => Promise<T>): Promise<T> {
  while (underWay(world.calls) >= MOST_CALLS) {
    const ms = LOOK_MS * (1 + Math.random());
    await deadline.for(() => new Promise((resolve) => setTimeout(resolve, ms)));
  }
  const own = { until: performance.now() + STORE_MS };
  world.calls.add(own);
  try {
    return await deadline.within(STORE_MS, call);
  } finally {
    world.calls.delete(own);
  }
}

/**
 * Workerd stops a request without a word when its client goes away, and its call stays behind:
 * past its time it is none.
 */
function underWay(calls: World['calls']): number {
  const now = performance.now();
  for (const call of calls) {
    if (call.until > now) break;
    calls.delete(call);
  }
  return calls.size;
}

/** One request or command on its way. */
export interface Journey {
  context: RequestContext;
  deadline: Deadline;
  /** The body as a result; it never rejects. */
  body(): Promise<object>;
  /** Is told of each failure at once. */
  failed(failure: Failure): void;
}

/** Carries out what the core asks for until it has an answer. */
export async function follow(
  begin: (now: number) => ResidentExchange,
  world: World,
  journey: Journey,
): Promise<FinalIssuerStep> {
  const elapsed = stopwatch();
  let raw: ResidentExchange | undefined;
  try {
    raw = begin(world.now());
    let step = JSON.parse(raw.step()) as OpenIssuerStep | FinalIssuerStep;
    while (step.step !== 'done' && step.step !== 'mistake') {
      const result = await attempt(step, world, journey);
      const now = world.now();
      step = JSON.parse(raw.resume(result, now)) as OpenIssuerStep | FinalIssuerStep;
    }
    return step;
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    journey.failed({ kind: 'request_failed', operation: 'answer', cause: error, durationMs: elapsed() });
    return UNAVAILABLE;
  } finally {
    raw?.free();
  }
}

/**
 * As `ErrorResponse::unavailable` of src/issuer/endpoint/error_response.rs, where the core cannot
 * be asked: the request may come again.
 */
const UNAVAILABLE: FinalIssuerStep = {
  step: 'done',
  response: {
    status: 503,
    headers: [
      ['content-type', 'application/json'],
      ['cache-control', 'no-store'],
      ['retry-after', '1'],
    ],
    body: '{"error":"temporarily_unavailable","error_description":"the issuer cannot be run at the moment"}',
  },
  events: [],
  tend: false,
};

const KINDS = {
  read: 'store_failed',
  readMany: 'store_failed',
  swap: 'store_failed',
  count: 'counter_failed',
  keys: 'keys_failed',
  body: 'request_failed',
  wait: 'request_failed',
} as const;

/** What a step came to, as JSON. */
async function attempt(step: OpenIssuerStep, world: World, journey: Journey): Promise<string> {
  const elapsed = stopwatch();
  try {
    // Written here, since a row of the store's may have no JSON.
    return JSON.stringify(await carryOut(step, world, journey));
  } catch (thrown) {
    const operation = step.step;
    const failure = { kind: KINDS[operation], operation, cause: asError(thrown), durationMs: elapsed() };
    journey.failed(step.step === 'keys' ? { ...failure, issuer: step.issuer } : failure);
    return '{"error":"unavailable"}';
  }
}

async function carryOut(step: OpenIssuerStep, world: World, journey: Journey): Promise<object> {
  const { deadline } = journey;
  switch (step.step) {
    case 'read':
      return { found: (await calling(world, deadline, () => world.store.read(step.key))) ?? null };
    case 'readMany':
      return { foundMany: await calling(world, deadline, () => readMany(world.store, step.keys)) };
    case 'wait':
      await deadline.for(() => new Promise((resolve) => setTimeout(resolve, step.milliseconds)));
      return { held: true };
    case 'swap': {
      const { key, expected, value, endsAt } = step;
      return { held: await calling(world, deadline, () => world.store.swap(key, expected, value, endsAt)) };
    }
    case 'count': {
      const { key, limit, seconds } = step;
      return { held: await deadline.within(STORE_MS, () => world.counter.count(key, limit, seconds)) };
    }
    case 'body':
      return journey.body();
    case 'keys': {
      const { issuer, kid } = step;
      return {
        held: await deadline.for(() => world.keys.refresh(issuer, kid ?? undefined, journey.context)),
      };
    }
  }
}
