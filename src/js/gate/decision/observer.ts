import type { IoEvent } from '../../net/io.js';
import { contained } from '../../shared/contained.js';

/** What a decision took time for. */
export type Phase = 'verify' | 'keys' | 'revocations' | 'introspection' | 'replay';

const PHASES: readonly Phase[] = ['verify', 'keys', 'revocations', 'introspection', 'replay'];

/**
 * What is said of a decision. `issuer` and `kid` come from the policy or a token whose signature
 * held, never from one that was refused before.
 */
export interface Decided {
  ok: boolean;
  /** `allowed`, `public`, `preflight`, or the code of the refusal. */
  code: string;
  stage?: string | undefined;
  /** The status of a refusal. */
  status?: number | undefined;
  /** Why, where the code alone does not say it: what kept an issuer's keys from being fetched. */
  reason?: string | undefined;
  /** Of a refusal: what the policy asks for. */
  expected?: string | undefined;
  /** Of a refusal: what was found, where that can be said. */
  actual?: string | undefined;
  /** Of a refusal: the member of the policy that changes the answer, as `issuers[].audience`. */
  field?: string | undefined;
  issuer?: string | undefined;
  kid?: string | undefined;
  binding?: 'dpop' | 'mtls' | null | undefined;
  method: string;
  /** The pattern of the policy's route, not the path. */
  route?: string | undefined;
  /** Whether a remembered decision answered. */
  cached?: boolean | undefined;
}

/** A decision as `onDecision` is told of it. */
export interface DecisionEvent extends Decided {
  /** Milliseconds. Phases that did not happen are left out. */
  durations: { [phase in Phase]?: number } & { total: number };
  /**
   * The same under the names of OpenTelemetry's semantic conventions where they have one
   * (`http.request.method`, `http.route`, `http.response.status_code`, `error.type`), and below
   * `portcullis.` where they do not: for a span or a metric as it is. Durations are in seconds.
   */
  attributes: { [name: string]: string | number | boolean };
}

/** What a gate has decided, and what else happened, since it was made. */
export interface ObserverStats {
  /** Decisions by code. */
  decisions: { [code: string]: number };
  /** What else happened, by `name`, or `name:reason`. */
  events: { [name: string]: number };
  /** Exceptions of callbacks, which reached nobody. */
  callbackErrors: number;
}

/** Codes are a closed set; reasons may be names of foreign errors. */
const MOST_NAMES = 512;

/**
 * The methods that the conventions know; any other is `_OTHER`, since anyone can send as many
 * names as they like.
 */
export const METHODS = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'];

/** Measures the phases of one decision. */
export class Stopwatch {
  readonly #clock: () => number;
  readonly #began: number;
  readonly #spent = new Map<Phase, number>();

  /** In workerd the clock stands still but for I/O: there, only that is measured. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#began = clock();
  }

  /** Runs a piece of work and adds its time to a phase. */
  time<T>(phase: Phase, work: () => T): T {
    const began = this.#clock();
    const end = () => {
      this.#spent.set(phase, (this.#spent.get(phase) ?? 0) + this.#clock() - began);
    };
    let result: T;
    try {
      result = work();
    } catch (error) {
      end();
      throw error;
    }
    if (result instanceof Promise) return result.finally(end) as T;
    end();
    return result;
  }

