// workerd through miniflare: the worker bundled as wrangler does it, with the condition `workerd` and the .wasm left a module of its
// own, since workerd compiles no code at run time.
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { within } from './common.mjs';

const WORKER = `import { answer } from './answer.mjs';
export default { fetch: async () => Response.json(await answer()) };
`;

export async function workerd({ stage, timeoutMs }) {
  const { build } = await import('esbuild');
  const { Miniflare } = await import('miniflare');
  const out = join(stage.folder, 'workerd');
  await writeFile(join(stage.folder, 'worker.mjs'), WORKER);
  await build({
    absWorkingDir: stage.folder,
    entryPoints: ['worker.mjs'],
    outdir: out,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    loader: { '.wasm': 'copy' },
    logLevel: 'warning',
  });
  const modules = await Promise.all((await readdir(out)).map((name) => asModule(out, name)));
  // miniflare takes the first module for the worker itself.
  modules.sort((a, b) => a.type.localeCompare(b.type) * -1);
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    compatibilityDate: '2026-01-01',
    modulesRoot: out,
    modules,
  });
  try {
    const response = await within(timeoutMs, 'workerd', miniflare.dispatchFetch('http://loopback/'));
    const body = await response.text();
    if (!response.ok) throw new Error(`the worker answered ${response.status}: ${body.slice(0, 2000)}`);
    return { version: await version(), ...JSON.parse(body) };
  } finally {
    await miniflare.dispose();
  }
}

async function asModule(folder, name) {
  const path = join(folder, name);
  if (name.endsWith('.wasm')) return { type: 'CompiledWasm', path, contents: await readFile(path) };
  return { type: 'ESModule', path, contents: await readFile(path, 'utf8') };
}

async function version() {
  // miniflare's own workerd, which need not be the one at the root.
  const fromMiniflare = createRequire(createRequire(import.meta.url).resolve('miniflare'));
  const { stdout } = await promisify(execFile)(fromMiniflare('workerd').default, ['--version']);
  return stdout.trim().replace(/^workerd /, '');
}
