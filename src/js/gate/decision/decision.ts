import { freeze } from '../../verifier/convert.js';
import { unavailable } from '../../verifier/unavailable.js';
import type { Claims, JoseHeader } from '../../verifier/verdict.js';
import type { Allowed, AllowedToken, ForwardHeaders, PreflightAnswered, Refusal, Refused } from '../types.js';

/** `Step` of src/gate/step.rs. */
export type Step =
  | AllowedStep
  | { step: 'public' | 'anonymous'; forward: ForwardHeaders }
  | PreflightStep
  | RefusedStep
  | { step: 'keys'; issuer: string; kid: string | null }
  | { step: 'introspect'; issuer: string; token: string; fresh?: true }
  | { step: 'replay'; key: string; until: number; issuedAt: number };

export interface AllowedStep {
  step: 'allowed';
  header: JoseHeader | null;
  claims: Claims;
  issuer: string;
  binding: 'dpop' | 'mtls' | null;
  source: 'jwt' | 'introspection';
  forward: ForwardHeaders;
  from: number;
  until: number;
  cacheable: boolean;
  stale?: true;
  alternative?: string;
  nonce?: string;
}

export interface PreflightStep {
  step: 'preflight';
  forward: ForwardHeaders;
  /** None where the policy passes preflights to the handler. */
  answer?: { status: number; headers: Record<string, string> };
}

export interface RefusedStep extends Refusal {
  step: 'refused';
  forward: ForwardHeaders;
}

/**
 * The step where the core trapped twice and cannot say one itself: nothing is said against the
 * request, which may come again.
 */
export function unavailableStep(): RefusedStep {
  const { code, stage, message } = unavailable();
  const status = 503;
  const problem = { type: 'about:blank', title: 'Service Unavailable', status, detail: message, code, stage };
  const forward = { set: {}, strip: [] };
  const explanation = { expected: 'a core that runs', actual: 'one that trapped' };
  const rest = { challenges: [], problem, retryAfter: 1, forward };
  return { step: 'refused', status, code, stage, message, explanation, ...rest };
}

/** A step after which nothing is to be found out. */
export type FinalStep = Exclude<Step, { step: 'keys' | 'introspect' | 'replay' }>;

/** A decision that lets pass without claims. */
export function allowed(step: Exclude<FinalStep, RefusedStep | AllowedStep>): Allowed {
  const headers = freeze(step.forward);
  const apply = applier(headers);
  return Object.freeze({ ok: true, via: step.step, claims: undefined, header: undefined, headers, apply });
}

/**
 * A decision that lets pass, with these claims. Several requests may be handed the same one, so it
 * cannot be changed.
 */
export function allowedToken(step: AllowedStep, claims: Claims): AllowedToken {
  const { header, issuer, binding, source, nonce, stale, alternative } = step;
  const headers = frozen(step.forward);
  const decision: { -readonly [Name in keyof AllowedToken]: AllowedToken[Name] } = {
    ok: true,
    via: 'token',
    claims,
    header: header === null ? undefined : frozen(header),
    issuer,
    binding,
    source,
    headers,
    apply: applier(headers),
  };
  if (nonce !== undefined) decision.nonce = nonce;
  if (stale !== undefined) decision.stale = stale;
  if (alternative !== undefined) decision.alternative = alternative;
  return Object.freeze(decision);
}

/**
 * Freezes what came as JSON, unless that was done for another request: nobody else freezes a part
 * of it.
 */
function frozen<T>(value: T): T {
  return Object.isFrozen(value) ? value : freeze(value);
}

/** A decision that does not. */
export function refused({ step: _, forward, ...rest }: RefusedStep, serverTiming?: string): Refused {
  const told = freeze(rest);
  const decision: Refused = {
    ok: false,
    ...told,
    headers: freeze(forward),
    get response() {
      return responseOf(told, serverTiming);
    },
  };
  return Object.freeze(decision);
}

/** A preflight that has its answer. */
export function answered(
  forward: ForwardHeaders,
  { status, headers }: NonNullable<PreflightStep['answer']>,
): PreflightAnswered {
  const decision: PreflightAnswered = {
    ok: false,
    via: 'preflight',
    status,
    challenges: [],
    headers: freeze(forward),
    get response() {
      return new Response(null, { status, headers });
    },
  };
  return Object.freeze(decision);
}

function responseOf(
  { status, challenges, problem, nonce, retryAfter, cors }: Refusal,
  serverTiming: string | undefined,
): Response {
  // RFC 6750 §5.3, RFC 9111 §3.5: the answer is about this request's credentials, and about no
  // other's.
  const headers = new Headers({ 'cache-control': 'no-store', 'content-type': 'application/problem+json' });
  for (const challenge of challenges) headers.append('www-authenticate', challenge);
  if (nonce !== undefined) headers.set('dpop-nonce', nonce);
  if (retryAfter !== undefined) headers.set('retry-after', String(retryAfter));
  if (serverTiming !== undefined) headers.set('server-timing', serverTiming);
  for (const [name, value] of Object.entries(cors ?? {})) headers.set(name, value);
  return new Response(JSON.stringify(problem), { status, headers });
}

/** Makes the origin's view of a request. */
function applier(headers: ForwardHeaders): (request: Request) => Request {
  if (isSame(headers)) return asItIs;
  let gone: ReadonlySet<string> | undefined;
  return (request) => {
    gone ??= new Set([...headers.strip, ...Object.keys(headers.set)].map(folded));
    return applied(headers, gone, request);
  };
}

/**
 * `Forward::folded`: servers behind a proxy take one separator for another and would find the
 * client's own word there.
 */
function folded(name: string): string {
  return name.toLowerCase().replace(/[^a-z\d]/g, '-');
}

/** Whether the origin sees the request as it came. */
function isSame({ set, strip, stripCookie }: ForwardHeaders): boolean {
  if (strip.length > 0 || stripCookie !== undefined) return false;
  for (const _ in set) return false;
  return true;
}

const asItIs = (request: Request) => request;

function applied({ set, stripCookie }: ForwardHeaders, gone: ReadonlySet<string>, request: Request): Request {
  const told = Object.entries(set);
  const present: string[] = [];
  request.headers.forEach((_, name) => {
    if (gone.has(folded(name))) present.push(name);
  });
  const cookie = stripCookie === undefined ? null : request.headers.get('cookie');
  if (told.length === 0 && present.length === 0 && cookie === null) return request;
  const headers = new Headers(request.headers);
  for (const name of present) headers.delete(name);
  if (cookie !== null) {
    const kept = cookie.split(';').filter((pair) => pair.split('=')[0]?.trim() !== stripCookie);
    if (kept.length === 0) headers.delete('cookie');
    else headers.set('cookie', kept.join(';').trim());
  }
  for (const [name, value] of told) headers.set(name, value);
  return new Request(request, { headers });
}
