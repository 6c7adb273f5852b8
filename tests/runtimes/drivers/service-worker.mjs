// A module service worker in Chromium, which has no import map: the suite and the package as
// esbuild bundles them. The page only registers it, and passes on what it answers.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { build } from 'esbuild';

import { inChromium } from '../../support/browsers.mjs';
import { serve } from '../../support/common.mjs';

const WORKER = `import { answer } from './answer.mjs';
import { post } from './post.mjs';
addEventListener('message', (event) => event.waitUntil(post(async () => ({ scope: typeof ServiceWorkerGlobalScope, ...(await answer()) }))));
`;

const PAGE = `import { post } from './post.mjs';
const fail = (error) => post(() => { throw error; });
navigator.serviceWorker.register('/worker.js', { type: 'module' }).then(async () => {
  const { active } = await navigator.serviceWorker.ready;
  active.postMessage('answer');
}).catch(fail);
`;

export async function serviceWorker({ stage: { folder }, timeoutMs }) {
  await writeFile(join(folder, 'worker.mjs'), WORKER);
  await writeFile(join(folder, 'register.mjs'), PAGE);
  const outdir = join(folder, 'service-worker');
  await build({
    absWorkingDir: folder,
    entryPoints: ['worker.mjs', 'register.mjs'],
    outdir,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  });
  const page = () =>
    '<!doctype html><meta charset="utf-8"><title>service worker</title><script type="module" src="/register.js"></script>';
  const { scope, ...answer } = await inChromium(await serve(outdir, page), timeoutMs);
  if (scope !== 'function') throw new Error('the suite did not run in a service worker');
  return answer;
}
