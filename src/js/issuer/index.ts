import type { NonEmpty } from '../shared/non-empty.js';
import type { Fetch, Request, Response } from '../shared/web.js';
import type { IssuerStore } from '../stores/store.js';
import type { VerifyOptions } from '../verifier/index.js';
import type { Jwk, JwkLike } from '../verifier/policy.js';
import type { AuthorizationEndpoint } from './authorization.js';
import type { IssuerConfig, RootKey, ScheduledKey } from './config.js';
import type { Health, IssuerEvent } from './events.js';

export type { IssuerStore, StoreEntry } from '../stores/store.js';
export * from '../verifier/index.js';
export type * from './authorization.js';
export * from './config.js';
export { memoryCounter } from './counter.js';
export type * from './events.js';

/**
 * Makes an issuer: a fetch handler for its endpoints, and what an application calls in process. It
 * holds no session; its store does.
 *
 * @throws PolicyError naming the field of the configuration or the key at fault, never its value.
 * @example
 * ```ts
 * import { createIssuer } from 'portcullis/issuer';
 * import { memoryStore } from 'portcullis/stores';
 *
 * const issuer = createIssuer({
 *   config: {
 *     issuer: 'https://login.example',
 *     audience: 'https://api.example',
 *     clients: [{ clientId: 'app', authentication: 'none', grants: ['refresh_token'] }],
 *   },
 *   signingKeys: [{ jwk: JSON.parse(env.SIGNING_KEY) }],
 *   rootKeys: [{ secret: crypto.getRandomValues(new Uint8Array(32)) }],
 *   store: memoryStore(),
 * });
 * const response = await issuer.fetch(request);
 * ```
 */
export declare function createIssuer(options: IssuerOptions): Issuer;

/**
 * What is kept of a client's secret: its SHA-256. It is no password hash, and a secret that a
 * person thought of has no place here.
 *
 * @throws PolicyError for fewer than 32 characters.
 * @example
 * ```ts
 * import { hashClientSecret } from 'portcullis/issuer';
 *
 * const client = {
 *   clientId: 'edge',
 *   authentication: 'client_secret_basic',
 *   secretHash: hashClientSecret(env.EDGE_SECRET),
 * };
 * ```
 */
export declare function hashClientSecret(secret: string): string;

