import type { Instance } from './instance.js';
import { KeptLists, takeLists } from './kept-lists.js';
import { Resident } from './resident.js';
import type { RawVerifier, ValidatorGlue } from './wasm/glue.js';

/** What decides about tokens in wasm memory, with the policy, the keys and the lists that it goes by. */
export abstract class ResidentJudge<R extends RawVerifier> extends Resident<R> {
  protected policy: string;
  /** The JWK Sets that were taken, by issuer. */
  protected readonly keys = new Map<string, string>();
  readonly #lists: KeptLists;

  protected constructor(home: Instance, policy: string) {
    super(home);
    this.policy = policy;
    this.#lists = new KeptLists(home);
  }

  /** Called when lists of revocations were held and are not to be had again here: they have to be pulled. */
  set onListsLost(hear: () => void) {
    this.#lists.onLost = hear;
  }

  /** Reads the policy, in the instance that runs. */
  protected abstract read(): R;

  protected make(): R {
    const raw = this.read();
    for (const [issuer, jwks] of this.keys) raw.setRemoteKeys(issuer, jwks);
    this.#lists.restore(raw);
    return raw;
  }

  replace(policy: string): void {
    this.ask((raw) => raw.replace(policy));
    this.policy = policy;
    this.keys.clear();
    if (this.#lists.areMissing) this.ask((raw) => this.#lists.restore(raw));
  }

  setRemoteKeys(issuer: string, jwks: string): string {
    const report = this.ask((raw) => raw.setRemoteKeys(issuer, jwks));
    this.keys.set(issuer, jwks);
    return report;
  }

  /** Takes lists of revocations: a `RevocationUpdate` without `ok` as JSON. */
  takeLists(documents: string, now: number): string {
    const { told, taken } = this.ask((raw) => takeLists(raw, this.home, documents, now));
    this.#lists.took(documents, now, taken);
    return told;
  }

  /** Takes a Token Status List: a `StatusUpdate` without `ok` as JSON. */
  takeStatusList(uri: string, jwt: string, now: number): string {
    const told = this.ask((raw) => raw.applyStatusList?.(uri, jwt, now) ?? '');
    this.#lists.tookStatus(uri, jwt, now, told);
    return told;
  }

  /** Most modules are built without revocation. */
  get takesLists(): boolean {
    return this.ask((raw) => raw.beginRevocations !== undefined);
  }

  stats(): string {
    return this.ask((raw) => raw.stats());
  }

  // What follows tells of addresses in the instance that runs. Whoever uses them asks for all of them again after a trap.

  input(): number {
    return this.raw.input();
  }

  inputBytes(): number {
    return this.raw.inputBytes();
  }

  answer(): number {
    return this.raw.answer();
  }

  verify(written: number, length: number, now: number): number {
    return this.raw.verify(written, length, now);
  }

  verifyAuthorization(present: boolean, written: number, length: number, now: number): number {
    return this.raw.verifyAuthorization(present, written, length, now);
  }
}

/** A verifier in wasm memory. */
export class ResidentVerifier extends ResidentJudge<RawVerifier> {
  /** @throws a PolicyError as the core writes it. */
  constructor(home: Instance<ValidatorGlue>, policy: string) {
    super(home, policy);
    this.ask(() => undefined);
  }

  protected read(): RawVerifier {
    const { RawVerifier } = (this.home as Instance<ValidatorGlue>).glue;
    return new RawVerifier(this.policy);
  }
}
