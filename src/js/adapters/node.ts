// What Express, Fastify and whatever else stands on Node's `http` have in common.
import type { CheckContext, ForwardHeaders, RequestFacts } from '../gate/index.js';
import type { Response } from '../shared/web.js';
import { servedOf, urlOf } from './target.js';

/** What is asked of Node's `IncomingMessage`, of HTTP/1.1 and of HTTP/2. */
export interface NodeRequest {
  method?: string | undefined;
  url?: string | undefined;
  /**
   * Names and values in turn, as they were sent. Unlike `headers` it shows a second Authorization.
   */
  rawHeaders: string[];
  headers: Record<string, string | string[] | undefined>;
  headersDistinct?: Record<string, string[] | undefined>;
  socket: object;
}

/** `http2.Http2ServerRequest` has a stream, whose end may come with the headers. */
interface OfHttp2 {
  stream?: { endAfterHeaders?: boolean };
}

/** `tls.TLSSocket`, of which `net.Socket` has the first. */
interface Socket {
  remoteAddress?: string;
  encrypted?: boolean;
  getPeerCertificate?(): { fingerprint256?: string } | null;
}

/**
 * The request as the gate reads it. `target` is the request-target (RFC 9112 §3.2) before any
 * framework shortened or rewrote it.
 */
export function factsOf(request: NodeRequest, target: string): RequestFacts {
  const headers = pairs(request.rawHeaders);
  let host: string | undefined;
  // Two that differ have no URL: whoever stands behind the gate may go by the other one.
  let agree = true;
  for (const [name, value] of headers) {
    if (name !== ':authority' && name.toLowerCase() !== 'host') continue;
    if (host === undefined) host = value;
    else agree &&= value.toLowerCase() === host.toLowerCase();
  }
  const scheme = (request.socket as Socket).encrypted ? 'https' : 'http';
  // HTTP/2 announces no body.
  const hasBody = (request as OfHttp2).stream?.endAfterHeaders === false;
  return {
    method: request.method ?? 'GET',
    ...urlOf(target, scheme, (agree && host) || ''),
    headers,
    hasBody,
  };
}

/**
 * What only the connection tells, and the framework: `routed` is the target by which it looks for
 * a handler.
 */
export function contextOf(request: NodeRequest, target: string, routed: string): CheckContext {
  const socket = request.socket as Socket;
  const certificate = socket.encrypted ? socket.getPeerCertificate?.()?.fingerprint256 : undefined;
  return {
    clientAddress: socket.remoteAddress,
    certificate: certificate?.replaceAll(':', ''),
    served: servedOf(target, routed),
  };
}

/**
 * Carries out what a decision says about headers, in every view that Node has of them: which one a
 * proxy behind this reads, nobody knows.
 */
export function rewrite(request: NodeRequest, { set, strip, stripCookie }: ForwardHeaders): void {
  const names = Object.keys(set);
  if (names.length === 0 && strip.length === 0 && stripCookie === undefined) return;
  const gone = new Set([...strip, ...names].map(folded));
  const cookies = (value: string) => withoutCookie(value, stripCookie);
  // The views are made of rawHeaders when they are first asked for, and by the number of lines
  // that came: they go first.
  const { headers, headersDistinct = {} } = request;
  for (const view of [headers, headersDistinct])
    for (const name of Object.keys(view)) if (gone.has(folded(name))) delete view[name];
  if (typeof headers.cookie === 'string') headers.cookie = cookies(headers.cookie);
  if (headersDistinct.cookie) headersDistinct.cookie = headersDistinct.cookie.map(cookies);
  for (const [name, value] of Object.entries(set)) {
    headers[name.toLowerCase()] = value;
    headersDistinct[name.toLowerCase()] = [value];
  }
  const raw = pairs(request.rawHeaders)
    .filter(([name]) => !gone.has(folded(name)))
    .flatMap(([name, value]) => [name, /^cookie$/i.test(name) ? cookies(value) : value]);
  request.rawHeaders.splice(0, request.rawHeaders.length, ...raw, ...Object.entries(set).flat());
}

/**
 * The headers of a refusal. Each challenge is a line of its own, where Fetch's `Headers` join
 * them.
 */
export function headersOf(
  response: Response,
  challenges: readonly string[],
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  response.headers.forEach((value, name) => {
    headers[name] = value;
  });
  if (challenges.length > 0) headers['www-authenticate'] = [...challenges];
  return headers;
}

/** Names with their values. */
export function pairs(raw: readonly string[]): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) found.push([raw[at] as string, raw[at + 1] as string]);
  return found;
}

/**
 * `Forward::folded` of src/gate/step.rs: servers behind a proxy take one separator for another.
 */
function folded(name: string): string {
  return name.toLowerCase().replace(/[^a-z\d]/g, '-');
}

function withoutCookie(value: string, name: string | undefined): string {
  const kept = value
    .split(';')
    .filter((cookie) => name === undefined || cookie.split('=')[0]?.trim() !== name);
  return kept.join(';').trim();
}
