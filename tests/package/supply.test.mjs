// The crates that the library is built of: none that is banned, none from elsewhere, none in two versions, all under licences that we may use.
// What needs the network (advisories) is for `cargo deny check` with deny.toml.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** `rsa` signs in variable time (RUSTSEC-2023-0071): an oracle of tests, and nothing else. The others would bring code that is not Rust. */
const BANNED = ['rsa', 'openssl', 'openssl-sys', 'ring', 'aws-lc-sys', 'cc', 'cmake', 'bindgen'];
const LICENCES = [
  'MIT',
  'Apache-2.0',
  'Apache-2.0 WITH LLVM-exception',
  'BSD-3-Clause',
  'Unicode-3.0',
  'Zlib',
  '0BSD',
  'Unlicense',
];
const HOST = /host: (\S+)/.exec(execFileSync('rustc', ['-vV'], { encoding: 'utf8' }))[1];
const REGISTRY = 'registry+https://github.com/rust-lang/crates.io-index';
/** A macro's parser runs while the crate is built and is in no program; serde's and wasm-bindgen's are of different years. */
const MAY_BE_TWICE = ['syn'];

/** What `cargo` would build with these features, for the platform that has them: packages that are reached without dev-dependencies. */
function built(features) {
  const inJavaScript = features.includes('js') || features.includes('fetch');
  const platform = inJavaScript ? 'wasm32-unknown-unknown' : HOST;
  const args = [
    'metadata',
    '--format-version=1',
    '--locked',
    '--offline',
    '--filter-platform',
    platform,
    '--features',
    features.join(','),
  ];
  const metadata = JSON.parse(
    execFileSync('cargo', args, {
      cwd: ROOT,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  const packages = new Map(metadata.packages.map((each) => [each.id, each]));
  const nodes = new Map(metadata.resolve.nodes.map((node) => [node.id, node]));
  const seen = new Set();
  const visit = (id) => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const { pkg, dep_kinds } of nodes.get(id).deps)
      if (dep_kinds.some(({ kind }) => kind !== 'dev')) visit(pkg);
  };
  visit(metadata.resolve.root);
  seen.delete(metadata.resolve.root);
  return [...seen].map((id) => packages.get(id));
}

/** What is wrong with them. */
function faults(crates, { mayBeTwice = false } = {}) {
  const found = [];
  const versions = grouped(crates);
  for (const { name, version, license, source } of crates) {
    if (BANNED.includes(name)) found.push(`${name} is banned`);
    if (source !== REGISTRY) found.push(`${name} ${version} comes from ${source}`);
    const choices = (license ?? '').split(/\s+OR\s+|\//).map((choice) => choice.replace(/[()]/g, '').trim());
    const all = choices.some((choice) => choice.split(/\s+AND\s+/).every((part) => LICENCES.includes(part)));
    if (!all) found.push(`${name} ${version} is under ${license}`);
  }
  for (const [name, each] of versions)
    if (each.length > 1 && !mayBeTwice && !MAY_BE_TWICE.includes(name))
      found.push(`${name} is there as ${each.map(({ version }) => version).join(' and ')}`);
  return found;
}

function grouped(crates) {
  const groups = new Map();
  for (const each of crates) groups.set(each.name, [...(groups.get(each.name) ?? []), each]);
  return groups;
}

for (const features of [
  ['js'],
  ['js', 'gate', 'revocation'],
  ['js', 'issuer'],
  ['tower'],
  ['fetch'],
  ['js', 'ml-dsa'],
]) {
  test(`the crates behind ${features.join(', ')} are ours to use`, () => {
    const crates = built(features);
    assert.ok(crates.length > 10, `${crates.length} crates were found`);
    // ml-dsa stands on the next generation of RustCrypto, and the rest on the one that jwt-compact uses.
    const mayBeTwice = features.includes('ml-dsa');
    assert.deepEqual(faults(crates, { mayBeTwice }), []);
  });
}

test('the gate of crates finds each fault', () => {
  const good = { name: 'a', version: '1.0.0', license: 'MIT OR Apache-2.0', source: REGISTRY };
  assert.deepEqual(faults([good]), []);
  for (const [bad, fault] of [
    [{ ...good, name: 'rsa' }, 'rsa is banned'],
    [{ ...good, license: 'GPL-3.0-only' }, 'a 1.0.0 is under GPL-3.0-only'],
    [{ ...good, license: 'MIT AND GPL-2.0' }, 'a 1.0.0 is under MIT AND GPL-2.0'],
    [{ ...good, license: null }, 'a 1.0.0 is under null'],
    [{ ...good, source: 'git+https://example.com/a' }, 'a 1.0.0 comes from git+https://example.com/a'],
  ])
    assert.deepEqual(faults([bad]), [fault]);
  assert.deepEqual(faults([good, { ...good, version: '2.0.0' }]), ['a is there as 1.0.0 and 2.0.0']);
});
