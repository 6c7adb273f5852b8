import type { RemoteSource } from '../net/io.js';
import { PolicyError } from '../shared/errors.js';
import { isPromise } from '../shared/synchronous.js';
import type { ResidentGate, Sources } from './resident.js';
import type { GateOptions } from './types.js';

/** What stands in the holes of an issuer's name, by their names. */
export type Tenant = Readonly<Record<string, string>>;

/** As many names are not looked at again for what stands in their holes. */
const MOST_NAMES = 1000;

/**
 * The function that says which tenants are ours (`"tenants": "resolver"`). It is asked about each
 * token, remembered decisions included, outside of the core: called from there it could come back
 * in.
 */
export class Tenants {
  readonly #raw: Pick<ResidentGate, 'tenant' | 'admitTenant' | 'withdrawTenant'>;
  readonly #ask: ((tenant: Tenant, issuer: string) => unknown) | undefined;
  readonly #letGo: (name: string) => void;
  readonly #known = new Map<string, { issuer: string; tenant: Tenant }>();

  /**
   * `letGo` is told of a tenant that is ours no more.
   * @throws PolicyError when the option is no function.
   */
  constructor(
    raw: Pick<ResidentGate, 'tenant' | 'admitTenant' | 'withdrawTenant'>,
    options: GateOptions<unknown>,
    letGo: (name: string) => void,
  ) {
    this.#raw = raw;
    this.#letGo = letGo;
    if (!('tenants' in options)) return;
    const { tenants } = options;
    if (typeof tenants !== 'function')
      throw new PolicyError('/tenants', 'must be a function. Leave it out where every tenant is listed');
    this.#ask = (tenant, issuer) => tenants.call(options, tenant, issuer);
  }

  /**
   * What a policy says of its sources, when there is a function where it asks for one.
   * @throws PolicyError when there is none.
   */
  checked(sources: Sources): Sources {
    if (sources.resolves && this.#ask === undefined)
      throw new PolicyError(
        '/issuers',
        '"tenants": "resolver" requires the option tenants of the gate, a function that says which tenants are yours',
      );
    this.#known.clear();
    return sources;
  }

  /**
   * Whether it is a tenant's name, and the tenant is none of ours. What was known of it is let go.
   */
  refuses(name: string): boolean {
    const ask = this.#ask;
    const told = ask && this.#tenant(name);
    if (ask === undefined || told === undefined) return false;
    try {
      const answer = ask(told.tenant, told.issuer);
      if (answer === true) return false;
      isPromise(answer);
    } catch {
      // One that throws has not said yes.
    }
    this.#known.delete(name);
    // Strangers come by the thousand, and were never let in.
    if (this.#raw.withdrawTenant(name)) this.#letGo(name);
    return true;
  }

  /** Takes a tenant in that the function admits; where its keys are. */
  admit(name: string): RemoteSource | undefined {
    if (this.#ask === undefined || this.refuses(name)) return undefined;
    const source = this.#raw.admitTenant(name);
    return source === undefined ? undefined : (JSON.parse(source) as RemoteSource);
  }

  #tenant(name: string): { issuer: string; tenant: Tenant } | undefined {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const text = this.#raw.tenant(name);
    if (text === undefined) return undefined;
    const told = JSON.parse(text) as { issuer: string; tenant: Tenant };
    Object.freeze(told.tenant);
    if (this.#known.size >= MOST_NAMES) this.#known.delete(this.#known.keys().next().value as string);
    this.#known.set(name, told);
    return told;
  }
}
