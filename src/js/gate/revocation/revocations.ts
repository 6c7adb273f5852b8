import { fetchText } from '../../net/fetch.js';
import { Flights } from '../../net/flights.js';
import { type Io, type IoContext, keepAlive, type RevocationSource } from '../../net/io.js';
import { readText, STORE_MS, textKey, writeText } from '../../net/remote-keys/shared-store.js';
import type { RevocationUpdate, StatusUpdate } from '../../verifier/index.js';
import { type FeedSecrets, feedAuthorization } from './feed-credentials.js';

/** What is known of the lists of revocations. Times are seconds since 1970. */
export interface RevocationsStats {
  /** Where it is pulled from. */
  url: string;
  /** Of the list that is held; `null` when there is none, and for a status list. */
  version: number | null;
  /** How many tokens and sessions are revoked one by one, or have a place in a status list. */
  entries: number;
  cutoffs: number;
  /** From when on it is stale; `null` when there is none. */
  staleAt: number | null;
  bytes: number;
  /** Rounds to the origin, how many of them took the whole list, and how many came to nothing. */
  pulls: number;
  snapshots: number;
  failures: number;
  lastFailure: string | null;
  /** Snapshots taken from the shared store, and how often it failed or held what was refused. */
  fromStore: number;
  storeFaults: number;
}

/** What the core holds, and takes. */
export interface RevocationsCore {
  /** The version of the list that is held; -1 when none is. */
  version(): number;
  /**
   * What the feed wants to be asked with, if it has said so: it then knows more than a version
   * says.
   */
  cursor?(): string | undefined;
  applyRevocations(documents: string): RevocationUpdate;
  applyStatusList(uri: string, jwt: string): StatusUpdate;
  /** The secret of the client that the feed is pulled as. */
  secrets?: FeedSecrets | undefined;
}

type Taken = Extract<RevocationUpdate | StatusUpdate, { ok: true }>;

/**
 * Within which part of its time a list is pulled again; spread, so that isolates do not come all
 * at once.
 */
const PULL_FROM = 0.75;
const PULL_SPREAD = 0.25;

/**
 * Which part of its time passes after a failure before the next try, and how much at least, in
 * seconds.
 */
const RETRY = 0.25;
const LEAST_SECONDS = 1;

/**
 * Deltas only add. A list that has grown so far past its last snapshot holds much that has
 * expired.
 */
const GROWN_TIMES = 2;
const GROWN_BY = 4096;

/** A snapshot serves that long as what deltas are added to. */
const STORED_SECONDS = 86_400;

/** One place that a list is pulled from. Data only: the requests of an isolate share it. */
class Place {
  readonly url: string;
  askedAt = Number.NEGATIVE_INFINITY;
  dueAt = Number.NEGATIVE_INFINITY;
  /** By the core's word. Whatever is asked before waits for no pull. */
  staleAt = Number.NEGATIVE_INFINITY;
  /** Somebody said that there is something new. */
  hinted = false;
  taken: Taken | undefined;
  atSnapshot = 0;
  readonly count = { pulls: 0, snapshots: 0, failures: 0, fromStore: 0, storeFaults: 0 };
  lastFailure: string | undefined;

  constructor(url: string) {
    this.url = url;
  }

  get entries(): number {
    if (this.taken === undefined) return 0;
    return 'tokens' in this.taken ? this.taken.tokens : this.taken.entries;
  }
}

/**
 * The lists of revocations that are pulled: what came anew, or all when that is not to be had.
 *
 * It moves texts and keeps times. What a list means, and whether it may take the place of the one
 * that is held, is the core's to say: bad, old and forked ones are refused there, and an edge
 * keeps the last good one. No promise passes from one request to another (`Flights` says why).
 */
export class Revocations {
  #places = new Map<string, Place>();
  #source: RevocationSource | undefined;
  #authorization: string | undefined;
  readonly #io: Io;
  readonly #core: RevocationsCore;
  readonly #flights: Flights;
  /** Nothing is due between these two. */
  #tendedAt = 0;
  #tendAt = 0;

