import { PolicyError } from '../../shared/errors.js';
import { ownOf } from '../../shared/plain-data.js';
import type { StandardSchema } from '../../shared/standard-schema.js';
import { isPromise } from '../../shared/synchronous.js';
import type { Request } from '../../shared/web.js';
import { freeze } from '../../verifier/convert.js';
import { type ClaimsReader, readerOf } from '../../verifier/typed-claims.js';
import type { Claims } from '../../verifier/verdict.js';
import type { AllowedToken, GateOptions, RequestFacts } from '../types.js';
import { type AllowedStep, allowedToken } from './decision.js';

/** What is remembered of a request that was allowed. */
export interface Remembered {
  decision: AllowedToken;
  kid: string | undefined;
  /**
   * What the decision was made of, when the schema is asked again each time: what it makes must
   * not be shared.
   */
  untyped?: AllowedStep;
}

/**
 * The same before it is remembered, with why it is not to be: only what has no `misfit` is
 * remembered.
 */
export type Typed = Remembered & { misfit?: string };

/**
 * The caller's own checks, as the options have them now: a schema for the claims, and a function.
 * They can only refuse.
 */
export class OwnChecks {
  readonly #read: ClaimsReader | undefined;
  readonly #narrow: GateOptions<unknown>['narrow'];

  /** @throws PolicyError when one of them is named and is none: it has got lost. */
  constructor(options: GateOptions<unknown>) {
    this.#read = readerOf(options as { claims?: StandardSchema });
    if (!('narrow' in options)) return;
    const { narrow } = options;
    if (typeof narrow !== 'function')
      throw new PolicyError('/narrow', 'must be a function. Leave it out for no check');
    this.#narrow = (claims, request) => narrow.call(options, claims, request);
  }

  /**
   * The decision with what the schema makes of the claims, and why not, when they do not fit it.
   */
  typed(step: AllowedStep): Typed {
    const kid = step.header?.kid;
    // Frozen before the schema sees them, which is asked about the same claims again.
    const claims = freeze(step.claims);
    const result = this.#read?.(claims);
    if (result === undefined) return { decision: allowedToken(step, claims), kid };
    if ('ok' in result)
      return { decision: allowedToken(step, claims), kid, misfit: 'the claims do not fit the schema' };
    const { value, isData } = ownOf(result.value, claims);
    const decision = allowedToken(step, value as Claims);
    return isData ? { decision, kid } : { decision, kid, untyped: step };
  }

  /**
   * What the caller's own check has against a request. Only `true` is nothing; one that throws, or
   * answers later, has refused.
   */
  objection(decision: AllowedToken, request: Request | RequestFacts): string | undefined {
    const narrow = this.#narrow;
    if (narrow === undefined) return undefined;
    try {
      const answer: unknown = narrow(decision.claims, request);
      if (answer === true) return undefined;
      if (isPromise(answer)) return 'narrow must be synchronous, and it returned a promise';
      return typeof answer === 'string' ? answer : 'the check did not answer true';
    } catch {
      return 'the check threw';
    }
  }
}
