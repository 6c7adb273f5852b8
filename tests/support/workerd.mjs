// A worker in workerd.
import { Log, LogLevel, Miniflare } from 'miniflare';

import { bundleWorker } from '../../src/build/worker-bundle.mjs';

/**
 * Starts one; `{ origin, stop }`. The origin is the worker's own socket, with nothing of
 * miniflare's in between.
 */
export async function startWorker(script, options = {}) {
  const bundle = await bundleWorker(script, { external: ['cloudflare:*', 'node:*'] });
  const miniflare = new Miniflare({
    name: 'worker',
    host: '127.0.0.1',
    port: 0,
    // Otherwise miniflare asks the internet where it is.
    cf: false,
    log: new Log(LogLevel.ERROR),
    compatibilityDate: '2026-01-01',
    ...bundle,
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
    ...options,
  });
  await miniflare.ready;
  const { origin } = await miniflare.unsafeGetDirectURL();
  return { origin, stop: () => miniflare.dispose() };
}
