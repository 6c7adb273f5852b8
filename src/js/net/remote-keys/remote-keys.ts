import { Flights } from '../flights.js';
import {
  type Io,
  type IoContext,
  type IoEvent,
  type KeyReport,
  keepAlive,
  type RemoteSource,
} from '../io.js';
import { AdmittedIssuers } from './admitted-issuers.js';
import { readMetadata } from './discovery.js';
import type { KeyRule } from './freshness.js';
import { type Failure, Remote } from './issuer-keys.js';
import { fetchDocument } from './origin.js';
import { readStore, STORE_MS, storeFailed, writeStore } from './shared-store.js';
import type { JwksDocument } from './stored-document.js';

/** What is known of one issuer's remote keys. Times are seconds since 1970. */
export interface RemoteKeysStats {
  issuer: string;
  keys: number;
  fetchedAt: number | null;
  freshUntil: number | null;
  staleUntil: number | null;
  /** Rounds to the origin, and how many of them failed. */
  fetches: number;
  failures: number;
  lastFailure: string | null;
  /** What was wrong with a document that was not taken: `/keys: is required`. */
  lastFailureDetail: string | null;
  /**
   * How often the origin failed in a row, and from when it may be asked again; `null` for at once.
   */
  failuresInARow: number;
  mayAskFrom: number | null;
  /** Documents taken from the shared store, and how often it failed or held what was refused. */
  fromStore: number;
  storeFaults: number;
  /** Kids that are known to be unknown. */
  misses: number;
}

/** As much is kept of what the core says of a document. */
const LONGEST_DETAIL = 300;

/** Issuers of former policies of which documents and limits are kept. */
const MOST_ASIDE = 64;

/**
 * The keys that are fetched: memory, then the shared store, then the origin.
 *
 * It moves texts and keeps times. What a JWK Set means is the core's: `apply` hands it over,
 * throws when the core refuses it, and reports what it holds; `forget` takes an issuer's keys
 * away. When keys are to be fetched anew, and when to be forgotten, is the core's `rule`.
 *
 * While one request fetches, another that has keys answers by those: they are good by the policy's
 * own bounds, and waiting would only slow it down. One that lacks its key looks again by a timer
 * of its own: it would be refused for nothing while its key is on the way. No promise passes from
 * one to the other (`Flights` says why).
 */
export class RemoteKeys {
  #remotes = new Map<string, Remote>();
  /**
   * Those of former policies, by name: a policy that names such a place again finds its document,
   * and the limit on fetches.
   */
  readonly #aside = new Map<string, Remote>();
  readonly #io: Io;
  readonly #apply: (issuer: string, jwks: string) => KeyReport;
  readonly #forget: (issuer: string) => void;
  readonly #rule: KeyRule;
  readonly #admit: (issuer: string) => RemoteSource | undefined;
  /** Those that no policy lists. */
  readonly #admitted = new AdmittedIssuers();
  readonly #flights: Flights;
  /** Nothing is due between these two. */
  #tendedAt = 0;
  #tendAt = 0;

  constructor(
    sources: readonly RemoteSource[],
    io: Io,
    apply: (issuer: string, jwks: string) => KeyReport,
    forget: (issuer: string) => void,
    rule: KeyRule,
    /** Where the keys are of an issuer that no policy lists, if it is one of ours. */
    admit: (issuer: string) => RemoteSource | undefined = () => undefined,
  ) {
    this.#io = io;
    this.#admit = admit;
    this.#rule = rule;
    this.#apply = apply;
    this.#forget = forget;
    this.#flights = new Flights(io.now, io.sleep);
    this.replace(sources);
  }