/** What an access token shall say (RFC 9068 §2.2). */
export interface AccessTokenRequest {
  /** `iss` */
  issuer: string;
  /** `aud` */
  audience: string | NonEmpty<string>;
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
 * @example
 * ```ts
 * import { generateSigningKey } from 'portcullis/issuer';
 *
 * const key = generateSigningKey('ES256');
 * const accessToken = key.mintAccessToken({
 *   issuer: 'https://login.example',
 *   audience: 'https://api.example',
 *   subject: 'ada',
 *   clientId: 'app',
 *   lifetimeSeconds: 300,
 * });
 * ```
 */
export declare function generateSigningKey(alg: 'ES256' | 'EdDSA'): SigningKey;

/**
 * Takes up a key that `privateJwk()` gave, or any private JWK on P-256 or Ed25519.
 * @throws PolicyError naming the member at fault; also when the public half does not belong to the
 * private one.
 * @example
 * ```ts
 * import { importSigningKey } from 'portcullis/issuer';
 *
 * const key = importSigningKey(JSON.parse(env.SIGNING_KEY));
 * const published = key.jwks();
 * ```
 */
export declare function importSigningKey(privateJwk: Jwk | JwkLike): SigningKey;

/** Counts uses. Give one that all processes share; one that fails limits nothing. */
export interface RateCounter {
  /** Counts a use of the key, and says whether there were at most `limit` within `seconds`. */
  count(key: string, limit: number, seconds: number): boolean | Promise<boolean>;
}

/**
 * What an issuer is made of: its configuration, its secrets, and where its sessions are.
 * @example
 * ```ts
 * import { createIssuer, type IssuerOptions } from 'portcullis/issuer';
 *
 * const options: IssuerOptions = {
 *   config,
 *   signingKeys: [{ jwk: privateJwk }],
 *   rootKeys: [{ secret: { base64url: env.ROOT_SECRET } }],
 *   store,
 *   onEvent: ({ kind, cause }) => console.log(kind, cause?.message),
 * };
 * const issuer = createIssuer(options);
 * ```
 */
export interface IssuerOptions {
  /** What it goes by: clients, lifetimes, limits. */
  config: IssuerConfig;
  /** In the order in which they sign. */
  signingKeys: readonly ScheduledKey[];
  /** The oldest first. */
  rootKeys: readonly RootKey[];
  /**
   * The private key that signs the revocation feed, and nothing else. Without it there is no feed.
   */
  feedKey?: Jwk | JwkLike;
  /** Where sessions are kept: one of `portcullis/stores`. */
  store: IssuerStore;
  /** In memory by default, which counts for one process. */
  counter?: RateCounter;
  /** Nothing that it throws, or rejects with, changes an answer. */
  onEvent?: (event: IssuerEvent) => unknown;
  /**
   * Whole seconds since 1970. All processes of an issuer go by one clock, give or take
   * `worstDelaySeconds`.
   */
  now?: () => number;
  /** How the keys of upstream issuers are fetched. */
  fetch?: Fetch;
}

/** A token response (RFC 6749 §5.1). */
export interface TokenResponse {
  access_token: string;
  token_type: 'Bearer' | 'DPoP';
  expires_in: number;
  scope?: string;
  refresh_token?: string;
}

/**
 * Whom a session is for, besides its subject.
 * @example
 * ```ts
 * const tokens = await issuer.startSession(user.id, { clientId: 'app', scope: 'notes:read' });
 * ```
 */
export interface SessionOptions {
  /** The client that gets its tokens. */
  clientId: string;
  /** All that the client may have, when left out. */
  scope?: string;
  /** How the subject was authenticated (RFC 9068 §2.2.1). */
  acr?: string;
  /** By which methods, as `['pwd', 'otp']` (RFC 8176). */
  amr?: string[];
  /**
   * Claims of its own in each of its access tokens: at most 3072 bytes as JSON, 16 levels and 96
   * members, and none that the issuer sets.
   */
  claims?: Record<string, unknown>;
  /** When, in seconds since 1970 and not in the future; by default now. */
  authTimeSeconds?: number;
  /** The thumbprint of the only key that may use it (RFC 9449 §10). */
  jkt?: string;
}

/**
 * What an authorization code is for: a session, and the client's answer to its challenge
 * (RFC 7636).
 * @example
 * ```ts
 * const parameters = new URL(request.url).searchParams;
 * const code = await issuer.mintCode(user.id, {
 *   clientId: 'app',
 *   redirectUri: 'https://app.example/callback',
 *   codeChallenge: parameters.get('code_challenge') ?? '',
 * });
 * ```
 */
export interface CodeOptions extends SessionOptions {
  /** Where the code is sent: one of the client's `redirectUris`. */
  redirectUri: string;
  /** As the client has sent it (RFC 7636 §4.3). */
  codeChallenge: string;
  /** `S256`, and nothing else, by default. */
  codeChallengeMethod?: 'S256';
  /** As the client has sent it (OpenID Connect Core §3.1.2.1): at most 512 bytes. */
  nonce?: string;
}

/** Whose tokens are to be revoked: exactly one. */
export type RevocationTarget =
  | { sub: string }
  | { sid: string }
  | { client_id: string }
  /**
   * A signing key: withdraw it from `signingKeys` first, or what it goes on to sign is refused as
   * well.
   */
  | { kid: string };

/** What of a request's context is used. */
export interface RequestContext {
  /**
   * The client's address, as whoever ends its connection knows it. Without it nothing is limited
   * by address, and an issuer whose URL is https takes no plain HTTP from this machine.
   */
  clientAddress?: string;
  waitUntil?: (promise: Promise<unknown>) => void;
}

/**
 * An authorization server: its endpoints as a fetch handler, and what an application calls in
 * process.
 */
export interface Issuer extends AuthorizationEndpoint {
  /**
   * Answers `/token`, `/par`, `/revoke`, `/introspect`, `/jwks`, `/revocations`, by choice
   * `/health`, and the metadata, all under the issuer's path. A request has 15 seconds in all; then
   * the answer is 503 with `Retry-After`.
   */
  fetch(request: Request, context?: RequestContext): Promise<Response>;
  /**
   * Begins a session of a subject whose credentials the application has checked.
   * @throws PolicyError for a mistake of the caller's, such as an option that is not known;
   * IssuerUnavailableError when the store gives no answer.
   */
  startSession(subject: string, options: SessionOptions): Promise<TokenResponse & { sid: string }>;
  /**
   * Keeps an authorization code of a subject whose credentials the application has checked, and
   * gives its text.
   */
  mintCode(subject: string, options: CodeOptions): Promise<string>;
  /**
   * Ends a session. One that has ended stays so. Take the `sid` from a verified token: any other
   * costs a row and an entry of the feed too.
   */
  endSession(sid: string): Promise<void>;
  /** Ends every session of a subject that has begun. */
  endSessionsOf(subject: string): Promise<void>;
  /**
   * Takes back everything of a subject, a session, a client or a key, here and by the feed at
   * every edge.
   */
  revoke(target: RevocationTarget): Promise<void>;
  /** The JWK Set now: what a verifier's policy takes as `jwks`. */
  jwks(): { keys: Jwk[] };
  /** What an edge's policy takes as `revocation.jwks`. */
  feedJwks(): { keys: Jwk[] } | undefined;
  /**
   * Finishes revocations that a process has left undone, and removes at most `limit` entries that
   * have ended; says how many. The issuer does it by itself, beside or after an answer: by time,
   * and by the number of revocations.
   */
  sweep(limit?: number): Promise<number>;
  /** Tries the store with a real read, and says what failed. It never rejects. */
  health(): Promise<Health>;
  /**
   * The same issuer, whose commands (`startSession`, `endSession` and the like) hand their work
   * beside the answer, such as a sweep, to the context's `waitUntil`. In workers call it in every
   * request that uses a command: there the runtime ends with the response what nobody keeps alive.
   * It costs nothing.
   * @example
   * ```ts
   * import type { Issuer, RequestContext } from 'portcullis/issuer';
   *
   * declare const issuer: Issuer;
   * declare const context: RequestContext; // what the runtime calls a handler with
   * const tokens = await issuer.with(context).startSession('alice', { clientId: 'app' });
   * ```
   */
  with(context: RequestContext): Issuer;
}

/**
 * The store gave no answer in time; `cause` says why. What was asked for may be asked for again.
 * @example
 * ```ts
 * import { IssuerUnavailableError } from 'portcullis/issuer';
 *
 * try {
 *   await issuer.endSession('the session of a verified token');
 * } catch (error) {
 *   if (error instanceof IssuerUnavailableError) console.error(error.retryAfterSeconds, error.cause);
 * }
 * ```
 */
export class IssuerUnavailableError extends Error {
  override readonly name = 'IssuerUnavailableError';
  /** When to try again. */
  readonly retryAfterSeconds: number;

  constructor(reason: string, retryAfterSeconds: number, options?: ErrorOptions) {
    super(reason, options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
