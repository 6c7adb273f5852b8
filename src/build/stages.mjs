// The stages of `npm test`, in the order of its table. Each is a name, a lane and a piece of work.
// Node's own modules only.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { build } from './build.mjs';
import { makePages } from './pages.mjs';
import { equipment, packages, rust } from './setup.mjs';
import { NATIVE_FEATURES, Plain, ROOT, run } from './steps.mjs';

/**
 * What runs beside what: a lane runs one stage at a time. The CPU goes first to what others wait
 * for and to what has time limits; `nice`, as in nice(1), is for what takes the rest. Browsers
 * share the machine with one `busy` lane at most.
 */
export const LANES = {
  setup: { nice: 0, after: [] },
  packages: { nice: 0, after: [] },
  compute: { nice: 10, after: ['rust'], busy: true },
  servers: { nice: 0, after: ['build'] },
  browsers: { nice: 0, after: ['build'], quiet: true },
  fuzz: { nice: 12, after: ['build'], busy: true },
};

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

const NATIVE = ['--locked', '--features', NATIVE_FEATURES];

/** The library alone, as it ships and with its unit tests. */
const lintLibrary = async (...features) => {
  for (const profile of ['dev', 'test'])
    await cargo('clippy', '--locked', '--lib', '--profile', profile, ...features, '--', '-D', 'warnings');
};

/** The test programs of the crate, but for those that have a stage of their own. */
function programs() {
  const own = ['ml_dsa', 'timing', 'issuer_timing'];
  const folder = join(ROOT, 'tests', 'rust');
  const entries = readdirSync(folder, { withFileTypes: true });
  const names = entries.flatMap((entry) => {
    if (entry.isFile()) return entry.name.endsWith('.rs') ? [entry.name.slice(0, -'.rs'.length)] : [];
    return existsSync(join(folder, entry.name, 'main.rs')) ? [entry.name] : [];
  });
  return names.filter((name) => !own.includes(name)).flatMap((name) => ['--test', name]);
}

/** Every stage with what its lane adds. */
export const stages = ({ all = false } = {}) =>
  list(all).map((stage) => {
    const { after, ...lane } = LANES[stage.lane];
    return { ...lane, ...stage, after: [...after, ...(stage.after ?? [])] };
  });

