// Puts the site together in target/www: www/ as it stands, the documentation as pages, the
// package's files it uses, and a module made of what none can load under the inspector's policy.
// It is plain files: `npm start` serves them, and any static host may.
//   node src/build/pages.mjs
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
import { dirname, join, relative } from 'node:path';

import { build } from './build.mjs';
import { isMain, main, ROOT, TARGET } from './steps.mjs';

export const SITE = join(TARGET, 'www');

const WWW = join(ROOT, 'www');
const DIST = join(ROOT, 'dist');
/** What www/inspect/core.js imports of the package. */
const USED = [join('wasm', 'portcullis_bg.js'), join('wasm', 'answer.js')];
const BITTER = join(ROOT, 'node_modules', '@fontsource', 'bitter');
/** The typeface of headings: Latin, weight 600, with its licence beside it. */
export const FONTS = {
  'fonts/bitter-600.woff2': join(BITTER, 'files', 'bitter-latin-600-normal.woff2'),
  'fonts/OFL.txt': join(BITTER, 'LICENSE'),
};
/** Rounds of Zopfli; more gain nothing. */
const ZOPFLI = { numiterations: 15 };
const isServed = (path) =>
  !path.endsWith('.mjs') && !['csp.js', 'docs', join('demo', 'workers')].includes(path);

/** Makes target/www from www/ and dist/. */
export async function makePages() {
  const fresh = join(TARGET, `www.${process.pid}`);
  rmSync(fresh, { recursive: true, force: true });
  cpSync(WWW, fresh, { recursive: true, filter: (path) => isServed(relative(WWW, path)) });
  const inspect = join(fresh, 'inspect');
  mkdirSync(join(inspect, 'portcullis', 'wasm'), { recursive: true });
  for (const path of USED) {
    // What is explained there is for editors; a page has none.
    const text = readFileSync(join(DIST, path), 'utf8').replaceAll(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '');
    writeFileSync(join(inspect, 'portcullis', path), text);
  }
  for (const [name, path] of Object.entries(FONTS)) cpSync(path, join(fresh, name));
  write(inspect, 'packed.js', 'portcullis.wasm and policy.schema.json, compressed', await packed());
  // It needs packages, and this file is read before they are installed.
  const { writeDocs } = await import('./docs/docs.mjs');
  await writeDocs(join(fresh, 'docs'));
  const all = filesOf(fresh).filter((file) => file !== 'sw.js');
  const hash = createHash('sha256');
  for (const file of all) hash.update(`${file}\0`).update(readFileSync(join(fresh, file)));
  // The documentation is kept apart, once somebody has searched it: who came for the inspector
  // need not load it.
  const isDocument = (file) => file.startsWith('docs/');
  const files = all.filter((file) => !isDocument(file));
  const precache = JSON.stringify({
    version: hash.digest('hex').slice(0, 16),
    files,
    documents: all.filter(isDocument),
  });
  write(fresh, 'precache.js', 'the files of the site', `self.precache = ${precache};`);
  if (isSame(fresh)) return rmSync(fresh, { recursive: true });
  rmSync(SITE, { recursive: true, force: true });
  return renameSync(fresh, SITE);
}

/** Nothing has changed: who serves the site meanwhile is left alone. */
function isSame(fresh) {
  return ['precache.js', 'sw.js'].every((name) => {
    const there = join(SITE, name);
    return existsSync(there) && readFileSync(there).equals(readFileSync(join(fresh, name)));
  });
}

function write(folder, name, what, text) {
  writeFileSync(join(folder, name), `// Made by src/build/pages.mjs: ${what}.\n${text}\n`);
}

/**
 * The wasm and after it the schema, as one deflated text; kept until they change, since Zopfli
 * takes some seconds.
 */
async function packed() {
  const wasm = readFileSync(join(DIST, 'wasm', 'portcullis.wasm'));
  const schema = JSON.stringify(JSON.parse(readFileSync(join(DIST, 'policy.schema.json'), 'utf8')));
  const bytes = Buffer.concat([wasm, Buffer.from(schema)]);
  const kept = join(TARGET, 'packed', `${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.js`);
  if (existsSync(kept)) return readFileSync(kept, 'utf8');
  const { default: zopfli } = await import('@gfx/zopfli');
  const text = Buffer.from(await zopfli.deflateAsync(bytes, ZOPFLI)).toString('base64url');
  const made = `export const wasmBytes = ${wasm.length};\nexport const deflated = '${text}';`;
  mkdirSync(dirname(kept), { recursive: true });
  writeFileSync(kept, made);
  return made;
}

function filesOf(folder) {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((file) => statSync(join(folder, file)).isFile())
    .map((file) => file.replaceAll('\\', '/'))
    .sort();
}

if (isMain(import.meta.url)) {
  await main(async () => {
    await build();
    await makePages();
  });
}
