import { VerdictCache } from '../cache.js';
import { freeze } from '../convert.js';
import { ownOf } from '../data.js';
import { orPolicyError } from '../errors.js';
import type { KeyReport, Verifier } from '../index.js';
import { CoreError, type Instance } from '../instance.js';
import { listUpdate, statusUpdate } from '../lists.js';
import type { Policy } from '../policy.js';
import type { StandardSchema } from '../standard-schema.js';
import { toJson } from '../to-json.js';
import { type ClaimsReader, readerOf } from '../typed-claims.js';
import type { Claims } from '../verdict.js';
import { cacheSize, verifierOn } from '../verifier.js';
import type { GateGlue } from '../wasm/glue.js';
import {
  type AllowedStep,
  allowed,
  allowedToken,
  answered,
  type PreflightStep,
  type RefusedStep,
  refused,
  unavailableStep,
} from './decision.js';
import { cacheKey, type Evidence, type Facts, factsOf, type Profile, profileOf } from './facts.js';
import { handed, withHeaders } from './handler.js';
import type {
  Allowed,
  AllowedToken,
  Auth,
  CheckContext,
  Decision,
  Gate,
  GatedPolicy,
  GateOptions,
  GateStats,
  RequestFacts,
} from './index.js';
import { Introspection } from './introspection.js';
import type { IntrospectionSource, Io, RemoteSource, RevocationSource } from './io.js';
import { RemoteKeys } from './keys.js';
import { Loop } from './loop.js';
import { narrowOf } from './narrow.js';
import { type Decided, Observer, Stopwatch, serverTiming } from './observe.js';
import { connectionOf, platformOf, platformOption } from './platform.js';
import type { Requirement } from './policy.js';
import { memoryReplayStore } from './replay-store.js';
import { shadowOf } from './report.js';
import { nonceSecretOf, ResidentGate } from './resident.js';
import { Revocations } from './revocations.js';
import { snapshotOf } from './snapshot.js';

/** What is remembered of a request that was allowed. */
interface Remembered {
  decision: AllowedToken;
  kid: string | undefined;
  /** What the decision was made of, when the schema is asked again each time: what it makes must not be shared. */
  untyped?: AllowedStep;
}

/** The same before it is remembered, with why not. */
type Typed = Remembered & { misfit?: string };

interface Sources {
  remotes: RemoteSource[];
  introspections: IntrospectionSource[];
  revocation: RevocationSource | null;
}

/**
 * Makes a gate: the loop around the core, which decides. Here is only I/O, what was remembered, and the shape of answers.
 *
 * Requests share data and never a promise: workerd ends those of a request with it.
 */
export function makeGate<C>(
  home: Instance<GateGlue>,
  policy: GatedPolicy,
  options: GateOptions<C> = {},
): Gate<C> {
  return new Driver(home, policy, options as GateOptions<unknown>).face() as Gate<C>;
}

class Driver {
  readonly #options: GateOptions<unknown>;
  readonly #raw: ResidentGate;
  readonly #inner: { verifier: Verifier; evict(): void };
  readonly #platform: ReturnType<typeof platformOf>;
  readonly #read: ClaimsReader | undefined;
  readonly #narrow: GateOptions<unknown>['narrow'];
  readonly #observer: Observer;
  readonly #io: Io;
  readonly #keys: RemoteKeys;
  readonly #revocations: Revocations;
  readonly #loop: Loop;
  readonly #shadow: ReturnType<typeof shadowOf>;
  readonly #cache: VerdictCache<Remembered, 'request'>;
  readonly #count = { hits: 0, misses: 0 };
  readonly #requirements = new Map<string, number>();
  #policy: string;
  #introspection: Introspection;
  #profile: Profile;
  #epoch = 0;

