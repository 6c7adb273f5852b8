// workerd through miniflare.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { bundleWorker } from '../../../src/build/worker-bundle.mjs';
import { within } from '../../support/common.mjs';

const WORKER = `import { answer } from './answer.mjs';
export default { fetch: async () => Response.json(await answer()) };
`;

export async function workerd({ stage, timeoutMs }) {
  const { Miniflare } = await import('miniflare');
  const script = join(stage.folder, 'worker.mjs');
  await writeFile(script, WORKER);
  const bundle = await bundleWorker(script, { external: [] });
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    compatibilityDate: '2026-01-01',
    ...bundle,
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

async function version() {
  // miniflare's own workerd, which need not be the one at the root.
  const fromMiniflare = createRequire(createRequire(import.meta.url).resolve('miniflare'));
  const { stdout } = await promisify(execFile)(fromMiniflare('workerd').default, ['--version']);
  return stdout.trim().replace(/^workerd /, '');
}
