// A worker for workerd, bundled as wrangler does it: the condition is `workerd`, and each .wasm a
// module of its own, since workerd compiles no code at run time.
import { dirname } from 'node:path';

import { ROOT } from './steps.mjs';

/** Bundles the script at `entry`: `{ modulesRoot, modules }`, as miniflare takes them. */
export async function bundleWorker(entry, { external = ['cloudflare:*'] } = {}) {
  // Not before set-up has installed it.
  const { build } = await import('esbuild');
  const modulesRoot = dirname(entry);
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outdir: modulesRoot,
    write: false,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    external,
    loader: { '.wasm': 'copy' },
    logLevel: 'warning',
  });
  const modules = outputFiles.map(({ path, text, contents }) =>
    path.endsWith('.wasm')
      ? { type: 'CompiledWasm', path, contents }
      : { type: 'ESModule', path, contents: text },
  );
  // miniflare takes the first module for the worker itself.
  modules.sort((a, b) => b.type.localeCompare(a.type));
  return { modulesRoot, modules };
}