  constructor(home: Instance<GateGlue>, policy: GatedPolicy, options: GateOptions<unknown>) {
    this.#options = options;
    const most = cacheSize(options.cache);
    this.#cache = new VerdictCache(most);
    this.#platform = platformOf(platformOption(options.platform));
    this.#read = readerOf(options as { claims?: StandardSchema });
    this.#narrow = narrowOf(options);
    this.#policy = toJson(policy);
    this.#raw = orPolicyError(() => new ResidentGate(home, this.#policy, nonceSecretOf(options)));
    this.#inner = verifierOn(this.#raw, home, most, {
      replacePolicy: (policy) => this.#replacePolicy(policy),
      setRemoteKeys: (issuer, jwks) => this.#takeKeys(issuer, jwks),
      applyRevocations: (documents, now) => this.#takeLists(documents, now),
      applyStatusList: (uri, jwt, now) => this.#takeStatusList(uri, jwt, now),
    });
    this.#observer = new Observer(options.onDecision);
    const now = options.now ?? (() => Math.floor(Date.now() / 1000));
    this.#io = {
      // The runtime's own must be called as a function of its global object.
      fetch: options.fetch ?? ((...args: Parameters<typeof fetch>) => globalThis.fetch(...args)),
      now,
      readMetadata: (issuer, text) => this.#raw.readMetadata(issuer, text),
      store: options.store,
      observe: this.#observer.happened,
    };
    this.#shadow = shadowOf(home, options);
    const { remotes, introspections, revocation } = this.#sources();
    this.#introspection = new Introspection(introspections, options.introspection, this.#io);
    this.#keys = new RemoteKeys(
      remotes,
      this.#io,
      (issuer, jwks) => this.#takeKeys(issuer, jwks),
      (issuer) => this.#forgetKeys(issuer),
    );
    this.#revocations = new Revocations(revocation ?? undefined, this.#io, {
      version: () => this.#raw.revocationsVersion(),
      applyRevocations: (documents) => this.#takeLists(documents, now()),
      applyStatusList: (uri, jwt) => this.#takeStatusList(uri, jwt, now()),
      secrets: options.revocation,
    });
    this.#raw.onListsLost = () => this.#revocations.changed(undefined);
    this.#profile = this.#readProfile();
    this.#loop = new Loop(this.#raw, now, {
      keys: this.#keys,
      introspection: () => this.#introspection,
      replay: options.replay ?? memoryReplayStore({ now }),
      epoch: () => this.#epoch,
    });
  }

  face(): Gate {
    return {
      check: (request, requirement, context) => this.#check(request, requirement, context),
      protect: (handler, requirement, context) => this.#protect(handler, requirement, context),
      replacePolicy: (policy) => this.#inner.verifier.replacePolicy(policy),
      revocationsChanged: (hint) => this.#revocations.changed(hint?.version),
      stats: () => this.#stats(),
      verifier: this.#inner.verifier,
    };
  }

  async #check(
    request: Request | RequestFacts,
    requirement?: Requirement,
    context: CheckContext = {},
  ): Promise<Decision> {
    const text = requirement === undefined ? undefined : toJson(requirement);
    const stopwatch = new Stopwatch();
    try {
      return await this.#decide(request, text, context, stopwatch);
    } catch (error) {
      return this.#unavailable(error, stopwatch);
    }
  }

  #protect<Rest extends unknown[]>(
    handler: (request: Request, auth: Auth, ...rest: Rest) => Response | Promise<Response>,
    requirement?: Requirement,
    contextOf: (request: Request, ...rest: Rest) => CheckContext = (request, ...rest) =>
      handed(request, rest),
  ): (request: Request, ...rest: Rest) => Promise<Response> {
    const text = requirement === undefined ? undefined : toJson(requirement);
    // A mistake in it is told now and not by the first request.
    if (text !== undefined) this.#requirement(text);
    return async (request, ...rest) => {
      const stopwatch = new Stopwatch();
      const decision = await this.#decide(request, text, contextOf(request, ...rest), stopwatch).catch(
        (error) => this.#unavailable(error, stopwatch),
      );
      if (!decision.ok) return decision.response;
      const response = await handler(decision.apply(request), decision, ...rest);
      const timing = this.#options.serverTiming ? serverTiming(stopwatch.durations()) : undefined;
      return withHeaders(response, decision.nonce, timing);
    };
  }

  async #decide(
    request: Request | RequestFacts,
    requirement: string | undefined,
    context: CheckContext,
    stopwatch: Stopwatch,
  ): Promise<Decision> {
    const number = requirement === undefined ? undefined : this.#requirement(requirement);
    const late = this.#keys.tend(context);
    if (late !== undefined) await stopwatch.time('keys', () => late);
    const stale = this.#revocations.tend(context);
    if (stale !== undefined) await stopwatch.time('revocations', () => stale);
    const seen = snapshotOf(request);
    const connection = connectionOf(seen, context, this.#platform);
    const facts = factsOf(seen, number, connection, this.#profile);
    const key = cacheKey(facts, this.#profile.byPath);
    const known = key === undefined ? undefined : this.#cache.get(key, 'request', this.#now(), this.#epoch);
    if (known !== undefined) {
      this.#count.hits += 1;
      const own: Typed = known.untyped === undefined ? known : this.#typed(known.untyped);
      const why = own.misfit ?? this.#objection(own.decision, request);
      if (why === undefined) return this.#allow(own, facts, requirement, {}, stopwatch, true);
    } else this.#count.misses += 1;
    const evidence: Evidence = {};
    const { step, epoch } = await this.#loop.follow(facts, evidence, context, stopwatch);
    if (step.step === 'refused') return this.#refuse(step, facts, requirement, evidence, stopwatch);
    if (step.step === 'preflight' && step.answer !== undefined) {
      const { answer } = step;
      return this.#answer({ ...step, answer }, facts, requirement, evidence, stopwatch);
    }
    if (step.step === 'allowed') {
      const { misfit, ...remembered } = this.#typed(step);
      const why = misfit ?? this.#objection(remembered.decision, request);
      if (why !== undefined) {
        evidence.check = why;
        const refusal = this.#loop.last(facts, evidence, stopwatch);
        // Nothing but a refusal can come of it; should anything else, it is none.
        if (refusal.step === 'refused') return this.#refuse(refusal, facts, requirement, evidence, stopwatch);
        throw new Error('portcullis: a check that refused was not heard');
      }
      const { cacheable, from, until } = step;
      if (key !== undefined && cacheable) {
        this.#cache.set(key, { kind: 'request', verdict: remembered, from, until, epoch });
      }
      return this.#allow(remembered, facts, requirement, evidence, stopwatch, false);
    }
    const decision = allowed(step);
    return this.#allow({ decision, kid: undefined }, facts, requirement, evidence, stopwatch, false);
  }

  /** The decision with what the schema makes of the claims, and why not, when they do not fit it. */
  #typed(step: AllowedStep): Typed {
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

  /** What the caller's own check has against a request. Only `true` is nothing; one that throws, or answers later, has refused. */
  #objection(decision: AllowedToken, request: Request | RequestFacts): string | undefined {
    const narrow = this.#narrow;
    if (narrow === undefined) return undefined;
    try {
      const answer: unknown = narrow(decision.claims, request);
      if (answer === true) return undefined;
      return typeof answer === 'string' ? answer : 'the check did not answer true';
    } catch {
      return 'the check threw';
    }
  }

  #allow(
    { decision, kid }: { decision: Allowed; kid: string | undefined },
    facts: Facts,
    requirement: string | undefined,
    evidence: Evidence,
    stopwatch: Stopwatch,
    cached: boolean,
  ): Decision {
    const code = decision.via === 'token' ? 'allowed' : decision.via;
    const about = decision.via === 'token' ? { issuer: decision.issuer, binding: decision.binding, kid } : {};
    this.#tell(
      { ok: true, code, method: facts.method, cached, ...about },
      facts,
      requirement,
      evidence,
      stopwatch,
    );
    return decision;
  }

  #answer(
    step: Required<PreflightStep>,
    facts: Facts,
    requirement: string | undefined,
    evidence: Evidence,
    stopwatch: Stopwatch,
  ): Decision {
    const { method } = facts;
    this.#tell(
      { ok: true, code: 'preflight', method, cached: false },
      facts,
      requirement,
      evidence,
      stopwatch,
    );
    return answered(step);
  }

  #refuse(
    step: RefusedStep,
    facts: Facts,
    requirement: string | undefined,
    evidence: Evidence,
    stopwatch: Stopwatch,
  ): Decision {
    const { code, stage, status } = step;
    this.#tell(
      { ok: false, code, stage, status, method: facts.method, cached: false },
      facts,
      requirement,
      evidence,
      stopwatch,
    );
    return refused(step, this.#options.serverTiming ? serverTiming(stopwatch.durations()) : undefined);
  }

  /** The refusal where the core could not even be asked. Anything else that is thrown passes. */
  #unavailable(error: unknown, stopwatch: Stopwatch): Decision {
    if (!(error instanceof CoreError)) throw error;
    const step = unavailableStep();
    const { code, stage, status } = step;
    this.#observer.decided({ ok: false, code, stage, status, method: '', cached: false }, stopwatch);
    return refused(step);
  }

  #tell(
    decided: Decided,
    { requirement: _, ...facts }: Facts,
    requirement: string | undefined,
    evidence: Evidence,
    stopwatch: Stopwatch,
  ): void {
    this.#observer.decided(decided, stopwatch);
    this.#shadow?.shadow.compare(decided.code, { ...facts, evidence }, requirement, this.#now(), {
      method: decided.method,
    });
  }

  /** The number of a requirement, by its text: what an object says now, and not what it said when it was first seen. */
  #requirement(text: string): number {
    const known = this.#requirements.get(text);
    if (known !== undefined) return known;
    const number = orPolicyError(() => this.#raw.requirement(text));
    this.#requirements.set(text, number);
    this.#profile = this.#readProfile();
    return number;
  }

  #takeKeys(issuer: string, jwks: string): KeyReport {
    const report = orPolicyError(() => JSON.parse(this.#raw.setRemoteKeys(issuer, jwks)) as KeyReport);
    if (report.changed) this.#evict();
    this.#shadow?.shadow.setKeys(issuer, jwks);
    return report;
  }

  #takeLists(documents: string, now: number) {
    const update = listUpdate(this.#raw, documents, now);
    // A line that is refused may stand behind one that was taken.
    if (!update.ok || update.changed) this.#evict();
    this.#shadow?.shadow.takeLists((core) => listUpdate(core, documents, now));
    return update;
  }

  #takeStatusList(uri: string, jwt: string, now: number) {
    const update = statusUpdate(this.#raw, uri, jwt, now);
    if (update.ok && update.changed) this.#evict();
    this.#shadow?.shadow.takeLists((core) => statusUpdate(core, uri, jwt, now));
    return update;
  }

  #forgetKeys(issuer: string): void {
    this.#raw.forgetKeys(issuer);
    this.#evict();
    this.#shadow?.shadow.forgetKeys(issuer);
  }

  #evict(): void {
    this.#epoch += 1;
    this.#inner.evict();
  }

  #replacePolicy(policy: Policy): void {
    const before = this.#policy;
    const text = toJson(policy);
    try {
      this.#take(text);
      const { introspections } = this.#sources();
      this.#introspection = new Introspection(introspections, this.#options.introspection, this.#io);
      this.#policy = text;
    } catch (error) {
      // A secret is missing, which only the options can tell: the present policy stays.
      this.#take(before);
      throw error;
    }
  }

  #take(policy: string): void {
    orPolicyError(() => this.#raw.replace(policy));
    const { remotes, revocation } = this.#sources();
    this.#keys.replace(remotes);
    this.#revocations.replace(revocation ?? undefined);
    this.#profile = this.#readProfile();
    this.#epoch += 1;
  }

  #sources(): Sources {
    return JSON.parse(this.#raw.remotes()) as Sources;
  }

  #readProfile(): Profile {
    const own = this.#raw.profile();
    if (this.#shadow === undefined) return profileOf(own);
    // The shadow is handed the live facts, so they have to be enough for it, also when a requirement names networks.
    return { ...profileOf(own, this.#shadow.core.profile()), byAddress: true };
  }

  #now(): number {
    return this.#io.now();
  }

  #stats(): GateStats {
    const shadow = this.#shadow?.shadow.stats();
    return {
      verifier: this.#inner.verifier.stats(),
      cache: { entries: this.#cache.size, ...this.#count },
      observed: this.#observer.stats(),
      keys: this.#keys.stats(),
      introspection: this.#introspection.stats(),
      revocations: this.#revocations.stats(),
      ...(shadow === undefined ? {} : { reportOnly: shadow }),
    };
  }
}
