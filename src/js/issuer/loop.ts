import type { RemoteKeys } from '../gate/keys.js';
import { within } from '../gate/within.js';
import { CoreError } from '../instance.js';
import type { IssuerStore } from '../stores/store.js';
import type { IssuerEvent, RateCounter, RequestContext } from './index.js';
import type { ResidentExchange } from './resident.js';

/** A store or a counter that takes longer cannot tell, in milliseconds. */
const STORE_MS = 5000;

/** What the core asks for (`Step` of src/issuer/endpoint/channel.rs). */
type OpenStep =
  | { step: 'read'; key: string }
  | { step: 'swap'; key: string; expected: number; value: string; endsAt: number }
  | { step: 'count'; key: string; limit: number; seconds: number }
  | { step: 'keys'; issuer: string; kid: string | null };

/** What it ends with. */
export type FinalStep =
  | {
      step: 'done';
      response: { status: number; headers: [string, string][]; body: string };
      events: IssuerEvent[];
    }
  | { step: 'mistake'; error: { pointer: string; reason: string } };

/** Where its questions are answered. */
export interface World {
  store: IssuerStore;
  counter: RateCounter;
  keys: RemoteKeys;
  now: () => number;
}

/** Carries out what the core asks for until it has an answer. */
export async function follow(
  begin: (now: number) => ResidentExchange,
  world: World,
  context: RequestContext,
): Promise<FinalStep> {
  let raw: ResidentExchange | undefined;
  try {
    raw = begin(world.now());
    let step = JSON.parse(raw.step()) as OpenStep | FinalStep;
    while (step.step !== 'done' && step.step !== 'mistake') {
      const evidence = await carryOut(step, world, context)
        .then((found) => JSON.stringify(found))
        .catch(() => '{"error":"unavailable"}');
      const now = world.now();
      step = JSON.parse(raw.resume(evidence, now)) as OpenStep | FinalStep;
    }
    return step;
  } catch (error) {
    if (error instanceof CoreError) return UNAVAILABLE;
    throw error;
  } finally {
    raw?.free();
  }
}

/** As `Failure::unavailable` of src/issuer/endpoint/failure.rs, where the core cannot be asked: the request may come again. */
const UNAVAILABLE: FinalStep = {
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
};

async function carryOut(step: OpenStep, world: World, context: RequestContext): Promise<object> {
  switch (step.step) {
    case 'read':
      return { found: (await within(STORE_MS, world.store.read(step.key))) ?? null };
    case 'swap': {
      const { key, expected, value, endsAt } = step;
      return { held: await within(STORE_MS, world.store.swap(key, expected, value, endsAt)) };
    }
    case 'count': {
      const counted = Promise.resolve(world.counter.count(step.key, step.limit, step.seconds));
      return { held: await within(STORE_MS, counted) };
    }
    case 'keys':
      return { held: await world.keys.refresh(step.issuer, step.kid ?? undefined, context) };
  }
}
