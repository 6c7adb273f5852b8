import type { AbortSignal, Request, RequestInit, Response, URL } from '../shared/web.js';
import type { UnverifiedClaims } from '../verifier/verdict.js';
import type { Clock } from './clock.js';

interface TokenMembers {
  access_token: string;
  token_type?: string;
  expires_in?: number;
  refresh_token?: string;
  scope?: string;
}

/** What a token endpoint answers (RFC 6749 §5.1), or `issuer.startSession`. */
export type TokenResponse = TokenMembers | (TokenMembers & { readonly [member: string]: unknown });

/**
 * Where a refresh token is kept between page loads, and in further lines those that are still to
 * be revoked. Whatever page script can read, an injected script can too.
 */
export interface TokenStorage {
  get(): string | null | Promise<string | null>;
  set(text: string | null): void | Promise<void>;
  /** Calls back when another tab has changed it. */
  watch?(listener: () => void): () => void;
}

/** What an API asks for by RFC 9470 §3. */
export interface StepUp {
  readonly acrValues: string | undefined;
  readonly maxAgeSeconds: number | undefined;
  readonly request: Request;
  readonly response: Response;
}

/**
 * What a session is made of. Only `refresh` has to be there.
 * @example
 * ```ts
 * import { backend, createSession, inspect, type SessionOptions } from 'portcullis/session';
 *
 * const options: SessionOptions = {
 *   ...backend('/session'),
 *   inspect,
 *   origins: ['https://api.example'],
 *   attemptMs: 5000,
 * };
 * const session = createSession(options);
 * ```
 */
export interface SessionOptions {
  /**
   * Asks the token endpoint for new tokens and hands back its answer as it is. `refreshToken` is
   * undefined where the page holds none: a backend for frontend has it in a cookie. Called again
   * with the same token when an answer was lost.
   */
  refresh(refreshToken: string | undefined, signal: AbortSignal): Promise<Response>;
  /**
   * Tells the server that the session is over. What rejects, or takes longer than `attemptMs`, is
   * asked again later, with the same token.
   */
  revoke?(refreshToken: string | undefined, signal: AbortSignal): Promise<unknown>;
  /** Default: memory, shared with the open tabs of this origin alone. */
  storage?: TokenStorage;
  /** Sessions of one name are one, in all tabs of this origin. Default: `portcullis`. */
  name?: string;
  /** To which origins `session.fetch` shows the token. Default: this page's own. */
  origins?: readonly string[];
  /** Proves possession of a key (RFC 9449): `createDpop()`. */
  dpop?: { fetch(request: Request, accessToken?: string): Promise<Response> };
  /**
   * The user is to authenticate again. Resolves to new tokens, to true when the session has been
   * given some by `start`, or to false.
   */
  stepUp?(challenge: StepUp): Promise<TokenResponse | boolean>;
  /** Reads the claims for `snapshot`: the `inspect` of this entry, or of `portcullis`. */
  inspect?(token: string): { ok: true; claims: UnverifiedClaims } | { ok: false };
  /**
   * Decides about every access token before it is used, by the server's time:
   * `(token, now) => verifier.verify(token, { now })`. One that is not `ok` is not taken, and
   * never sent.
   */
  verify?(token: string, nowSeconds: number): { ok: boolean };
  /** Default: one of its own. */
  clock?: Clock;
  /** How long one request to the token endpoint may take: 8000 ms. */
  attemptMs?: number;
  /** How long a tab may be at refreshing before another takes over: 30000 ms. */
  holdMs?: number;
  /**
   * How many requests to the token and the revocation endpoint all tabs together make in a minute
   * at most, whatever these answer: 20.
   */
  requestsAMinute?: number;
}

/** What a page shows. Frozen, and the same object until something changes. */
export interface Snapshot {
  /** `unknown` until the first refresh was answered. */
  readonly status: 'unknown' | 'signed-in' | 'signed-out';
  /**
   * Why there is no session, or no new token: the token endpoint gives none, for now (`offline`);
   * it has refused the refresh token (`refused`); or the user has signed out, or never in
   * (`signed-out`). Undefined while all is well.
   */
  readonly reason: 'offline' | 'refused' | 'signed-out' | undefined;
  /** What the access token says, verified by nobody; undefined without `inspect`. */
  readonly claims: UnverifiedClaims | undefined;
  /** In seconds since 1970, by the server's clock. */
  readonly expiresAt: number | undefined;
  /**
   * How many sign-outs the server has not been told of yet. They are tried again, by whichever tab
   * is open.
   */
  readonly unrevoked: number;
}

/** The session of this origin, as one of its tabs sees it. */
export interface Session {
  readonly clock: Clock;
  /** Takes the tokens of a sign-in, in all tabs; rejects when `verify` refuses the access token. */
  start(tokens: TokenResponse): Promise<void>;
  /**
   * An access token that has not expired; refreshed first when it has, or when it is the one given
   * as `refused`. Rejects with a `SessionError` when there is none: its code is `signed-out`,
   * `refused`, `offline` or `closed`.
   */
  accessToken(refused?: string): Promise<string>;
  /**
   * `fetch` with the access token, to the session's origins alone and never across a redirect,
   * which is an error. One more attempt after `invalid_token`, and one after a step-up.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /**
   * Ends the session in all tabs at once, then at the server. Rejects when the server cannot be
   * told; the token is then kept until it can, and `snapshot().unrevoked` counts it.
   */
  signOut(): Promise<void>;
  subscribe(listener: () => void): () => void;
  snapshot(): Snapshot;
  /**
   * Ends what is under way here, requests included, and lets go of timers, locks and channels; a
   * sign-out is brought to its end first. The session itself goes on in other tabs.
   */
  close(): void;
}
