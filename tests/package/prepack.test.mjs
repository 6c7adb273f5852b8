// What `npm pack` ships is what the sources make, whatever has become of dist/ since it was built.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
mkdirSync(join(ROOT, 'target'), { recursive: true });
const folder = mkdtempSync(join(ROOT, 'target', 'prepack-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/**
 * A copy of the project as it was built, which nobody else looks at. The tools and packages are
 * those of the project.
 */
const SOURCES = [
  'Cargo.toml',
  'Cargo.lock',
  'wasm-pack.toml',
  'package.json',
  'package-lock.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE-APACHE',
  'LICENSE-MIT',
  'src',
  'dist',
];
const BUILT = ['wasm', 'wasm.stamp', 'dist.stamp'];
for (const name of SOURCES) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
mkdirSync(join(folder, 'target'));
for (const name of BUILT) {
  assert.ok(existsSync(join(ROOT, 'target', name)), `target/${name} is missing: run npm run build first`);
  cpSync(join(ROOT, 'target', name), join(folder, 'target', name), { recursive: true });
}
symlinkSync(join(ROOT, 'target', 'tools'), join(folder, 'target', 'tools'));
symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));

const dist = (...path) => join(folder, 'dist', ...path);
const listing = (root) =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1))
    .sort();

/** Packs the copy with its script `prepack`, and unpacks what came of it. */
function packed(name) {
  const to = join(folder, name);
  mkdirSync(to);
  execFileSync('npm', ['pack', '--pack-destination', to, '--silent'], { cwd: folder, stdio: 'ignore' });
  const [tarball] = readdirSync(to).filter((file) => file.endsWith('.tgz'));
  execFileSync('tar', ['-xzf', tarball], { cwd: to });
  return join(to, 'package');
}

test('a dist/ that was tampered with is made anew before it is packed', () => {
  const before = new Map(listing(dist()).map((path) => [path, readFileSync(dist(path))]));
  appendFileSync(dist('index.js'), '\nexport const backdoor = true;\n');
  appendFileSync(dist('wasm', 'portcullis_inline.js'), '\n');
  writeFileSync(dist('evil.js'), 'export {};\n');
  rmSync(dist('shared', 'errors.js'));
  const shipped = join(packed('tampered'), 'dist');
  assert.deepEqual(listing(shipped), [...before.keys()].sort());
  for (const [path, content] of before)
    assert.ok(content.equals(readFileSync(join(shipped, path))), `${path} is another`);
});

test('wasm that was tampered with in target/ counts as not built', async () => {
  const { isCurrent } = await import(new URL('../../src/build/stamp.mjs', import.meta.url));
  const [wasm, stamp] = BUILT.map((name) => join(folder, 'target', name));
  const [fingerprint] = readFileSync(stamp, 'utf8').split('\n');
  assert.equal(isCurrent(wasm, stamp, fingerprint), true);
  appendFileSync(join(wasm, 'portcullis.wasm'), '\0');
  assert.equal(isCurrent(wasm, stamp, fingerprint), false);
});

test('the packed manifest brings no dependency, runs nothing at install and is published with provenance', () => {
  const root = packed('manifest');
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const kind of ['dependencies', 'optionalDependencies', 'bundledDependencies', 'bundleDependencies'])
    assert.equal(manifest[kind], undefined, kind);
  for (const name of [
    'preinstall',
    'install',
    'postinstall',
    'prepare',
    'prepublish',
    'preprepare',
    'postprepare',
  ])
    assert.equal(manifest.scripts?.[name], undefined, name);
  assert.equal(manifest.publishConfig?.provenance, true);
  assert.ok(!existsSync(join(root, 'binding.gyp')), 'npm would run node-gyp at install');
  const strange = listing(root).filter(
    (path) =>
      !/^(dist\/.+\.(js|d\.ts|wasm|json)|package\.json|README\.md|CHANGELOG\.md|LICENSE-(APACHE|MIT))$/.test(
        path,
      ),
  );
  assert.deepEqual(strange, []);
});
