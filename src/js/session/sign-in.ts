// The way in: an authorization code with PKCE (RFC 6749 §4.1, RFC 7636), by redirect or popup.
import { base64url } from '../shared/base64url.js';
import { contained } from './contained.js';
import { form } from './endpoints.js';
import type {
  SignIn,
  SignInCode,
  SignInOptions,
  SignInRequest,
  SignInResult,
  SignInSnapshot,
} from './sign-in-types.js';
import type { TokenResponse } from './types.js';

export type {
  ServerMetadata,
  SignIn,
  SignInCode,
  SignInOptions,
  SignInRequest,
  SignInResult,
  SignInSnapshot,
} from './sign-in-types.js';

/** What this side remembers of a request: for one response, and for so long. */
interface Transaction {
  state: string;
  verifier: string;
  issuer: string;
  returnTo: string;
  at: number;
}

const KEY = 'portcullis:sign-in';
const LIFE_MS = 900_000;
// Several in one tab: a user goes back and begins again.
const MOST = 4;
const POPUP = 'popup.';

/** 244 bits, in characters that a verifier may consist of (RFC 7636 §4.1). */
const random = () => crypto.randomUUID() + crypto.randomUUID();
const fail = (
  code: SignInCode,
  { error, error_description: description }: { error?: string; error_description?: string } = {},
): SignInResult => ({ ok: false, code, error, description });
/** A whole URL of this origin; undefined for any other, `blob:` included. */
const ownUrl = (url: string) => {
  try {
    const { href } = new URL(url, location.href);
    return href.startsWith(`${location.origin}/`) ? href : undefined;
  } catch {
    return undefined;
  }
};
/** An endpoint with what is asked of it. */
const address = (endpoint: string, asked: Record<string, unknown>) => {
  const url = new URL(endpoint);
  for (const [name, value] of Object.entries(asked))
    for (const one of [value ?? []].flat()) url.searchParams.append(name, one as string);
  return url;
};

const pending = (): Transaction[] => {
  try {
    return [].concat(JSON.parse(sessionStorage.getItem(KEY) as string) ?? []);
  } catch {
    return [];
  }
};
/** False where nothing can be stored. */
const keep = (all: Transaction[]) => {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(all.slice(-MOST)));
    return true;
  } catch {
    return false;
  }
};
/** The transaction of a response, which is over with it. */
const take = (state: string) => {
  const all = pending();
  return keep(all.filter((one) => one.state !== state)) ? all.find((one) => one.state === state) : undefined;
};

/**
 * Makes the ways into a session and out of it.
 * @example
 * ```ts
 * import { createSession, revocationEndpoint, tokenEndpoint } from 'portcullis/session';
 * import { createSignIn } from 'portcullis/session/sign-in';
 *
 * const auth = createSignIn({
 *   session: createSession({
 *     refresh: tokenEndpoint('https://issuer.example/token', { clientId: 'app' }),
 *     revoke: revocationEndpoint('https://issuer.example/revoke', { clientId: 'app' }),
 *   }),
 *   metadata: {
 *     issuer: 'https://issuer.example',
 *     authorization_endpoint: 'https://issuer.example/authorize',
 *     token_endpoint: 'https://issuer.example/token',
 *     authorization_response_iss_parameter_supported: true,
 *   },
 *   clientId: 'app',
 *   redirectUri: '/callback',
 * });
 * const result = await auth.handleRedirect();
 * if (result?.ok) history.replaceState(null, '', result.returnTo);
 * else if (result === undefined) await auth.signIn({ scope: 'notes' });
 * ```
 */
