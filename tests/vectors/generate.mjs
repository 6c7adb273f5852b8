// Writes the vectors beside it, without randomness: the same generator writes the same files. Run by hand when a theme below changes; the files
// are checked in.
//   node tests/vectors/generate.mjs            writes them
//   node tests/vectors/generate.mjs --check    says whether they are what it would write
import { readFileSync, writeFileSync } from 'node:fs';

const THEMES = [
  'algorithms',
  'names',
  'structure',
  'limits',
  'json',
  'header',
  'keys',
  'keysets',
  'members',
  'documents',
  'signatures',
  'weierstrass',
  'edwards',
  'speccheck',
  'rsa',
  'flips',
  'claims',
  'time',
  'pipeline',
  'policy',
  'remote',
  'revocation',
  'status-lists',
  'claims-asked',
  'presets',
  'presets-platforms',
  'authorization',
  'bound',
  'issuers',
  'gate-requests',
  'gate-paths',
  'gate-requirements',
  'gate-binding',
  'gate-elsewhere',
  'gate-origins',
  'gate-preflights',
  'gate-kinds',
  'gate-evidence',
  'canaries',
  'inspect',
  'rfc',
];

const check = process.argv.includes('--check');
const ids = new Set();
const stale = [];
for (const theme of THEMES) {
  const { file } = await import(`./generate/${theme}.mjs`);
  for (const { id } of file.vectors) {
    if (ids.has(id)) throw new Error(`${id} is there twice`);
    ids.add(id);
  }
  const url = new URL(`${theme}.json`, import.meta.url);
  const text = `${JSON.stringify(file, null, 1)}\n`;
  if (!check) writeFileSync(url, text);
  else if (readFileSync(url, 'utf8') !== text) stale.push(`${theme}.json`);
  console.log(`${theme}: ${file.vectors.length}`);
}
console.log(`${ids.size} vectors`);
if (stale.length > 0) {
  console.error(`not what the generator writes: ${stale.join(', ')}`);
  process.exitCode = 1;
}
