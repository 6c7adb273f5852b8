import { type DiscoveryFault, metadataUrl, readMetadata } from './discovery.js';
import { type FetchFault, fetchText } from './fetch.js';
import { Flights } from './flights.js';
import { timeToLive } from './freshness.js';
import {
  type Io,
  type IoContext,
  type IoEvent,
  type IssuerSources,
  type KeyReport,
  keepAlive,
} from './io.js';
import { Remote } from './remote.js';
import { fromStore, type JwksDocument, storeKey, toStore } from './tiers.js';

/** Why keys could not be had. */
export type KeysFault = FetchFault | DiscoveryFault | 'discovery-issuer' | 'bad-document';

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
  /** Documents taken from the shared store, and how often it failed or held what was refused. */
  fromStore: number;
  storeFaults: number;
  /** Kids that are known to be unknown. */
  misses: number;
}

/** A store that is slower than this is no cache, in milliseconds. */
const STORE_MS = 1000;

/** A JWK Set without keys is how the core is told to let an issuer's remote keys go. */
const NO_KEYS = '{"keys":[]}';

/**
 * The keys that are fetched: memory, then the shared store, then the origin.
 *
 * It moves texts and keeps times. What a JWK Set means is the core's: `apply` hands it over, throws when the core refuses it, and reports
 * what it holds. While one request fetches, another that has keys answers by those, since they are good by the policy's own bounds and
 * waiting would only slow it down; one that lacks its key looks again by a timer of its own, since it would be refused for nothing
 * while its key is on the way. No promise passes from one to the other (`Flights` says why).
 */
export class RemoteKeys {
  #remotes = new Map<string, Remote>();
  readonly #io: Io;
  readonly #apply: (issuer: string, jwks: string) => KeyReport;
  readonly #flights: Flights;
  /** Nothing is due between these two. */
  #tendedAt = 0;
  #tendAt = 0;

  constructor(sources: IssuerSources[], io: Io, apply: (issuer: string, jwks: string) => KeyReport) {
    this.#io = io;
    this.#apply = apply;
    this.#flights = new Flights(io.now, io.sleep);
    this.replace(sources);
  }

  /** Takes another policy's sources. What stayed the same keeps its document, which is handed to the core again, and the limit on fetches. */
  replace(sources: IssuerSources[]): void {
    const before = this.#remotes;
    this.#remotes = new Map();
    for (const { issuer, remote: source } of sources) {
      if (!source) continue;
      const fresh = new Remote(issuer, source);
      const old = before.get(issuer);
      const remote = old?.place === fresh.place ? old : fresh;
      remote.source = source;
      this.#remotes.set(issuer, remote);
      if (remote.document) this.#take(remote, remote.document);
    }
    this.#tendAt = 0;
  }

