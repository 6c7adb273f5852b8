import type { Request, Response } from '../shared/web.js';
import type { RequestContext } from './index.js';

/**
 * What an authorization request came to.
 * @example
 * ```ts
 * const authorization = await issuer.authorize(request);
 * if (authorization.outcome === 'response') return authorization.response;
 * const { sealed, cookie, headers } = authorization;
 * const form = `<form method="post" action="/login"><input type="hidden" name="sealed" value="${sealed}">`;
 * return new Response(form, { headers: { ...headers, 'set-cookie': cookie } });
 * ```
 */
export type Authorization =
  | AuthorizationAsk
  /** A refusal, ready to be sent. */
  | { outcome: 'response'; response: Response };

/** A checked request (RFC 6749 §4.1.1), to be decided by the application's own pages. */
export interface AuthorizationAsk {
  outcome: 'ask';
  /**
   * The request itself, for `complete` and `decline`: authenticated text, good for ten minutes, to
   * be carried through your pages in a hidden field. It is not encrypted.
   */
  sealed: string;
  /** The value of `Set-Cookie` for your page: only this browser finishes the request. */
  cookie: string;
  /** For your page: it is not stored, not framed, and tells nobody its URL. */
  headers: Record<string, string>;
  clientId: string;
  redirectUri: string;
  /** What is asked for, within the client's scope. */
  scope?: string;
  /** The resource servers that the client named (RFC 8707 §2); empty for none. */
  resource: string[];
  /** OpenID Connect Core §3.1.2.1; empty for none. With `none` no page may be shown. */
  prompt: ('none' | 'login' | 'consent' | 'select_account')[];
  /** How long ago the subject may have been authenticated, in seconds. */
  maxAgeSeconds?: number;
  /** Authentication contexts, the preferred first; empty for none. */
  acrValues: string[];
  loginHint?: string;
  nonce?: string;
  /** The thumbprint of the key that has to redeem the code (RFC 9449 §10). */
  dpopJkt?: string;
}

/**
 * Which browser it is: its request, whose `Cookie` header is compared. Whoever decides within the
 * authorization request itself has shown no page, and gives the `cookie` that `authorize` made.
 */
export type FromBrowser = { request: Request; cookie?: never } | { cookie: string; request?: never };

/**
 * What the subject has granted.
 * @example
 * ```ts
 * return issuer.complete(sealed, { request, subject: user.id, scope: 'notes:read' });
 * ```
 */
export type Completion = FromBrowser & {
  /** Whose credentials the application has checked. */
  subject: string;
  /** Within the request's scope; all of it, when left out. */
  scope?: string;
  /** How the subject was authenticated (RFC 9068 §2.2.1). */
  acr?: string;
  /** By which methods, as `['pwd', 'otp']` (RFC 8176). */
  amr?: string[];
  /**
   * Claims of the session to come, in each of its access tokens: at most 3072 bytes as JSON, 16
   * levels and 96 members, and none that the issuer sets.
   */
  claims?: Record<string, unknown>;
  /**
   * When, in seconds since 1970 and not in the future; by default now. It is required, and
   * compared, for a request with `maxAgeSeconds` or the prompt `login`.
   */
  authTimeSeconds?: number;
};

/** Why the request is declined (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6). */
export type Declined = FromBrowser & {
  error:
    | 'access_denied'
    | 'login_required'
    | 'interaction_required'
    | 'consent_required'
    | 'account_selection_required'
    | 'unmet_authentication_requirements'
    | 'invalid_scope'
    | 'server_error'
    | 'temporarily_unavailable';
  /** For the client's developer: at most 256 bytes. */
  description?: string;
};

/** The authorization endpoint (RFC 6749 §3.1), around the application's own pages. */
export interface AuthorizationEndpoint {
  /**
   * Checks an authorization request, by GET or POST: client, exact redirect URI, PKCE with S256,
   * scope, and everything else that it says; also one that was pushed to `/par` (RFC 9126).
   * @throws PolicyError for a `request` that is none.
   */
  authorize(request: Request, context?: RequestContext): Promise<Authorization>;
  /**
   * Sends the browser back to the client (303) with a code, `state` and `iss` (RFC 9207). Of one
   * authorization there is one code: completing it again gives the same one until it is presented,
   * and a refusal (400) afterwards, or for another browser.
   * @throws PolicyError for a mistake of the caller's; IssuerUnavailableError when the store gives
   * no answer: call it again.
   */
  complete(sealed: string, completion: Completion): Promise<Response>;
  /**
   * Sends the browser back with an error.
   * @throws PolicyError for a mistake of the caller's.
   */
  decline(sealed: string, declined: Declined): Promise<Response>;
}
