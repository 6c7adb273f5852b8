// axe-core in a page that was opened with `bypassCSP`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../../support/binaries.mjs';

const AXE = readFileSync(join(ROOT, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');

/** What axe calls serious or critical, as `rule: element`. */
export async function audit(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
    );
}
