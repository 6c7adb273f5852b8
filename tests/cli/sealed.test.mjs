// A sealed file where no code is compiled at run time: workerd imports it as a module.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { generateSigningKey } from 'portcullis/issuer';
import * as slim from 'portcullis/slim';

import { file, folder, NOW, portcullis } from './run.mjs';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const key = generateSigningKey('EdDSA');
const request = {
  issuer: 'https://issuer.example',
  audience: 'https://api.example',
  subject: 's',
  clientId: 'c',
};
const policy = { issuers: [{ issuer: request.issuer, audience: request.audience, jwks: key.jwks() }] };
const token = key.mintAccessToken(request, { now: NOW });
const sealed = join(folder, 'gate.wasm');

const WORKER = `
import { createVerifier } from 'portcullis';
import sealed from './gate.wasm';
const verifier = createVerifier.fromSealed(sealed);
export default {
  fetch: (request) => Response.json(verifier.verifyAuthorization(request.headers.get('authorization'), { now: ${NOW} })),
};`;

test('workerd imports a sealed file and reads its policy', async () => {
  assert.equal((await portcullis(['seal', file('policy.json', policy), '-o', sealed])).code, 0);
  const out = join(folder, 'worker');
  mkdirSync(out);
  writeFileSync(join(folder, 'worker.mjs'), WORKER);
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: ['worker.mjs'],
    outdir: out,
    bundle: true,
    write: false,
    format: 'esm',
    alias: { portcullis: join(DIST, 'entry', 'verifier-workerd.js') },
    loader: { '.wasm': 'copy' },
    logLevel: 'warning',
  });
  const modules = outputFiles.map(({ path, contents, text }) =>
    path.endsWith('.wasm')
      ? { type: 'CompiledWasm', path, contents }
      : { type: 'ESModule', path, contents: text },
  );
  modules.sort((a, b) => b.type.localeCompare(a.type));
  const worker = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    compatibilityDate: '2026-01-01',
    modulesRoot: out,
    modules,
  });
  try {
    const ask = async (headers) => (await worker.dispatchFetch('http://127.0.0.1/', { headers })).json();
    assert.equal((await ask({ authorization: `Bearer ${token}` })).ok, true);
    assert.equal((await ask({})).code, 'authorization-missing');
  } finally {
    await worker.dispose();
  }
});

test('the slim entry runs the sealed file itself', async () => {
  const module = new WebAssembly.Module(readFileSync(sealed));
  await slim.init(module);
  assert.equal(slim.createVerifier.fromSealed(module).verify(token, { now: NOW }).ok, true);
});
