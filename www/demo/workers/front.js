// The front: it hands the issuer's and the API's paths to their workers, and serves everything
// else from target/www.
import { policyOfPage } from '../../csp.js';

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
  woff2: 'font/woff2',
  webmanifest: 'application/manifest+json',
};

const ISSUER =
  /^\/(?:token|revoke|introspect|jwks|revocations|demo\/[a-z-]+|\.well-known\/oauth-authorization-server)$/;

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (ISSUER.test(pathname)) return env.ISSUER.fetch(request);
    if (pathname.startsWith('/api/')) return env.API.fetch(request);
    return file(env.SITE, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
  },
};

async function file(folder, path) {
  const type = TYPES[path.split('.').pop()];
  const found = type && (await folder.fetch(`http://folder${path}`));
  if (!found?.ok) return new Response('Not found\n', { status: 404, headers: headers('text/plain', path) });
  return new Response(found.body, { headers: headers(type, path) });
}

function headers(type, path) {
  return {
    'content-type': type,
    'content-security-policy': policyOfPage(path),
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    // Isolated, a page gets a clock fine enough to time one verification.
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  };
}
