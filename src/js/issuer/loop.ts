import type { RemoteKeys } from '../gate/keys.js';
import { within } from '../gate/within.js';
import { type IssuerStore, readMany } from '../stores/store.js';
import type { RawExchange } from '../wasm/glue.js';
import type { IssuerEvent, RateCounter, RequestContext } from './index.js';

/** A store or a counter that takes longer cannot tell, in milliseconds. */
const STORE_MS = 5000;

/** What the core asks for (`Step` of src/issuer/endpoint/channel.rs). */
type OpenStep =
  | { step: 'read'; key: string }
  | { step: 'readMany'; keys: string[] }
  | { step: 'wait'; milliseconds: number }
  | { step: 'swap'; key: string; expected: number; value: string; endsAt: number }
  | { step: 'count'; key: string; limit: number; seconds: number }
  | { step: 'keys'; issuer: string; kid: string | null };

/** What it ends with. */
export type FinalStep =
  | {
      step: 'done';
      response: { status: number; headers: [string, string][]; body: string };
      events: IssuerEvent[];
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
  /** Calls of the store that are under way. */
  calls: number;
}

/**
 * As many as are under way at once. More would wait in the pool of the store's client until their time was over, and be refused for it. Nobody
 * waits here for another request's promise, which workerd would not have: whoever finds it full looks again.
 */
const MOST_CALLS = 40;
const LOOK_MS = 4;
/** A request that was stopped without a word leaves its call behind; whoever has waited for so long goes on, in milliseconds. */
const LONGEST_WAIT_MS = 20_000;

async function calling<T>(world: World, call: () => Promise<T>): Promise<T> {
  for (let waited = 0; world.calls >= MOST_CALLS && waited < LONGEST_WAIT_MS; ) {
    const ms = LOOK_MS * (1 + Math.random());
    await new Promise((resolve) => setTimeout(resolve, ms));
    waited += ms;
  }
  world.calls += 1;
  try {
    return await within(STORE_MS, call());
  } finally {
    world.calls -= 1;
  }
}

/** Carries out what the core asks for until it has an answer. */
export async function follow(raw: RawExchange, world: World, context: RequestContext): Promise<FinalStep> {
  try {
    let step = JSON.parse(raw.step()) as OpenStep | FinalStep;
    while (step.step !== 'done' && step.step !== 'mistake') {
      const evidence = await carryOut(step, world, context).catch(() => ({ error: 'unavailable' }));
      step = JSON.parse(raw.resume(JSON.stringify(evidence), world.now())) as OpenStep | FinalStep;
    }
    return step;
  } finally {
    raw.free();
  }
}

async function carryOut(step: OpenStep, world: World, context: RequestContext): Promise<object> {
  switch (step.step) {
    case 'read':
      return { found: (await calling(world, () => world.store.read(step.key))) ?? null };
    case 'readMany':
      return { foundMany: await calling(world, () => readMany(world.store, step.keys)) };
    case 'wait':
      await new Promise((resolve) => setTimeout(resolve, step.milliseconds));
      return { held: true };
    case 'swap': {
      const { key, expected, value, endsAt } = step;
      return { held: await calling(world, () => world.store.swap(key, expected, value, endsAt)) };
    }
    case 'count': {
      const counted = Promise.resolve(world.counter.count(step.key, step.limit, step.seconds));
      return { held: await within(STORE_MS, counted) };
    }
    case 'keys':
      return { held: await world.keys.refresh(step.issuer, step.kid ?? undefined, context) };
  }
}
