// What the backend that keeps the tokens is made of.

import type { Request, Response } from '../shared/web.js';
import type { IssuerStore } from '../stores/store.js';
import type { SealingSecret } from './sealing.js';

/** What a verifier says of a logout token: `createVerifier(…).verify` of `portcullis` fits. */
export type LogoutTokenVerdict = {
  readonly ok: boolean;
  readonly claims?: { readonly [claim: string]: unknown };
};

/**
 * Which authorization server, which client, which APIs.
 * @example
 * ```ts
 * import { type BffOptions, createBff } from 'portcullis/bff';
 *
 * const options: BffOptions = {
 *   issuer: 'https://issuer.example',
 *   clientId: 'app',
 *   clientSecret: env.CLIENT_SECRET,
 *   scope: 'openid notes:read',
 *   secrets: [{ hex: env.BFF_SECRET }],
 *   upstream: { '/api/*': 'https://api.example' },
 * };
 * const bff = createBff(options);
 * ```
 */
export interface BffOptions {
  /** The authorization server: its metadata is fetched (RFC 8414, OpenID Connect Discovery). */
  issuer: string;
  /** The client that the application is, with the redirect URI `ORIGIN/auth/callback`. */
  clientId: string;
  /** Sent by HTTP Basic (RFC 6749 §2.3.1). Without one, the client is a public one. */
  clientSecret?: string;
  /** What is asked for, separated by spaces. Default: what the authorization server gives. */
  scope?: string;
  /** Where the tokens are for (RFC 8707). */
  resource?: readonly string[];
  /**
   * Which path goes to which API: an origin, to which the path is appended, or a URL that ends with
   * `/*`, which stands for what the path's `*` matched.
   */
  upstream: Readonly<Record<string, string>>;
  /** The first seals the cookies, each of them opens. */
  secrets: readonly SealingSecret[];
  /**
   * Keeps the tokens in a store of `portcullis/stores` and a random name in the cookie. Refreshes
   * then happen one at a time between all processes, and back-channel logout is possible. Without
   * one the tokens are sealed in cookies: two processes may then refresh with one token, which an
   * issuer with a replay window, as Portcullis is, answers both times.
   */
  store?: IssuerStore;
  /** Binds the tokens to a key of each session (RFC 9449). Default: `false`. */
  dpop?: boolean;
  /** Sends the authorization request by the back channel (RFC 9126). Default: where it must. */
  pushedAuthorizationRequests?: boolean;
  /**
   * Verifies logout tokens (OpenID Connect Back-Channel Logout §2.6): the signature, `iss`, `aud`,
   * `iat` and `exp`. It takes a `store`.
   */
  verifyLogoutToken?: (token: string) => LogoutTokenVerdict | Promise<LogoutTokenVerdict>;
  /** Where the handler answers itself. Default: `/auth`. */
  path?: string;
  /** The page's origin, where a proxy changes what is seen here. Default: that of the request. */
  origin?: string;
  /** The cookies' names begin with it, after `__Host-`. Default: `app`. */
  cookieName?: string;
  /** How long the browser keeps them; by default until it is closed. */
  maxAgeSeconds?: number;
  /** How long the authorization server may take, and an API until its header: 8000 ms. */
  timeoutMs?: number;
  /** Hears why a request was answered with 503. Default: `console.error`. */
  onError?: (error: unknown) => void;
  /** Seconds since 1970. Default: the runtime's clock. */
  now?: () => number;
  /** Default: the runtime's. */
  fetch?(request: Request): Promise<Response>;
}
