// An authorization server, an API and a browser's cookie jar around `createBff`, in one process and
// with a clock that stands still.
import { createHash } from 'node:crypto';

import { createBff } from 'portcullis/bff';

export const ORIGIN = 'https://app.example';
export const ISSUER = 'https://issuer.example';
export const API = 'https://api.example';
export const SECRET = { hex: '07'.repeat(32) };

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
export const unsigned = (claims) => `${part({ alg: 'ES256' })}.${part(claims)}.AAAA`;

/** `options` go to `createBff`; `world` changes what the servers do, and can be changed later. */
export function worldOf(options = {}, changes = {}) {
  const world = {
    now: 1_800_000_000,
    metadata: {},
    answerWith: {},
    idToken: {},
    lifeSeconds: 300,
    rotations: 0,
    code: 'c1',
    refreshes: 0,
    asked: [],
    api: () => Response.json({ ok: true }),
    token: undefined,
    revoke: () => new Response(null, { status: 200 }),
    ...changes,
  };
  const codes = new Map();
  const tokens = (more = {}) => {
    world.refreshes += 1;
    return Response.json({
      access_token: `a${world.refreshes}`,
      token_type: options.dpop ? 'DPoP' : 'Bearer',
      expires_in: world.lifeSeconds,
      refresh_token: `r${world.refreshes}`,
      ...more,
    });
  };
  const servers = {
    '/.well-known/oauth-authorization-server': () =>
      Response.json({
        issuer: ISSUER,
        authorization_endpoint: `${ISSUER}/authorize`,
        token_endpoint: `${ISSUER}/token`,
        revocation_endpoint: `${ISSUER}/revoke`,
        pushed_authorization_request_endpoint: `${ISSUER}/par`,
        authorization_response_iss_parameter_supported: true,
        ...world.metadata,
      }),
    '/par': ({ form }) => {
      world.pushed = form;
      return Response.json({ request_uri: 'urn:x:1', expires_in: 60 }, { status: 201 });
    },
    '/token': ({ form, request }) => {
      if (world.token) return world.token({ form, request, tokens });
      if (form.grant_type === 'refresh_token') return tokens();
      const begun = codes.get(form.code);
      codes.delete(form.code);
      const challenge = createHash('sha256').update(form.code_verifier).digest('base64url');
      if (begun?.code_challenge !== challenge || begun.redirect_uri !== form.redirect_uri)
        return Response.json({ error: 'invalid_grant' }, { status: 400 });
      if (!begun.scope?.includes('openid')) return tokens();
      const claims = {
        iss: ISSUER,
        sub: 'ada',
        aud: 'app',
        exp: world.now + 300,
        nonce: begun.nonce,
        sid: 's1',
        ...world.idToken,
      };
      return tokens({ id_token: unsigned(claims) });
    },
    '/revoke': (asked) => world.revoke(asked),
  };
  const send = async (request) => {
    const url = new URL(request.url);
    const asked = { url: request.url, method: request.method, headers: request.headers, request };
    world.asked.push(asked);
    if (url.origin === API) return world.api(asked);
    asked.form = Object.fromEntries(new URLSearchParams(await request.clone().text()));
    const server = servers[url.pathname];
    return server ? server(asked) : new Response('no such place', { status: 404 });
  };
  const make = (more = {}) =>
    createBff({
      issuer: ISSUER,
      clientId: 'app',
      secrets: [SECRET],
      upstream: { '/api/*': API },
      now: () => world.now,
      fetch: send,
      ...options,
      ...more,
    });
  const bff = make();

  /** What the authorization server does when the user has agreed: the URL of the callback. */
  const agree = (location, changes = {}) => {
    const asked = Object.fromEntries(new URL(location).searchParams);
    const begun = asked.request_uri ? world.pushed : asked;
    const code = `c${codes.size}-${begun.state}`;
    codes.set(code, begun);
    const back = new URL(begun.redirect_uri);
    const parameters = { code, state: begun.state, iss: ISSUER, ...changes };
    for (const [name, value] of Object.entries(parameters))
      if (value !== undefined) for (const one of [value].flat()) back.searchParams.append(name, one);
    return back.href;
  };
  return { world, bff, make, agree, asked: world.asked };
}

/** A browser, as far as cookies go. */
export function browserOf(bff) {
  const jar = new Map();
  const keep = (response) => {
    for (const line of response?.headers.getSetCookie() ?? []) {
      const [pair, ...attributes] = line.split('; ');
      const at = pair.indexOf('=');
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
      const sameSite = attributes.find((one) => one.startsWith('SameSite=')).slice(9);
      if (attributes.includes('Max-Age=0')) jar.delete(name);
      else jar.set(name, { value, sameSite });
    }
    return response;
  };
  const cookies = (isFromElsewhere) =>
    [...jar]
      .filter(([, { sameSite }]) => !isFromElsewhere || sameSite === 'Lax')
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
  const ask = async (path, { method = 'GET', headers = {}, body, elsewhere = false, handler = bff } = {}) => {
    const cookie = cookies(elsewhere);
    const url = new URL(path, ORIGIN).href;
    const init = { method, headers: { ...headers, ...(cookie && { cookie }) }, body, duplex: 'half' };
    return keep(await handler.fetch(new Request(url, init)));
  };
  const own = { 'x-portcullis': '1', 'sec-fetch-site': 'same-origin', origin: ORIGIN };
  return {
    jar,
    cookies,
    /** A navigation of the user's. */
    go: (path, more) => ask(path, more),
    /** One that another site began. */
    arrive: (path, more) => ask(path, { ...more, elsewhere: true }),
    /** A script of the page's. */
    call: (path, { headers, ...more } = {}) => ask(path, { ...more, headers: { ...own, ...headers } }),
  };
}

/** Signs in, and gives the browser. */
export async function signedIn({ bff, agree }, returnTo = '/notes?page=2') {
  const browser = browserOf(bff);
  const login = await browser.go(`/auth/login?returnTo=${encodeURIComponent(returnTo)}`);
  const back = await browser.arrive(agree(login.headers.get('location')));
  return { browser, login, back };
}
