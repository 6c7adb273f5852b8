// An app of Next with the packed guard in its `proxy.js`, built and served for production on Node
// 24.
import { cp, mkdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXTRA, ROOT, runtimeBinary } from '../support/binaries.mjs';
import { finish, scratch, start, within } from '../support/common.mjs';

const TIMEOUT_MS = 180_000;

const ENVIRONMENT = {
  NEXT_TELEMETRY_DISABLED: '1',
  NEXT_IGNORE_INCORRECT_LOCKFILE: '1',
  CI: '1',
  NODE_ENV: 'production',
};

/**
 * Builds and serves an app of these files: `{ origin, stop }`. `config` is what `next.config.mjs`
 * says besides, as source text.
 */
export async function serveApp(files, config = '') {
  const [node, cli, root] = [runtimeBinary('node24'), runtimeBinary('next'), await realpath(EXTRA)];
  const project = await scratch(join(root, 'adapter-'));
  try {
    const { folder } = project;
    const settings = `
      import * as portcullis from 'portcullis/next';
      export default { turbopack: { root: ${JSON.stringify(root)} }, ${config} };`;
    const all = {
      'package.json': JSON.stringify({ private: true, type: 'module' }),
      'next.config.mjs': settings,
      ...files,
    };
    for (const [name, text] of Object.entries(all)) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), await text);
    }
    const installed = join(folder, 'node_modules', 'portcullis');
    await mkdir(installed, { recursive: true });
    await cp(join(ROOT, 'dist'), join(installed, 'dist'), { recursive: true });
    await cp(join(ROOT, 'package.json'), join(installed, 'package.json'));
    const options = { cwd: folder, env: ENVIRONMENT, timeoutMs: TIMEOUT_MS };
    await finish(node, [cli, 'build'], options);
    const server = start(node, [cli, 'start', '--hostname', '127.0.0.1', '--port', '0'], options);
    const stop = () => {
      server.stop();
      project.remove();
    };
    const [, port] = await within(60_000, 'next start', server.printed(/127\.0\.0\.1:(\d+)/));
    return { origin: `http://127.0.0.1:${port}`, stop };
  } catch (error) {
    project.remove();
    throw error;
  }
}
