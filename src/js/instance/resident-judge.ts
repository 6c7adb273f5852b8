import type { RawVerifier, ValidatorGlue } from '../wasm/glue.js';
import { CoreState, isRefusal } from './core-state.js';
import type { Instance } from './instance.js';
import { Resident } from './resident.js';
import { takeLists } from './write-lists.js';

/**
 * What decides about tokens in wasm memory, with the policies, the keys and the lists that it goes
 * by.
 */
export abstract class ResidentJudge<R extends RawVerifier> extends Resident<R> {
  protected readonly state: CoreState;

  protected constructor(home: Instance, policy: string) {
    super(home);
    this.state = new CoreState(policy);
  }

  /**
   * Called when lists of revocations were held and are not to be had again here: they have to be
   * pulled.
   */
  set onListsLost(hear: () => void) {
    this.state.onListsLost = hear;
  }

  /** Reads a policy, in the instance that runs. */
  protected abstract read(policy: string): R;

  protected make(): R {
    const raw = this.read(this.state.first);
    this.state.replay(raw, this.home);
    return raw;
  }

  replace(policy: string): void {
    this.ask((raw) => raw.replace(policy));
    this.state.tookPolicy(policy);
    let stats: string | undefined;
    try {
      stats = this.stats();
    } catch {
      // It is in force all the same.
    }
    this.state.keepsKeys(stats);
  }

  setRemoteKeys(issuer: string, jwks: string): string {
    const report = this.ask((raw) => raw.setRemoteKeys(issuer, jwks));
    this.state.tookKeys(issuer, jwks, report);
    return report;
  }

  /** Takes lists of revocations: a `RevocationUpdate` without `ok` as JSON. */
  takeLists(documents: string, now: number): string {
    const { told, taken } = this.ask((raw) => takeLists(raw, this.home, documents, now));
    this.state.tookLists(documents, now, taken);
    return told;
  }

  /** Takes a Token Status List: a `StatusUpdate` without `ok` as JSON. */
  takeStatusList(uri: string, jwt: string, now: number): string {
    const told = this.ask((raw) => raw.applyStatusList?.(uri, jwt, now) ?? '');
    if (!isRefusal(told)) this.state.tookStatusList(uri, jwt, now);
    return told;
  }

  /** Most modules are built without revocation. */
  get takesLists(): boolean {
    return this.ask((raw) => raw.beginRevocations !== undefined);
  }

  stats(): string {
    return this.ask((raw) => raw.stats());
  }

  // What follows tells of addresses in the instance that runs. Whoever uses them asks for all of
  // them again after a trap.

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

  verifyAuthorization(
    present: boolean,
    written: number,
    length: number,
    now: number,
    checked: boolean,
  ): number {
    return this.raw.verifyAuthorization(present, written, length, now, checked);
  }
}

/** A verifier in wasm memory. */
export class ResidentVerifier extends ResidentJudge<RawVerifier> {
  /** @throws a PolicyError as the core writes it. */
  constructor(home: Instance<ValidatorGlue>, policy: string) {
    super(home, policy);
    this.ask(() => undefined);
  }

  protected read(policy: string): RawVerifier {
    const { RawVerifier } = (this.home as Instance<ValidatorGlue>).glue;
    return new RawVerifier(policy);
  }
}
