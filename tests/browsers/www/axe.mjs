// axe-core in a page: in Chromium one that was opened with `bypassCSP`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../../support/binaries.mjs';

const AXE = readFileSync(join(ROOT, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');

/** What axe calls serious or critical, as `rule: element`. */
export async function audit(page) {
  await page.evaluate(AXE);
  return seriousOf(await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] })));
}

/** The same in any engine, of a page of `ENGINES`: a driver's own script runs under any policy. */
export async function auditIn(page) {
  await page.inject(AXE);
  return seriousOf(await page.run(() => window.axe.run(document, { resultTypes: ['violations'] })));
}

function seriousOf({ violations }) {
  return violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
    );
}
