// Writes the vectors beside it. Run by hand when a theme below changes; the files are checked in.
//   node tests/vectors/generate.mjs
import { writeFileSync } from 'node:fs';

const THEMES = [
  'algorithms',
  'structure',
  'header',
  'keys',
  'keysets',
  'signatures',
  'edwards',
  'claims',
  'time',
  'policy',
  'authorization',
  'rfc',
];

const ids = new Set();
for (const theme of THEMES) {
  const { file } = await import(`./generate/${theme}.mjs`);
  for (const { id } of file.vectors) {
    if (ids.has(id)) throw new Error(`${id} is there twice`);
    ids.add(id);
  }
  writeFileSync(new URL(`${theme}.json`, import.meta.url), `${JSON.stringify(file, null, 1)}\n`);
  console.log(`${theme}: ${file.vectors.length}`);
}
console.log(`${ids.size} vectors`);
