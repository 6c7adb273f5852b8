import type { Instance } from '../instance/instance.js';
import { ResidentJudge } from '../instance/resident-judge.js';
import type { IntrospectionSource, RemoteSource, RevocationSource } from '../net/io.js';
import { PolicyError } from '../shared/errors.js';
import type { GateGlue, RawGate } from '../wasm/glue.js';
import type { Step } from './decision/decision.js';
import { DecisionMemory } from './decision/decision-memory.js';
import type { Facts, Profile } from './request/facts.js';
import type { GateOptions } from './types.js';

/** What a policy has fetched from elsewhere, as `remotes` and `remotesUnder` say it. */
export interface Sources {
  remotes: RemoteSource[];
  introspections: IntrospectionSource[];
  revocation: RevocationSource | null;
  /** Under another policy: the core's word before it is in force. */
  profile?: Profile;
}

/** A gate in wasm memory, with the requirements that it keeps besides what any verifier has. */
export class ResidentGate extends ResidentJudge<RawGate> {
  readonly #nonceSecret: Uint8Array | undefined;
  readonly #lines: DecisionMemory;

  /** @throws a PolicyError as the core writes it. */
  constructor(home: Instance<GateGlue>, policy: string, nonceSecret: Uint8Array | undefined) {
    super(home, policy);
    this.#nonceSecret = nonceSecret;
    this.#lines = new DecisionMemory(home);
    this.ask(() => undefined);
  }

  protected read(policy: string): RawGate {
    const { RawGate } = (this.home as Instance<GateGlue>).glue;
    return new RawGate(policy, this.#nonceSecret);
  }

  requirement(json: string): number {
    const number = this.ask((raw) => raw.requirement(json));
    this.state.tookRequirement(json);
    return number;
  }

  remotesUnder(policy: string): string {
    return this.ask((raw) => raw.remotesUnder(policy));
  }

  decide(facts: string, now: number): string {
    return this.ask((raw) => raw.decide(facts, now));
  }

  /** The next step about a request of which nothing has been found out yet. */
  step(facts: Facts, now: number): Step {
    const step = this.ask((raw) => this.#lines.ask(raw, facts, now));
    return step ?? (JSON.parse(this.decide(JSON.stringify(facts), now)) as Step);
  }

  forgetKeys(issuer: string): void {
    // First, so that they do not come back with the next instance.
    this.state.forgotKeys(issuer);
    this.ask((raw) => raw.forgetKeys(issuer));
  }

  revocationsVersion(): number {
    return this.ask((raw) => raw.revocationsVersion());
  }

  revocationsCursor(): string | undefined {
    return this.ask((raw) => raw.revocationsCursor());
  }

  remotes(): string {
    return this.ask((raw) => raw.remotes());
  }

  readMetadata(issuer: string, text: string): string {
    return this.ask((raw) => raw.readMetadata(issuer, text));
  }

  profile(): string {
    return this.ask((raw) => raw.profile());
  }
}

/** The secret as it is now, since the gate may be made again when its bytes have been wiped. */
export function nonceSecretOf({ nonceSecret }: GateOptions<unknown>): Uint8Array | undefined {
  if (nonceSecret === undefined) return undefined;
  if (nonceSecret instanceof Uint8Array) return Uint8Array.from(nonceSecret);
  throw new PolicyError('/nonceSecret', 'must be a Uint8Array of at least 32 bytes');
}
