import type { VerifyOptions } from './index.js';
import type { Issuer, IssuerOptions } from './issuer/index.js';
import type { Jwk } from './policy.js';

export * from './index.js';
export * from './issuer/config.js';
export { memoryCounter } from './issuer/counter.js';
export * from './issuer/index.js';
export type { Entry, IssuerStore } from './stores/store.js';

/**
 * Makes an issuer: a fetch handler for its endpoints, and what an application calls in process. It holds no session; its store does.
 *
 * @throws PolicyError naming the field of the configuration or the key at fault, never its value.
 */
export declare function createIssuer(options: IssuerOptions): Issuer;

/**
 * What is kept of a client's secret: its SHA-256. It is no password hash, and a secret that a person thought of has no place here.
 *
 * @throws PolicyError for fewer than 32 characters.
 */
export declare function hashClientSecret(secret: string): string;

/** What an access token shall say (RFC 9068 §2.2). */
export interface AccessTokenRequest {
  /** `iss` */
  issuer: string;
  /** `aud` */
  audience: string | [string, ...string[]];
  /** `sub` */
  subject: string;
  /** `client_id` */
  clientId: string;
  /** How long it lives, in seconds: 300 by default, at most 3600. */
  lifetimeSeconds?: number;
  /** The same, from 3601 to 86400, instead: what is stolen stays good for that long. */
  longLifetimeSeconds?: number;
  /** `scope`: scopes separated by spaces (RFC 8693 §4.2). */
  scope?: string;
  /** `jti`; 128 random bits by default. */
  jti?: string;
  /** `sid`: the session it belongs to, by which it can be revoked. */
  sid?: string;
  /** `gen`: the session's generation. */
  gen?: number;
  /** `auth_time` (RFC 9068 §2.2.1), in seconds since 1970. */
  authTime?: number;
  /** `acr` (RFC 9068 §2.2.1). */
  acr?: string;
  /** `cnf`: the thumbprint of the key it is bound to (RFC 9449 §6.1). */
  cnf?: { jkt: string };
  /** Further claims. They may not name those above. */
  claims?: Record<string, unknown>;
}

/** A private key that signs access tokens. */
export interface SigningKey {
  /** The thumbprint of the public half (RFC 7638). */
  readonly kid: string;
  readonly alg: 'ES256' | 'EdDSA';
  /** The public half, with `kid`, `alg` and `use`. */
  readonly publicJwk: Jwk;
  /** A JWK Set of the public half, for publication and for a verifier's policy. */
  jwks(): { keys: [Jwk] };
  /** The private key, to be kept as the secret it is. */
  privateJwk(): Jwk;
  /**
   * Signs an access token (RFC 9068), `typ` `at+jwt`.
   * @throws PolicyError naming the field of the request; Error when the platform has no randomness.
   */
  mintAccessToken(request: AccessTokenRequest, options?: VerifyOptions): string;
}

/**
 * Makes a new key from the platform's randomness. In workers, call it within a request.
 * @throws PolicyError for another algorithm; Error when the platform has no randomness.
 */
export declare function generateSigningKey(alg: 'ES256' | 'EdDSA'): SigningKey;

/**
 * Takes up a key that `privateJwk()` gave, or any private JWK on P-256 or Ed25519.
 * @throws PolicyError naming the member at fault; also when the public half does not belong to the private one.
 */
export declare function importSigningKey(privateJwk: Jwk): SigningKey;
