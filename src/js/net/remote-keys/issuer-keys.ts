import type { KeyReport, RemoteSource } from '../io.js';
import { type KeyPlan, type KeyRule, planOf } from './freshness.js';
import type { JwksDocument } from './stored-document.js';
import { Misses } from './unknown-kids.js';

/**
 * `MOST_SPREAD` of src/keys/freshness.rs: how early a document is fetched anew is somewhere up to
 * it.
 */
const MOST_SPREAD = 1_000_000;

/**
 * Why keys could not be had: a word, and what the core found wrong with a document. Neither holds
 * a piece of a token.
 */
export interface Failure {
  reason: string;
  detail?: string | undefined;
}

/**
 * What is known of one issuer's keys. Data only: the requests of an isolate share it. When they
 * are fetched anew, the core says.
 */
export class Remote {
  source: RemoteSource;
  readonly misses = new Misses();
  /** Counts the changes of the keys. */
  generation = 0;
  /** The document that the core holds. */
  document: JwksDocument | undefined;
  /** Where discovery said the keys are, and until when that is believed. */
  found: { jwksUri: string; metadata: string; until: number } | undefined;
  /** When an origin was asked last, by us or by whoever filled the store. */
  askedAt: number | undefined;
  readonly count = { fetches: 0, failures: 0, fromStore: 0, storeFaults: 0 };
  /** The last failure, whatever came after it. */
  lastFailure: Failure | undefined;
  /**
   * How often the origin failed since it last answered. While there are no keys it is asked again
   * the sooner the fewer.
   */
  failures = 0;
  readonly #rule: KeyRule;
  #letGo = false;
  #kids = new Set<string>();
  #spread = 0;

  constructor(source: RemoteSource, rule: KeyRule) {
    this.source = source;
    this.#rule = rule;
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

  has(kid: string): boolean {
    return this.#kids.has(kid);
  }

  /** What is to be done as of now, with the document that is held or with another. */
  plan(now: number, document: JwksDocument | undefined = this.document): KeyPlan {
    const { askedAt, failures } = this;
    const held = document && {
      fetchedAt: document.fetchedAt,
      ttlSeconds: document.ttlSeconds,
      spread: this.#spread,
    };
    return planOf(this.#rule, this.source, { held, askedAt, failures, letGo: this.#letGo }, now);
  }

  /** The origin is being asked. */
  asked(now: number): void {
    this.askedAt = now;
    this.#letGo = false;
  }

  /** It was let go to make room, and its origin had been asked at that time. */
  askedBefore(askedAt: number | undefined): void {
    this.askedAt = askedAt;
    this.#letGo = askedAt !== undefined;
  }

  /** The core has taken a document. */
  took(document: JwksDocument, report: KeyReport, random: number): void {
    this.document = document;
    this.failures = 0;
    this.#kids = new Set(report.keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : [])));
    this.#spread = Math.floor(MOST_SPREAD * random);
    if (report.changed) this.generation += 1;
  }

  /** The core has let the keys go. */
  dropped(): void {
    this.document = undefined;
    this.#kids = new Set();
    this.generation += 1;
  }
}
