// The front page: what it does in every engine, and what it owes besides, in Chromium.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { SITE } from '../../../src/build/pages.mjs';
import { ROOT } from '../../support/binaries.mjs';
import { until } from './acts.mjs';
import { audit } from './axe.mjs';
import { ENGINES } from './browsers.mjs';
import { serveSite } from './site.mjs';

const SHOTS = join(ROOT, 'target', 'screenshots');
const DOORS = ['docs/index.html', 'inspect/index.html', 'demo/index.html'];

let site;
before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  site = await serveSite();
});
after(() => site?.stop());

const isReady = () => document.documentElement.dataset.ready === 'true';
const timed = (id) => /^Decided in \d+\.\d+ µs/.test(document.querySelector(`#${id} .micros`).textContent);
const said = (page, id) =>
  page.run((id) => {
    const panel = document.getElementById(id);
    const code = panel.querySelector('.outcome-line .code');
    return [panel.dataset.state, code.checkVisibility() ? code.textContent : ''];
  }, id);
/** Puts another character in the place of one: in header, claims or signature. */
const change = (page, id, part) =>
  page.run(
    (id, part) => {
      const field = document.querySelector(`#${id} textarea`);
      const segments = field.value.split('.');
      const other = segments[part][3] === 'A' ? 'B' : 'A';
      segments[part] = `${segments[part].slice(0, 3)}${other}${segments[part].slice(4)}`;
      field.value = segments.join('.');
      field.dispatchEvent(new Event('input', { bubbles: true }));
    },
    id,
    part,
  );

for (const name of Object.keys(ENGINES))
  test(`${name}: a token passes, one is refused, and a changed character is noticed`, async () => {
    const browser = await ENGINES[name]();
    const page = await browser.open(`${site.origin}/`);
    try {
      await until(page, isReady);
      assert.deepEqual(await said(page, 'good'), ['accepted', '']);
      assert.deepEqual(await said(page, 'bad'), ['refused', 'signature-invalid']);
      for (const id of ['good', 'bad']) await until(page, timed, id);
      for (const part of [0, 1, 2]) {
        await change(page, 'good', part);
        assert.equal((await said(page, 'good'))[0], 'refused', `segment ${part}`);
        await page.click('#good .back');
        assert.deepEqual(await said(page, 'good'), ['accepted', '']);
      }
      await page.click('#good .change');
      const [state, code] = await said(page, 'good');
      assert.equal(state, 'refused');
      await until(page, timed, 'good');
      const href = await page.run(() => document.querySelector('#good .code').href);
      assert.ok(
        href.endsWith(`/docs/reference/codes/${code}.html`) && existsSync(join(SITE, new URL(href).pathname)),
      );
      const doors = await page.run(() =>
        [...document.querySelectorAll('.doors a')].map((link) =>
          link.getAttribute('href').slice('./'.length),
        ),
      );
      assert.deepEqual(doors, [...DOORS, 'inspect/index.html#policy', 'inspect/index.html#attacks']);
      for (const door of DOORS) assert.ok(existsSync(join(SITE, door)), door);
      assert.match(
        await page.run(() => document.querySelector('#install').textContent),
        /^npm install portcullis$/,
      );
      assert.deepEqual(page.complaints, []);
    } finally {
      await page.close();
      await browser.stop();
    }
  });

test('it fits, axe finds nothing serious, nothing moves, and it needs no network and no script', async (t) => {
  const chromium = await ENGINES.Chromium();
  const open = async (options, origin = site.origin) => {
    const opened = await chromium.open('about:blank', options);
    await opened.page.addInitScript(() => {
      window.shifts = [];
      new PerformanceObserver((list) =>
        window.shifts.push(...list.getEntries().map(({ value }) => value)),
      ).observe({ type: 'layout-shift', buffered: true });
    });
    await opened.goto(`${origin}/`);
    return opened;
  };
  for (const width of [390, 768, 1440])
    for (const colorScheme of ['light', 'dark'])
      await t.test(`${width} px, ${colorScheme}`, async () => {
        const opened = await open({ width, height: 900, colorScheme, bypassCSP: true });
        await until(opened, isReady);
        for (const id of ['good', 'bad']) await until(opened, timed, id);
        const { page } = opened;
        await page.screenshot({ path: join(SHOTS, `home-${width}-${colorScheme}.png`), fullPage: true });
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
        const shifts = await page.evaluate(() => window.shifts);
        assert.ok(shifts.reduce((sum, shift) => sum + shift, 0) < 0.001, String(shifts));
        assert.deepEqual(await audit(page), []);
        await opened.close();
      });
  await t.test('offline', async () => {
    const own = await serveSite();
    const opened = await open({}, own.origin);
    await until(opened, () => document.querySelector('#offline').textContent === 'Works offline.');
    await own.stop();
    await opened.context.setOffline(true);
    await opened.page.reload();
    await until(opened, isReady);
    assert.deepEqual(await said(opened, 'good'), ['accepted', '']);
    await opened.close();
  });
  await t.test('without a script', async () => {
    const { page, close } = await open({ javaScriptEnabled: false });
    assert.ok(await page.locator('noscript .problem').isVisible());
    assert.notEqual(
      await page.locator('#good-token').evaluate((field) => getComputedStyle(field).color),
      'rgba(0, 0, 0, 0)',
    );
    assert.equal(await page.locator('.doors a').count(), 5);
    await close();
  });
  await chromium.stop();
});
