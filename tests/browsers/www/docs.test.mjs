// The documentation in Chromium: it fits, axe-core finds nothing serious in either theme, it needs
// no script, and the search finds, offline too.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../../support/binaries.mjs';
import { audit } from './axe.mjs';
import { ENGINES } from './browsers.mjs';
import { serveSite } from './site.mjs';

const SHOTS = join(ROOT, 'target', 'screenshots');
const PAGES = [
  'index.html',
  'start/workers.html',
  'providers/keycloak.html',
  'guides/gate.html',
  'reference/policy.html',
  'reference/codes.html',
  'reference/codes/expired.html',
  'explanation/pipeline.html',
  'search.html?q=audience',
];
const PATIENCE_MS = 15_000;

let site;
let chromium;
before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  site = await serveSite();
  chromium = await ENGINES.Chromium();
});
after(async () => {
  await chromium?.stop();
  await site?.stop();
});

async function until(page, condition, argument) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await page.evaluate(condition, argument))) {
    if (Date.now() > end) throw new Error(`It never comes that ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const results = (page) =>
  page.evaluate(() => [...document.querySelectorAll('#results a')].map((link) => link.getAttribute('href')));

for (const [width, colorScheme] of [
  [390, 'light'],
  [768, 'dark'],
  [1440, 'light'],
  [1440, 'dark'],
])
  test(`fits ${width} px and axe finds nothing serious, ${colorScheme}`, async () => {
    for (const path of PAGES) {
      const options = { width, height: 900, colorScheme, bypassCSP: true };
      const { page, goto, close } = await chromium.open('about:blank', options);
      await goto(`${site.origin}/docs/${path}`);
      if (path.startsWith('search')) await until(page, () => document.querySelector('#results a') !== null);
      const name = path.replace(/\.html.*$/, '').replaceAll('/', '-');
      await page.screenshot({ path: join(SHOTS, `docs-${name}-${width}-${colorScheme}.png`) });
      const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(tooWide <= 0, `${path} is ${tooWide} px too wide`);
      assert.deepEqual(await audit(page), [], path);
      await close();
    }
  });

test('the search finds a code, a field and a provider first, as one writes', async () => {
  const { page, goto, complaints, close } = await chromium.open('about:blank');
  await goto(`${site.origin}/docs/search.html`);
  for (const [question, expected] of [
    ['type-mismatch', 'reference/codes/type-mismatch.html'],
    ['keycloak', 'providers/keycloak.html'],
    ['sealed policy', 'guides/seal.html'],
  ]) {
    await page.fill('#find', question);
    await until(page, () => document.querySelector('#results a') !== null);
    assert.equal((await results(page))[0].split('#')[0], expected, question);
  }
  await page.fill('#find', 'xyzzy');
  await until(page, () => document.querySelector('#told').textContent === 'Nothing was found.');
  assert.deepEqual(complaints, []);
  await close();
});

test('the form leads to the search from any page, without a script of the page', async () => {
  const { page, goto, close } = await chromium.open('about:blank');
  await goto(`${site.origin}/docs/guides/gate.html`);
  await page.fill('#find', 'okta');
  await Promise.all([page.waitForURL('**/search.html?q=okta'), page.keyboard.press('Enter')]);
  await until(page, () => document.querySelector('#results a') !== null);
  assert.ok((await results(page)).some((address) => address.startsWith('providers/okta.html')));
  await close();
});

test('once somebody has searched, all pages can be read offline', async () => {
  const own = await serveSite();
  const { page, context, goto, close } = await chromium.open('about:blank');
  await goto(`${own.origin}/docs/search.html`);
  await until(page, async () => {
    const names = await caches.keys();
    const found = await Promise.all(
      names.map(async (name) => (await caches.open(name)).match('/docs/reference/codes/expired.html')),
    );
    return found.some(Boolean);
  });
  await own.stop();
  await context.setOffline(true);
  await goto(`${own.origin}/docs/reference/codes/expired.html`);
  assert.match(await page.locator('h1').textContent(), /expired/);
  await close();
});
