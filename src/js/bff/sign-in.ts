// The way to the authorization server and back (RFC 6749 §4.1, RFC 7636, RFC 9126, RFC 9207).
import { base64url } from '../shared/base64url.js';
import { DPOP_ALGORITHM, sha256 } from '../shared/dpop-proof.js';
import { withTokens } from './access.js';
import { type Client, type Form, isGood } from './client.js';
import { cookiesOf, setCookie } from './cookies.js';
import { idTokenClaims } from './id-token.js';
import type { Metadata } from './metadata.js';
import { failure, onwards, withCookies } from './page.js';
import type { Sealer } from './sealing.js';
import type { Keeper, Session } from './session.js';
import type { Settings } from './settings.js';

/** How long a sign-in may take. */
const SIGN_IN_SECONDS = 600;
/** Sign-ins that a browser has begun and not finished; the next one takes their place. */
const MOST_BEGUN = 4;

/** What a sign-in has to remember until its answer comes. */
interface Begun {
  state: string;
  verifier: string;
  nonce: string;
  returnTo: string;
  at: number;
  key?: JsonWebKey;
}

export interface SignIn {
  login(request: Request, origin: string): Promise<Response>;
  callback(request: Request, origin: string): Promise<Response>;
}

export function signIn(
  settings: Settings,
  sealer: Sealer,
  keeper: Keeper,
  client: Client,
  metadata: () => Promise<Metadata | undefined>,
): SignIn {
  const { issuer, clientId, scope, resource = [], path, cookieName, now } = settings;
  const purpose = JSON.stringify(['sign-in', issuer, clientId]);
  const cookies = `__Host-${cookieName}-login-`;
  // Its name says which sign-in it is of: two tabs do not take each other's away.
  const nameOf = (state: string) => cookies + state.slice(0, 8);
  const wantsIdToken = scope?.split(' ').includes('openid') === true;
  const again = (returnTo = '/') => `${path}/login?returnTo=${encodeURIComponent(returnTo)}`;

  const parametersOf = async (begun: Begun, origin: string): Promise<Form> => [
    ['response_type', 'code'],
    ['client_id', clientId],
    ['redirect_uri', `${origin}${path}/callback`],
    ['state', begun.state],
    ['code_challenge', await sha256(begun.verifier)],
    ['code_challenge_method', 'S256'],
    ...(scope === undefined ? [] : [['scope', scope] as const]),
    ...(wantsIdToken ? [['nonce', begun.nonce] as const] : []),
    ...resource.map((one) => ['resource', one] as const),
    ...(begun.key === undefined ? [] : [['dpop_jkt', await thumbprint(begun.key)] as const]),
  ];

  /** The URL to send the browser to; undefined when the back channel has not taken the request. */
  const authorizationUrl = async (server: Metadata, parameters: Form) => {
    const url = new URL(server.authorizationEndpoint);
    const isPushed = settings.pushedAuthorizationRequests ?? server.isPushRequired;
    if (!isPushed) for (const [name, value] of parameters) url.searchParams.append(name, value);
    if (!isPushed) return url.href;
    if (server.pushedEndpoint === undefined) return undefined;
    const told = await client.post(server.pushedEndpoint, parameters);
    const { request_uri: pushed } = (told?.body ?? {}) as { request_uri?: unknown };
    if (!isGood(told) || typeof pushed !== 'string') return undefined;
    url.searchParams.set('client_id', clientId);
    url.searchParams.set('request_uri', pushed);
    return url.href;
  };

  const login: SignIn['login'] = async (request, origin) => {
    const returnTo = ownPlace(new URL(request.url).searchParams.get('returnTo'), origin);
    const server = await metadata();
    if (server === undefined) return failure(503, UNREACHABLE, again(returnTo));
    const begun: Begun = {
      state: random(),
      verifier: random(),
      nonce: random(),
      returnTo,
      at: now(),
      ...(settings.dpop && { key: await newKey() }),
    };
    const url = await authorizationUrl(server, await parametersOf(begun, origin));
    if (url === undefined) return failure(503, UNREACHABLE, again(returnTo));
    const sealed = await sealer.seal(purpose, JSON.stringify(begun));
    const left = [...cookiesOf(request.headers).keys()].filter((name) => name.startsWith(cookies));
    const cleared = left.length < MOST_BEGUN ? [] : left.map((name) => setCookie(name, '', 'Lax', 0));
    // 303: never the method and body of what brought the browser here (RFC 9700 §4.12).
    const redirect = new Response(null, {
      status: 303,
      headers: { location: url, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
    });
    // Lax: it has to come along when the authorization server sends the browser back.
    return withCookies(redirect, [
      ...cleared,
      setCookie(nameOf(begun.state), sealed, 'Lax', SIGN_IN_SECONDS),
    ]);
  };

  /** The sign-in that this browser has begun with that state. */
  const begunWith = async (request: Request, state: string): Promise<Begun | undefined> => {
    const sealed = cookiesOf(request.headers).get(nameOf(state));
    const text = sealed && (await sealer.open(purpose, sealed));
    const begun = text ? (JSON.parse(text) as Begun) : undefined;
    return begun?.state === state && now() - begun.at <= SIGN_IN_SECONDS ? begun : undefined;
  };

  /** The session that the code is good for, or why there is none. */
  const redeem = async (code: string, begun: Begun, origin: string): Promise<Session | string> => {
    const endpoint = (await metadata())?.tokenEndpoint;
    if (endpoint === undefined) return UNREACHABLE;
    const form: Form = [
      ['grant_type', 'authorization_code'],
      ['code', code],
      ['redirect_uri', `${origin}${path}/callback`],
      ['code_verifier', begun.verifier],
      ...resource.map((one) => ['resource', one] as const),
    ];
    // What ends sessions while the answer is on its way ends this one as well.
    const since = now();
    const told = await client.post(endpoint, form, begun.key);
    if (told === undefined) return UNREACHABLE;
    const members = (told.body ?? {}) as Record<string, unknown>;
    if (!isGood(told)) return `the authorization server has refused the code: ${said(members.error)}`;
    const base = { id: random(), since, ...(begun.key && { key: begun.key }) };
    const session = withTokens(base, members, now());
    if (session === undefined)
      return 'the authorization server has answered without the token that was asked for';
    if (!wantsIdToken) return session;
    const claims = idTokenClaims(members.id_token, begun.nonce, settings);
    return typeof claims === 'string' ? claims : { ...session, claims: aboutUser(claims) };
  };

  /** Callbacks under way: a browser that asks twice at once uses its code once. */
  const flights = new Map<string, Promise<Response>>();
  const callback: SignIn['callback'] = async (request, origin) => {
    const { search } = new URL(request.url);
    const name = `${search} ${request.headers.get('cookie')}`;
    const flight = flights.get(name) ?? answer(request, origin).finally(() => flights.delete(name));
    flights.set(name, flight);
    return (await flight).clone();
  };

  const answer: SignIn['callback'] = async (request, origin) => {
    const parameters = new URL(request.url).searchParams;
    const one = (name: string) => {
      const all = parameters.getAll(name);
      return all.length === 1 ? all[0] : undefined;
    };
    const state = one('state');
    const begun = state === undefined ? undefined : await begunWith(request, state);
    if (state === undefined || begun === undefined) return failure(400, NOT_BEGUN, again());
    // Each is good for one answer, whatever it says.
    const used = [setCookie(nameOf(state), '', 'Lax', 0)];
    const refused = (text: string, status = 400) => failure(status, text, again(begun.returnTo), used);
    const [named, isPromised] = [parameters.getAll('iss'), (await metadata())?.namesIssuer === true];
    // RFC 9207 §2.4: compared as text, before anything else of the answer is looked at.
    if (named.length > 1 || (named[0] === undefined ? isPromised : named[0] !== issuer))
      return refused('the answer came from another authorization server');
    if (parameters.has('error')) return refused(`the authorization server says: ${said(one('error'))}`);
    const code = one('code');
    if (code === undefined) return refused('the answer holds no code, or more than one');
    const session = await redeem(code, begun, origin);
    if (typeof session === 'string') return refused(session, session === UNREACHABLE ? 503 : 400);
    const kept = await keeper.begin(session, cookiesOf(request.headers));
    return onwards(begun.returnTo, [...used, ...kept]);
  };

  return { login, callback };
}

const UNREACHABLE = 'the authorization server cannot be reached; try again in a moment';
const NOT_BEGUN = 'this sign-in was used before, has expired, or was begun in another browser';

/** Of a place to come back to. It travels in a cookie, which browsers drop when it is too long. */
const LONGEST_PLACE = 1024;

/** A place of this origin, and `/` for everything else. */
export function ownPlace(place: string | null, origin: string): string {
  if (place === null || !/^\/(?![/\\])/.test(place)) return '/';
  if (!URL.canParse(place, origin)) return '/';
  const { origin: found, pathname, search, hash } = new URL(place, origin);
  // `/.//host` is a path of this origin that reads `//host`, which is another host by itself.
  const whole = pathname + search + hash;
  const isOwn = found === origin && !pathname.startsWith('//');
  return isOwn && whole.length <= LONGEST_PLACE ? whole : '/';
}

/** An error code of the other side, of which nothing but the code's own characters is shown. */
const said = (error: unknown) =>
  typeof error === 'string' && /^[\x20-\x7e]{1,60}$/.test(error) ? error : 'no reason';

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function newKey(): Promise<JsonWebKey> {
  const pair = await crypto.subtle.generateKey(DPOP_ALGORITHM, true, ['sign', 'verify']);
  const { crv, d, kty, x, y } = await crypto.subtle.exportKey('jwk', pair.privateKey);
  return { crv, d, kty, x, y } as JsonWebKey;
}

/** RFC 7638 §3. */
const thumbprint = ({ crv, kty, x, y }: JsonWebKey) => sha256(JSON.stringify({ crv, kty, x, y }));

/** The claims without those of the protocol: cookies are small. */
function aboutUser(claims: Record<string, unknown>): Record<string, unknown> {
  const { iss, aud, azp, exp, iat, nbf, nonce, at_hash, c_hash, jti, ...rest } = claims;
  return rest;
}
