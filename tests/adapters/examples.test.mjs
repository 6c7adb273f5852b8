// The examples that the documentation shows run as they stand there, and stand there as they run.
import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { ROOT, TARGET } from '../../src/build/steps.mjs';
import { runtimeBinary } from '../support/binaries.mjs';
import { scratch, start } from '../support/common.mjs';
import { startWorker } from '../support/workerd.mjs';
import { freeOrigin, mint, policy, send } from './cases.mjs';

const EXAMPLES = join(ROOT, 'tests', 'package', 'examples');
const TIMEOUT_MS = 60_000;

let project;

before(async () => {
  await mkdir(TARGET, { recursive: true });
  // Within the work tree, where the frameworks and the package itself are found.
  project = await scratch(join(TARGET, 'examples-'));
  await cp(EXAMPLES, project.folder, { recursive: true });
  await writeFile(join(project.folder, 'policy.json'), JSON.stringify(policy));
});
after(() => project.remove());

const example = (name) => join(project.folder, name);

async function isGated(ask) {
  assert.deepEqual(await ask(`Bearer ${mint()}`), { status: 200, body: 'Hello, ada' });
  assert.equal((await ask()).status, 401);
  assert.equal((await ask(`Bearer ${mint({ scope: 'notes:write' })}`)).status, 403);
}

/** A preflight is no request of anybody: the handler, which reads claims, must not see it. */
async function answersPreflights(preflight) {
  const cors = { origin: 'https://app.example', 'access-control-request-method': 'GET' };
  assert.equal((await preflight(cors)).status, 204);
  assert.equal((await preflight({ ...cors, authorization: 'Bearer forged' })).status, 401);
}

/** The same over HTTP, where a preflight may also have a body. */
async function answersPreflightsAt(origin) {
  const ask = (headers, more) => send(`${origin}/notes`, { method: 'OPTIONS', headers, ...more });
  await answersPreflights((headers) => ask(Object.entries(headers)));
  const marks = [
    ['Origin', 'https://app.example'],
    ['Access-Control-Request-Method', 'GET'],
  ];
  assert.equal((await ask(marks, { body: 'a body' })).status, 401);
  assert.equal((await ask([...marks, ['Transfer-Encoding', 'chunked']])).status, 401);
}

const overHttp = (origin) => async (authorization) => {
  const headers = authorization ? [['Authorization', authorization]] : [];
  const { status, body } = await send(`${origin}/notes`, { headers });
  return { status, body };
};

for (const name of ['fetch.mjs', 'hono.mjs', 'next-route.mjs']) {
  test(`${name}, as a function of a request`, async () => {
    // Next takes JSON without an import attribute, as bundlers do.
    const text = (await readFile(example(name), 'utf8')).replace(
      /(policy\.json')( with .*)?;/,
      "$1 with { type: 'json' };",
    );
    await writeFile(example(`as-${name}`), text);
    const module = await import(pathToFileURL(example(`as-${name}`)));
    const handle = module.GET ?? module.default.fetch;
    await isGated(async (authorization) => {
      const request = new Request('https://api.example/notes', {
        headers: authorization ? { authorization } : {},
      });
      const response = await handle(request);
      return { status: response.status, body: await response.text() };
    });
    // Node's own Request leaves these headers to browsers, so that it is shown what a runtime
    // would hand over.
    await answersPreflights(async (headers) => {
      const request = new Request('https://api.example/notes', { method: 'OPTIONS' });
      Object.defineProperty(request, 'headers', { value: new Headers(headers) });
      return handle(request);
    });
  });
}

for (const name of ['fetch.mjs', 'hono.mjs']) {
  test(`${name} in workerd`, async () => {
    const { origin, stop } = await startWorker(example(name));
    try {
      await isGated(overHttp(origin));
      await answersPreflightsAt(origin);
    } finally {
      await stop();
    }
  });

  test(`${name} in Deno and Bun`, async () => {
    for (const [runtime, serve] of [
      ['deno', (port) => ['serve', '--no-lock', '--host', '127.0.0.1', '--port', port, example(name)]],
      ['bun', () => ['run', example(name)]],
    ]) {
      const origin = await freeOrigin();
      const { port } = new URL(origin);
      // Bun serves a module whose default export has `fetch`.
      const env = {
        PORT: port,
        NO_COLOR: '1',
        BUN_CONFIG_NO_TELEMETRY: '1',
        DO_NOT_TRACK: '1',
        DENO_NO_UPDATE_CHECK: '1',
      };
      await serving(
        start(runtimeBinary(runtime), serve(port), { cwd: project.folder, env, timeoutMs: TIMEOUT_MS }),
        origin,
      );
    }
  });
}

for (const name of ['express.mjs', 'fastify.mjs']) {
  test(`${name} in Node`, async () => {
    const origin = await freeOrigin();
    const env = { PORT: new URL(origin).port };
    await serving(
      start(process.execPath, [example(name)], { cwd: project.folder, env, timeoutMs: TIMEOUT_MS }),
      origin,
    );
  });
}

/** Asks a server once it is there, and stops it. */
async function serving({ stop, ended }, origin) {
  let over;
  ended.then((result) => {
    over = result;
  });
  try {
    for (let attempt = 0; ; attempt++) {
      const answer = await send(`${origin}/notes`).catch(() => undefined);
      if (answer !== undefined) break;
      if (over !== undefined || attempt === 200) assert.fail(`the example does not serve: ${over?.output}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await isGated(overHttp(origin));
    await answersPreflightsAt(origin);
  } finally {
    stop();
    await ended;
  }
}

test('the documentation shows each example as it is', async () => {
  const folder = join(ROOT, 'www', 'docs');
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.md'));
  const pages = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  for (const name of await readdir(EXAMPLES)) {
    const shown = pages
      .map((page) => page.split(`tests/package/examples/${name})`)[1])
      .find((rest) => rest !== undefined)
      ?.match(/```\w+[^\n]*\n([\s\S]*?)```/)?.[1];
    assert.equal(shown, await readFile(join(EXAMPLES, name), 'utf8'), `no page shows ${name}`);
  }
});
