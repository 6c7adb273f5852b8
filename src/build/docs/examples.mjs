// The examples that tests run stand in pages as they are: behind a link to the file comes its text.
//   node src/build/docs/examples.mjs            writes them
//   node src/build/docs/examples.mjs --check    says which page shows another text
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isMain, main, Plain, ROOT } from '../steps.mjs';
import { resolve } from './markdown.mjs';
import { isThere, readPages } from './tree.mjs';

/** A link to a file, the words behind it, and the fenced block that follows. */
const SHOWN = /\]\(([^)\s]+\.(?:m?js|rs|ts))\)([^\n]*\n\n?```[^\n]*\n)([\s\S]*?)```/g;

/**
 * The pages whose examples differ from their files: `{ source, markdown }`, with what should stand
 * there.
 */
export function outdated() {
  const pages = [...readPages().values()].filter(({ source }) => source.startsWith('www/docs/'));
  return pages.flatMap(({ source, markdown }) => {
    const current = markdown.replaceAll(SHOWN, (all, link, between, text) => {
      const file = resolve(source, link);
      if (!file.startsWith('tests/') || !isThere(file)) return all;
      return all.replace(
        `${between}${text}\`\`\``,
        () => `${between}${readFileSync(join(ROOT, file), 'utf8')}\`\`\``,
      );
    });
    return current === markdown ? [] : [{ source, markdown: current }];
  });
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const pages = outdated();
    if (!process.argv.includes('--check'))
      for (const { source, markdown } of pages) writeFileSync(join(ROOT, source), markdown);
    else if (pages.length > 0) {
      const names = pages.map(({ source }) => source).join(', ');
      throw new Plain(`${names} shows another text than its example: run node src/build/docs/examples.mjs`);
    }
  });
}
