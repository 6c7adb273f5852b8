// A worker of this folder in workerd, bundled as wrangler does it.
import { connect } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { Log, LogLevel, Miniflare } from 'miniflare';

import { ROOT } from '../../src/js/build/steps.mjs';

/** Starts `name`; `ask` posts it a value and returns what it answers. What workerd logs is collected. */
export async function workerd(name, options = {}) {
  const modulesRoot = join(ROOT, 'tests', 'gate');
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [join(modulesRoot, name)],
    outdir: modulesRoot,
    write: false,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
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
  const logs = [];
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    // Otherwise miniflare asks the internet where it is.
    cf: false,
    log: new Log(LogLevel.NONE),
    compatibilityDate: '2026-01-01',
    modulesRoot,
    modules,
    handleRuntimeStdio: (stdout, stderr) => {
      for (const stream of [stdout, stderr]) stream.on('data', (chunk) => logs.push(String(chunk)));
    },
    ...options,
  });
  const url = await miniflare.ready;
  const post = (value, init) => fetch(url, { method: 'POST', body: JSON.stringify(value), ...init });
  return {
    url,
    logs,
    post,
    /** As a client by HTTPS would: workerd takes the URL it is told to. */
    get: (path, headers = {}) => fetch(new URL(path, url), { headers }),
    /** Posts, and returns how to go away: by a reset, which workerd notices at once. */
    visit(value) {
      const body = JSON.stringify(value);
      const socket = connect(url.port, url.hostname);
      socket.on('error', () => {});
      socket.write(`POST / HTTP/1.1\r\nhost: ${url.host}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      return () => socket.resetAndDestroy();
    },
    async ask(value) {
      const response = await post(value);
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status} ${text}`);
      return JSON.parse(text);
    },
    stop: () => miniflare.dispose(),
  };
}
