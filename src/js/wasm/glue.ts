// The exports of src/wasm/*.rs as wasm-bindgen's glue offers them. Its own declarations stay out
// of the public types.

import type { Glue } from '../instance/boot.js';
import type { KeyRule } from '../net/remote-keys/freshness.js';

/** A verifier in the wasm memory. */
export interface RawVerifier {
  free(): void;
  replace(policy: string): void;
  /**
   * Takes the JWK Set that an issuer publishes: a `KeyReport` as JSON. Throws a PolicyError; the
   * present keys then stay.
   */
  setRemoteKeys(issuer: string, jwks: string): string;
  /**
   * Begins to take lists of revocations. Throws a PolicyError about `now`. The gate's module alone
   * has this and what follows.
   */
  beginRevocations?(now: number): void;
  /** Takes the piece of them that is in the input. */
  moreRevocations?(written: number): void;
  /**
   * A `RevocationUpdate` without `ok` as JSON. Throws a PolicyError when the policy asks for none.
   */
  endRevocations?(): string;
  /**
   * What was taken of them: 0 for nothing, and otherwise what the most of it was: 1 for renewals,
   * 2 for deltas, 3 for a snapshot.
   */
  takenRevocations?(): number;
  /**
   * Says that lists were held and are not to be had again, so that their absence refuses until
   * they come.
   */
  loseRevocations?(): void;
  /**
   * A Token Status List: a `StatusUpdate` without `ok` as JSON. Throws a PolicyError when the
   * policy does not name it.
   */
  applyStatusList?(uri: string, jwt: string, now: number): string;
  input(): number;
  inputBytes(): number;
  answer(): number;
  verify(written: number, length: number, now: number): number;
  verifyAuthorization(
    present: boolean,
    written: number,
    length: number,
    now: number,
    checked: boolean,
  ): number;
  stats(): string;
}

/** The glue of a module with the feature `js`. */
export interface ValidatorGlue extends Glue {
  RawVerifier: new (policy: string) => RawVerifier;
  /** The verdict as JSON, a zero, and the payload. */
  verifyJws(jws: string, length: number, jwk: string): Uint8Array;
  inspect(token: string, length: number): string;
}

/** A signing key in the wasm memory. */
export interface RawSigningKey {
  free(): void;
  readonly kid: string;
  readonly alg: string;
  publicJwk(): string;
  privateJwk(): string;
  mint(request: string, now: number): string;
}

/** The glue of a module with the features `js` and `issuer`. */
export interface IssuerGlue extends ValidatorGlue, KeyRule {
  RawSigningKey: {
    generate(alg: string): RawSigningKey;
    fromJwk(privateJwk: string): RawSigningKey;
  };
  RawIssuer: new (config: string, secrets: string) => RawIssuer;
  hashClientSecret(secret: string): string;
}

/** An issuer in the wasm memory. */
export interface RawIssuer {
  free(): void;
  /** Begins to answer a request or a command. */
  begin(request: string, now: number): RawExchange;
  jwks(now: number): string;
  feedJwks(): string | undefined;
  /** Where the keys of upstream issuers are: `RemoteSource[]`. */
  remotes(): string;
  setRemoteKeys(issuer: string, jwks: string): string;
  forgetKeys(issuer: string): void;
  /** As a gate's. */
  readMetadata(issuer: string, text: string): string;
}

/** One request under way: `Step` and `Evidence` of src/issuer/endpoint/channel.rs as JSON. */
export interface RawExchange {
  step(): string;
  resume(result: string, now: number): string;
  free(): void;
}

/** A gate in the wasm memory, which is also a verifier on the same keys. */
export interface RawGate extends RawVerifier {
  /**
   * What `remotes` would say under another policy, and `profile` as a member. Throws a PolicyError
   * whenever `replace` would; nothing changes.
   */
  remotesUnder(policy: string): string;
  /** Keeps a requirement and gives its number. Throws a PolicyError. */
  requirement(json: string): number;
  /** The next step: `Facts` and `Step` of src/gate as JSON. */
  decide(facts: string, now: number): string;
  /**
   * The same about facts that are in the input as lines: see `Lines` of
   * src/js/gate/decision/decision-memory.ts.
   */
  decideLines(written: number, lines: number, there: number, requirement: number, now: number): number;
  /** Where the answer to that is. */
  decision(): number;
  /**
   * The issuer that has a tenant of that name and what stands in its holes:
   * `{ issuer: string, tenant: Tenant }`.
   */
  tenant(name: string): string | undefined;
  /** Takes a tenant in that was asked about: its `RemoteSource`. */
  admitTenant(name: string): string | undefined;
  /** Lets a tenant go that was taken in, with its keys; whether there was one. */
  withdrawTenant(name: string): boolean;
  /** Takes the published keys of an issuer away. */
  forgetKeys(issuer: string): void;
  /** The version of the list of revocations that is held; -1 when none is. */
  revocationsVersion(): number;
  /** What its feed wants to be asked with, in place of the version. */
  revocationsCursor(): string | undefined;
  /**
   * The members `remote`, `introspection` and `revocation`, with defaults:
   * `{ remotes: RemoteSource[], resolves: boolean, introspections: IntrospectionSource[], revocation: RevocationSource | null }`.
   */
  remotes(): string;
  /** Where an issuer's metadata say that its keys are: `{ "jwksUri": … }` or `{ "fault": … }`. */
  readMetadata(issuer: string, text: string): string;
  /**
   * Which facts decisions rest on:
   * `{ policy: string, headers: string[], ofRequests: string[], ofPlainHttp: string[], byPath: boolean, byAddress: boolean }`.
   */
  profile(): string;
}

/** The glue of a module with the features `js` and `gate`. */
export interface GateGlue extends ValidatorGlue, KeyRule {
  RawGate: new (policy: string, nonceSecret: Uint8Array | undefined, resolves: boolean) => RawGate;
}
