// What ran, as a table on the screen, as JSON and in the documentation.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { writeBetween } from '../support/between.mjs';
import { ROOT } from '../support/binaries.mjs';

export function printTable(rows) {
  const cells = rows.map(({ title, library, version, passed, total, explained, seconds, error }) => [
    title,
    library,
    version ?? '–',
    error ? 'did not run' : `${explained ? `${passed - explained}+${explained}` : passed}/${total}`,
    error ? '' : String(total - passed),
    seconds.toFixed(1),
  ]);
  const all = [['runtime', 'library', 'version', 'passed', 'failed', 'seconds'], ...cells];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  for (const row of all)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}

export async function writeTable(rows) {
  const folder = join(ROOT, 'target', 'conformance');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'table.json'), `${JSON.stringify({ rows }, null, 2)}\n`);
}

/** Replaces the table of the documentation. Times are left out: they tell of the machine. */
export async function writeReadme(rows) {
  const lines = rows
    .filter(({ library }) => library === 'portcullis')
    .map(
      ({ title, version, entry, passed, total }) =>
        `| ${title} | ${version} | \`${entry}\` | ${passed} of ${total} |`,
    );
  const head = ['| Runtime | Version | Entry | Checks passed |', '| --- | --- | --- | --- |'];
  writeBetween('www/docs/reference/runtimes.md', 'runtimes', [...head, ...lines].join('\n'));
}
