// The exports of src/wasm/*.rs as wasm-bindgen's glue offers them. Its own declarations stay out of the public types.

import type { Glue } from '../boot.js';

/** A verifier in the wasm memory. */
export interface RawVerifier {
  replace(policy: string): void;
  setRemoteKeys(issuer: string, jwks: string): string;
  input(): number;
  inputBytes(): number;
  answer(): number;
  verify(written: number, length: number, now: number): number;
  verifyAuthorization(present: boolean, written: number, length: number, now: number): number;
  stats(): string;
}

/** The glue of a module with the feature `js`. */
export interface ValidatorGlue extends Glue {
  RawVerifier: new (policy: string) => RawVerifier;
  verifyJws(jws: string, length: number, jwk: string): [verdict: string, payload: Uint8Array];
  inspect(token: string, length: number): string;
}

/** A signing key in the wasm memory. */
export interface RawSigningKey {
  readonly kid: string;
  readonly alg: string;
  publicJwk(): string;
  privateJwk(): string;
  mint(request: string, now: number): string;
}

/** The glue of a module with the features `js` and `issuer`. */
export interface IssuerGlue extends ValidatorGlue {
  RawSigningKey: {
    generate(alg: string): RawSigningKey;
    fromJwk(privateJwk: string): RawSigningKey;
  };
}
