// What a page loads for what it imports: bundled and minified by esbuild, then gzip.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { ROOT } from '../support/binaries.mjs';

const KB = 1024;

/** The bytes of each chunk, the entry first; a chunk that is loaded on demand counts by itself. */
async function sizes(contents, external = []) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: ROOT },
    absWorkingDir: ROOT,
    outdir: 'target/size',
    bundle: true,
    splitting: true,
    minify: true,
    metafile: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    external,
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  return { chunks: outputFiles.map((file) => gzipSync(file.contents, { level: 9 }).length), imports };
}

const ENTRIES = [
  // The 3 KB hold for what a page reads tokens with; who takes everything at once takes
  // more.
  ['inspect', "export { inspect } from 'portcullis/session'", 1.25],
  [
    'inspect and the clock',
    "export { inspect, createClock, expiresIn, isExpired, refreshDue } from 'portcullis/session'",
    2,
  ],
  // 3 KB until a session had to hold against any server and any other script of its origin.
  ['createSession', "export { createSession } from 'portcullis/session'", 4.65],
  ['createSession with backend', "export { createSession, backend } from 'portcullis/session'", 4.775],
  [
    'createSession with tokenEndpoint',
    "export { createSession, tokenEndpoint } from 'portcullis/session'",
    4.825,
  ],
  ['all of portcullis/session', "export * from 'portcullis/session'", 6.3],
  ['portcullis/session/dpop', "export * from 'portcullis/session/dpop'", 2],
  // 1.4 KB more than a session without it; a popup, on demand, is a chunk by itself.
  [
    'createSession with endpoints and sign-in',
    "export { createSession, tokenEndpoint, revocationEndpoint } from 'portcullis/session'; export { createSignIn } from 'portcullis/session/sign-in'",
    6.275,
  ],
  ['portcullis/session/sign-in', "export * from 'portcullis/session/sign-in'", 1.825],
  ['portcullis/react', "export * from 'portcullis/react'", 1, ['react']],
  ['portcullis/vue', "export * from 'portcullis/vue'", 1, ['vue']],
  ['portcullis/svelte', "export * from 'portcullis/svelte'", 1],
];

for (const [name, contents, limit, external = []] of ENTRIES) {
  test(`${name} takes no more than ${limit} KB`, async () => {
    const { chunks, imports } = await sizes(contents, external);
    console.log(`${name}: ${chunks.join(' + ')} bytes gzip`);
    assert.ok(chunks[0] <= limit * KB, `${chunks[0]}`);
    // Nothing is imported at run time but the peer, and what a browser without Web Locks loads.
    assert.deepEqual(
      imports.filter((path) => !path.startsWith('target/size/')),
      external,
    );
    assert.ok((chunks[1] ?? 0) <= 0.6 * KB);
  });
}