  /**
   * Asks for a key that the core did not find, or for any when there is no `kid`.
   * @returns whether the keys have changed since the call, by this request or another: the core is worth asking again.
   */
  async refresh(issuer: string, kid: string | undefined, context: IoContext): Promise<boolean> {
    const remote = this.#remotes.get(issuer);
    if (remote === undefined) return false;
    const seen = remote.generation;
    if (kid !== undefined && remote.misses.has(kid, this.#io.now())) return false;
    const flight = this.#flights.underWay(issuer);
    if (flight !== undefined) await this.#flights.landed(flight);
    else if (remote.mayAsk(this.#io.now())) await this.#round(remote, kid, context);
    return remote.generation !== seen;
  }

  /**
   * Looks after the keys that are there; to be called before every decision, cached ones included. It is a comparison when nothing is due.
   *
   * Keys near their end are fetched anew in the background. Keys past it are too, and then a promise is returned, of this request's own:
   * awaiting it gives the origin the chance to withdraw a key before it is used once more. If the origin fails they serve on, within the
   * policy's bound; then they are dropped.
   */
  tend(context: IoContext): Promise<unknown> | undefined {
    const now = this.#io.now();
    if (now < this.#tendAt && now >= this.#tendedAt) return undefined;
    const late: Promise<void>[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const remote of this.#remotes.values()) {
      if (now >= remote.staleUntil) this.#drop(remote);
      if (remote.isDue(now) && this.#flights.underWay(remote.issuer) === undefined) {
        const overdue = now >= remote.freshUntil;
        const round = this.#round(remote, undefined, context);
        if (overdue) late.push(round);
      }
      next = Math.min(next, remote.dueAt);
    }
    this.#tendedAt = now;
    this.#tendAt = Math.max(next, now + 1);
    return late.length > 0 ? Promise.all(late) : undefined;
  }

  stats(): RemoteKeysStats[] {
    const finite = (seconds: number) => (Number.isFinite(seconds) ? seconds : null);
    return Array.from(this.#remotes.values(), (remote) => ({
      issuer: remote.issuer,
      keys: remote.keys,
      fetchedAt: remote.document?.fetchedAt ?? null,
      freshUntil: finite(remote.freshUntil),
      staleUntil: finite(remote.staleUntil),
      ...remote.count,
      lastFailure: remote.lastFailure ?? null,
      misses: remote.misses.size,
    }));
  }

  /** One turn through the lower tiers. Its promise never rejects and belongs to the request that began it. */
  #round(remote: Remote, kid: string | undefined, context: IoContext): Promise<void> {
    const exchanges = remote.source.jwksUri ? 1 : 2;
    const flight = this.#flights.begin(remote.issuer, exchanges * remote.source.timeoutMs + STORE_MS);
    const work = this.#load(remote, kid, context)
      .catch((error: unknown) => this.#failed(remote, error instanceof Error ? error.name : 'unknown'))
      .finally(() => this.#flights.end(flight));
    // A client that goes away takes its request with it, and would leave the others without keys until the next turn.
    keepAlive(context, this.#io, remote.issuer, work);
    return work;
  }

  async #load(remote: Remote, kid: string | undefined, context: IoContext): Promise<void> {
    const io = this.#io;
    const lacks = () => kid !== undefined && !remote.has(kid);
    const held = await this.#read(remote);
    if (held !== undefined && held.fetchedAt > (remote.document?.fetchedAt ?? Number.NEGATIVE_INFINITY)) {
      if (this.#take(remote, held)) {
        remote.count.fromStore += 1;
        if (!lacks() && io.now() < remote.freshUntil) return;
        // Another isolate has just asked: its answer is as good as ours would be.
        remote.askedAt = Math.min(held.fetchedAt, io.now());
      } else this.#storeFault(remote, 'store-refused', 'bad-document');
    }
    if (remote.mayAsk(io.now())) {
      remote.askedAt = io.now();
      remote.count.fetches += 1;
      const fetched = await this.#fetch(remote);
      // Another policy has been taken meanwhile, and does not know this place.
      if (this.#remotes.get(remote.issuer) !== remote) return;
      if (typeof fetched === 'string') return this.#failed(remote, fetched);
      if (!this.#take(remote, fetched)) return this.#failed(remote, 'bad-document');
      this.#tell('keys-fetched', remote);
      keepAlive(context, io, remote.issuer, this.#write(remote, fetched));
    }
    if (kid !== undefined && lacks()) remote.misses.add(kid, io.now());
  }

  async #fetch(remote: Remote): Promise<JwksDocument | KeysFault> {
    const { source, askedAt: fetchedAt } = remote;
    const place = source.jwksUri ?? (await this.#discover(remote));
    if (typeof place !== 'string') return place.fault;
    const headers = { accept: 'application/jwk-set+json, application/json' };
    const answer = await fetchText(this.#io.fetch, place, { headers }, source);
    if (answer.ok) {
      return { text: answer.text, fetchedAt, ttlSeconds: timeToLive(answer.headers, source) };
    }
    // It may have moved: the metadata is asked again with the next turn.
    remote.found = undefined;
    return answer.reason;
  }

  async #discover(remote: Remote): Promise<string | { fault: KeysFault }> {
    const { issuer, source } = remote;
    if (remote.found && this.#io.now() < remote.found.until) return remote.found.jwksUri;
    const url = source.discovery ? metadataUrl(issuer, source.discovery) : undefined;
    if (url === undefined) return { fault: 'discovery-issuer' };
    const answer = await fetchText(this.#io.fetch, url, { headers: { accept: 'application/json' } }, source);
    if (!answer.ok) return { fault: answer.reason };
    const metadata = readMetadata(answer.text, issuer);
    if (typeof metadata === 'string') return { fault: metadata };
    remote.found = { ...metadata, until: this.#io.now() + timeToLive(answer.headers, source) };
    return metadata.jwksUri;
  }

  /** Hands a document to the core. One that it refuses changes nothing. */
  #take(remote: Remote, document: JwksDocument): boolean {
    try {
      const report = this.#apply(remote.issuer, document.text);
      remote.took(document, report, (this.#io.random ?? Math.random)());
    } catch {
      return false;
    }
    this.#tendAt = 0;
    return true;
  }

  #drop(remote: Remote): void {
    try {
      this.#apply(remote.issuer, NO_KEYS);
    } catch {
      // The core says no to a set without keys only where it holds none.
    }
    remote.dropped();
    this.#tell('keys-dropped', remote);
  }

  async #read(remote: Remote): Promise<JwksDocument | undefined> {
    const { store, now } = this.#io;
    if (store === undefined) return undefined;
    try {
      const key = await storeKey(remote.issuer, remote.place);
      const value = await within(STORE_MS, store.get(key));
      if (value === null || value === undefined) return undefined;
      const document = fromStore(value, remote.issuer, now(), remote.source);
      if (document === undefined) this.#storeFault(remote, 'store-refused', 'malformed');
      return document;
    } catch (error) {
      this.#storeFault(remote, 'store-failed', error instanceof Error ? error.name : 'unknown');
      return undefined;
    }
  }

  async #write(remote: Remote, document: JwksDocument): Promise<void> {
    const { store } = this.#io;
    if (store === undefined) return;
    try {
      await store.put(
        await storeKey(remote.issuer, remote.place),
        ...toStore(remote.issuer, document, remote.source),
      );
    } catch (error) {
      this.#storeFault(remote, 'store-failed', error instanceof Error ? error.name : 'unknown');
    }
  }

  #storeFault(remote: Remote, name: IoEvent['name'], reason: string): void {
    remote.count.storeFaults += 1;
    this.#tell(name, remote, reason);
  }

  #failed(remote: Remote, reason: string): void {
    remote.count.failures += 1;
    remote.lastFailure = reason;
    this.#tell('keys-failed', remote, reason);
  }

  #tell(name: IoEvent['name'], { issuer }: Remote, reason?: string): void {
    this.#io.observe?.({ name, issuer, ...(reason === undefined ? {} : { reason }) });
  }
}

/** Waits no longer than that. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException('the store took too long', 'TimeoutError')), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
