import type { Request, Response } from '../shared/web.js';
import type { Session } from './types.js';

/**
 * What is used of an authorization server's metadata (RFC 8414 §2). It is given rather than
 * fetched, because a popup that waits for the network is blocked.
 */
export interface ServerMetadata {
  /** Its identifier, compared character by character with `iss` (RFC 9207 §2.4). */
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  /** Where `signOut({ everywhere: true })` leads (OpenID Connect RP-Initiated Logout 1.0). */
  readonly end_session_endpoint?: string;
  /** With true, a response without `iss` is refused. */
  readonly authorization_response_iss_parameter_supported?: boolean;
}

/**
 * At which server a user signs in, and as which client.
 * @example
 * ```ts
 * import { createSession, tokenEndpoint } from 'portcullis/session';
 * import { createSignIn, type SignInOptions } from 'portcullis/session/sign-in';
 *
 * const options: SignInOptions = {
 *   session: createSession({
 *     refresh: tokenEndpoint('https://issuer.example/token', { clientId: 'app' }),
 *   }),
 *   metadata: {
 *     issuer: 'https://issuer.example',
 *     authorization_endpoint: 'https://issuer.example/authorize',
 *     token_endpoint: 'https://issuer.example/token',
 *     authorization_response_iss_parameter_supported: true,
 *   },
 *   clientId: 'app',
 *   redirectUri: '/callback',
 * };
 * const auth = createSignIn(options);
 * ```
 */
export interface SignInOptions {
  /** Takes the tokens, and is ended by `signOut`. */
  session: Session;
  /** The issuer, by the document that it publishes. */
  metadata: ServerMetadata;
  /** The public client that the page is. */
  clientId: string;
  /**
   * A page of this origin that calls `handleRedirect`, as it is registered; a path will do. Each
   * issuer needs one of its own (RFC 9700 §4.4.2.2).
   */
  redirectUri: string;
  /** Binds the code and the tokens to a key (RFC 9449 §10): `createDpop()`. */
  dpop?: { fetch(request: Request): Promise<Response>; thumbprint(): Promise<string> };
}

/** What a sign-in asks for. Everything is optional. */
export interface SignInRequest {
  /** Scopes, with spaces between them. */
  scope?: string;
  /** For which APIs the token is to be (RFC 8707). */
  resource?: string | readonly string[];
  /** How the user is to authenticate (RFC 9470 §4). */
  acrValues?: string | undefined;
  /** How long ago the user may have authenticated, in seconds. */
  maxAgeSeconds?: number | undefined;
  /** Further parameters, such as `prompt` or `login_hint`. */
  parameters?: Readonly<Record<string, string>>;
  /** `redirect` leaves the page, `popup` keeps it. Default: `redirect`. */
  mode?: 'redirect' | 'popup';
  /** Where to go on afterwards, on this origin alone. Default: this page. */
  returnTo?: string;
}

/**
 * Why a sign-in or a sign-out has failed: the user came back without an answer (`abandoned`), or
 * closed the popup (`popup-closed`), which the browser may not have opened (`popup-blocked`); the
 * state could not be stored (`storage-blocked`); `returnTo` is on another origin
 * (`return-to-foreign`); nobody here waits for this response, or no longer (`state-unknown`);
 * another issuer sent it, or it does not say which (`issuer-mismatch`); the issuer has refused
 * (`denied`), or given no tokens for the code (`exchange-failed`); or the issuer could not be told
 * of the sign-out (`unrevoked`).
 */
export type SignInCode =
  | 'abandoned'
  | 'popup-closed'
  | 'popup-blocked'
  | 'storage-blocked'
  | 'return-to-foreign'
  | 'state-unknown'
  | 'issuer-mismatch'
  | 'denied'
  | 'exchange-failed'
  | 'unrevoked';

/** What became of it. */
export type SignInResult =
  | {
      readonly ok: true;
      /** A whole URL of this origin. */
      readonly returnTo: string;
    }
  | {
      readonly ok: false;
      readonly code: SignInCode;
      /** What the issuer answered (RFC 6749 §4.1.2.1, §5.2), such as `access_denied`. */
      readonly error?: string | undefined;
      /** What it says to developers. Show it as text, or not at all. */
      readonly description?: string | undefined;
    };

/** Frozen, and the same object until something changes. */
export interface SignInSnapshot {
  readonly pending: boolean;
  /** Of the last sign-in. */
  readonly result: SignInResult | undefined;
}

/** The ways into a session and out of it. */
export interface SignIn {
  /**
   * Leads the user to the issuer. With `redirect` the page is left, and the promise is settled only
   * where that fails, or where the user comes back to the page as it was. A popup has to be opened
   * in the handler of a click, before anything is awaited.
   */
  signIn(request?: SignInRequest): Promise<SignInResult>;
  /**
   * Takes the issuer's response out of this page's URL and its history, and starts the session.
   * Undefined where there is none, so that any page may call it. Calls beside each other are one.
   */
  handleRedirect(): Promise<SignInResult | undefined>;
  /**
   * Ends the session in all tabs and revokes its refresh token. With `everywhere`, also the user's
   * session at the issuer, where its metadata has an `end_session_endpoint`: this page is left for
   * it, and the user comes back to `returnTo` where the issuer has that registered.
   */
  signOut(options?: { everywhere?: boolean; returnTo?: string }): Promise<SignInResult>;
  subscribe(listener: () => void): () => void;
  snapshot(): SignInSnapshot;
}
