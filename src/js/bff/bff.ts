// A backend for frontend that keeps both tokens: the browser has a cookie, and no token at all.
import type { Request as WebRequest, Response as WebResponse } from '../shared/web.js';
import { accessTokens } from './access.js';
import { clientOf } from './client.js';
import { cookieKeeper } from './cookie-keeper.js';
import { cookiesOf } from './cookies.js';
import { crossSite, isOwn } from './csrf.js';
import { metadataOf } from './metadata.js';
import type { BffOptions } from './options.js';
import { json } from './page.js';
import { forward, isAmbiguous, signedOut, targetOf } from './proxy.js';
import { sealerOf } from './sealing.js';
import type { Session } from './session.js';
import { settingsOf } from './settings.js';
import { signIn } from './sign-in.js';
import { backChannelLogout, signOut } from './sign-out.js';
import { storeKeeper } from './store-keeper.js';

/** A backend for frontend, as a fetch handler. */
export interface Bff {
  /**
   * Answers what is for it, and undefined for everything else: `GET /auth/login?returnTo=/place`,
   * `GET /auth/callback`, `GET /auth/session`, `POST /auth/logout`,
   * `POST /auth/backchannel-logout`, and the paths of `upstream`.
   */
  fetch(request: WebRequest): Promise<WebResponse | undefined>;
}

/**
 * Makes a handler for any runtime that speaks fetch. It signs users in at an authorization server,
 * keeps both tokens out of the browser's reach, and sends the page's requests on to the APIs with
 * an access token (OAuth 2.0 for Browser-Based Applications, section 6.1).
 * @throws TypeError when an option is no good.
 * @example
 * ```ts
 * import { createBff } from 'portcullis/bff';
 *
 * const bff = createBff({
 *   issuer: 'https://issuer.example',
 *   clientId: 'app',
 *   clientSecret: env.CLIENT_SECRET,
 *   scope: 'notes:read',
 *   secrets: [{ hex: env.BFF_SECRET }],
 *   upstream: { '/api/*': 'https://api.example' },
 * });
 * const response = (await bff.fetch(request)) ?? new Response('not found', { status: 404 });
 * ```
 */
export function createBff(options: BffOptions): Bff {
  const settings = settingsOf(options);
  const { path, store, onError } = settings;
  const sealer = sealerOf(settings.secrets);
  const keeper =
    store === undefined ? cookieKeeper(settings, sealer) : storeKeeper({ ...settings, store }, sealer);
  const client = clientOf(settings);
  const metadata = metadataOf(settings);
  const tokens = accessTokens(settings, keeper, client, metadata);
  const parts = { keeper, client, tokens, metadata };
  const { login, callback } = signIn(settings, sealer, keeper, client, metadata);

  const session = async (request: Request) => {
    const held = await keeper.load(cookiesOf(request.headers));
    return json(200, stateOf(held?.session));
  };
  const logout = async (request: Request, origin: string) =>
    signOut(await keeper.load(cookiesOf(request.headers)), settings, parts, origin);
  const backChannel = (request: Request) => backChannelLogout(request, settings);
  /** Place → method, and what answers it. */
  const own = new Map<string, [string, (request: Request, origin: string) => Promise<Response>]>([
    ['/login', ['GET', login]],
    ['/callback', ['GET', callback]],
    ['/session', ['GET', session]],
    ['/logout', ['POST', logout]],
    ['/backchannel-logout', ['POST', backChannel]],
  ]);
  /** What a page of this origin asks for by a script; the rest is a browser's or a server's. */
  const forScripts = new Set(['/session', '/logout']);

  const proxied = async (request: Request, origin: string) => {
    const target = targetOf(request, settings.routes);
    if (target === undefined) return undefined;
    const isSocket = request.headers.get('upgrade')?.toLowerCase() === 'websocket';
    // A page cannot give a socket a header of its own; its origin it cannot forge.
    const isMine = isSocket ? request.headers.get('origin') === origin : isOwn(request as never, origin);
    if (!isMine) return json(403, crossSite(request as never, origin));
    if (isAmbiguous(request)) return json(400, { error: 'path_ambiguous' });
    const held = await keeper.load(cookiesOf(request.headers));
    return held === undefined ? signedOut(settings) : forward(request, target, held, settings, parts);
  };

  const answer = async (request: Request): Promise<Response | undefined> => {
    const url = new URL(request.url);
    const origin = settings.origin ?? url.origin;
    const place = url.pathname.startsWith(`${path}/`) ? url.pathname.slice(path.length) : '';
    const [allow, work] = own.get(place) ?? [];
    if (work === undefined) return proxied(request, origin);
    if (request.method !== allow) return json(405, { error: 'method_not_allowed' }, { allow: `${allow}` });
    if (forScripts.has(place) && !isOwn(request as never, origin))
      return json(403, crossSite(request as never, origin));
    return work(request, origin);
  };

  return {
    async fetch(request) {
      try {
        return (await answer(request as Request)) as WebResponse | undefined;
      } catch (error) {
        // A store that fails, or tokens that do not fit into cookies: said to the operator alone.
        onError(error);
        return json(503, { error: 'temporarily_unavailable' }, { 'retry-after': '5' }) as WebResponse;
      }
    },
  };
}

/** What the page may know of the session. */
function stateOf(session: Session | undefined): object {
  if (session === undefined || session.ended) return { signedIn: false };
  const { scope, claims, since } = session;
  return { signedIn: true, since, ...(scope !== undefined && { scope }), ...(claims && { claims }) };
}
