// The end of a session: by its user (RFC 7009), or by the authorization server (OpenID Connect
// Back-Channel Logout 1.0).
import { readText } from '../net/fetch.js';
import type { IssuerStore } from '../stores/store.js';
import type { AccessTokens } from './access.js';
import { type Client, isGood } from './client.js';
import { cutOff, firstSeen } from './logout-cutoffs.js';
import type { Metadata } from './metadata.js';
import { json, withCookies } from './page.js';
import type { Held, Keeper } from './session.js';
import type { Settings } from './settings.js';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** How long a logout token is remembered, and how old one may be, in seconds. */
const REMEMBERED_SECONDS = 600;
const MOST_FORM = 16_384;

/** Signs the user out here and at the authorization server. */
export async function signOut(
  held: Held | undefined,
  settings: Settings,
  { keeper, client, tokens, metadata }: Parts,
  origin: string,
): Promise<Response> {
  const server = await metadata();
  const redirectTo = server?.endSessionEndpoint && endSessionUrl(server.endSessionEndpoint, settings, origin);
  const done = { ...(redirectTo && { redirectTo }) };
  if (held === undefined) return json(200, done);
  const { session } = held;
  tokens.forget(session);
  const told = await revoked(session, server, client);
  if (told) return withCookies(json(200, done), await keeper.end(held));
  // Signed out here all the same: what is kept serves for nothing but the next try.
  const { claims: _claims, ...rest } = session;
  // Somebody may be refreshing it: then it ends without a next try.
  const kept = (await keeper.replace(held, { ...rest, ended: true })) ?? (await keeper.end(held));
  return withCookies(json(502, { error: 'not_revoked' }, { 'retry-after': '5' }), kept);
}

interface Parts {
  keeper: Keeper;
  client: Client;
  tokens: AccessTokens;
  metadata: () => Promise<Metadata | undefined>;
}

/** Is the authorization server told, or is there nothing that it could be told? */
async function revoked(
  { refreshToken, accessToken, key }: Held['session'],
  server: Metadata | undefined,
  client: Client,
): Promise<boolean> {
  if (server === undefined) return false;
  if (server.revocationEndpoint === undefined) return true;
  const form =
    refreshToken === undefined
      ? [['token', accessToken] as const, ['token_type_hint', 'access_token'] as const]
      : [['token', refreshToken] as const, ['token_type_hint', 'refresh_token'] as const];
  return isGood(await client.post(server.revocationEndpoint, form, key));
}

/** Where the page may go to end the sign-in there as well (RP-Initiated Logout 1.0 §2). */
function endSessionUrl(endpoint: string, { clientId }: Settings, origin: string): string {
  const url = new URL(endpoint);
  url.searchParams.set('client_id', clientId);
  url.searchParams.set('post_logout_redirect_uri', `${origin}/`);
  return url.href;
}

/** A logout token of the authorization server (OpenID Connect Back-Channel Logout §2.5–2.8). */
export async function backChannelLogout(
  request: Request,
  { store, verifyLogoutToken, now, issuer, clientId }: Settings,
): Promise<Response> {
  const refused = (text: string) => json(400, { error: 'invalid_request', error_description: text });
  if (store === undefined || verifyLogoutToken === undefined) return json(404, { error: 'not_found' });
  if (!/^application\/x-www-form-urlencoded *(?:;|$)/i.test(request.headers.get('content-type') ?? ''))
    return refused('expected a form');
  const text = await readText(request.body, MOST_FORM);
  const tokens = typeof text !== 'string' ? [] : new URLSearchParams(text).getAll('logout_token');
  const [token] = tokens;
  if (token === undefined || tokens.length > 1) return refused('expected one logout_token');
  const verdict = await verifyLogoutToken(token);
  if (!verdict.ok || verdict.claims === undefined) return refused('the logout token is not valid');
  // A verifier may know several issuers, and serve several clients.
  const { iss, aud } = verdict.claims;
  if (iss !== issuer || ![aud].flat().includes(clientId)) return refused('the logout token is for another');
  const problem = await ended(verdict.claims, store, now());
  if (problem === undefined) return json(200, {});
  return problem === BUSY
    ? json(503, { error: 'temporarily_unavailable' }, { 'retry-after': '5' })
    : refused(problem);
}

const BUSY = 'busy';

/** Ends what the claims name; or what is wrong with them. */
async function ended(
  claims: { readonly [claim: string]: unknown },
  store: IssuerStore,
  now: number,
): Promise<string | undefined> {
  const { sub, sid, jti, iat, nonce, events } = claims;
  const event = typeof events === 'object' && events !== null && (events as Record<string, unknown>)[EVENT];
  if (typeof event !== 'object' || event === null) return 'the token has not the event of a logout';
  // An ID token must not pass for one (§2.4).
  if (nonce !== undefined) return 'a logout token has no nonce';
  if (typeof sub !== 'string' && typeof sid !== 'string') return 'expected sub, sid or both';
  if (typeof jti !== 'string' || typeof iat !== 'number') return 'expected jti and iat';
  if (Math.abs(now - iat) > REMEMBERED_SECONDS) return 'the logout token is too old, or from the future';
  // By the time when the token came first: sent again, or after a failure, it ends the same.
  const first = await firstSeen(store, jti, now, now + 2 * REMEMBERED_SECONDS);
  if (!(await cutOff(store, { sub, sid }, first))) return BUSY;
  return undefined;
}
