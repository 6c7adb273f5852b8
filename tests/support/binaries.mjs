// Where each runtime's binary is. Set-up installs runtimes/core and runtimes/extra (Next, which is
// large, and what only `npm run test:all` needs) under target/runtimes; browsers come from the
// system. The lock files name the platform packages directly, so no install script runs; entries
// for other systems that Next lists as optional stand there without a hash, since they were not to
// be had where it was made.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const EXTRA = join(ROOT, 'target', 'runtimes', 'extra');

const CORE_MODULES = join(ROOT, 'target', 'runtimes', 'core', 'node_modules');
const EXTRA_MODULES = join(EXTRA, 'node_modules');
const SET_UP = 'set-up has not installed it';

const PLACES = {
  node: { paths: [process.execPath] },
  node22: { paths: [join(EXTRA_MODULES, 'node22', 'bin', 'node')], cure: SET_UP },
  node24: { paths: [join(CORE_MODULES, 'node24', 'bin', 'node')], cure: SET_UP },
  node26: { paths: [join(EXTRA_MODULES, 'node26', 'bin', 'node')], cure: SET_UP },
  deno: { paths: [join(CORE_MODULES, '@deno', 'linux-x64-glibc', 'deno')], cure: SET_UP },
  bun: { paths: [join(CORE_MODULES, '@oven', 'bun-linux-x64', 'bin', 'bun')], cure: SET_UP },
  next: { paths: [join(EXTRA_MODULES, 'next', 'dist', 'bin', 'next')], cure: SET_UP },
  chromium: {
    paths: [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
    cure: 'install the package chromium or set CHROMIUM',
  },
  firefox: {
    paths: [process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox'],
    cure: 'install the package firefox-esr or set FIREFOX',
  },
  webkitDriver: { paths: ['/usr/bin/WebKitWebDriver'], cure: 'install the package webkit2gtk-driver' },
  miniBrowser: { paths: miniBrowsers(), cure: 'install the package webkit2gtk-driver' },
  xvfb: { paths: ['/usr/bin/Xvfb'], cure: 'install the package xvfb' },
};

/** The path of a runtime's binary; throws one sentence that says how to get it. */
export function runtimeBinary(name) {
  const { paths, cure } = PLACES[name];
  const found = paths.find((path) => path && existsSync(path));
  if (!found) throw new Error(`${name} is missing: ${cure}`);
  return found;
}

function miniBrowsers() {
  const library = '/usr/lib/x86_64-linux-gnu';
  if (!existsSync(library)) return [];
  const folders = readdirSync(library).filter(
    (name) => name.startsWith('webkit2gtk-') || name.startsWith('webkitgtk-'),
  );
  return folders.map((folder) => join(library, folder, 'MiniBrowser'));
}
