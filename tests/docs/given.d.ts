// Names that the documents' code blocks use and do not declare, with the types that a reader gives
// them.
import type { Jwk, Jwks, Policy, Verifier } from 'portcullis';
import type { Gate, GatedPolicy } from 'portcullis/gate';
import type { Issuer, IssuerConfig, IssuerStore } from 'portcullis/issuer';
import type { Clock, Session } from 'portcullis/session';

declare global {
  const policy: GatedPolicy;
  const jwks: Jwks;
  const jwk: Jwk;
  const privateJwk: Jwk;
  /** The keys of a feed of revocations. */
  const feedKeys: Jwks;
  const token: string;
  const request: Request;
  const verifier: Verifier;
  const gate: Gate;
  const issuer: Issuer;
  const config: IssuerConfig;
  const store: IssuerStore;
  const session: Session;
  const auth: import('portcullis/session/sign-in').SignIn;
  const clock: Clock;
  const verifierPolicy: Policy;
  /** What a deployment hands over: secrets, settings, bindings. */
  // biome-ignore lint/suspicious/noExplicitAny: of any type.
  const env: any;
  const accessToken: string;
  const user: { readonly id: string };
  /** An authorization request that waits for its user. */
  const sealed: string;
}
