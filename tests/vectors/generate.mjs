// Writes the vectors into the folders beside it, without randomness: the same generator writes the
// same files. Run by hand when a theme below changes; the files are checked in.
//   node tests/vectors/generate.mjs            writes them
//   node tests/vectors/generate.mjs --check    says whether they are what it would write
import { readFileSync, writeFileSync } from 'node:fs';

/** What is in which folder. */
const THEMES = {
  jws: [
    'algorithms',
    'names',
    'structure',
    'limits',
    'json',
    'header',
    'signatures',
    'weierstrass',
    'edwards',
    'speccheck',
    'rsa',
    'flips',
    'pipeline',
    'canaries',
    'inspect',
    'rfc',
  ],
  keys: ['keys', 'key-forms', 'keysets', 'members', 'documents', 'issuers', 'tenants', 'remote'],
  claims: ['claims', 'time', 'claims-asked', 'deviations'],
  policy: ['policy', 'alternatives', 'presets', 'presets-platforms', 'presets-identity', 'presets-clouds'],
  gate: [
    'authorization',
    'bound',
    'gate-requests',
    'gate-paths',
    'gate-requirements',
    'gate-binding',
    'gate-elsewhere',
    'gate-origins',
    'gate-proxies',
    'gate-places',
    'plain-http-hosts',
    'gate-preflights',
    'gate-kinds',
    'gate-forms',
    'gate-evidence',
  ],
  revocation: ['revocation', 'revocation-epochs', 'status-lists'],
};

const check = process.argv.includes('--check');
const ids = new Set();
const stale = [];
const themes = Object.entries(THEMES).flatMap(([folder, names]) => names.map((theme) => [folder, theme]));
for (const [folder, theme] of themes) {
  const { file } = await import(`./generate/${theme}.mjs`);
  for (const { id } of file.vectors) {
    if (ids.has(id)) throw new Error(`${id} is there twice`);
    ids.add(id);
  }
  const url = new URL(`${folder}/${theme}.json`, import.meta.url);
  const text = `${JSON.stringify(file, null, 1)}\n`;
  if (!check) writeFileSync(url, text);
  else if (readFileSync(url, 'utf8') !== text) stale.push(`${folder}/${theme}.json`);
  console.log(`${theme}: ${file.vectors.length}`);
}
console.log(`${ids.size} vectors`);
if (stale.length > 0) {
  console.error(`not what the generator writes: ${stale.join(', ')}`);
  process.exitCode = 1;
}
