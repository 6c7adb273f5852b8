import { CoreError, type Instance } from '../instance/instance.js';
import { ask, collected, free, Resident, type ResidentHandle } from '../instance/resident.js';
import type { IssuerGlue, RawExchange, RawIssuer, RawSigningKey } from '../wasm/glue.js';

/** An issuer in wasm memory. */
export class ResidentIssuer extends Resident<RawIssuer> {
  readonly #config: string;
  readonly #secrets: string;
  /** The JWK Sets of upstream issuers that were taken. */
  readonly #keys = new Map<string, string>();

  /** @throws a PolicyError as the core writes it. */
  constructor(home: Instance<IssuerGlue>, config: string, secrets: string) {
    super(home);
    this.#config = config;
    this.#secrets = secrets;
    this.ask(() => undefined);
  }

  protected make(): RawIssuer {
    const { RawIssuer } = (this.home as Instance<IssuerGlue>).glue;
    const raw = new RawIssuer(this.#config, this.#secrets);
    for (const [issuer, jwks] of this.#keys) raw.setRemoteKeys(issuer, jwks);
    return raw;
  }

  begin(request: string, now: number): ResidentExchange {
    return new ResidentExchange(
      this.home,
      this.ask((raw) => raw.begin(request, now)),
    );
  }

  jwks(now: number): string {
    return this.ask((raw) => raw.jwks(now));
  }

  feedJwks(): string | undefined {
    return this.ask((raw) => raw.feedJwks());
  }

  remotes(): string {
    return this.ask((raw) => raw.remotes());
  }

  setRemoteKeys(issuer: string, jwks: string): string {
    const report = this.ask((raw) => raw.setRemoteKeys(issuer, jwks));
    this.#keys.set(issuer, jwks);
    return report;
  }

  readMetadata(issuer: string, text: string): string {
    return this.ask((raw) => raw.readMetadata(issuer, text));
  }

  forgetKeys(issuer: string): void {
    // First, so that they do not come back with the next instance.
    this.#keys.delete(issuer);
    this.ask((raw) => raw.forgetKeys(issuer));
  }
}

/**
 * One request under way. It ends with its instance: what the store holds by then is known there
 * alone, and the request may come again.
 */
export class ResidentExchange {
  readonly #home: Instance;
  readonly #held: ResidentHandle;

  constructor(home: Instance, raw: RawExchange) {
    this.#home = home;
    this.#held = { raw, home, generation: home.generation };
    collected.register(this, this.#held);
  }

  step(): string {
    return this.#once((raw) => raw.step());
  }

  resume(result: string, now: number): string {
    return this.#once((raw) => raw.resume(result, now));
  }

  free(): void {
    free(this.#held);
  }

  #once<T>(question: (raw: RawExchange) => T): T {
    const { sound, generation } = this.#home;
    if (!sound || generation !== this.#held.generation)
      throw new CoreError('the instance that had begun to answer is gone');
    try {
      return question(this.#held.raw as RawExchange);
    } catch (thrown) {
      if (typeof thrown === 'string') throw thrown;
      this.#home.sound = false;
      throw new CoreError('the core trapped', { cause: thrown });
    }
  }
}

/**
 * A signing key in wasm memory. Its private half is kept here too, as the text that the caller
 * has, or may ask for.
 */
export class ResidentSigningKey extends Resident<RawSigningKey> {
  readonly #jwk: string;

  /** @throws a PolicyError as the core writes it. */
  constructor(home: Instance<IssuerGlue>, jwk: string) {
    super(home);
    this.#jwk = jwk;
    this.ask(() => undefined);
  }

  /** A new key. */
  static generate(home: Instance<IssuerGlue>, alg: string): ResidentSigningKey {
    const jwk = ask(home, () => {
      const raw = home.glue.RawSigningKey.generate(alg);
      const text = raw.privateJwk();
      raw.free();
      return text;
    });
    return new ResidentSigningKey(home, jwk);
  }

  protected make(): RawSigningKey {
    return (this.home as Instance<IssuerGlue>).glue.RawSigningKey.fromJwk(this.#jwk);
  }

  get kid(): string {
    return this.ask((raw) => raw.kid);
  }

  get alg(): string {
    return this.ask((raw) => raw.alg);
  }

  publicJwk(): string {
    return this.ask((raw) => raw.publicJwk());
  }

  privateJwk(): string {
    return this.ask((raw) => raw.privateJwk());
  }

  mint(request: string, now: number): string {
    return this.ask((raw) => raw.mint(request, now));
  }
}
