import type { Instance } from '../../instance/instance.js';
import type { KeyReport } from '../../net/io.js';
import { contained } from '../../shared/contained.js';
import { orPolicyError, PolicyError } from '../../shared/errors.js';
import { toJson } from '../../shared/to-json.js';
import type { GateGlue } from '../../wasm/glue.js';
import { nonceSecretOf, ResidentGate } from '../resident.js';
import type { Difference, GateOptions, ShadowStats } from '../types.js';

/** As much of the core's gate as the shadow of one uses. */
export interface ShadowCore {
  requirement(json: string): number;
  decide(facts: string, now: number): string;
  setRemoteKeys(issuer: string, jwks: string): string;
  forgetKeys(issuer: string): void;
}

/** Codes are a closed set; this is for what a core of tomorrow may say. */
const MOST_PAIRS = 1024;

/**
 * A second policy beside the live one: it sees what the live one saw, and nobody sees what it says
 * but the counters and the callback.
 *
 * It fetches nothing. The live policy's documents are handed to it as well, and of a request it
 * gets the facts with all evidence that the live decision rested on; where it would ask for more,
 * it is undecided.
 */
export class Shadow<C extends ShadowCore = ShadowCore> {
  readonly #core: C;
  readonly #onDifference: ((difference: Difference) => unknown) | undefined;
  readonly #requirements = new Map<string, number>();
  readonly #counts = new Map<string, Map<string, number>>();
  #pairs = 0;
  #compared = 0;
  #same = 0;
  #callbackErrors = 0;

  constructor(core: C, onDifference?: (difference: Difference) => unknown) {
    this.#core = core;
    this.#onDifference = onDifference;
  }

  /**
   * Takes the live policy's keys. An issuer that only the live policy has is none of the shadow's.
   */
  setKeys(issuer: string, jwks: string): KeyReport | undefined {
    return this.#contained(() => JSON.parse(this.#core.setRemoteKeys(issuer, jwks)) as KeyReport);
  }

  /** Lets keys go as the live policy has. */
  forgetKeys(issuer: string): void {
    this.#contained(() => this.#core.forgetKeys(issuer));
  }

  /** Hands over the live policy's lists of revocations. A policy that asks for none takes none. */
  takeLists(hand: (core: C) => void): void {
    this.#contained(() => hand(this.#core));
  }

  /**
   * Compares a decision that was made. It never throws.
   * @param live the live decision's code, or what it allowed.
   * @param facts the request's facts, evidence included, without `requirement`.
   * @param requirement the requirement's JSON text, when the caller gave one.
   */
  compare(
    live: string,
    facts: Readonly<Record<string, unknown>>,
    requirement: string | undefined,
    now: number,
    about: { method?: string | undefined; route?: string | undefined } = {},
  ): void {
    this.#contained(() => {
      this.#compared += 1;
      const own =
        requirement === undefined ? facts : { ...facts, requirement: this.#requirement(requirement) };
      const step = JSON.parse(this.#core.decide(JSON.stringify(own), now)) as Record<string, unknown>;
      const shadow = outcome(step);
      if (shadow === live) {
        this.#same += 1;
        return;
      }
      this.#count(live, shadow);
      const difference = {
        live,
        shadow,
        shadowStage: typeof step.stage === 'string' ? step.stage : undefined,
        ...about,
      };
      this.#contained(() => this.#onDifference?.(difference));
    });
  }

  stats(): ShadowStats {
    const differences = Array.from(this.#counts).flatMap(([live, counts]) =>
      Array.from(counts, ([shadow, count]) => ({ live, shadow, count })),
    );
    return { compared: this.#compared, same: this.#same, differences, callbackErrors: this.#callbackErrors };
  }

  #requirement(json: string): number {
    const known = this.#requirements.get(json);
    if (known !== undefined) return known;
    const number = this.#core.requirement(json);
    this.#requirements.set(json, number);
    return number;
  }

  #count(live: string, shadow: string): void {
    let counts = this.#counts.get(live);
    if (counts === undefined) {
      counts = new Map();
      this.#counts.set(live, counts);
    }
    const before = counts.get(shadow);
    if (before === undefined && this.#pairs++ >= MOST_PAIRS) return;
    counts.set(shadow, (before ?? 0) + 1);
  }

  #contained<T>(work: () => T): T | undefined {
    return contained(work, () => {
      this.#callbackErrors += 1;
    });
  }
}

const PASSED = ['allowed', 'public', 'preflight', 'anonymous'];

function outcome({ step, code }: Record<string, unknown>): string {
  if (step === 'refused') return String(code);
  return typeof step === 'string' && PASSED.includes(step) ? step : 'undecided';
}

/** The shadow that the options ask for, and its core. */
export function shadowOf(
  home: Instance<GateGlue>,
  options: GateOptions<unknown>,
): { core: ResidentGate; shadow: Shadow<ResidentGate> } | undefined {
  const { reportOnly } = options;
  if (reportOnly === undefined) return undefined;
  try {
    const core = orPolicyError(
      () => new ResidentGate(home, toJson(reportOnly.policy), nonceSecretOf(options)),
    );
    return { core, shadow: new Shadow(core, reportOnly.onDifference) };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new PolicyError(`/reportOnly/policy${error.pointer}`, error.reason);
  }
}
