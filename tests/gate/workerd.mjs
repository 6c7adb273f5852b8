// A worker of this folder in workerd.
import { connect } from 'node:net';
import { join } from 'node:path';
import { Log, LogLevel, Miniflare } from 'miniflare';

import { ROOT } from '../../src/build/steps.mjs';
import { bundleWorker } from '../../src/build/worker-bundle.mjs';

/**
 * Starts `name`; `ask` posts it a value and returns what it answers. What workerd logs is
 * collected.
 */
export async function workerd(name, options = {}) {
  const bundle = await bundleWorker(join(ROOT, 'tests', 'gate', name));
  const logs = [];
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    // Otherwise miniflare asks the internet where it is.
    cf: false,
    log: new Log(LogLevel.NONE),
    compatibilityDate: '2026-01-01',
    ...bundle,
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
