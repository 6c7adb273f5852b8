// Everything a fresh machine lacks, installed once. Node's own modules only: it runs before `npm ci`.
//   node src/build/setup.mjs [--all]
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ask, isMain, main, Plain, ROOT, run, step, TARGET, TOOLS } from './steps.mjs';

const WASM_PACK = '0.15.1';
const CARGO_FUZZ = '0.13.1';
const RUST_TARGETS = ['wasm32-unknown-unknown', 'wasm32-wasip1', 'wasm32-wasip2'];
const CHROMIUMS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const REDISES = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'];
const FIREFOXES = ['/usr/bin/firefox-esr', '/usr/bin/firefox'];

/**
 * Makes sure of the toolchain and the npm packages; with `tests` also of the runtimes and the browser of `npm test`; with `all` of
 * every runtime there is a test for. Takes a moment when nothing is to be done.
 */
export async function setup({ tests = false, all = false } = {}) {
  if (Number(process.versions.node.split('.')[0]) < 20)
    throw new Plain(`Node 20 or newer is needed; this is Node ${process.versions.node}`);
  await Promise.all([rust(), npmPackages(ROOT)]);
  await cargoTool('wasm-bindgen', 'wasm-bindgen-cli', wasmBindgenVersion());
  await cargoTool('wasm-pack', 'wasm-pack', WASM_PACK);
  if (!tests && !all) return;
  await runtimes('core');
  await runtimes('extra');
  await debian(
    'chromium',
    [process.env.CHROMIUM, ...CHROMIUMS],
    ['chromium'],
    'install Chromium or set CHROMIUM to its path',
  );
  await debian(
    'postgres',
    postgreses(),
    ['postgresql'],
    'install PostgreSQL, so that it is in /usr/lib/postgresql',
  );
  await debian('redis', REDISES, ['redis-server'], 'install Redis, so that redis-server is in /usr/bin');
  await debian(
    'firefox',
    [process.env.FIREFOX, ...FIREFOXES],
    ['firefox-esr'],
    'install Firefox or set FIREFOX to its path',
  );
  await debian(
    'webkit',
    ['/usr/bin/WebKitWebDriver'],
    ['webkit2gtk-driver'],
    'install the package webkit2gtk-driver',
  );
  await debian(
    'valgrind',
    ['/usr/bin/valgrind'],
    ['valgrind'],
    'install Valgrind, so that valgrind is in /usr/bin',
  );
  await debian('xvfb', ['/usr/bin/Xvfb'], ['xvfb'], 'install the package xvfb');
}

/** Debian puts each major version into a folder of its own. */
function postgreses() {
  const versions = '/usr/lib/postgresql';
  const names = existsSync(versions) ? readdirSync(versions) : [];
  return names.map((name) => join(versions, name, 'bin', 'postgres'));
}

async function rust() {
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

/** The tool of `npm run fuzz`. It only starts other programs, so that it need not be fast itself. */
export const cargoFuzz = () => cargoTool('cargo-fuzz', 'cargo-fuzz', CARGO_FUZZ, '--debug');

async function cargoTool(program, crate, version, ...flags) {
  const path = join(TOOLS, 'bin', program);
  if (existsSync(path) && (await ask(path, ['--version']))?.endsWith(` ${version}`)) return;
  // Not --locked: the lock file that wasm-bindgen-cli ships names a crate that was withdrawn.
  const args = ['install', '--root', TOOLS, '--version', version, '--force', ...flags, crate];
  const env = { CARGO_TARGET_DIR: join(TOOLS, 'build') };
  await step(`${crate} ${version} (built from source, some minutes)`, () =>
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
    cpSync(join(ROOT, 'tests', 'conformance', 'runtimes', name, file), join(folder, file));
  }
  await npmPackages(folder);
}

async function debian(name, paths, packages, cure) {
  if (paths.some((path) => path && existsSync(path))) return;
  const canInstall = existsSync('/usr/bin/apt-get') && process.getuid?.() === 0;
  if (!canInstall) throw new Plain(`${name} is missing: ${cure}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await step(`${name} (Debian's ${packages.join(', ')})`, () =>
    twice(async () => {
      await run('apt-get', ['update'], { env, log: 'apt' });
      await run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { env, log: 'apt' });
    }),
  );
}

/** A registry may hiccup once. */
async function twice(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Plain)) throw error;
    console.log(`  trying once more: ${error.message}`);
    return work();
  }
}

if (isMain(import.meta.url)) await main(() => setup({ tests: true, all: process.argv.includes('--all') }));