  /**
   * Takes another policy's sources. What stayed the same keeps its document, which is handed to
   * the core again, and the limit on fetches.
   */
  replace(sources: readonly RemoteSource[], now = 0): void {
    for (const remote of this.#remotes.values()) this.#putAside(remote);
    const before = this.#remotes;
    this.#remotes = new Map();
    this.#admitted.clear();
    for (const source of sources) {
      const fresh = new Remote(source, this.#rule);
      const remote = this.#aside.get(fresh.name) ?? fresh;
      this.#aside.delete(fresh.name);
      remote.source = source;
      this.#remotes.set(source.issuer, remote);
      // Keys from elsewhere, which nobody looks after any more.
      if (before.has(source.issuer) && before.get(source.issuer) !== remote) this.#forget(source.issuer);
      // The new policy may have no use for what was good enough for the old one.
      const { document, found } = remote;
      if (found && !this.#allows(remote, found.metadata)) remote.found = undefined;
      const mayStay = this.#allows(remote, document?.metadata) && !remote.plan(now).forget;
      if (document && !(mayStay && this.#take(remote, document) === undefined)) {
        this.#forget(remote.issuer);
        remote.dropped();
      }
    }
    for (const issuer of before.keys()) if (!this.#remotes.has(issuer)) this.#forget(issuer);
    this.#tendAt = 0;
  }

  /**
   * Asks for a key that the core did not find, or for any when there is no `kid`.
   * @returns whether the keys have changed since the call, by this request or another: the core is
   * worth asking again.
   */
  async refresh(issuer: string, kid: string | undefined, context: IoContext): Promise<boolean> {
    const remote = this.#remotes.get(issuer) ?? this.#takeIn(issuer);
    if (remote === undefined) return false;
    const seen = remote.generation;
    if (kid !== undefined && remote.misses.has(kid, this.#io.now())) return false;
    const flight = this.#flights.underWay(remote.name);
    if (flight !== undefined) await this.#flights.landed(flight);
    else if (remote.plan(this.#io.now()).mayAsk) await this.#round(remote, kid, context);
    return remote.generation !== seen;
  }

  /**
   * Looks after the keys that are there; to be called before every decision, cached ones included.
   * It is a comparison when nothing is due.
   *
   * Keys near their end are fetched anew in the background. Keys past it are too, and then a
   * promise is returned, of this request's own: awaiting it gives the origin the chance to
   * withdraw a key before it is used once more. If the origin fails they serve on, within the
   * policy's bound; then they are dropped.
   */
  tend(context: IoContext): Promise<unknown> | undefined {
    if (this.#remotes.size === 0) return undefined;
    const now = this.#io.now();
    if (now < this.#tendAt && now >= this.#tendedAt) return undefined;
    const late: Promise<void>[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const remote of this.#remotes.values()) {
      const plan = remote.plan(now);
      if (plan.forget) this.#drop(remote);
      if (plan.fetch !== 'no' && this.#flights.underWay(remote.name) === undefined) {
        const round = this.#round(remote, undefined, context);
        if (plan.fetch === 'first') late.push(round);
      }
      next = Math.min(next, remote.plan(now).againAt ?? next);
    }
    this.#tendedAt = now;
    this.#tendAt = Math.max(next, now + 1);
    return late.length > 0 ? Promise.all(late) : undefined;
  }

  /**
   * Why an issuer's keys are not to be had, for the evidence about a request; `undefined` when its
   * origin has not failed. `retrySeconds` counts down to when it may be asked again.
   */
  trouble(issuer: string): { reason: string; retrySeconds: number } | undefined {
    const remote = this.#remotes.get(issuer);
    const { reason, detail } = (remote?.failures && remote.lastFailure) || {};
    if (remote === undefined || reason === undefined) return undefined;
    const now = this.#io.now();
    const retrySeconds = Math.max((remote.plan(now).mayAskFrom ?? now) - now, 1);
    return { reason: detail === undefined ? reason : `${reason}: ${detail}`, retrySeconds };
  }

  stats(): RemoteKeysStats[] {
    const now = this.#io.now();
    return Array.from(this.#remotes.values(), (remote) => {
      const { freshUntil, staleUntil, mayAskFrom } = remote.plan(now);
      return {
        issuer: remote.issuer,
        keys: remote.keys,
        fetchedAt: remote.document?.fetchedAt ?? null,
        freshUntil,
        staleUntil,
        ...remote.count,
        lastFailure: remote.lastFailure?.reason ?? null,
        lastFailureDetail: remote.lastFailure?.detail ?? null,
        failuresInARow: remote.failures,
        mayAskFrom,
        misses: remote.misses.size,
      };
    });
  }

  /** Lets an issuer go that no policy lists. */
  letGo(issuer: string): void {
    if (this.#admitted.delete(issuer)) this.#remotes.delete(issuer);
    this.#forget(issuer);
  }

  /** A token of that issuer was accepted: strangers who name others take its keys from nobody. */
  used(issuer: string): void {
    this.#admitted.used(issuer);
  }

  #takeIn(issuer: string): Remote | undefined {
    const source = this.#admit(issuer);
    if (source === undefined) return undefined;
    const fresh = new Remote(source, this.#rule);
    fresh.askedBefore(this.#admitted.askedBefore(issuer));
    this.#remotes.set(issuer, fresh);
    const idle = this.#admitted.add(issuer);
    if (idle !== undefined) {
      this.#admitted.remember(idle, this.#remotes.get(idle)?.askedAt);
      this.letGo(idle);
    }
    return fresh;
  }

  /**
   * One turn through the lower tiers. Its promise never rejects and belongs to the request that
   * began it.
   */
  #round(remote: Remote, kid: string | undefined, context: IoContext): Promise<void> {
    const exchanges = remote.source.jwksUri ? 1 : 2;
    const flight = this.#flights.begin(remote.name, exchanges * remote.source.timeoutMs + STORE_MS);
    const work = this.#load(remote, kid, context)
      .catch((error: unknown) =>
        this.#failed(remote, { reason: error instanceof Error ? error.name : 'unknown' }),
      )
      .finally(() => this.#flights.end(flight));
    // A client that goes away takes its request with it, and would leave the others without keys
    // until the next turn.
    keepAlive(context, this.#io, remote.issuer, work);
    return work;
  }

  async #load(remote: Remote, kid: string | undefined, context: IoContext): Promise<void> {
    const io = this.#io;
    const lacks = () => kid !== undefined && !remote.has(kid);
    const held = await readStore(remote, io, this.#rule);
    if (!this.#isCurrent(remote)) return;
    if (held !== undefined && held.fetchedAt > (remote.document?.fetchedAt ?? Number.NEGATIVE_INFINITY)) {
      if (this.#allows(remote, held.metadata) && this.#take(remote, held) === undefined) {
        remote.count.fromStore += 1;
        if (!lacks() && io.now() < (remote.plan(io.now()).freshUntil ?? 0)) return;
        // Another isolate has just asked: its answer is as good as ours would be.
        remote.askedAt = Math.min(held.fetchedAt, io.now());
      } else storeFailed(remote, io, 'store-refused', 'bad-document');
    }
    if (remote.plan(io.now()).mayAsk) {
      remote.asked(io.now());
      remote.count.fetches += 1;
      const fetched = await fetchDocument(remote, io, this.#rule);
      if (!this.#isCurrent(remote)) return;
      if (typeof fetched === 'string') return this.#failed(remote, { reason: fetched });
      // Another policy may be in force by now, under which it would not have been fetched.
      if (!this.#allows(remote, fetched.metadata))
        return this.#failed(remote, { reason: 'bad-document', detail: 'another policy is in force' });
      const fault = this.#take(remote, fetched);
      if (fault !== undefined) return this.#failed(remote, { reason: 'bad-document', detail: fault });
      this.#tell('keys-fetched', remote);
      keepAlive(context, io, remote.issuer, writeStore(remote, fetched, io, this.#rule));
    }
    if (kid !== undefined && lacks()) remote.misses.add(kid, io.now());
  }

  /** Another policy may have been taken meanwhile, which does not know this place. */
  #isCurrent(remote: Remote): boolean {
    return this.#remotes.get(remote.issuer) === remote;
  }

  /**
   * Hands a document to the core. One that it refuses changes nothing, and what is wrong with it
   * comes back.
   */
  #take(remote: Remote, document: JwksDocument): string | undefined {
    try {
      const report = this.#apply(remote.issuer, document.text);
      remote.took(document, report, (this.#io.random ?? Math.random)());
    } catch (error) {
      return error instanceof Error ? error.message.slice(0, LONGEST_DETAIL) : 'unknown';
    }
    this.#tendAt = 0;
    return undefined;
  }

  /**
   * Whether the present policy would fetch from where these metadata say: they may name a host that
   * it does not allow. Those of a document in the shared store were read by another gate, or by
   * this one under another policy.
   */
  #allows({ issuer, source }: Remote, metadata: string | undefined): boolean {
    if (source.jwksUri) return true;
    try {
      return metadata !== undefined && typeof readMetadata(this.#io, issuer, metadata) !== 'string';
    } catch {
      // A core that cannot be asked has not said so.
      return false;
    }
  }

  #putAside(remote: Remote): void {
    this.#aside.delete(remote.name);
    this.#aside.set(remote.name, remote);
    if (this.#aside.size > MOST_ASIDE) this.#aside.delete(this.#aside.keys().next().value as string);
  }

  #drop(remote: Remote): void {
    this.#forget(remote.issuer);
    remote.dropped();
    this.#tell('keys-dropped', remote);
  }

  #failed(remote: Remote, failure: Failure): void {
    remote.count.failures += 1;
    remote.failures += 1;
    remote.lastFailure = failure;
    this.#tell('keys-failed', remote, failure.reason);
  }

  #tell(name: IoEvent['name'], { issuer }: Remote, reason?: string): void {
    this.#io.observe?.({ name, issuer, ...(reason === undefined ? {} : { reason }) });
  }
}
