import type { IssuerPolicy, Jwk, JwkLike, Secret } from '../verifier/policy.js';

/** So many requests within so many seconds. */
export interface RateLimit {
  requests: number;
  seconds: number;
}

/** How long sessions live, and how long a replay is forgiven. Whole seconds. */
export interface SessionWindows {
  /**
   * Wr: how long after a rotation the token before it is answered with its successor again; 60 by
   * default.
   */
  replayWindowSeconds?: number;
  /**
   * Wc: how long after a rotation the next one waits; at least, and by default, Wr + 2 ·
   * worstDelaySeconds.
   */
  rotationIntervalSeconds?: number;
  /** D: the longest way of a message, there or back; 15 by default. */
  worstDelaySeconds?: number;
  /**
   * R: how many replays after the window are forgiven until a generation passes without any; 2 by
   * default.
   */
  lateReplays?: number;
  /** How long a session lives without being refreshed; 30 days by default. */
  idleSeconds?: number;
  /** How long a session lives at all; 90 days by default. */
  absoluteSeconds?: number;
  /** How long an access token lives: 300 by default, at most 3600. */
  accessTokenSeconds?: number;
  /** The same, from 3601 to 86400, instead: what is stolen stays good for that long. */
  longAccessTokenSeconds?: number;
  /**
   * Rotate confidential and sender-bound sessions too? RFC 9700 §4.14.2 asks it of unbound public
   * clients alone, and those always do.
   */
  rotateAll?: boolean;
}

/** The grants of `/token`, by their names there. */
export type GrantType =
  | 'refresh_token'
  | 'client_credentials'
  | 'authorization_code'
  | 'urn:ietf:params:oauth:grant-type:token-exchange';

/** A client (RFC 6749 §2). */
export interface ClientConfig {
  clientId: string;
  /** How it shows who it is; `none` for a public client, such as a page. */
  authentication: 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';
  /** What `hashClientSecret` made of its secret; several while one replaces another. */
  secretHash?: string | readonly string[];
  /** Its public keys, for `private_key_jwt`. */
  jwks?: { keys: readonly (Jwk | JwkLike)[] };
  grants?: readonly GrantType[];
  /** All the scopes it may be granted, separated by spaces; what is asked for narrows them. */
  scope?: string;
  /**
   * Where its codes may be sent, compared as they are: https, http on a loopback name, or a scheme
   * like `com.example.app`. The port of `http://127.0.0.1` and `http://[::1]` is free (RFC 8252
   * §7.3).
   */
  redirectUris?: readonly string[];
  /** The audience of its access tokens, in place of the issuer's. */
  audience?: string;
  rateLimit?: RateLimit;
  /** May it introspect the access tokens of other clients? */
  introspects?: boolean;
  /** May it revoke subjects, sessions, clients and keys at `/revocations`? */
  administers?: boolean;
  /**
   * May it read the feed of revocations, as an edge does? It authenticates itself by
   * `client_secret_basic`.
   */
  feed?: boolean;
  /** Does it get nothing without a DPoP proof (RFC 9449 §5.2)? */
  dpopBound?: boolean;
  /** Does it push its authorization requests to `/par` (RFC 9126 §6)? */
  requirePushedAuthorizationRequests?: boolean;
}

/** What an issuer goes by. It holds no secret. */
export interface IssuerConfig {
  /**
   * `iss`, and what the endpoints' URLs begin with: https, or http on a loopback name; no slash at
   * its end.
   */
  issuer: string;
  /** `aud` of access tokens. */
  audience: string;
  sessions?: SessionWindows;
  clients: readonly ClientConfig[];
  /**
   * Whose tokens can be exchanged (RFC 8693): issuers as in a verifier's policy, with keys built
   * in or `remote`.
   */
  upstream?: readonly IssuerPolicy[];
  /**
   * What becomes of their `sub`: `iss#sub` by default; `verbatim` when no two of them, and no user
   * of yours, can have the same.
   */
  upstreamSubjects?: 'qualified' | 'verbatim';
  /**
   * Per session 60 a minute by default; per address and per client none. A request is counted for
   * its address at once, for its session when its token is authentic, and then for its client: one
   * who only knows a client's name uses up nothing of its limit.
   */
  limits?: {
    /**
     * Per `clientAddress` of the request's context; all of an IPv6 network of 64 bits count as
     * one.
     */
    address?: RateLimit;
    session?: RateLimit;
    client?: RateLimit;
  };
  /** `max-age` of the JWK Set: as long is a key published before it signs. 3600 by default. */
  jwksCacheSeconds?: number;
  /** How long an authorization code lives; 60 by default, at most 600. */
  codeSeconds?: number;
  /** The pages that may read the answers of `/token` and `/revoke`. */
  cors?: { origins: readonly string[] };
  /**
   * Where the application signs its users in and calls `authorize`, for the metadata; `/authorize`
   * under the issuer by default.
   */
  authorizationEndpoint?: string;
  /** Do all clients push their requests (RFC 9126 §5)? A client may say otherwise. */
  requirePushedAuthorizationRequests?: boolean;
  /**
   * Who may read the feed of revocations: `clients` with `feed: true`, by default, or the
   * `public`. Whoever reads it can try names: was this subject signed out, and when?
   */
  feedAccess?: 'clients' | 'public';
  /** Is there a `GET /health`, which says whether the store answers, and nothing else? */
  health?: boolean;
}

/** A private key that signs access tokens, and its place in the schedule. */
export interface ScheduledKey {
  /** What `privateJwk()` of a signing key gave. */
  jwk: Jwk | JwkLike;
  /** From when on it is in the JWK Set, in seconds since 1970. */
  publishedAtSeconds?: number;
  /** From when on it signs: at least `jwksCacheSeconds` later. */
  signsFromSeconds?: number;
}

/** A secret of 32 bytes that refresh tokens are derived from. */
export interface RootKey {
  /** Bytes, or a text whose encoding is spelled out. */
  secret: Secret;
  /** From when on new tokens are derived from it, in seconds since 1970; it verifies at once. */
  mintsFromSeconds?: number;
}
