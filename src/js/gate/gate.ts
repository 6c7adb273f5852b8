import { CoreError, type Instance } from '../instance/instance.js';
import type { Io } from '../net/io.js';
import { ruleOf } from '../net/remote-keys/key-rule.js';
import { RemoteKeys } from '../net/remote-keys/remote-keys.js';
import { orPolicyError } from '../shared/errors.js';
import { clockOf } from '../shared/synchronous.js';
import { toJson } from '../shared/to-json.js';
import { VerdictCache } from '../verifier/cache.js';
import type { KeyReport, Verifier } from '../verifier/index.js';
import type { Policy } from '../verifier/policy.js';
import { listUpdate, statusUpdate } from '../verifier/revocation-lists.js';
import { cacheSize, verifierOn } from '../verifier/verifier.js';
import type { GateGlue } from '../wasm/glue.js';
import { allowed, answered, type RefusedStep, refused, unavailableStep } from './decision/decision.js';
import { type Asked, DecisionListeners } from './decision/decision-listeners.js';
import { listenerOf } from './decision/explain.js';
import { type Concluded, isOpen, Loop } from './decision/loop.js';
import { Observer, type Stopwatch, serverTiming } from './decision/observer.js';
import { OwnChecks, type Remembered, type Typed } from './decision/own-checks.js';
import { shadowOf } from './decision/shadow.js';
import { Introspection } from './introspection/introspection.js';
import type { Requirement } from './policy.js';
import { memoryReplayStore } from './replay/memory.js';
import { hasBody, mayHideBody } from './request/body.js';
import { CollectedFacts } from './request/collected-facts.js';
import { type Evidence, type Facts, type Profile, profileOf } from './request/facts.js';
import { type ContextOf, copyOf, type Handler, handed, withHeaders } from './request/handler.js';
import { connectionOf, platformOf, platformOption } from './request/platform.js';
import { type Snapshot, snapshotOf } from './request/snapshot.js';
import { nonceSecretOf, ResidentGate, type Sources } from './resident.js';
import { feedAuthorization } from './revocation/feed-credentials.js';
import { Revocations } from './revocation/revocations.js';
import { Tenants } from './tenants.js';
import type {
  CheckContext,
  Decision,
  Gate,
  GatedPolicy,
  GateOptions,
  GateStats,
  RequestFacts,
} from './types.js';

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
  readonly #own: OwnChecks;
  readonly #observer: Observer;
  readonly #io: Io;
  readonly #keys: RemoteKeys;
  readonly #revocations: Revocations;
  readonly #loop: Loop;
  readonly #shadow: ReturnType<typeof shadowOf>;
  readonly #tenants: Tenants;
  readonly #listeners: DecisionListeners;
  readonly #cache: VerdictCache<Remembered, 'request'>;
  readonly #count = { hits: 0, misses: 0 };
  readonly #requirements = new Map<string, number>();
  readonly #now: () => number;
  #introspection: Introspection;
  #profile: Profile;
  #epoch = 0;

  constructor(home: Instance<GateGlue>, policy: GatedPolicy, options: GateOptions<unknown>) {
    this.#options = options;
    const most = cacheSize(options.cache);
    this.#cache = new VerdictCache(most);
    this.#platform = platformOf(platformOption(options.platform));
    this.#own = new OwnChecks(options);
    const text = toJson(policy);
    const resolves = options.tenants !== undefined;
    this.#raw = orPolicyError(() => new ResidentGate(home, text, nonceSecretOf(options), resolves));
    this.#tenants = new Tenants(this.#raw, options, (issuer) => this.#keys.letGo(issuer));
    this.#inner = verifierOn(this.#raw, home, most, {
      replacePolicy: (policy) => this.#replacePolicy(policy),
      setRemoteKeys: (issuer, jwks) => this.#takeKeys(issuer, jwks),
      applyRevocations: (documents, now) => this.#takeLists(documents, now),
      applyStatusList: (uri, jwt, now) => this.#takeStatusList(uri, jwt, now),
      refuses: (issuer) => this.#tenants.refuses(issuer),
    });
    this.#observer = new Observer(listenerOf(options));
    const now = clockOf(options.now);
    this.#now = now;
    this.#io = {
      // The runtime's own must be called as a function of its global object.
      fetch: options.fetch ?? ((...args: Parameters<typeof fetch>) => globalThis.fetch(...args)),
      now,
      readMetadata: (issuer, text) => this.#raw.readMetadata(issuer, text),
      store: options.store,
      observe: this.#observer.happened,
    };
    this.#shadow = shadowOf(home, options);
    this.#listeners = new DecisionListeners(
      this.#observer,
      this.#shadow?.shadow,
      now,
      () => this.#profile.policy,
    );
    const sources = JSON.parse(this.#raw.remotes()) as Sources;
    const { remotes, introspections, revocation } = this.#tenants.checked(sources);
    this.#introspection = new Introspection(introspections, options.introspection, this.#io);
    this.#keys = new RemoteKeys(
      remotes,
      this.#io,
      (issuer, jwks) => this.#takeKeys(issuer, jwks),
      (issuer) => this.#forgetKeys(issuer),
      ruleOf(home),
      (issuer) => this.#tenants.admit(issuer),
    );
    this.#revocations = new Revocations(revocation ?? undefined, this.#io, {
      version: () => this.#raw.revocationsVersion(),
      cursor: () => this.#raw.revocationsCursor(),
      applyRevocations: (documents) => this.#takeLists(documents, now()),
      applyStatusList: (uri, jwt) => this.#takeStatusList(uri, jwt, now()),
      secrets: options.revocation,
    });
    this.#raw.onListsLost = () => this.#revocations.changed(undefined);
    this.#profile = this.#profileOf(this.#raw.profile());
    this.#loop = new Loop(this.#raw, now, {
      keys: this.#keys,
      refuses: (issuer) => this.#tenants.refuses(issuer),
      introspection: () => this.#introspection,
      replay: options.replay ?? memoryReplayStore({ now }),
      epoch: () => this.#epoch,
      policy: () => this.#profile.policy,
    });
  }

  face(): Gate {
    return {
      check: (request, requirement, context) => this.#check(request, requirement, context),
      protect: (handler, requirement, context) =>
        this.#protect(handler as Handler, requirement, context as never) as never,
      requirement: (requirement) => copyOf(requirement, this.#textOf(requirement)),
      replacePolicy: (policy) => this.#inner.verifier.replacePolicy(policy),
      revocationsChanged: (hint) => this.#revocations.changed(hint?.version),
      stats: () => this.#stats(),
      verifier: this.#inner.verifier,
    };
  }

  #check(
    request: Request | RequestFacts,
    requirement?: Requirement,
    context: CheckContext = {},
  ): Promise<Decision> {
    try {
      const text = requirement === undefined ? undefined : toJson(requirement);
      const stopwatch = this.#observer.stopwatch(this.#options.serverTiming);
      return this.#answer(request, text, context, stopwatch);
    } catch (mistake) {
      return Promise.reject(mistake);
    }
  }

  /** A requirement's text. A mistake in it is told now and not by the first request. */
  #textOf(requirement: Requirement | undefined): string | undefined {
    if (requirement === undefined) return undefined;
    const text = toJson(requirement);
    this.#requirement(text);
    return text;
  }

  #protect(
    handler: Handler,
    requirement?: Requirement,
    contextOf: ContextOf = (request, ...rest) => handed(request, rest),
  ): (request: Request, ...rest: unknown[]) => Promise<Response> {
    const text = this.#textOf(requirement);
    return async (request, ...rest) => {
      const stopwatch = this.#observer.stopwatch(this.#options.serverTiming);
      const decision = await this.#answer(request, text, contextOf(request, ...rest), stopwatch);
      if (!decision.ok) return decision.response;
      const response = await handler(decision.apply(request), decision, ...rest);
      const timing = this.#options.serverTiming ? serverTiming(stopwatch.durations()) : undefined;
      return withHeaders(response, decision.nonce, timing);
    };
  }

  async #answer(
    request: Request | RequestFacts,
    requirement: string | undefined,
    context: CheckContext,
    stopwatch: Stopwatch,
  ): Promise<Decision> {
    try {
      const decision = this.#decide(request, requirement, context, stopwatch);
      return decision instanceof Promise ? await decision : decision;
    } catch (error) {
      return this.#unavailable(error, stopwatch);
    }
  }

  /**
   * Decides, at once where nothing has to be waited for. What is thrown comes out of the promise
   * or of the call.
   */
  #decide(
    request: Request | RequestFacts,
    requirement: string | undefined,
    context: CheckContext,
    stopwatch: Stopwatch,
  ): Decision | Promise<Decision> {
    const number = requirement === undefined ? undefined : this.#requirement(requirement);
    const asked: Asked = { request, requirement, number, context, stopwatch };
    const late = this.#keys.tend(context);
    if (late !== undefined) return this.#decideLater(asked, late);
    const stale = this.#revocations.tend(context);
    if (stale !== undefined) return this.#decideLater(asked, undefined, stale);
    const seen = snapshotOf(request);
    return mayHideBody(request, seen) ? this.#judgeBody(asked, request, seen) : this.#judge(asked, seen);
  }

  async #decideLater(
    asked: Asked,
    late: Promise<unknown> | undefined,
    stale?: Promise<unknown>,
  ): Promise<Decision> {
    const { request, context, stopwatch } = asked;
    if (late !== undefined) {
      await stopwatch.time('keys', () => late);
      stale = this.#revocations.tend(context);
    }
    if (stale !== undefined) await stopwatch.time('revocations', () => stale);
    const seen = snapshotOf(request);
    return mayHideBody(request, seen) ? this.#judgeBody(asked, request, seen) : this.#judge(asked, seen);
  }

  async #judgeBody(asked: Asked, request: Request, seen: Snapshot): Promise<Decision> {
    seen.hasBody = await hasBody(request);
    return this.#judge(asked, seen);
  }

  #judge(asked: Asked, seen: Snapshot): Decision | Promise<Decision> {
    const { request, number, context, stopwatch } = asked;
    const connection = connectionOf(seen, context, this.#platform);
    const collected = new CollectedFacts(seen, number, connection, this.#profile);
    const { facts, key } = collected;
    const known = key && this.#cache.get(key, 'request', this.#now(), this.#epoch);
    if (known && !this.#tenants.refuses(known.decision.issuer)) {
      this.#count.hits += 1;
      const own: Typed = known.untyped === undefined ? known : this.#own.typed(known.untyped);
      const why = own.misfit ?? this.#own.objection(own.decision, request);
      if (why === undefined) {
        this.#listeners.allowed(own, facts, asked, {}, true);
        return own.decision;
      }
    } else this.#count.misses += 1;
    const step = this.#loop.ask(facts, undefined, stopwatch);
    const evidence: Evidence = {};
    // The epoch is read before anything else can run: keys may change meanwhile.
    if (!isOpen(step)) return this.#conclude(asked, collected, { step, epoch: this.#epoch, facts }, evidence);
    const collect = () => collected.by(this.#profile).facts;
    return this.#loop
      .follow(step, collect, evidence, context, stopwatch)
      .then((decided) => this.#conclude(asked, collected, decided, evidence));
  }

  /** What comes of a step after which nothing is to be found out. */
  #conclude(
    asked: Asked,
    collected: CollectedFacts,
    { step, epoch, facts }: Concluded,
    evidence: Evidence,
  ): Decision {
    if (step.step === 'refused') return this.#refuse(step, facts, asked, evidence);
    if (step.step === 'preflight' && step.answer !== undefined) {
      this.#listeners.answered(facts, asked, evidence);
      return answered(step.forward, step.answer);
    }
    if (step.step !== 'allowed') {
      const decision = allowed(step);
      this.#listeners.allowed({ decision, kid: undefined }, facts, asked, evidence, false);
      return decision;
    }
    const own = this.#own.typed(step);
    const why = own.misfit ?? this.#own.objection(own.decision, asked.request);
    if (why !== undefined) evidence.check = why;
    if (this.#tenants.refuses(step.issuer)) evidence.keys = 'tenant-refused';
    if (why !== undefined || evidence.keys === 'tenant-refused') {
      const refusal = this.#loop.last(facts, evidence, asked.stopwatch);
      // Nothing but a refusal can come of it; should anything else, it is none.
      if (refusal.step === 'refused') return this.#refuse(refusal, facts, asked, evidence);
      throw new Error('portcullis: a check that refused was not heard');
    }
    this.#keys.used(step.issuer);
    const { cacheable, from, until } = step;
    const { key } = collected;
    if (key !== undefined && cacheable)
      this.#cache.set(key, { kind: 'request', verdict: own, from, until, epoch });
    this.#listeners.allowed(own, facts, asked, evidence, false);
    return own.decision;
  }

  #refuse(step: RefusedStep, facts: Facts, asked: Asked, evidence: Evidence): Decision {
    this.#listeners.refused(step, facts, asked, evidence);
    return refused(step, this.#options.serverTiming ? serverTiming(asked.stopwatch.durations()) : undefined);
  }

  /** The refusal where the core could not even be asked. Anything else that is thrown passes. */
  #unavailable(error: unknown, stopwatch: Stopwatch): Decision {
    if (!(error instanceof CoreError)) throw error;
    const step = unavailableStep();
    this.#listeners.unavailable(step, stopwatch);
    return refused(step);
  }

  /** The number of a requirement, by its text: what an object says now, and not what it said when it was first seen. */
  #requirement(text: string): number {
    const known = this.#requirements.get(text);
    if (known !== undefined) return known;
    const number = orPolicyError(() => this.#raw.requirement(text));
    this.#requirements.set(text, number);
    this.#profile = this.#profileOf(this.#raw.profile());
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

  /** What is refused changes nothing: all that can refuse comes before the core is touched. */
  #replacePolicy(policy: Policy): void {
    const now = this.#now();
    const text = toJson(policy);
    const told = orPolicyError(() => this.#raw.remotesUnder(text));
    const sources = this.#tenants.checked(JSON.parse(told) as Sources);
    const introspection = new Introspection(sources.introspections, this.#options.introspection, this.#io);
    const revocation = sources.revocation ?? undefined;
    const authorization = feedAuthorization(revocation, this.#options.revocation);
    const profile = this.#profileOf(JSON.stringify(sources.profile));
    orPolicyError(() => this.#raw.replace(text));
    this.#epoch += 1;
    this.#introspection = introspection;
    this.#profile = profile;
    this.#keys.replace(sources.remotes, now);
    this.#revocations.replace(revocation, authorization);
  }

  #profileOf(own: string): Profile {
    return this.#shadow === undefined ? profileOf(own) : profileOf(own, this.#shadow.core.profile());
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
