// Builds dist/: each module of wasm-pack.toml by wasm-pack and wasm-opt, and the TypeScript around
// them.
//   node src/build/build.mjs
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';

import { writeEntries } from './entries.mjs';
import { rankFunctions } from './order.mjs';
import { withoutPanicTexts } from './panics.mjs';
import { setup } from './setup.mjs';
import { hashOf, isCurrent, removeStamp, writeStamp } from './stamp.mjs';
import { isMain, main, Plain, ROOT, run, step, TARGET, TOOLS, together } from './steps.mjs';

const DIST = join(ROOT, 'dist');
const STAMP = join(TARGET, 'dist.stamp');
const WASM = join(TARGET, 'wasm');
const WASM_STAMP = join(TARGET, 'wasm.stamp');
const LOCK = join(TARGET, 'dist.lock');
const SOURCES = ['Cargo.toml', 'Cargo.lock', 'wasm-pack.toml', 'package-lock.json', 'src'];
const SCRIPTS = join('src', 'build');

/**
 * Brings dist/ up to date; it is left alone when neither it nor anything it is made of has
 * changed. `npm pack` ships what this leaves.
 */
export async function build() {
  const fingerprint = sourcesOf();
  if (isCurrent(DIST, STAMP, fingerprint)) return;
  await locked(async () => {
    if (!isCurrent(DIST, STAMP, fingerprint)) await makeDist(fingerprint);
  });
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
  removeStamp(STAMP);
  const fresh = join(TARGET, 'dist');
  rmSync(fresh, { recursive: true, force: true });
  await makeWasm();
  cpSync(WASM, join(fresh, 'wasm'), { recursive: true });
  for (const project of ['src/js', 'src/js/cli']) {
    const args = ['-p', join(project, 'tsconfig.json'), '--outDir', fresh];
    await step(`TypeScript of ${project}`, () => run(bin('tsc'), args));
  }
  writeEntries(await matrix(), fresh);
  cpSync(join(ROOT, 'src', 'policy', 'policy.schema.json'), join(fresh, 'policy.schema.json'));
  rmSync(DIST, { recursive: true, force: true });
  renameSync(fresh, DIST);
  writeStamp(DIST, STAMP, fingerprint);
}

/**
 * All modules, which change with the Rust alone: minutes that an edit of TypeScript need not wait
 * for.
 */
async function makeWasm() {
  const fingerprint = sourcesOf((path) => !path.endsWith('.ts'));
  if (isCurrent(WASM, WASM_STAMP, fingerprint)) return;
  removeStamp(WASM_STAMP);
  rmSync(WASM, { recursive: true, force: true });
  mkdirSync(WASM, { recursive: true });
  const wanted = await matrix();
  // wasm-opt has one core, and cargo goes on with the next module on the others.
  const optimizing = [];
  for (const module of wanted.module) {
    await step(`wasm ${module.name}`, () => compile(module, wanted));
    const optimized = step(`wasm-opt ${module.name}`, () => optimize(module, wanted, WASM));
    optimized.catch(() => {});
    optimizing.push(optimized);
  }
  await together(optimizing);
  writeStamp(WASM, WASM_STAMP, fingerprint);
}

/** What wasm-pack.toml says. */
async function matrix() {
  const { parse } = await import('smol-toml');
  return parse(readFileSync(join(ROOT, 'wasm-pack.toml'), 'utf8'));
}

const folderOf = (name) => join(TARGET, 'wasm-pack', name);

/** One module by wasm-pack. */
async function compile({ name, target, features }, { rustflags }) {
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
    folderOf(name),
    '--out-name',
    name,
    '--',
    '--locked',
    '--no-default-features',
    '--features',
    features.join(','),
  ];
  await run('wasm-pack', args, { env, log: name });
}

/**
 * What is shipped of it: made smaller, and once more as base64 for runtimes that compile it from
 * the script itself.
 */
async function optimize({ name }, { wasm_opt, wasm_order, wasm_flags }, out) {
  const folder = folderOf(name);
  const silent = join(folder, `${name}_silent.wasm`);
  await withoutPanicTexts(join(folder, `${name}_bg.wasm`), silent);
  const optimized = join(out, `${name}.wasm`);
  const ranked = join(folder, `${name}_ranked.wasm`);
  await run(bin('wasm-opt'), [...wasm_opt, ...wasm_flags, silent, '-o', ranked]);
  rankFunctions(ranked);
  await run(bin('wasm-opt'), [...wasm_order, ...wasm_flags, ranked, '-o', optimized]);
  cpSync(join(folder, `${name}_bg.js`), join(out, `${name}_bg.js`));
  writeFileSync(
    join(out, `${name}_inline.js`),
    `export const base64 =\n  '${readFileSync(optimized, 'base64')}';\n`,
  );
}

/** Panic messages name source files; the builder's own folders have no place in them. */
function withoutPaths() {
  const home = process.env.CARGO_HOME ?? join(process.env.HOME ?? '', '.cargo');
  const registries = join(home, 'registry', 'src');
  const sources = existsSync(registries) ? readdirSync(registries).map((name) => join(registries, name)) : [];
  // Of several that fit, the last counts.
  const folders = [[ROOT, '.'], [home, 'cargo'], ...sources.map((source) => [source, 'crates'])];
  return folders.map(([folder, name]) => `--remap-path-prefix=${folder}=${name}`);
}

function bin(name) {
  return join(ROOT, 'node_modules', '.bin', name);
}

/** What dist/ is made of, the scripts that make it included. */
function sourcesOf(counts = () => true) {
  const scripts = ['build.mjs', 'entries.mjs', 'order.mjs', 'panics.mjs', 'stamp.mjs', 'wasm-bytes.mjs'].map(
    (name) => join(SCRIPTS, name),
  );
  return hashOf(ROOT, SOURCES, (path) => path !== SCRIPTS && counts(path)) + hashOf(ROOT, scripts);
}

if (isMain(import.meta.url)) {
  await main(async () => {
    await setup();
    await build();
    if (!existsSync(DIST)) throw new Plain('dist/ was not made');
  });
}