  /** @throws PolicyError when the source names a client whose secret is missing. */
  constructor(source: RevocationSource | undefined, io: Io, core: RevocationsCore) {
    this.#io = io;
    this.#core = core;
    this.#flights = new Flights(io.now, io.sleep);
    this.replace(source, feedAuthorization(source, core.secrets));
  }

  /**
   * Takes another policy's source. The core has kept the lists that it trusts as well; they are
   * pulled again at once, since its times may be others.
   */
  replace(source: RevocationSource | undefined, authorization: string | undefined): void {
    this.#authorization = authorization;
    const before = this.#places;
    this.#places = new Map();
    this.#source = source;
    const urls = source === undefined ? [] : [source.feed, ...source.statusLists];
    for (const url of urls) {
      if (url === undefined) continue;
      const place = before.get(url) ?? new Place(url);
      place.dueAt = Number.NEGATIVE_INFINITY;
      place.staleAt = Number.NEGATIVE_INFINITY;
      this.#places.set(url, place);
    }
    this.#tendAt = 0;
  }

  /**
   * Makes the next pull early. It is a hint: what is pulled then is believed as ever, and whoever
   * cries wolf makes one pull a second.
   * @param version the version that there is; nothing is pulled when it is held already.
   */
  changed(version: number | undefined): void {
    if (version !== undefined && version <= this.#core.version()) return;
    for (const place of this.#places.values()) {
      place.dueAt = Math.min(place.dueAt, place.askedAt + LEAST_SECONDS);
      place.hinted = true;
    }
    this.#tendAt = 0;
  }

  /**
   * Looks after the lists; to be called before every decision, cached ones included. It is a
   * comparison when nothing is due.
   *
   * A list that is fresh is pulled in the background. When it is stale, or something new was
   * announced, a promise is returned, of this request's own: awaiting it gives the feed the chance
   * to say what it has to.
   */
  tend(context: IoContext): Promise<unknown> | undefined {
    if (this.#places.size === 0) return undefined;
    const now = this.#io.now();
    if (now < this.#tendAt && now >= this.#tendedAt) return undefined;
    const late: Promise<void>[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const place of this.#places.values()) {
      const waits = now >= place.staleAt || place.hinted;
      const flight = this.#flights.underWay(place.url);
      if (flight !== undefined) {
        if (waits) late.push(this.#flights.landed(flight));
      } else if (now >= place.dueAt || now < place.askedAt) {
        const round = this.#round(place, context);
        if (waits) late.push(round);
      }
      next = waits ? now : Math.min(next, place.dueAt, place.staleAt);
    }
    this.#tendedAt = now;
    this.#tendAt = next;
    return late.length > 0 ? Promise.all(late) : undefined;
  }

  stats(): RevocationsStats[] {
    return Array.from(this.#places.values(), ({ url, taken, entries, count, lastFailure }) => ({
      url,
      version: taken !== undefined && 'version' in taken ? taken.version : null,
      entries,
      cutoffs: taken !== undefined && 'cutoffs' in taken ? taken.cutoffs : 0,
      staleAt: taken?.staleAt ?? null,
      bytes: taken?.bytes ?? 0,
      ...count,
      lastFailure: lastFailure ?? null,
    }));
  }

  /** One turn. Its promise never rejects and belongs to the request that began it. */
  #round(place: Place, context: IoContext): Promise<void> {
    const source = this.#source as RevocationSource;
    const flight = this.#flights.begin(place.url, 2 * source.timeoutMs + STORE_MS);
    place.askedAt = this.#io.now();
    place.dueAt = place.askedAt + Math.max(LEAST_SECONDS, source.pullSeconds * RETRY);
    const pull =
      place.url === source.feed ? this.#pullFeed(place, source, context) : this.#pullStatus(place, source);
    const work = pull
      .catch((error: unknown) => this.#failed(place, error instanceof Error ? error.name : 'unknown'))
      .finally(() => {
        place.hinted = false;
        this.#flights.end(flight);
      });
    // A client that goes away takes its request with it, and would leave the others without lists
    // until the next turn.
    keepAlive(context, this.#io, place.url, work);
    return work;
  }

  async #pullFeed(place: Place, source: RevocationSource, context: IoContext): Promise<void> {
    if (this.#core.version() < 0) await this.#readStore(place, source);
    const version = this.#core.version();
    place.count.pulls += 1;
    if (version >= 0 && place.entries <= place.atSnapshot * GROWN_TIMES + GROWN_BY) {
      const url = new URL(place.url);
      url.searchParams.set('since', this.#core.cursor?.() ?? String(version));
      const answer = await this.#fetchFeed(String(url), source);
      if (!this.#isCurrent(place)) return;
      if (answer.ok && this.#take(place, this.#core.applyRevocations(answer.text))) return;
      // What is gone, or does not go on from here, the snapshot has.
      if (!answer.ok && answer.reason !== 'status-410' && answer.reason !== 'status-204')
        return this.#failed(place, answer.reason);
    }
    place.count.snapshots += 1;
    const answer = await this.#fetchFeed(place.url, source);
    if (!this.#isCurrent(place)) return;
    if (!answer.ok) return this.#failed(place, answer.reason);
    if (!this.#take(place, this.#core.applyRevocations(answer.text)))
      return this.#failed(place, place.lastFailure ?? 'unknown');
    place.atSnapshot = place.entries;
    const { store } = this.#io;
    if (store === undefined) return;
    const key = await textKey('revocations', place.url);
    const put = writeText(store, key, answer.text, STORED_SECONDS).catch(() => {
      place.count.storeFaults += 1;
    });
    keepAlive(context, this.#io, place.url, put);
  }

  async #pullStatus(place: Place, source: RevocationSource): Promise<void> {
    place.count.pulls += 1;
    place.count.snapshots += 1;
    const headers = { accept: 'application/statuslist+jwt' };
    const answer = await fetchText(this.#io.fetch, place.url, { headers }, source);
    if (!this.#isCurrent(place)) return;
    if (!answer.ok) return this.#failed(place, answer.reason);
    if (!this.#take(place, this.#core.applyStatusList(place.url, answer.text)))
      this.#failed(place, place.lastFailure ?? 'unknown');
  }

  /**
   * A snapshot that another isolate has pulled: what came since then is less. It is signed, so
   * that the store need not be believed.
   */
  async #readStore(place: Place, source: RevocationSource): Promise<void> {
    const { store } = this.#io;
    if (store === undefined) return;
    try {
      const text = await readText(store, await textKey('revocations', place.url), source.maxBytes);
      if (text === undefined || !this.#isCurrent(place)) return;
      if (this.#take(place, this.#core.applyRevocations(text))) {
        place.atSnapshot = place.entries;
        place.count.fromStore += 1;
      } else place.count.storeFaults += 1;
    } catch {
      place.count.storeFaults += 1;
    }
  }

  /** The secret goes to the feed alone, and to no status list. */
  #fetchFeed(url: string, source: RevocationSource) {
    const authorization = this.#authorization;
    const headers = { accept: 'application/jwt', ...(authorization === undefined ? {} : { authorization }) };
    return fetchText(this.#io.fetch, url, { headers }, source);
  }

  /**
   * Another policy may have been taken meanwhile, which does not know this place. One that does
   * judges what comes by its own keys.
   */
  #isCurrent(place: Place): boolean {
    return this.#places.get(place.url) === place;
  }

  #take(place: Place, update: RevocationUpdate | StatusUpdate): boolean {
    if (!update.ok) {
      place.lastFailure = update.code;
      return false;
    }
    const spread = PULL_FROM + PULL_SPREAD * (this.#io.random ?? Math.random)();
    const pullSeconds = this.#source?.pullSeconds ?? 0;
    place.taken = update;
    place.staleAt = update.staleAt;
    place.dueAt = place.askedAt + Math.max(LEAST_SECONDS, pullSeconds * spread);
    this.#tendAt = 0;
    this.#io.observe?.({ name: 'revocations-pulled', issuer: place.url });
    return true;
  }

  #failed(place: Place, reason: string): void {
    place.count.failures += 1;
    place.lastFailure = reason;
    this.#io.observe?.({ name: 'revocations-failed', issuer: place.url, reason });
  }
}
