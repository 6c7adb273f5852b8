import type { RequestFacts } from '../index.js';
import { cacheKey, type Facts, factsOf, type Profile } from './facts.js';
import type { Connection } from './platform.js';

/** The facts of one request as the present policy wants them, and the name under which its decision is kept. */
export class Collected {
  readonly #request: Request | RequestFacts;
  readonly #requirement: number | undefined;
  readonly #connection: Connection;
  #profile: Profile | undefined;
  facts: Facts = { method: '', url: '', headers: [] };
  key: string | undefined;

  constructor(request: Request | RequestFacts, requirement: number | undefined, connection: Connection) {
    this.#request = request;
    this.#requirement = requirement;
    this.#connection = connection;
  }

  by(profile: Profile): this {
    if (this.#profile === profile) return this;
    this.#profile = profile;
    this.facts = factsOf(this.#request, this.#requirement, this.#connection, profile);
    this.key = cacheKey(this.facts, profile.byPath);
    return this;
  }
}
