import type { Request } from '../../shared/web.js';
import type { Evidence, Facts } from '../request/facts.js';
import type { Allowed, CheckContext, RequestFacts } from '../types.js';
import type { RefusedStep } from './decision.js';
import type { Decided, Observer, Stopwatch } from './observer.js';
import type { Shadow } from './shadow.js';

/** A question, as it came. */
export interface Asked {
  request: Request | RequestFacts;
  requirement: string | undefined;
  /** The core's number for the requirement. */
  number: number | undefined;
  context: CheckContext;
  stopwatch: Stopwatch;
}

/**
 * Who is told of decisions: the counters, the caller's `onDecision`, and a second policy, whose
 * word is compared.
 */
export class DecisionListeners {
  readonly #observer: Observer;
  readonly #shadow: Pick<Shadow, 'compare'> | undefined;
  readonly #now: () => number;
  readonly #policy: () => string;

  /** `policy` is the core's name for the present policy. */
  constructor(
    observer: Observer,
    shadow: Pick<Shadow, 'compare'> | undefined,
    now: () => number,
    policy: () => string,
  ) {
    this.#observer = observer;
    this.#shadow = shadow;
    this.#now = now;
    this.#policy = policy;
  }

  allowed(
    { decision, kid }: { decision: Allowed; kid: string | undefined },
    facts: Facts,
    asked: Asked,
    evidence: Evidence,
    cached: boolean,
  ): void {
    const code = decision.via === 'token' ? 'allowed' : decision.via;
    // Mostly there is nobody to tell more.
    if (!this.#observer.counted(code) && this.#shadow === undefined) return;
    const about = decision.via === 'token' ? { issuer: decision.issuer, binding: decision.binding, kid } : {};
    this.#tell({ ok: true, code, method: facts.method, cached, ...about }, facts, asked, evidence);
  }

  /** A preflight that has its answer. */
  answered(facts: Facts, asked: Asked, evidence: Evidence): void {
    const code = 'preflight';
    this.#observer.counted(code);
    this.#tell({ ok: true, code, method: facts.method, cached: false }, facts, asked, evidence);
  }

  refused(step: RefusedStep, facts: Facts, asked: Asked, evidence: Evidence): void {
    const { code, stage, status, explanation } = step;
    // Of other codes it may be the caller's own text.
    const reason = code === 'keys-unavailable' ? (step as { reason?: string }).reason : undefined;
    this.#observer.counted(code);
    this.#tell(
      { ok: false, code, stage, status, reason, ...explanation, method: facts.method, cached: false },
      facts,
      asked,
      evidence,
    );
  }

  /** A refusal without a request that could be read: the core could not be asked. */
  unavailable({ code, stage, status, explanation }: RefusedStep, stopwatch: Stopwatch): void {
    const decided = { ok: false, code, stage, status, ...explanation, method: '', cached: false };
    this.#observer.decided(decided, stopwatch);
  }

  /** Tells of a decision that is counted. */
  #tell(decided: Decided, facts: Facts, { requirement, stopwatch }: Asked, evidence: Evidence): void {
    this.#observer.tell(decided, stopwatch);
    if (this.#shadow === undefined) return;
    // The shadow has a policy of its own, and is told what was found out under the live one.
    const { policy, ...found } = evidence;
    const current = policy === undefined || policy === this.#policy();
    const told = { ...facts, requirement: undefined, evidence: current ? found : {} };
    this.#shadow.compare(decided.code, told, requirement, this.#now(), { method: decided.method });
  }
}
