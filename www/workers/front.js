// The front: it hands /issuer/ and /api/ to their workers and serves everything else from two folders, www/ and dist/.
const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};

const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith('/issuer/')) return env.ISSUER.fetch(request);
    if (pathname.startsWith('/api/')) return env.API.fetch(request);
    if (pathname.startsWith('/portcullis/')) return file(env.DIST, pathname.slice('/portcullis'.length));
    return file(env.WWW, pathname === '/' ? '/index.html' : pathname);
  },
};

async function file(folder, path) {
  const type = TYPES[path.split('.').pop()];
  const found = type && (await folder.fetch(`http://folder${path}`));
  if (!found?.ok) return new Response('Not found\n', { status: 404, headers: headers('text/plain') });
  return new Response(found.body, { headers: headers(type) });
}

function headers(type) {
  return {
    'content-type': type,
    'content-security-policy': POLICY,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    // Isolated, a page gets a clock fine enough to time one verification.
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  };
}
