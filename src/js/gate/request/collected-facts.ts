import { cacheKey, type Facts, factsOf, type Profile } from './facts.js';
import type { Connection } from './platform.js';
import type { Snapshot } from './snapshot.js';

/**
 * The facts of one request as the present policy wants them, and the name under which its decision
 * is kept.
 */
export class CollectedFacts {
  readonly #request: Snapshot;
  readonly #requirement: number | undefined;
  readonly #connection: Connection;
  #profile: Profile;
  facts: Facts;
  key: string | undefined;

  constructor(request: Snapshot, requirement: number | undefined, connection: Connection, profile: Profile) {
    this.#request = request;
    this.#requirement = requirement;
    this.#connection = connection;
    this.#profile = profile;
    this.facts = factsOf(request, requirement, connection, profile);
    this.key = cacheKey(this.facts, profile.byPath);
  }

  by(profile: Profile): this {
    if (this.#profile === profile) return this;
    this.#profile = profile;
    this.facts = factsOf(this.#request, this.#requirement, this.#connection, profile);
    this.key = cacheKey(this.facts, profile.byPath);
    return this;
  }
}
