// The documentation in Chromium, Firefox and WebKit: it fits, axe-core finds nothing serious in
// either theme, it needs no script, and the search finds, offline too.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../../support/binaries.mjs';
import { until } from './acts.mjs';
import { audit, auditIn } from './axe.mjs';
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
/** What Firefox and WebKit look at: a page of text, one of tables, a code and the search. */
const FEWER = [
  'start/workers.html',
  'reference/policy.html',
  'reference/codes/expired.html',
  'search.html?q=audience',
];
const SCHEMES = ['light', 'dark'];

let site;
before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  site = await serveSite();
});
after(() => site?.stop());

const results = (page) =>
  page.run(() => [...document.querySelectorAll('#results a')].map((link) => link.getAttribute('href')));
const isFound = () => document.querySelector('#results a') !== null;
const ask = (page, question) =>
  page.run((question) => {
    const field = document.querySelector('#find');
    field.value = question;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }, question);
const tooWide = (page) => page.run(() => document.documentElement.scrollWidth - innerWidth);

for (const width of [390, 768, 1440])
  for (const colorScheme of SCHEMES)
    test(`Chromium: fits ${width} px and axe finds nothing serious, ${colorScheme}`, async () => {
      const chromium = await ENGINES.Chromium();
      for (const path of PAGES) {
        const options = { width, height: 900, colorScheme, bypassCSP: true };
        const opened = await chromium.open('about:blank', options);
        await opened.goto(`${site.origin}/docs/${path}`);
        if (path.startsWith('search')) await until(opened, isFound);
        const name = path.replace(/\.html.*$/, '').replaceAll('/', '-');
        await opened.page.screenshot({ path: join(SHOTS, `docs-${name}-${width}-${colorScheme}.png`) });
        assert.ok((await tooWide(opened)) <= 0, `${path} is too wide`);
        assert.deepEqual(await audit(opened.page), [], path);
        await opened.close();
      }
      await chromium.stop();
    });

test('Chromium: without JavaScript each page is there, and the search lists them all', async () => {
  const chromium = await ENGINES.Chromium();
  const { page, goto, complaints } = await chromium.open('about:blank', { javaScriptEnabled: false });
  for (const path of PAGES) {
    await goto(`${site.origin}/docs/${path}`);
    assert.ok(await page.locator('main h1').isVisible(), path);
  }
  assert.match(await page.locator('#told').textContent(), /Without one, here are all pages/);
  assert.ok((await page.locator('main section li a').count()) > 100);
  assert.deepEqual(complaints, []);
  await chromium.stop();
});

for (const name of Object.keys(ENGINES))
  test(`${name}: the documentation`, async (t) => {
    const browser = await ENGINES[name]();
    t.after(() => browser.stop());

    if (name !== 'Chromium')
      for (const width of [390, 768, 1440])
        for (const scheme of SCHEMES)
          await t.test(`fits ${width} px and axe finds nothing serious, ${scheme}`, async () => {
            for (const path of FEWER) {
              const page = await browser.open(`${site.origin}/docs/${path}`, { width, height: 900 });
              // As the browser would by the person's choice: every colour goes by it.
              await page.run((scheme) => {
                document.documentElement.style.colorScheme = scheme;
              }, scheme);
              if (path.startsWith('search')) await until(page, isFound);
              assert.ok((await tooWide(page)) <= 0, `${path} is too wide`);
              assert.deepEqual(await auditIn(page), [], path);
              await page.close();
            }
          });

    await t.test('the themes differ', async () => {
      const page = await browser.open(`${site.origin}/docs/index.html`);
      const grounds = [];
      for (const scheme of SCHEMES)
        grounds.push(
          await page.run((scheme) => {
            document.documentElement.style.colorScheme = scheme;
            return getComputedStyle(document.body).backgroundColor;
          }, scheme),
        );
      assert.equal(new Set(grounds).size, 2, String(grounds));
      await page.close();
    });

    await t.test('the search finds a code, a field and a provider first, as one writes', async () => {
      const page = await browser.open(`${site.origin}/docs/search.html`);
      await until(page, () => /^Write a word/.test(document.querySelector('#told').textContent));
      for (const [question, expected] of [
        ['type-mismatch', 'reference/codes/type-mismatch.html'],
        ['keycloak', 'providers/keycloak.html'],
        ['sealed policy', 'guides/seal.html'],
      ]) {
        await ask(page, question);
        await until(page, isFound);
        assert.equal((await results(page))[0].split('#')[0], expected, question);
      }
      await ask(page, 'xyzzy');
      await until(page, () => document.querySelector('#told').textContent === 'Nothing was found.');
      assert.deepEqual(page.complaints, []);
      await page.close();
    });

    await t.test('the form leads to the search from any page, without a script of the page', async () => {
      const page = await browser.open(`${site.origin}/docs/guides/gate.html`);
      assert.equal(await page.run(() => document.scripts.length), 0);
      await page.click('#find');
      await page.type('okta');
      await page.press('Enter');
      await until(page, () => location.pathname.endsWith('/search.html') && location.search === '?q=okta');
      await until(page, isFound);
      assert.ok((await results(page)).some((address) => address.startsWith('providers/okta.html')));
      await page.close();
    });

    await t.test('once somebody has searched, all pages can be read offline, and searched', async () => {
      const own = await serveSite();
      const page = await browser.open(`${own.origin}/docs/search.html`);
      await until(page, async () => {
        const names = await caches.keys();
        const found = await Promise.all(
          names.map(async (name) => (await caches.open(name)).match('/docs/reference/codes/expired.html')),
        );
        return found.some(Boolean);
      });
      // Nobody is there any more.
      await own.stop();
      await page.goto(`${own.origin}/docs/reference/codes/expired.html`);
      assert.match(await page.run(() => document.querySelector('h1').textContent), /expired/);
      await page.goto(`${own.origin}/docs/search.html?q=keycloak`);
      await until(page, isFound);
      await page.close();
    });
  });
