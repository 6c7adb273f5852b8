// A worker in workerd: bundled as wrangler does it, with the condition `workerd` and each .wasm a module of its own.
import { join } from 'node:path';

import { build } from 'esbuild';
import { Log, LogLevel, Miniflare } from 'miniflare';

import { ROOT } from '../../src/js/build/steps.mjs';

/** Starts one; `{ origin, stop }`. The origin is the worker's own socket, with nothing of miniflare's in between. */
export async function startWorker(script, options = {}) {
  const modules = await bundle(script);
  const miniflare = new Miniflare({
    name: 'worker',
    host: '127.0.0.1',
    port: 0,
    // Otherwise miniflare asks the internet where it is.
    cf: false,
    log: new Log(LogLevel.ERROR),
    compatibilityDate: '2026-01-01',
    modulesRoot: ROOT,
    modules,
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
    ...options,
  });
  await miniflare.ready;
  const { origin } = await miniflare.unsafeGetDirectURL();
  return { origin, stop: () => miniflare.dispose() };
}

async function bundle(script) {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [script],
    outdir: join(ROOT, 'tests'),
    write: false,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    loader: { '.wasm': 'copy' },
    logLevel: 'warning',
  });
  const modules = outputFiles.map(({ path, text, contents }) =>
    path.endsWith('.wasm')
      ? { type: 'CompiledWasm', path, contents }
      : { type: 'ESModule', path, contents: text },
  );
  // miniflare takes the first module for the worker itself.
  return modules.sort((a, b) => b.type.localeCompare(a.type));
}
