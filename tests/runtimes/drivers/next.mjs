// An edge route of Next, built and served for production on Node 24: the condition `edge-light`,
// and no compiling at run time. The project lies inside target/runtimes/extra, where Next itself
// is installed: Turbopack follows no link out of its root.
import { cp, mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { EXTRA, runtimeBinary } from '../../support/binaries.mjs';
import { finish, scratch, start, within } from '../../support/common.mjs';

const ROUTE = `import { answer } from '../../answer.mjs';
export const runtime = 'edge';
export const dynamic = 'force-dynamic';
export const GET = async () => Response.json({ edge: typeof EdgeRuntime, ...(await answer()) });
`;

const config = (root) => `export default { turbopack: { root: ${JSON.stringify(root)} } };
`;

export async function next({ stage, timeoutMs }) {
  const node = runtimeBinary('node24');
  const cli = runtimeBinary('next');
  const root = await realpath(EXTRA);
  const { folder: project, remove } = await scratch(join(root, 'project-'));
  let server;
  try {
    await cp(stage.folder, project, { recursive: true });
    await mkdir(join(project, 'app', 'answer'), { recursive: true });
    await writeFile(join(project, 'app', 'answer', 'route.js'), ROUTE);
    await writeFile(join(project, 'next.config.mjs'), config(root));
    const env = {
      NEXT_TELEMETRY_DISABLED: '1',
      NEXT_IGNORE_INCORRECT_LOCKFILE: '1',
      CI: '1',
      NODE_ENV: 'production',
    };
    await finish(node, [cli, 'build'], { cwd: project, env, timeoutMs });
    if (stage.library === 'portcullis') await expectWasmFile(join(project, '.next', 'server'));
    server = start(node, [cli, 'start', '--hostname', '127.0.0.1', '--port', '0'], {
      cwd: project,
      env,
      timeoutMs,
    });
    const [, port] = await within(60_000, 'next start', server.printed(/127\.0\.0\.1:(\d+)/));
    const response = await within(timeoutMs, 'the edge route', fetch(`http://127.0.0.1:${port}/answer`));
    const body = await response.text();
    if (!response.ok) throw new Error(`the edge route answered ${response.status}: ${body.slice(0, 2000)}`);
    const { edge, ...answer } = JSON.parse(body);
    if (edge !== 'string') throw new Error('the route did not run in the edge runtime');
    const { version } = JSON.parse(
      await readFile(join(EXTRA, 'node_modules', 'next', 'package.json'), 'utf8'),
    );
    return { version, ...answer };
  } finally {
    server?.stop();
    remove();
  }
}

// The local server would also compile inlined wasm, which production does not: the file shows that
// `edge-light` was taken.
async function expectWasmFile(folder) {
  const files = await readdir(folder, { recursive: true });
  if (!files.some((name) => name.endsWith('.wasm'))) throw new Error('the build holds no .wasm file');
}
