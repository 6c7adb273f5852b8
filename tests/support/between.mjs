// Writes a table into a document, between two comments that stay.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../../src/build/steps.mjs';

/**
 * Replaces what stands between `<!-- name:start -->` and `<!-- name:end -->` of a file of the
 * repository.
 */
export function writeBetween(file, name, text) {
  const [first, last] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const path = join(ROOT, file);
  const document = readFileSync(path, 'utf8');
  const [start, end] = [document.indexOf(first), document.indexOf(last)];
  if (start < 0 || end < start) throw new Error(`${file} has no ${first} … ${last}`);
  writeFileSync(path, `${document.slice(0, start + first.length)}\n${text}\n${document.slice(end)}`);
}