const list = (all) => [
  // `needed` stages run whatever was asked for: the others stand on them.
  { name: 'rust', lane: 'setup', needed: true, work: rust },
  { name: 'packages', lane: 'packages', needed: true, work: packages },
  {
    name: 'setup',
    lane: 'setup',
    needed: true,
    after: ['rust'],
    work: () => equipment({ tests: true, all }),
  },
  { name: 'build', lane: 'setup', needed: true, after: ['setup', 'packages'], work: build },

  { name: 'rustfmt', lane: 'compute', work: () => cargo('fmt', '--check') },
  {
    name: 'biome',
    lane: 'compute',
    after: ['packages'],
    work: () => bin('biome', 'check', '--error-on-warnings'),
  },
  { name: 'cargo-test', lane: 'compute', work: () => cargo('test', ...NATIVE, '--lib', ...programs()) },
  { name: 'cargo-test-docs', lane: 'compute', work: () => cargo('test', ...NATIVE, '--doc') },
  // Prints how many states it has seen. ROTATION_MODEL_DEEPER=1 makes them more.
  {
    name: 'rotation-model',
    lane: 'compute',
    work: () => cargo('test', ...NATIVE, '--test', 'rotation_model', '--', '--nocapture', '--test-threads=1'),
  },
  // Instructions are counted, not time.
  {
    name: 'timing',
    lane: 'compute',
    after: ['setup'],
    work: () =>
      cargo('test', ...NATIVE, '--test', 'timing', '--test', 'issuer_timing', '--', '--include-ignored'),
  },
  {
    name: 'cargo-test-ml-dsa',
    lane: 'compute',
    work: () => cargo('test', '--locked', '--lib', '--test', 'ml_dsa', '--features', 'ml-dsa'),
  },
  // A crate of its own, so that nothing else builds tokio and axum; and the template for axum,
  // which is built with the same crates.
  {
    name: 'cargo-test-tower',
    lane: 'compute',
    after: ['build'],
    work: async () => {
      await cargo('test', '--locked', '--manifest-path', 'tests/tower/Cargo.toml', '--target-dir', 'target');
      await nodeTest('tests/tower');
    },
  },
  // A worker of the crate `worker`, in workerd.
  {
    name: 'fetch-worker',
    lane: 'compute',
    after: ['setup', 'packages'],
    work: () => nodeTest('tests/fetch'),
  },
  { name: 'clippy', lane: 'compute', work: () => lint() },
  // Each feature alone as well: the validator is built with `js` and nothing else.
  { name: 'clippy-js', lane: 'compute', work: () => lint('--no-default-features', '--features', 'js') },
  // The programs of tests/ have been read without these features and are read with all of them.
  { name: 'clippy-issuer', lane: 'compute', work: () => lintLibrary('--features', 'issuer') },
  { name: 'clippy-ml-dsa', lane: 'compute', work: () => lintLibrary('--features', 'js,ml-dsa') },
  { name: 'clippy-tower', lane: 'compute', work: () => lintLibrary('--features', 'tower') },
  {
    name: 'clippy-fetch',
    lane: 'compute',
    work: () => lintLibrary('--no-default-features', '--features', 'fetch'),
  },
  { name: 'clippy-features', lane: 'compute', work: () => lint('--all-features') },
  {
    name: 'rustdoc',
    lane: 'compute',
    // What rustdoc shows and links, and the public API beside its snapshot.
    work: async () => {
      await cargo('doc', '--locked', '--no-deps', '--all-features');
      await node('src/build/public-api.mjs', '--check');
    },
  },
  { name: 'wasm-alone', lane: 'compute', work: () => node('tests/package/wasm-alone.mjs') },
  {
    name: 'engines-wasm',
    lane: 'compute',
    after: ['packages'],
    work: () => node('tests/rust/engines/in-wasm.mjs'),
  },
  // These compute as well, and have no time limits.
  { name: 'traps', lane: 'compute', after: ['build'], work: () => nodeTest('tests/traps') },
  { name: 'load', lane: 'compute', after: ['build'], work: () => node('tests/load/load.mjs') },

  {
    name: 'types',
    lane: 'servers',
    work: () => bin('tsc', '-p', 'tests/package/tsconfig.json').then(() => nodeTest('tests/types')),
  },
  { name: 'session-types', lane: 'servers', work: () => bin('tsc', '-p', 'tests/session/tsconfig.json') },
  { name: 'store-types', lane: 'servers', work: () => bin('tsc', '-p', 'tests/stores/tsconfig.json') },
  { name: 'adapter-types', lane: 'servers', work: () => bin('tsc', '-p', 'tests/adapters/tsconfig.json') },
  { name: 'docs', lane: 'servers', work: () => nodeTest('tests/docs') },
  { name: 'scripts', lane: 'servers', work: () => nodeTest('tests/scripts') },
  { name: 'package', lane: 'servers', work: () => nodeTest('tests/package') },
  { name: 'gate', lane: 'servers', work: () => nodeTest('tests/gate') },
  { name: 'stores', lane: 'servers', work: () => nodeTest('tests/stores') },
  { name: 'issuer', lane: 'servers', work: () => nodeTest('tests/issuer') },
  { name: 'tabs', lane: 'servers', work: () => nodeTest('tests/stores/tabs') },
  { name: 'adapters', lane: 'servers', work: () => nodeTest('tests/adapters') },
  { name: 'e2e', lane: 'servers', work: () => nodeTest('tests/e2e') },
  { name: 'cli', lane: 'servers', work: () => nodeTest('tests/cli') },
  { name: 'publint', lane: 'servers', work: () => bin('publint', 'run', '--strict') },
  {
    name: 'attw',
    lane: 'servers',
    work: () => {
      const wasm = ['--exclude-entrypoints', 'portcullis.wasm', 'policy.schema.json'];
      return bin('attw', '--pack', '.', '--profile', 'esm-only', ...wasm);
    },
  },

  // Browsers wait more than they work.
  {
    name: 'session',
    lane: 'browsers',
    work: () => nodeTest('tests/session', '--test-concurrency=4'),
  },
  {
    name: 'conformance',
    lane: 'browsers',
    work: () => node('tests/runtimes/run.mjs', ...(all ? ['--all'] : [])),
  },
  // These three serve target/www, which the first of them makes.
  {
    name: 'demonstration',
    lane: 'browsers',
    work: () => node('src/build/start.mjs', '--check'),
  },
  {
    name: 'www',
    lane: 'browsers',
    work: () => makePages().then(() => nodeTest('tests/browsers/www')),
  },
  { name: 'page', lane: 'browsers', work: () => nodeTest('tests/browsers/demo') },

  // A minute of each target by the clock, eight at a time, which on two cores is a quarter of a
  // minute of CPU. FUZZ_SECONDS changes the minute; `npm run fuzz` gives each target a core. One
  // of them compares dist/ with the native build.
  {
    name: 'fuzz',
    lane: 'fuzz',
    work: () => {
      const seconds = process.env.FUZZ_SECONDS ?? '60';
      return node('tests/fuzz/campaign.mjs', '--throwaway', '--jobs', '8', '--seconds', seconds);
    },
  },
];
