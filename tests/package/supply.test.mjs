// The crates that the library is built of, as cargo resolves them, by the rules of `deny.toml`:
// none that is banned, none from elsewhere, none in two versions, all under licences that we may
// use. What needs the network (advisories) is for `cargo deny check`.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { parse } from 'smol-toml';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const deny = parse(readFileSync(new URL('../../deny.toml', import.meta.url), 'utf8'));
const LICENCES = deny.licenses.allow;
const BANNED = deny.bans.deny.map(({ crate }) => crate);
const [SKIPPED, SKIPPED_TREES] = [deny.bans.skip, deny.bans['skip-tree']].map((rules) =>
  rules.map(({ crate }) => crate),
);
const HOST = /host: (\S+)/.exec(execFileSync('rustc', ['-vV'], { encoding: 'utf8' }))[1];
const REGISTRY = 'registry+https://github.com/rust-lang/crates.io-index';
const WASM = 'wasm32-unknown-unknown';

const inJavaScript = (features) => features.includes('js') || features.includes('fetch');

/**
 * What `cargo` would build with these features for that platform: packages that are reached without
 * dev-dependencies, unless those are asked for.
 */
function built(features, { platform = inJavaScript(features) ? WASM : HOST, dev = false } = {}) {
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
  const below = (root, seen = new Set()) => {
    for (const { pkg, dep_kinds } of nodes.get(root).deps) {
      if (seen.has(pkg) || !(dev || dep_kinds.some(({ kind }) => kind !== 'dev'))) continue;
      seen.add(pkg);
      below(pkg, seen);
    }
    return seen;
  };
  const all = [...below(metadata.resolve.root)].map((id) => packages.get(id));
  const roots = all.filter((each) => SKIPPED_TREES.some((spec) => is(each, spec)));
  const apart = new Set(roots.flatMap(({ id }) => [id, ...below(id)]));
  return all.map((each) => ({ ...each, apart: apart.has(each.id) }));
}

/** Whether a package is the one that `name` or `name@version` means. */
function is({ name, version }, spec) {
  const [whose, wanted] = spec.split('@');
  return name === whose && (wanted === undefined || version === wanted || version.startsWith(`${wanted}.`));
}

/** What is wrong with them. */
function faults(crates) {
  const found = [];
  for (const each of crates) {
    const { name, version, license, source } = each;
    if (BANNED.some((spec) => is(each, spec))) found.push(`${name} is banned`);
    if (source !== REGISTRY) found.push(`${name} ${version} comes from ${source}`);
    const choices = (license ?? '').split(/\s+OR\s+|\//).map((choice) => choice.replace(/[()]/g, '').trim());
    const all = choices.some((choice) => choice.split(/\s+AND\s+/).every((part) => LICENCES.includes(part)));
    if (!all) found.push(`${name} ${version} is under ${license}`);
  }
  const counted = crates.filter((each) => !each.apart && !SKIPPED.some((spec) => is(each, spec)));
  for (const [name, each] of grouped(counted))
    if (each.length > 1)
      found.push(`${name} is there as ${each.map(({ version }) => version).join(' and ')}`);
  return found;
}

function grouped(crates) {
  const groups = new Map();
  for (const each of crates) groups.set(each.name, [...(groups.get(each.name) ?? []), each]);
  return groups;
}

const FEATURES = [
  ['js'],
  ['js', 'gate-js', 'revocation'],
  ['js', 'issuer'],
  ['tower'],
  ['fetch'],
  ['js', 'ml-dsa'],
];
const EVERYTHING = [...new Set(FEATURES.flat())];

for (const features of FEATURES) {
  test(`the crates behind ${features.join(', ')} are ours to use`, () => {
    const crates = built(features);
    assert.ok(crates.length > 10, `${crates.length} crates were found`);
    assert.deepEqual(faults(crates), []);
  });
}

test('all of them together are, on each platform, and no exception is one too many', () => {
  const crates = [HOST, WASM].flatMap((platform) => built(EVERYTHING, { platform }));
  const once = [...new Map(crates.map((each) => [each.id, each])).values()];
  assert.deepEqual(faults(once), []);
  for (const spec of [...SKIPPED, ...SKIPPED_TREES])
    assert.ok(
      once.some((each) => is(each, spec)),
      `${spec} is not there`,
    );
  for (const licence of LICENCES)
    assert.ok(
      once.some(({ license }) => license.includes(licence)),
      `nothing is under ${licence}`,
    );
  assert.ok(faults(once.map((each) => ({ ...each, apart: false }))).length > 0, 'nothing is there twice');
});

test('what is banned stands among what tests are built of, and is found there', () => {
  const found = faults(built(EVERYTHING, { platform: HOST, dev: true }));
  assert.ok(found.includes('rsa is banned'), found.join('\n'));
});

test('deny.toml has no rule that is not asked here', () => {
  const asked = {
    graph: { 'all-features': true, 'exclude-dev': true },
    // The tool's, for it needs the network.
    advisories: deny.advisories,
    licenses: { allow: LICENCES, 'unused-allowed-license': 'deny' },
    bans: { ...deny.bans, 'multiple-versions': 'deny', wildcards: 'deny' },
    sources: { 'unknown-registry': 'deny', 'unknown-git': 'deny' },
  };
  assert.deepEqual(JSON.parse(JSON.stringify(deny)), JSON.parse(JSON.stringify(asked)));
  const members = ['deny', 'multiple-versions', 'skip', 'skip-tree', 'wildcards'];
  assert.deepEqual(Object.keys(deny.bans).sort(), members);
  for (const rule of [...deny.bans.deny, ...deny.bans.skip, ...deny.bans['skip-tree']])
    assert.deepEqual(
      Object.keys(rule).filter((member) => !['crate', 'reason'].includes(member)),
      [],
    );
  assert.ok(BANNED.includes('rsa'));
});

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
  const newer = { ...good, version: '2.0.0' };
  assert.deepEqual(faults([good, newer]), ['a is there as 1.0.0 and 2.0.0']);
  assert.deepEqual(faults([good, { ...newer, apart: true }]), []);
});
