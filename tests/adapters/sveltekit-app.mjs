// An app of SvelteKit with the packed guard in its hooks, built for Node and served by its own
// adapter.
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT, TARGET } from '../../src/build/steps.mjs';
import { finish, scratch, start, within } from '../support/common.mjs';
import { freeOrigin } from './cases.mjs';

const TIMEOUT_MS = 180_000;

const SHELL = {
  'package.json': JSON.stringify({ private: true, type: 'module' }),
  'vite.config.js': `import { sveltekit } from '@sveltejs/kit/vite'; export default { plugins: [sveltekit()] };`,
  'src/app.html': '<!doctype html><head>%sveltekit.head%</head><body>%sveltekit.body%</body>',
};

/** The configuration of an app, with what else `kit` says. */
export const config = (kit = {}) => `
  import adapter from '@sveltejs/adapter-node';
  export default { kit: { adapter: adapter(), ...${JSON.stringify(kit)} } };`;

/** Builds and serves an app of these files: `{ origin, stop }`. */
export async function serveApp(files) {
  await mkdir(TARGET, { recursive: true });
  // Within the work tree, where SvelteKit and the package are found.
  const project = await scratch(join(TARGET, 'sveltekit-'));
  try {
    const { folder } = project;
    for (const [name, text] of Object.entries({ ...SHELL, ...files })) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), await text);
    }
    const installed = join(folder, 'node_modules', 'portcullis');
    await mkdir(installed, { recursive: true });
    await cp(join(ROOT, 'dist'), join(installed, 'dist'), { recursive: true });
    await cp(join(ROOT, 'package.json'), join(installed, 'package.json'));
    const vite = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
    await finish(process.execPath, [vite, 'build'], { cwd: folder, timeoutMs: TIMEOUT_MS });
    const origin = await freeOrigin();
    const { hostname, port } = new URL(origin);
    const env = { HOST: hostname, PORT: port, ORIGIN: origin };
    const server = start(process.execPath, ['build'], { cwd: folder, env, timeoutMs: TIMEOUT_MS });
    const stop = () => {
      server.stop();
      project.remove();
    };
    await within(60_000, 'the app', server.printed(/Listening on/));
    return { origin, stop };
  } catch (error) {
    project.remove();
    throw error;
  }
}
