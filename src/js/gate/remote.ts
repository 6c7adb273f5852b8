import type { KeyReport, RemoteSource } from './io.js';
import { Misses } from './misses.js';
import type { JwksDocument } from './tiers.js';

/** At most one fetch an issuer in so many seconds, whatever is asked for. */
export const ORIGIN_SECONDS = 30;

/** Within which part of its life a document is fetched anew; spread, so that isolates do not come all at once. */
const REFRESH_FROM = 0.75;
const REFRESH_SPREAD = 0.15;

/** What is known of one issuer's keys. Data only: the requests of an isolate share it. */
export class Remote {
  source: RemoteSource;
  readonly misses = new Misses();
  /** Counts the changes of the keys. */
  generation = 0;
  /** The document that the core holds. */
  document: JwksDocument | undefined;
  /** Where discovery said the keys are, and until when that is believed. */
  found: { jwksUri: string; until: number } | undefined;
  /** When an origin was asked last, by us or by whoever filled the store. */
  askedAt = Number.NEGATIVE_INFINITY;
  readonly count = { fetches: 0, failures: 0, fromStore: 0, storeFaults: 0 };
  lastFailure: string | undefined;
  #kids = new Set<string>();
  #refreshAt = Number.POSITIVE_INFINITY;

  constructor(source: RemoteSource) {
    this.source = source;
  }

  get issuer(): string {
    return this.source.issuer;
  }

  /** Where its keys are found, one way or the other. */
  get place(): string {
    return this.source.jwksUri ?? this.source.discoveryUrl ?? '';
  }

  get name(): string {
    return `${this.issuer} ${this.place}`;
  }

  get keys(): number {
    return this.#kids.size;
  }

  get freshUntil(): number {
    return this.document ? this.document.fetchedAt + this.document.ttlSeconds : Number.NEGATIVE_INFINITY;
  }

  /** From then on the keys are gone, whatever the origin does. */
  get staleUntil(): number {
    return this.document ? this.freshUntil + this.source.staleSeconds : Number.POSITIVE_INFINITY;
  }

  has(kid: string): boolean {
    return this.#kids.has(kid);
  }

  mayAsk(now: number): boolean {
    const since = now - this.askedAt;
    // A clock that was set back must not silence us until it has caught up.
    return since >= ORIGIN_SECONDS || since < 0;
  }

  /** When there is something to do in the background: fetch anew, or let go. */
  get dueAt(): number {
    return Math.min(Math.max(this.#refreshAt, this.askedAt + ORIGIN_SECONDS), this.staleUntil);
  }

  isDue(now: number): boolean {
    return now >= this.#refreshAt && this.mayAsk(now);
  }

  /** The core has taken a document. */
  took(document: JwksDocument, report: KeyReport, random: number): void {
    this.document = document;
    this.#kids = new Set(report.keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : [])));
    this.#refreshAt = document.fetchedAt + document.ttlSeconds * (REFRESH_FROM + REFRESH_SPREAD * random);
    if (report.changed) this.generation += 1;
  }

  /** The core has let the keys go. */
  dropped(): void {
    this.document = undefined;
    this.#kids = new Set();
    this.#refreshAt = Number.POSITIVE_INFINITY;
    this.generation += 1;
  }
}
