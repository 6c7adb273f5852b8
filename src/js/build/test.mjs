// `npm test`: every stage named and timed, each a pass or a failure. Node's own modules only.
//   node src/js/build/test.mjs [--all] [--only NAME]…
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { build } from './build.mjs';
import { makePages } from './pages.mjs';
import { setup } from './setup.mjs';
import { isMain, main, Plain, ROOT, run } from './steps.mjs';

const { values: options } = parseArgs({
  options: { all: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
});

const node = (...args) => run(process.execPath, args);
const nodeTest = (folder, ...flags) => {
  const files = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.test.mjs'));
  if (files.length === 0) throw new Plain(`${folder} holds no tests`);
  return node('--test', '--test-reporter=spec', ...flags, ...files.map((name) => join(folder, name)));
};
const cargo = (...args) => run('cargo', args, { env: { RUSTDOCFLAGS: '-D warnings' } });
const bin = (name, ...args) => run(join(ROOT, 'node_modules', '.bin', name), args);
const lint = (...features) =>
  cargo('clippy', '--locked', '--all-targets', ...features, '--', '-D', 'warnings');

// `needed` stages run whatever was asked for: the others stand on them.
const STAGES = [
  { name: 'setup', needed: true, work: () => setup({ tests: true, all: options.all }) },
  { name: 'rustfmt', work: () => cargo('fmt', '--check') },
  { name: 'clippy', work: () => lint() },
  // Each feature alone as well: the validator is built with `js` and nothing else.
  { name: 'clippy-js', work: () => lint('--no-default-features', '--features', 'js') },
  { name: 'clippy-issuer', work: () => lint('--features', 'issuer') },
  { name: 'clippy-ml-dsa', work: () => lint('--features', 'js,ml-dsa') },
  { name: 'clippy-tower', work: () => lint('--features', 'tower') },
  { name: 'clippy-fetch', work: () => lint('--no-default-features', '--features', 'fetch') },
  { name: 'clippy-features', work: () => lint('--all-features') },
  { name: 'cargo-test', work: () => cargo('test', '--locked') },
  // What the feature adds; the engines have been tested.
  {
    name: 'cargo-test-issuer',
    work: () =>
      cargo(
        'test',
        '--locked',
        '--lib',
        '--test',
        'rotation',
        '--test',
        'issuer_endpoint',
        '--test',
        'issuer_codes',
        '--test',
        'issuer_clocks',
        '--test',
        'issuer_grants',
        '--features',
        'issuer',
      ),
  },
  // Prints how many states it has seen. ROTATION_MODEL_DEEPER=1 makes them more.
  {
    name: 'rotation-model',
    work: () =>
      cargo(
        'test',
        '--locked',
        '--test',
        'rotation_model',
        '--features',
        'issuer',
        '--',
        '--nocapture',
        '--test-threads=1',
      ),
  },
  {
    name: 'cargo-test-revocation',
    work: () => cargo('test', '--locked', '--test', 'revocation_chain', '--features', 'issuer'),
  },
  {
    name: 'cargo-test-ml-dsa',
    work: () => cargo('test', '--locked', '--lib', '--test', 'ml_dsa', '--features', 'ml-dsa'),
  },
  // A crate of its own, so that nothing else builds tokio and axum.
  {
    name: 'cargo-test-tower',
    work: () =>
      cargo('test', '--locked', '--manifest-path', 'tests/tower/Cargo.toml', '--target-dir', 'target'),
  },
  // A worker of the crate `worker`, in workerd.
  { name: 'fetch-worker', work: () => nodeTest('tests/fetch') },
  // Instructions are counted, not time.
  {
    name: 'timing',
    work: () =>
      cargo(
        'test',
        '--locked',
        '--test',
        'timing',
        '--test',
        'issuer_timing',
        '--features',
        'issuer',
        '--',
        '--include-ignored',
      ),
  },
  { name: 'engines-wasm', work: () => node('tests/engines/in-wasm.mjs') },
  { name: 'rustdoc', work: () => cargo('doc', '--locked', '--no-deps', '--all-features') },
  { name: 'wasm-alone', work: () => node('tests/package/wasm-alone.mjs') },
  { name: 'biome', work: () => bin('biome', 'check', '--error-on-warnings') },
  { name: 'build', needed: true, work: build },
  // A minute of each target, two at a time. FUZZ_SECONDS changes the minute.
  // One of them compares dist/ with the native build.
  {
    name: 'fuzz',
    work: () => node('tests/fuzz/campaign.mjs', '--throwaway', '--seconds', process.env.FUZZ_SECONDS ?? '60'),
  },
  { name: 'types', work: () => bin('tsc', '-p', 'tests/package/tsconfig.json') },
  { name: 'session-types', work: () => bin('tsc', '-p', 'tests/session/tsconfig.json') },
  { name: 'store-types', work: () => bin('tsc', '-p', 'tests/stores/tsconfig.json') },
  { name: 'adapter-types', work: () => bin('tsc', '-p', 'tests/adapters/tsconfig.json') },
  { name: 'package', work: () => nodeTest('tests/package') },
  { name: 'gate', work: () => nodeTest('tests/gate') },
  { name: 'traps', work: () => nodeTest('tests/traps') },
  { name: 'stores', work: () => nodeTest('tests/stores') },
  { name: 'issuer', work: () => nodeTest('tests/issuer') },
  { name: 'tabs', work: () => nodeTest('tests/stores/tabs') },
  { name: 'adapters', work: () => nodeTest('tests/adapters') },
  { name: 'e2e', work: () => nodeTest('tests/e2e') },
  // Browsers wait more than they work.
  { name: 'session', work: () => nodeTest('tests/session', '--test-concurrency=4') },
  { name: 'load', work: () => node('tests/load/load.mjs') },
  { name: 'cli', work: () => nodeTest('tests/cli') },
  { name: 'publint', work: () => bin('publint', 'run', '--strict') },
  {
    name: 'attw',
    work: () =>
      bin(
        'attw',
        '--pack',
        '.',
        '--profile',
        'esm-only',
        '--exclude-entrypoints',
        'portcullis.wasm',
        'policy.schema.json',
      ),
  },
  { name: 'conformance', work: () => node('tests/conformance/run.mjs', ...(options.all ? ['--all'] : [])) },
  { name: 'demonstration', work: () => node('src/js/build/start.mjs', '--check') },
  { name: 'www', work: () => makePages().then(() => nodeTest('tests/www')) },
  { name: 'page', work: () => nodeTest('tests/demo') },
];

async function test() {
  const unknown = options.only?.find((name) => !STAGES.some((stage) => stage.name === name));
  if (unknown)
    throw new Plain(`no stage is named ${unknown}; there are ${STAGES.map(({ name }) => name).join(', ')}`);
  const chosen = STAGES.filter(({ name, needed }) => needed || !options.only || options.only.includes(name));
  const results = [];
  for (const { name, needed, work } of chosen) {
    const started = Date.now();
    console.log(`\n━━ ${name}`);
    const error = await settled(work);
    results.push({ name, error, seconds: (Date.now() - started) / 1000 });
    if (error) console.error(error instanceof Plain ? `✗ ${error.message}` : error);
    if (error && needed) break;
  }
  report(results, chosen);
}

async function settled(work) {
  try {
    await work();
  } catch (error) {
    return error;
  }
}

function report(results, chosen) {
  console.log('\n━━ stages');
  for (const { name, error, seconds } of results) {
    console.log(`${error ? '✗' : '✓'} ${name.padEnd(20)} ${seconds.toFixed(1).padStart(7)} s`);
  }
  for (const { name } of chosen.slice(results.length)) console.log(`✗ ${name.padEnd(20)} was not reached`);
  const total = results.reduce((sum, { seconds }) => sum + seconds, 0);
  const table = join(ROOT, 'target', 'conformance', 'table.json');
  if (existsSync(table) && results.some(({ name }) => name === 'conformance')) {
    const { rows } = JSON.parse(readFileSync(table, 'utf8'));
    console.log(
      `runtimes: ${rows.map(({ title, version }) => `${title} ${version ?? 'did not run'}`).join(' · ')}`,
    );
  }
  console.log(`${(total / 60).toFixed(1)} minutes`);
  const passed = results.filter(({ error }) => !error).length;
  console.log(`${passed} passed, ${chosen.length - passed} failed`);
  if (passed < chosen.length) process.exitCode = 1;
}

if (isMain(import.meta.url)) await main(test);
