// Everything a fresh machine lacks, installed once. Node's own modules only: it runs before
// `npm ci`.
//   node src/build/setup.mjs [--all]
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { programs } from './programs.mjs';
import { ask, isMain, main, Plain, ROOT, run, step, TARGET, TOOLS, together, twice } from './steps.mjs';

const WASM_PACK = '0.15.1';
const CARGO_FUZZ = '0.13.1';
const RUST_TARGETS = ['wasm32-unknown-unknown', 'wasm32-wasip1', 'wasm32-wasip2'];
/**
 * Makes sure of the toolchain and the npm packages; with `tests` also of the runtimes and programs
 * of `npm test`; with `all` of every runtime there is a test for. Takes a moment when nothing is
 * to be done.
 */
export const setup = (options) => together([packages(), rust().then(() => equipment(options))]);

/** The npm packages of the project. */
export async function packages() {
  if (Number(process.versions.node.split('.')[0]) < 20)
    throw new Plain(`Node 20 or newer is needed; this is Node ${process.versions.node}`);
  await npmPackages(ROOT);
}

/** What is installed beside Rust and the project's packages. Needs Rust. */
export const equipment = ({ tests = false, all = false } = {}) =>
  together([tools(), ...(tests || all ? [runtimes('core').then(() => runtimes('extra')), programs()] : [])]);

/** The tools that build the package. */
const tools = () =>
  together([
    // It downloads nothing here, so that it needs no TLS; nor do we need what it brings beside
    // itself.
    cargoTool('wasm-bindgen', 'wasm-bindgen-cli', wasmBindgenVersion(), [
      '--no-default-features',
      '--bin',
      'wasm-bindgen',
    ]),
    cargoTool('wasm-pack', 'wasm-pack', WASM_PACK),
  ]);

/** The standard libraries and components that the builds and lints use. */
export async function rust() {
  const sysroot = await ask('rustc', ['--print', 'sysroot']);
  if (!sysroot) throw new Plain('Rust is missing: install it with rustup, as https://rustup.rs says');
  const missing = RUST_TARGETS.filter(
    (target) => !existsSync(join(sysroot, 'lib', 'rustlib', target, 'lib')),
  );
  if (missing.length > 0) {
    await step(`rust targets ${missing.join(', ')}`, () =>
      twice(() => run('rustup', ['target', 'add', ...missing], { log: 'rustup' })),
    );
  }
  const components = ['rustfmt', 'clippy'].filter(
    (name) => !existsSync(join(sysroot, 'bin', name === 'clippy' ? 'cargo-clippy' : name)),
  );
  if (components.length > 0) {
    await step(`rust components ${components.join(', ')}`, () =>
      twice(() => run('rustup', ['component', 'add', ...components], { log: 'rustup' })),
    );
  }
}

/** wasm-bindgen's tool has to have the version of the crate, to the letter. */
function wasmBindgenVersion() {
  const lock = readFileSync(join(ROOT, 'Cargo.lock'), 'utf8');
  return lock.match(/name = "wasm-bindgen"\nversion = "([^"]+)"/)[1];
}

/** The tool of `npm run fuzz`. */
export const cargoFuzz = () => cargoTool('cargo-fuzz', 'cargo-fuzz', CARGO_FUZZ);

/**
 * None of them needs to be fast: they are built without optimisation, which takes a third of the
 * time and writes the same bytes.
 */
async function cargoTool(program, crate, version, flags = []) {
  const path = join(TOOLS, 'bin', program);
  if (existsSync(path) && (await ask(path, ['--version']))?.endsWith(` ${version}`)) return;
  // Not --locked: the lock file that wasm-bindgen-cli ships names a crate that was withdrawn.
  const args = ['install', '--debug', '--root', TOOLS, '--version', version, '--force', ...flags, crate];
  // A folder each: cargo lets one build at a time into a folder.
  const env = { CARGO_TARGET_DIR: join(TOOLS, 'build', program), CARGO_PROFILE_DEV_DEBUG: '0' };
  await step(`${crate} ${version} (built from source, a minute or two)`, () =>
    twice(() => run('cargo', args, { env, log: crate })),
  );
}

/** `npm ci`, when the lock file has changed since it last ran. */
async function npmPackages(folder) {
  const lock = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  const stamp = join(folder, 'node_modules', '.portcullis-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  // NODE_ENV=production would leave out what we build and test with.
  const args = ['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
  await step(`npm packages of ${folder === ROOT ? 'the project' : folder.slice(ROOT.length + 1)}`, () =>
    twice(() => run('npm', args, { cwd: folder, log: 'npm' })),
  );
  writeFileSync(stamp, lock);
}

/** The JavaScript runtimes, which npm packages bring as binaries. */
async function runtimes(name) {
  const folder = join(TARGET, 'runtimes', name);
  mkdirSync(folder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) {
    cpSync(join(ROOT, 'tests', 'runtimes', name, file), join(folder, file));
  }
  await npmPackages(folder);
}

if (isMain(import.meta.url)) await main(() => setup({ tests: true, all: process.argv.includes('--all') }));
