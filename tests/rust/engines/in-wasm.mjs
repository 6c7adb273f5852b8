// The engines' tests in WebAssembly, compiled as the npm package is: all of Wycheproof and the
// differential tests, in this Node's V8. SIMD is on here and off in a native build, so that the
// code of these tests is not the same.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { main, ROOT, run } from '../../../src/build/steps.mjs';

await main(async () => {
  const { parse } = await import('smol-toml');
  const { rustflags } = parse(readFileSync(join(ROOT, 'wasm-pack.toml'), 'utf8'));
  const runner = fileURLToPath(new URL('wasi.mjs', import.meta.url));
  const env = {
    CARGO_ENCODED_RUSTFLAGS: rustflags.join('\x1f'),
    CARGO_TARGET_WASM32_WASIP1_RUNNER: `${process.execPath} --no-warnings ${runner}`,
    PORTCULLIS_CASES: '400',
  };
  const tests = ['--test', 'wycheproof', '--test', 'engines'];
  await run('cargo', ['test', '--locked', '--release', '--target', 'wasm32-wasip1', ...tests], { env });
});
