// The files of vectors, for whoever runs them. What each member means stands in README.md.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDERS = ['jws', 'keys', 'claims', 'policy', 'gate', 'revocation'];

/** Those of some folders, all by default, by name: `{ name, source, policies, vectors }`. */
export function readVectors(...folders) {
  return (folders.length > 0 ? folders : FOLDERS)
    .flatMap((folder) => {
      const path = fileURLToPath(new URL(`${folder}/`, import.meta.url));
      const names = readdirSync(path).filter((name) => name.endsWith('.json'));
      return names.map((name) => ({ name, ...JSON.parse(readFileSync(path + name, 'utf8')) }));
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
