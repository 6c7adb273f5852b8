// Which header fields pass between page and API.

/** Of one connection (RFC 9110 §7.6.1), besides what Connection names. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
];

/**
 * What an API takes for the word of a proxy or of the platform, and a page could have written;
 * what is between browser and backend alone; and this backend's own credentials.
 */
const NOT_FORWARDED =
  /^(?:cookie2?|authorization|dpop|host|origin|referer|content-length|forwarded|via|x-forwarded-.*|x-real-ip|(?:x-)?client-ip|x-remote-user|x-ssl-.*|x-envoy-.*|x-appengine-.*|fly-.*|x-azure-.*|x-vercel-.*|x-forwarded|x-cluster-client-ip|true-client-ip|fastly-client-ip|cf-.*|x-original-.*|x-rewrite-url|x-auth-request-.*|x-amzn-oidc-.*|x-ms-client-principal.*|x-goog-authenticated-user-.*|remote-user|x-portcullis.*|sec-fetch-.*|sec-gpc|expect)$/;

/**
 * What would act on this backend's origin in the browser (its cookies, its storage, what other
 * sites may read of it), or on the proxies and caches in front of it. And the encoding, which
 * `fetch` has undone.
 */
const NOT_RETURNED =
  /^(?:set-cookie2?|access-control-.*|clear-site-data|service-worker-allowed|content-encoding|content-length|alt-svc|public-key-pins.*|strict-transport-security|dpop-nonce|x-accel-.*|x-sendfile.*|x-lighttpd-.*|surrogate-.*|(?:.*-)?cdn-cache-control|edge-control|nel|report-to|reporting-endpoints)$/;

/** Of the page's request, for the API. */
export function requestHeaders(given: Headers): Headers {
  const isSocket = given.get('upgrade')?.toLowerCase() === 'websocket';
  const headers = withoutHops(given, isSocket);
  // Servers that fold `_` and `.` into `-` read `x_forwarded_for` as the field itself.
  for (const name of namesOf(headers))
    if (NOT_FORWARDED.test(name.replace(/[_.]/g, '-'))) headers.delete(name);
  if (isSocket) headers.set('upgrade', 'websocket');
  return headers;
}

/** Of the API's answer, for the page: for one user, and so for no shared cache. */
export function responseHeaders(given: Headers): Headers {
  const headers = withoutHops(given, false);
  for (const name of namesOf(headers)) if (NOT_RETURNED.test(name)) headers.delete(name);
  const directives = (given.get('cache-control') ?? 'no-store').split(',').map((one) => one.trim());
  const own = directives.filter((one) => !/^(?:public|private|s-maxage|proxy-revalidate)\b/i.test(one));
  headers.set('cache-control', ['private', ...own].join(', '));
  // The browser has sent no Authorization: whose answer it is, the cookie tells.
  headers.append('vary', 'Cookie');
  return headers;
}

function withoutHops(given: Headers, isSocket: boolean): Headers {
  const headers = new Headers(given);
  const named = (given.get('connection') ?? '').split(',').map((name) => name.trim().toLowerCase());
  for (const name of [...HOP_BY_HOP, ...(isSocket ? [] : ['upgrade']), ...named])
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name) && !(isSocket && name === 'upgrade')) headers.delete(name);
  return headers;
}

function namesOf(headers: Headers): string[] {
  const names: string[] = [];
  headers.forEach((_, name) => {
    names.push(name);
  });
  return names;
}
