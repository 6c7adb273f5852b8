// Requests of the page, on to the APIs, with the access token in the cookie's place.
import type { AccessTokens } from './access.js';
import type { Client, Proof } from './client.js';
import { json, withCookies } from './page.js';
import { requestHeaders, responseHeaders } from './proxy-headers.js';
import type { Held, Session } from './session.js';
import type { Route, Settings } from './settings.js';

/** Where the request goes; undefined when no route covers it. */
export function targetOf(request: Request, routes: readonly Route[]): string | undefined {
  const { pathname, search } = new URL(request.url);
  const route = routes.find(({ prefix, open }) => (open ? pathname.startsWith(prefix) : pathname === prefix));
  if (route === undefined) return undefined;
  const { base, whole, prefix } = route;
  return (whole ? base + pathname : base + pathname.slice(prefix.length)) + search;
}

/**
 * Could an API read another path than was looked at here? Escaped dots, separators and controls
 * are what leads out of a prefix.
 */
export function isAmbiguous(request: Request): boolean {
  const { pathname } = new URL(request.url);
  return /%(?:2e|2f|5c|25|[01][\da-f]|7f|c[01]|u)|\\|;/i.test(pathname) || pathname.includes('//');
}

/** Sends a request on for a session, and once more where that is what the API's answer asks for. */
export async function forward(
  request: Request,
  target: string,
  found: Held,
  settings: Settings,
  { tokens, client }: { tokens: AccessTokens; client: Client },
): Promise<Response> {
  let access = await tokens.fresh(found);
  let cookies = 'cookies' in access ? access.cookies : [];
  const isRepeatable = request.body === null;
  for (let tries = 0; access.kind === 'good'; tries += 1) {
    const { session } = access.held;
    const { key, accessToken } = session;
    const proof = key && (await client.prove(key, { method: request.method, url: target }, accessToken));
    const answered = await once(request, target, session, settings, proof);
    if (answered === undefined) return withCookies(json(502, { error: 'upstream_unavailable' }), cookies);
    const isNewNonce = client.learn(target, answered.headers, proof);
    const isRefused = answered.status === 401 && tries === 0 && isRepeatable;
    if (!isRefused) return withCookies(answer(answered), cookies);
    const challenge = answered.headers.get('www-authenticate') ?? '';
    // A nonce asks for another proof (RFC 9449 §9), and a token that is no good for another token.
    if (!(isNewNonce && challenge.includes('use_dpop_nonce'))) {
      if (!challenge.includes('invalid_token')) return withCookies(answer(answered), cookies);
      access = await tokens.fresh(access.held, session.accessToken);
      if ('cookies' in access) cookies = [...cookies, ...access.cookies];
    }
    await answered.body?.cancel().catch(() => {});
  }
  if (access.kind === 'wait')
    return json(503, { error: 'temporarily_unavailable' }, { 'retry-after': String(access.seconds) });
  return withCookies(signedOut(settings), cookies);
}

/** What a page reads that has no session. */
export const signedOut = ({ path }: Settings): Response =>
  json(401, { error: 'signed_out', login: `${path}/login` });

async function once(
  request: Request,
  url: string,
  session: Session,
  { send, timeoutMs }: Settings,
  proof: Proof | undefined,
): Promise<Response | undefined> {
  const { method, body } = request;
  const headers = requestHeaders(request.headers);
  headers.set('authorization', `${session.tokenType} ${session.accessToken}`);
  if (proof !== undefined) headers.set('dpop', proof.text);
  const controller = new AbortController();
  const stop = () => controller.abort();
  request.signal?.addEventListener('abort', stop, { once: true });
  // Until the header: a stream may last.
  const timer = setTimeout(stop, timeoutMs);
  try {
    const init = { method, headers, body, redirect: 'manual', signal: controller.signal, duplex: 'half' };
    return await send(new Request(url, init as RequestInit));
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** What the page gets of it. In workerd a socket that was opened is handed on as it is. */
function answer(upstream: Response): Response {
  const { webSocket } = upstream as { webSocket?: unknown };
  if (webSocket) return new Response(null, { status: 101, webSocket } as ResponseInit);
  const { status, statusText, body } = upstream;
  const hasBody = status >= 200 && ![204, 205, 304].includes(status);
  return new Response(hasBody ? body : null, {
    status,
    statusText,
    headers: responseHeaders(upstream.headers),
  });
}
