// For Next.js 16: https://nextjs.org. Nothing of it is imported. A route handler needs no adapter:
// `export const GET = gate.protect(…)`.
import type { Gate, Requirement, WithoutClaims } from '../gate/index.js';
import type { Response, Headers as WebHeaders, Request as WebRequest } from '../shared/web.js';

/** What is asked of `NextResponse`. */
export interface NextResponseLike<R extends Response = Response> {
  next(init: { request: { headers: WebHeaders } }): R;
}

/**
 * The function of a `proxy.ts`: it lets pass what the gate allows. The routes behind it are told
 * by headers, the policy's `forward.claims`; whatever a client sent under those names is stripped.
 * @example
 * ```ts
 * import { NextResponse } from 'next/server';
 * import { guard } from 'portcullis/next';
 *
 * export const proxy = guard(gate, NextResponse);
 * ```
 */
export function guard<R extends Response, C, Via extends WithoutClaims>(
  gate: Gate<C, Via>,
  NextResponse: NextResponseLike<R>,
  requirement?: Requirement,
): (request: WebRequest, event?: { waitUntil(promise: Promise<unknown>): void }) => Promise<Response> {
  const required = gate.requirement(requirement);
  return async (request, event) => {
    const waitUntil = event && ((promise: Promise<unknown>) => event.waitUntil(promise));
    const decision = await gate.check(request, required, { waitUntil, served: servedOf(request) });
    if (!decision.ok) return decision.response;
    // Next keeps the body for the route: it is the headers alone that are carried on.
    const { headers } = decision.apply(new Request(request.url, { headers: request.headers }));
    const response = NextResponse.next({ request: { headers } });
    if (decision.nonce !== undefined) response.headers.set('dpop-nonce', decision.nonce);
    return response;
  };
}

/** What is asked of `NextRequest.nextUrl`. */
interface NextUrl {
  /** Without locale and `basePath`. */
  pathname: string;
  basePath: string;
  /** Empty without `i18n` in `next.config`. */
  locale: string;
}

/** `/fr/admin` is served by the page of `/admin`, where `i18n` names `fr`. */
function servedOf(request: Request): string[] {
  const { nextUrl } = request as { nextUrl?: NextUrl };
  if (nextUrl === undefined || !nextUrl.locale) return [];
  const page = nextUrl.basePath + nextUrl.pathname;
  return page === new URL(request.url).pathname ? [] : [page];
}

/**
 * For the `redirects` of `next.config`: Next hands `/health.rsc` to a proxy as `/health`, and to a
 * route as it stands. By this it never comes to either. A browser asks for a page's data by a
 * header.
 */
export const rscRedirect = {
  source: '/:path*.rsc',
  destination: '/:path*',
  permanent: false,
};
