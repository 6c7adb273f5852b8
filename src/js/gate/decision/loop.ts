import { CoreError } from '../../instance/instance.js';
import type { RemoteKeys } from '../../net/remote-keys/remote-keys.js';
import { within } from '../../net/within.js';
import { asPolicyError } from '../../shared/errors.js';
import type { Introspection } from '../introspection/introspection.js';
import type { ReplayStore } from '../replay/memory.js';
import type { Evidence, Facts } from '../request/facts.js';
import type { ResidentGate } from '../resident.js';
import type { CheckContext } from '../types.js';
import { type FinalStep, type Step, unavailableStep } from './decision.js';
import type { Stopwatch } from './observer.js';

/**
 * How often the core is asked about one request. It never needs as many; after them it has to do
 * without what is missing.
 */
const MOST_ROUNDS = 6;

/** What stands in for it. */
const WITHOUT: Evidence = { keys: 'unchanged', introspectionFailed: 'unavailable', replay: 'unavailable' };

/** Where the core's questions are answered. */
interface World {
  keys: RemoteKeys;
  /** Whether it is the name of a tenant that is none of ours. */
  refuses(issuer: string): boolean;
  introspection(): Introspection;
  replay: ReplayStore;
  /** Counts the changes of keys, lists and policy. */
  epoch(): number;
  /** The core's name for the present policy. */
  policy(): string;
}

/** A decision, and the keys and the policy it was made by. */
export interface Concluded {
  step: FinalStep;
  epoch: number;
  /** The facts that it rests on. */
  facts: Facts;
}

/** A replay store that takes longer cannot tell, in milliseconds. */
const REPLAY_MS = 3000;

/** Asks the core about a request, finds out what it asks for, and asks again. */
export class Loop {
  readonly #raw: Pick<ResidentGate, 'decide' | 'step'>;
  readonly #now: () => number;
  readonly #world: World;

  constructor(raw: Pick<ResidentGate, 'decide' | 'step'>, now: () => number, world: World) {
    this.#raw = raw;
    this.#now = now;
    this.#world = world;
  }

  /** One question. */
  ask(facts: Facts, evidence: Evidence | undefined, stopwatch: Stopwatch): Step {
    const now = this.#now();
    try {
      return stopwatch.time('verify', () => {
        if (evidence === undefined) return this.#raw.step(facts, now);
        return JSON.parse(this.#raw.decide(JSON.stringify({ ...facts, evidence }), now)) as Step;
      });
    } catch (thrown) {
      if (thrown instanceof CoreError) return unavailableStep();
      throw typeof thrown === 'string' ? asPolicyError(thrown) : thrown;
    }
  }

  /**
   * Finds out what a first question left open and asks on, until the core decides. What was found
   * out is left in `evidence`. The facts are collected for each question: when the policy was
   * replaced meanwhile, decisions rest on other ones.
   */
  async follow(
    first: OpenStep,
    collect: () => Facts,
    evidence: Evidence,
    context: CheckContext,
    stopwatch: Stopwatch,
  ): Promise<Concluded> {
    let open = first;
    for (let round = 1; ; round++) {
      this.#begin(evidence);
      await this.#findOut(open, evidence, context, stopwatch);
      const facts = collect();
      // The epoch is read before anything else can run, as after the first question.
      if (round === MOST_ROUNDS)
        return { step: this.last(facts, evidence, stopwatch), epoch: this.#world.epoch(), facts };
      const step = this.ask(facts, evidence, stopwatch);
      if (!isOpen(step)) return { step, epoch: this.#world.epoch(), facts };
      open = step;
    }
  }

  /** A question that is answered by what is known: what is missing cannot be had. */
  last(facts: Facts, evidence: Evidence, stopwatch: Stopwatch): FinalStep {
    const step = this.ask(facts, { ...WITHOUT, ...evidence }, stopwatch);
    if (!isOpen(step)) return step;
    // What is known does not count: it was found out under another policy, or is too old an answer.
    const { check } = evidence;
    const without = check === undefined ? WITHOUT : { ...WITHOUT, check };
    const refusal = this.ask(facts, without, stopwatch);
    if (isOpen(refusal)) throw new Error('portcullis: the core asks for what it was given');
    return refusal;
  }

  /**
   * Drops what was found out under another policy. The answer about a proof stays, since the core
   * counts it for that proof alone.
   */
  #begin(evidence: Evidence): void {
    const policy = this.#world.policy();
    if (evidence.policy !== policy) {
      delete evidence.keys;
      delete evidence.keysFailure;
      delete evidence.keysRetrySeconds;
      forgetAnswer(evidence);
    }
    evidence.policy = policy;
  }

  async #findOut(
    step: OpenStep,
    evidence: Evidence,
    context: CheckContext,
    stopwatch: Stopwatch,
  ): Promise<void> {
    const { keys, introspection } = this.#world;
    if (step.step === 'keys' && this.#world.refuses(step.issuer)) evidence.keys = 'tenant-refused';
    else if (step.step === 'keys') {
      const find = () => keys.refresh(step.issuer, step.kid ?? undefined, context);
      if (await stopwatch.time('keys', find)) return;
      evidence.keys = 'unchanged';
      const trouble = keys.trouble(step.issuer);
      if (trouble === undefined) return;
      evidence.keysFailure = trouble.reason;
      evidence.keysRetrySeconds = trouble.retrySeconds;
    } else if (step.step === 'introspect') {
      const fresh = step.fresh === true;
      const ask = () => introspection().ask(step.issuer, step.token, context, fresh);
      const answer = await stopwatch.time('introspection', ask);
      forgetAnswer(evidence);
      evidence.introspectionKept = !fresh;
      if (answer === 'unavailable' || answer === 'busy') evidence.introspectionFailed = answer;
      else evidence.introspection = answer;
    } else {
      evidence.replay = await stopwatch.time('replay', () => this.#firstUse(step));
      evidence.replayKey = step.key;
      evidence.replayUntil = step.until;
    }
  }

  async #firstUse({
    key,
    until,
    issuedAt,
  }: Extract<Step, { step: 'replay' }>): Promise<NonNullable<Evidence['replay']>> {
    try {
      const answer = this.#world.replay.firstUse(key, until, issuedAt);
      // In memory there is nothing to wait for.
      const first = typeof answer === 'boolean' ? answer : await within(REPLAY_MS, answer);
      return first === true ? 'first' : 'seen';
    } catch {
      return 'unavailable';
    }
  }
}

function forgetAnswer(evidence: Evidence): void {
  delete evidence.introspection;
  delete evidence.introspectionFailed;
  delete evidence.introspectionKept;
}

type OpenStep = Exclude<Step, FinalStep>;

export function isOpen(step: Step): step is OpenStep {
  return step.step === 'keys' || step.step === 'introspect' || step.step === 'replay';
}
