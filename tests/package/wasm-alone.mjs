// The crate without the feature `js`, as a Rust user's wasm would hold it: it imports nothing,
// exports none of our functions, and compiles for WASI. A cdylib that merely depends on this crate
// must not inherit JavaScript.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { main, run, TARGET } from '../../src/build/steps.mjs';

await main(async () => {
  for (const target of ['wasm32-wasip1', 'wasm32-wasip2']) {
    for (const features of [[], ['--features', 'issuer']]) {
      await run('cargo', ['check', '--locked', '--lib', '--target', target, ...features]);
    }
  }
  await run('cargo', ['build', '--locked', '--lib', '--target', 'wasm32-unknown-unknown']);
  const path = join(TARGET, 'wasm32-unknown-unknown', 'debug', 'portcullis.wasm');
  const module = new WebAssembly.Module(readFileSync(path));
  assert.deepEqual(WebAssembly.Module.imports(module), []);
  const exports = WebAssembly.Module.exports(module).filter(({ kind }) => kind === 'function');
  assert.deepEqual(exports, []);
  console.log('without the feature js the wasm imports nothing and exports no function');
});