export function createSignIn({ session, metadata, clientId, redirectUri, dpop }: SignInOptions): SignIn {
  const listeners = new Set<() => void>();
  let snapshot: SignInSnapshot;
  let handling: Promise<SignInResult | undefined> | undefined;
  const callback = () => new URL(redirectUri, location.href);

  const become = (pending: boolean, result?: SignInResult) => {
    snapshot = Object.freeze({ pending, result });
    for (const listener of [...listeners]) contained(listener);
  };
  /** Shows what is under way, and what became of it. */
  const shown = async (work: Promise<SignInResult>) => {
    let result: SignInResult | undefined;
    become(true);
    try {
      result = await work;
      return result;
    } finally {
      become(false, result);
    }
  };

  /** Judges a response to the request of a transaction, and exchanges its code. */
  const finish = async (response: URLSearchParams, transaction?: Transaction): Promise<SignInResult> => {
    const { issuer, verifier, at, returnTo } = transaction ?? ({} as Transaction);
    // A clock that was set back makes it no younger.
    if (!(Math.abs(Date.now() - at) < LIFE_MS)) return fail('state-unknown');
    const { iss, code, ...refusal }: Record<string, string> = Object.fromEntries(response as never);
    // Before anything else is read, errors included (RFC 9207 §2.4, RFC 9700 §4.4).
    const from = iss ?? (metadata.authorization_response_iss_parameter_supported || issuer);
    if (from !== issuer || issuer !== metadata.issuer) return fail('issuer-mismatch');
    if (!code) return fail('denied', refusal);
    // Never twice: a code that comes again ends what it has started (RFC 6749 §4.1.2).
    try {
      const answer = await (dpop ?? globalThis).fetch(
        form(metadata.token_endpoint, {
          grant_type: 'authorization_code',
          code,
          redirect_uri: callback().href,
          client_id: clientId,
          code_verifier: verifier,
        }),
      );
      const tokens = (await answer.json()) as TokenResponse;
      if (!answer.ok) return fail('exchange-failed', tokens as object);
      await session.start(tokens);
      return { ok: true, returnTo };
    } catch {
      return fail('exchange-failed');
    }
  };

  const begin = async ({
    scope,
    resource,
    acrValues,
    maxAgeSeconds,
    parameters,
    mode,
    returnTo = location.href,
  }: SignInRequest): Promise<SignInResult> => {
    const own = ownUrl(returnTo);
    if (!own) return fail('return-to-foreign');
    // Before anything is awaited: a browser opens no popup but in the handler of a click.
    const popup = mode === 'popup' ? open('', '', 'popup,width=480,height=720') : undefined;
    if (popup === null) return fail('popup-blocked');
    const state = (popup ? POPUP : '') + random();
    const verifier = random();
    const transaction = { state, verifier, issuer: metadata.issuer, returnTo: own, at: Date.now() };
    const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
    const url = address(metadata.authorization_endpoint, {
      ...parameters,
      response_type: 'code',
      client_id: clientId,
      redirect_uri: callback(),
      state,
      code_challenge: base64url(new Uint8Array(hash)),
      code_challenge_method: 'S256',
      scope,
      resource,
      acr_values: acrValues,
      max_age: maxAgeSeconds,
      // The page reads no ID token, but some issuers want one.
      nonce: /\bopenid\b/.test(scope as string) ? random() : undefined,
      dpop_jkt: await dpop?.thumbprint(),
    });
    if (popup) {
      const response = await (await import('./popup.js')).responseOf(popup, KEY, state, url.href);
      return response ? finish(response, transaction) : fail('popup-closed');
    }
    if (!keep([...pending(), transaction])) return fail('storage-blocked');
    location.assign(url);
    // Back from there, on the page as it was: the browser had kept it.
    return new Promise((resolve) =>
      addEventListener('pageshow', ({ persisted }) => persisted && resolve(fail('abandoned'))),
    );
  };

  const handle = async (): Promise<SignInResult | undefined> => {
    const response = new URLSearchParams(location.search);
    const state = response.get('state');
    if (!state || location.pathname !== callback().pathname) return undefined;
    // Neither a reload nor a way back finds the code, or the state, again.
    history.replaceState(history.state, '', callback());
    if (!state.startsWith(POPUP)) return shown(finish(response, take(state)));
    (await import('./popup.js')).passOn(KEY, response);
    return undefined;
  };

  become(false);
  return {
    signIn: (request = {}) => shown(begin(request)),
    handleRedirect() {
      handling ??= handle().finally(() => {
        handling = undefined;
      });
      return handling;
    },
    async signOut({ everywhere, returnTo = '/' } = {}) {
      const own = ownUrl(returnTo);
      if (!own) return fail('return-to-foreign');
      // Not left before the server was told: the token to be revoked may be in this page alone.
      try {
        await session.signOut();
      } catch {
        return fail('unrevoked');
      }
      if (everywhere && metadata.end_session_endpoint)
        location.assign(
          address(metadata.end_session_endpoint, { client_id: clientId, post_logout_redirect_uri: own }),
        );
      return { ok: true, returnTo: own };
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    snapshot: () => snapshot,
  };
}
