// target/www on loopback, with the headers that www/demo/workers/front.js sends, and a list of
// what was asked for.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';

import { makePages, SITE } from '../../../src/build/pages.mjs';
import { policyOfPage } from '../../../www/csp.js';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
};

/**
 * Serves the site: `{ origin, requests, stop }`. `bare` sends no policy, as a plain static host;
 * `answer(request, response)` may take a request over by returning true.
 */
export async function serveSite({ bare = false, answer, port = 0 } = {}) {
  await makePages();
  const requests = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://loopback');
    requests.push(`${request.method} ${pathname}`);
    if (await answer?.(request, response)) return;
    try {
      const path = normalize(join(SITE, pathname.endsWith('/') ? `${pathname}index.html` : pathname));
      if (!path.startsWith(SITE + sep)) throw new Error('outside');
      const bytes = await readFile(path);
      response.setHeader('content-type', TYPES[extname(path)]);
      if (!bare) response.setHeader('content-security-policy', policyOfPage(pathname));
      response.setHeader('cache-control', 'no-store');
      response.end(bytes);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, requests, stop };
}
