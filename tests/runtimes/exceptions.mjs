// The list of disagreements with jose, held against what jose did. Both ways: a disagreement
// nobody explained fails, and so does an explanation of one that is gone. An entry with `runtimes`
// (names of run.mjs) holds there alone: jose verifies with the WebCrypto it finds.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from '../support/binaries.mjs';
import { idsFor } from './suite.mjs';

const FILE = join(ROOT, 'tests', 'runtimes', 'jose-disagreements.json');

/** Of jose's failures, those that stay failures; `explained` counts the rest. */
export async function withoutExplained({ failed, total }, kinds, vectorFiles, runtime) {
  const entries = JSON.parse(await readFile(FILE, 'utf8')).disagreements.filter(
    (entry) => entry.runtimes?.includes(runtime) ?? true,
  );
  const known = idsFor(kinds, vectorFiles);
  const disagreed = new Map(failed.map((failure) => [failure.id, failure]));
  const listed = new Set();
  const faults = [];
  for (const { reason, ids } of entries) {
    for (const id of ids.flatMap((pattern) => matching(pattern, known, faults))) {
      if (listed.has(id)) faults.push({ id, expected: 'one reason', got: `listed twice, here: ${reason}` });
      listed.add(id);
      if (!disagreed.has(id))
        faults.push({ id, expected: `a disagreement: ${reason}`, got: 'jose agrees: take it off the list' });
    }
  }
  for (const failure of failed) if (!listed.has(failure.id)) faults.push(failure);
  const explained = failed.filter(({ id }) => listed.has(id)).length;
  return { passed: total - faults.length, failed: faults, total, explained };
}

/** `a-*` names every vector whose id begins so; all of them have to disagree. */
function matching(pattern, known, faults) {
  const ids = pattern.endsWith('*')
    ? known.filter((id) => id.startsWith(pattern.slice(0, -1)))
    : known.filter((id) => id === pattern);
  if (ids.length === 0) faults.push({ id: pattern, expected: 'a vector of that id', got: 'none' });
  return ids;
}
