// Builds dist/: each module of wasm-pack.toml by wasm-pack and wasm-opt, and the TypeScript around them.
//   node src/js/build/build.mjs
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';

import { setup } from './setup.mjs';
import { isMain, main, Plain, ROOT, run, step, TARGET, TOOLS } from './steps.mjs';

const DIST = join(ROOT, 'dist');
const STAMP = join(TARGET, 'dist.stamp');
const LOCK = join(TARGET, 'dist.lock');
const SOURCES = ['Cargo.toml', 'Cargo.lock', 'wasm-pack.toml', 'package-lock.json', 'src'];
// The scripts beside this one build nothing.
const LEFT_OUT = join('src', 'js', 'build');

/** Brings dist/ up to date; it is left alone when nothing it is made of has changed. */
export async function build() {
  const fingerprint = hashOf(SOURCES);
  if (isCurrent(fingerprint)) return;
  await locked(async () => {
    if (!isCurrent(fingerprint)) await makeDist(fingerprint);
  });
}

function isCurrent(fingerprint) {
  return existsSync(DIST) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === fingerprint;
}

/** One build at a time, so that `npm start` beside `npm test` finds a whole dist/. */
async function locked(work) {
  mkdirSync(TARGET, { recursive: true });
  while (!take()) await new Promise((resolve) => setTimeout(resolve, 500));
  try {
    await work();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

/** The lock file holds its owner's process id; that of a process which is gone is nobody's. */
function take() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  try {
    process.kill(Number(readFileSync(LOCK, 'utf8')), 0);
  } catch {
    rmSync(LOCK, { force: true });
  }
  return false;
}

async function makeDist(fingerprint) {
  rmSync(STAMP, { force: true });
  const fresh = join(TARGET, 'dist');
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(join(fresh, 'wasm'), { recursive: true });
  const { parse } = await import('smol-toml');
  const matrix = parse(readFileSync(join(ROOT, 'wasm-pack.toml'), 'utf8'));
  for (const module of matrix.module)
    await step(`wasm ${module.name}`, () => wasm(module, matrix, join(fresh, 'wasm')));
  for (const project of ['src/js', 'src/js/cli']) {
    const args = ['-p', join(project, 'tsconfig.json'), '--outDir', fresh];
    await step(`TypeScript of ${project}`, () => run(bin('tsc'), args));
  }
  cpSync(join(ROOT, 'src', 'policy', 'policy.schema.json'), join(fresh, 'policy.schema.json'));
  rmSync(DIST, { recursive: true, force: true });
  renameSync(fresh, DIST);
  writeFileSync(STAMP, fingerprint);
}

/** One module: wasm-pack, wasm-opt, and the base64 of it for runtimes that compile it from the script itself. */
async function wasm({ name, target, features }, { rustflags, wasm_opt }, out) {
  const folder = join(TARGET, 'wasm-pack', name);
  const env = {
    PATH: [join(TOOLS, 'bin'), process.env.PATH].join(delimiter),
    CARGO_ENCODED_RUSTFLAGS: [...rustflags, ...withoutPaths()].join('\x1f'),
  };
  const flags = ['--release', '--mode', 'no-install', '--no-pack', '--no-typescript', '--target', target];
  const args = [
    'build',
    ROOT,
    ...flags,
    '--out-dir',
    folder,
    '--out-name',
    name,
    '--',
    '--locked',
    '--features',
    features.join(','),
  ];
  await run('wasm-pack', args, { env, log: name });
  const optimized = join(out, `${name}.wasm`);
  await run(bin('wasm-opt'), [...wasm_opt, join(folder, `${name}_bg.wasm`), '-o', optimized]);
  cpSync(join(folder, `${name}_bg.js`), join(out, `${name}_bg.js`));
  writeFileSync(
    join(out, `${name}_inline.js`),
    `export const base64 =\n  '${readFileSync(optimized, 'base64')}';\n`,
  );
}

/** Panic messages name source files; the builder's own folders have no place in them. */
function withoutPaths() {
  const home = process.env.CARGO_HOME ?? join(process.env.HOME ?? '', '.cargo');
  return [`--remap-path-prefix=${ROOT}=.`, `--remap-path-prefix=${home}=cargo`];
}

function bin(name) {
  return join(ROOT, 'node_modules', '.bin', name);
}

function hashOf(paths) {
  const hash = createHash('sha256');
  const add = (path) => {
    if (path === LEFT_OUT) return;
    const stat = statSync(join(ROOT, path));
    if (stat.isDirectory()) {
      for (const name of readdirSync(join(ROOT, path)).sort()) add(join(path, name));
    } else {
      hash.update(`${path}\0${stat.size}\0`).update(readFileSync(join(ROOT, path)));
    }
  };
  for (const path of paths) add(path);
  hash.update(readFileSync(new URL(import.meta.url)));
  return hash.digest('hex');
}

if (isMain(import.meta.url)) {
  await main(async () => {
    await setup();
    await build();
    if (!existsSync(DIST)) throw new Plain('dist/ was not made');
  });
}
