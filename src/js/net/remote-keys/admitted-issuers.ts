/** Of so many issuers that no policy lists keys are held at a time. */
const MOST = 500;

/** Of so many that made room it is known when their origin was asked. */
const MOST_BEFORE = 5000;

/**
 * The issuers that no policy lists, and which of them makes room for another.
 *
 * A stranger can name every tenant that there is, and cannot sign for one: an issuer that was only
 * named makes room before one whose token was accepted.
 */
export class AdmittedIssuers {
  /** Those of which no token was accepted, the one that was admitted first before the others. */
  readonly #named = new Set<string>();
  /** Those of which one was, the one of which that is longest ago first. */
  readonly #used = new Set<string>();
  /** When the origins were asked of those that made room, in seconds, the first one first. */
  readonly #askedBefore = new Map<string, number>();

  /** Takes one in; the one that makes room for it, if any has to. */
  add(issuer: string): string | undefined {
    const [idle] = this.#named.size > 0 ? this.#named : this.#used;
    this.#named.add(issuer);
    return this.#named.size + this.#used.size > MOST ? idle : undefined;
  }

  /** A token of that issuer was accepted. */
  used(issuer: string): void {
    if (this.#named.delete(issuer) || this.#used.delete(issuer)) this.#used.add(issuer);
  }

  /** Lets one go; whether it was there. */
  delete(issuer: string): boolean {
    return this.#named.delete(issuer) || this.#used.delete(issuer);
  }

  clear(): void {
    this.#named.clear();
    this.#used.clear();
  }

  /** Its origin is not asked sooner for being let go and taken in anew. */
  remember(issuer: string, askedAt: number | undefined): void {
    if (askedAt === undefined) return;
    this.#askedBefore.delete(issuer);
    this.#askedBefore.set(issuer, askedAt);
    if (this.#askedBefore.size > MOST_BEFORE)
      this.#askedBefore.delete(this.#askedBefore.keys().next().value as string);
  }

  /** When the origin of one that made room was asked last. */
  askedBefore(issuer: string): number | undefined {
    return this.#askedBefore.get(issuer);
  }
}
