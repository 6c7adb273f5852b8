// Workers written in Rust: compiled by cargo, bound by wasm-bindgen, and bundled with a few lines
// of JavaScript, as `worker-build` does it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Log, LogLevel, Miniflare } from 'miniflare';

import { run, TARGET, TOOLS } from '../../src/build/steps.mjs';
import { bundleWorker } from '../../src/build/worker-bundle.mjs';

const FOLDER = join(TARGET, 'fetch');
const BUILT = join(FOLDER, 'wasm32-unknown-unknown', 'debug');

/**
 * What stands around the wasm: workerd hands it over as a module, and asks for an object with
 * `fetch`.
 */
const SHIM = `import * as glue from './worker_bg.js';
import wasm from './worker_bg.wasm';

const { exports } = new WebAssembly.Instance(wasm, { './worker_bg.js': glue });
glue.__wbg_set_wasm(exports);
exports.__wbindgen_start?.();
export default { fetch: (...args) => glue.fetch(...args) };
`;

/** Builds the worker of the tests and the one that the documentation shows. */
export async function build() {
  const cargo = ['--locked', '--manifest-path', 'tests/fetch/Cargo.toml', '--target-dir', FOLDER];
  await run('cargo', ['build', ...cargo, '--lib', '--examples', '--target', 'wasm32-unknown-unknown'], {
    log: 'fetch-worker',
  });
  return {
    tests: await bound('tests', join(BUILT, 'portcullis_fetch_tests.wasm')),
    example: await bound('example', join(BUILT, 'examples', 'example.wasm')),
  };
}

async function bound(name, wasm) {
  const folder = join(FOLDER, 'workers', name);
  mkdirSync(folder, { recursive: true });
  const args = [wasm, '--target', 'bundler', '--no-typescript', '--out-dir', folder, '--out-name', 'worker'];
  await run(join(TOOLS, 'bin', 'wasm-bindgen'), args, { log: 'fetch-worker-bindgen' });
  const entry = join(folder, 'shim.js');
  writeFileSync(entry, SHIM);
  return bundleWorker(entry, { external: ['cloudflare:*'] });
}

/** Starts one in workerd. What it logs is collected. */
export async function start(bundle, bindings = {}) {
  const logs = [];
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    // Otherwise miniflare asks the internet where it is.
    cf: false,
    log: new Log(LogLevel.NONE),
    compatibilityDate: '2026-01-01',
    bindings,
    ...bundle,
    handleRuntimeStdio: (stdout, stderr) => {
      for (const stream of [stdout, stderr]) stream.on('data', (chunk) => logs.push(String(chunk)));
    },
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  });
  await miniflare.ready;
  const { origin } = await miniflare.unsafeGetDirectURL();
  const post = (path, body) => fetch(new URL(path, origin), { method: 'POST', body });
  return {
    origin,
    logs,
    get: (path, headers = {}) => fetch(new URL(path, origin), { headers }),
    post,
    async ask(path, value) {
      const response = await post(path, JSON.stringify(value));
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status} ${text} ${logs.join('')}`);
      return JSON.parse(text);
    },
    stop: () => miniflare.dispose(),
  };
}
