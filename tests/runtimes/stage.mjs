// Lays out a temporary folder as a stranger's project would be: the library installed from its
// tarball, nothing else beside it, and the suite with its vectors as plain ES modules. Outside the
// repository, so that nothing resolves to the work tree by accident.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../support/binaries.mjs';
import { scratch } from '../support/common.mjs';
import { readVectors } from '../vectors/read.mjs';

const HERE = join(ROOT, 'tests', 'runtimes');
const SUITE = [
  'suite.mjs',
  'properties.mjs',
  'hostile.mjs',
  'leaks.mjs',
  'shapes.mjs',
  'answer.mjs',
  'console.mjs',
  'page.mjs',
  'post.mjs',
];

const execute = promisify(execFile);

/** `{ folder, library, vectorFiles, remove }` */
export async function layOut(library) {
  const { folder, remove } = await scratch(join(tmpdir(), 'portcullis-conformance-'));
  try {
    const vectorFiles = readVectors();
    await writeSuite(folder, library, vectorFiles);
    if (library === 'portcullis') await installPacked(folder);
    else await copyInstalled(folder, library);
    return { folder, library, vectorFiles, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

async function writeSuite(folder, library, vectorFiles) {
  const manifest = { name: 'a-strangers-project', private: true, type: 'module' };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await Promise.all(SUITE.map((name) => cp(join(HERE, name), join(folder, name))));
  await cp(join(HERE, 'libraries', `${library}.mjs`), join(folder, 'library.mjs'));
  // As a text that is parsed: in an object literal the member `__proto__` of a vector would set a
  // prototype instead.
  const text = JSON.stringify(JSON.stringify(vectorFiles));
  await writeFile(join(folder, 'vectors.mjs'), `export const vectorFiles = JSON.parse(${text});\n`);
}

async function installPacked(folder) {
  const { stdout } = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], ROOT);
  // npm 10 and 11 print an array, npm 12 an object by package name.
  const printed = JSON.parse(stdout.slice(stdout.search(/[[{]/)));
  const { filename } = Array.isArray(printed) ? printed[0] : Object.values(printed)[0];
  await npm(['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', `./${filename}`], folder);
  const installed = await readdir(join(folder, 'node_modules'));
  const packages = installed.filter((name) => !name.startsWith('.'));
  if (packages.join() !== 'portcullis')
    throw new Error(`the package brought others along: ${packages.join(', ')}`);
  await expectComplete(join(folder, 'node_modules', 'portcullis'));
}

// One sentence now instead of one failure a runtime later.
async function expectComplete(folder) {
  const { exports } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const files = Object.values(exports).flatMap((target) =>
    typeof target === 'string' ? target : Object.values(target),
  );
  const missing = files.filter((file) => !existsSync(join(folder, file)));
  if (missing.length > 0) throw new Error(`the packed package lacks ${missing.join(', ')}: is it built?`);
}

async function copyInstalled(folder, library) {
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  await cp(join(ROOT, 'node_modules', library), join(folder, 'node_modules', library), { recursive: true });
}

function npm(args, cwd) {
  return execute('npm', args, { cwd, maxBuffer: 1 << 26, timeout: 120_000 });
}