  durations(): DecisionEvent['durations'] {
    return { ...Object.fromEntries(this.#spent), total: this.#clock() - this.#began };
  }
}

/**
 * Measures nothing, for when nobody asks: to look at a clock three times costs as much as to look
 * up a decision.
 */
class Idle extends Stopwatch {
  constructor() {
    super(() => 0);
  }

  override time<T>(_: Phase, work: () => T): T {
    return work();
  }
}

const IDLE = /* @__PURE__ */ new Idle();

/**
 * The value of a `Server-Timing` header (W3C Server Timing §3): milliseconds by phase. It names no
 * code, which a page's scripts could read.
 */
export function serverTiming(durations: DecisionEvent['durations']): string {
  const metric = (name: string, ms: number) => `portcullis-${name};dur=${Math.max(0, ms).toFixed(3)}`;
  const phases = PHASES.flatMap((phase) => {
    const ms = durations[phase];
    return ms === undefined ? [] : [metric(phase, ms)];
  });
  return [...phases, metric('total', durations.total)].join(', ');
}

/**
 * Counts decisions, and tells a callback of each. Whatever the callback does, no decision changes
 * and nothing is thrown.
 */
export class Observer {
  readonly #onDecision: ((event: DecisionEvent) => unknown) | undefined;
  readonly #decisions = new Map<string, number>();
  readonly #events = new Map<string, number>();
  #callbackErrors = 0;

  constructor(onDecision?: (event: DecisionEvent) => unknown) {
    this.#onDecision = onDecision;
  }

  /** Measures a decision, if anybody is told how long it took. */
  stopwatch(timing: boolean | undefined): Stopwatch {
    return this.#onDecision === undefined && !timing ? IDLE : new Stopwatch();
  }

  /** Counts a decision, and says whether somebody is to be told more of it. */
  counted(code: string): boolean {
    count(this.#decisions, code);
    return this.#onDecision !== undefined;
  }

  /** Counts and tells. */
  decided(decided: Decided, stopwatch: Stopwatch): void {
    if (this.counted(decided.code)) this.tell(decided, stopwatch);
  }

  /** Tells of a decision that is counted. */
  tell(decided: Decided, stopwatch: Stopwatch): void {
    const tell = this.#onDecision;
    if (tell === undefined) return;
    const durations = stopwatch.durations();
    const event = { ...named(decided), durations, attributes: attributesOf(decided, durations) };
    contained(
      () => tell(event),
      () => {
        this.#callbackErrors += 1;
      },
    );
  }

  /** To be given to the I/O as its `observe`. */
  readonly happened = ({ name, reason }: IoEvent): void => {
    count(this.#events, reason === undefined ? name : `${name}:${reason}`);
  };

  stats(): ObserverStats {
    return {
      decisions: Object.fromEntries(this.#decisions),
      events: Object.fromEntries(this.#events),
      callbackErrors: this.#callbackErrors,
    };
  }
}

function count(counts: Map<string, number>, name: string): void {
  const before = counts.get(name);
  if (before === undefined && counts.size >= MOST_NAMES) return;
  counts.set(name, (before ?? 0) + 1);
}

/** Only what is named, so that nothing that clings to it gets into a log. */
function named(decided: Decided): Decided {
  const { ok, code, stage, status, reason, expected, actual, field } = decided;
  const { issuer, kid, binding, method, route, cached } = decided;
  const why = { reason, expected, actual, field };
  const members = { ok, code, stage, status, ...why, issuer, kid, binding, method, route, cached };
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as typeof members;
}

function attributesOf(decided: Decided, durations: DecisionEvent['durations']): DecisionEvent['attributes'] {
  const { ok, code, stage, status, reason, issuer, kid, binding, method, route, cached } = decided;
  const attributes: DecisionEvent['attributes'] = {
    'http.request.method': METHODS.includes(method) ? method : '_OTHER',
    'portcullis.decision': ok ? code : 'refused',
  };
  const set = (name: string, value: string | number | boolean | undefined) => {
    if (value !== undefined) attributes[name] = value;
  };
  set('http.route', route);
  set('http.response.status_code', status);
  set('error.type', ok ? undefined : code);
  set('portcullis.stage', stage);
  set('portcullis.reason', reason);
  set('portcullis.issuer', issuer);
  set('portcullis.kid', kid);
  set('portcullis.binding', binding ?? undefined);
  set('portcullis.cached', cached);
  for (const [phase, ms] of Object.entries(durations)) attributes[`portcullis.${phase}.duration`] = ms / 1000;
  return attributes;
}
