// What a page owes besides its tasks, in Chromium: axe-core finds nothing serious, nothing leaves
// the origin, it works offline, nothing moves when it loads, a link carries no token, and it fits.
// The main states are written to target/screenshots, to be looked at.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../../support/binaries.mjs';
import { audit } from './axe.mjs';
import { ENGINES } from './browsers.mjs';
import { serveSite } from './site.mjs';

const SHOTS = join(ROOT, 'target', 'screenshots');
const VIEWS = ['inspect', 'verify', 'policy', 'attacks'];
const WIDTHS = [320, 390, 768, 1440];
const SCHEMES = ['light', 'dark'];
const PATIENCE_MS = 15_000;

let site;
let chromium;
const elsewhere = [];

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  site = await serveSite();
  chromium = await ENGINES.Chromium();
});

after(async () => {
  await chromium?.stop();
  await site?.stop();
});

async function open(hash = '', options = {}, { origin } = site) {
  const opened = await chromium.open('about:blank', options);
  const strange = (request) => {
    if (!/^(?:blob|data|about):/.test(request.url()) && new URL(request.url()).origin !== origin)
      elsewhere.push(request.url());
  };
  opened.page.on('requestfinished', strange);
  // What the page's policy has stopped was never sent.
  opened.page.on('requestfailed', (request) => request.failure().errorText !== 'csp' && strange(request));
  await opened.page.addInitScript(() => {
    window.shifts = [];
    new PerformanceObserver((list) =>
      window.shifts.push(
        ...list
          .getEntries()
          .filter((entry) => !entry.hadRecentInput)
          .map((entry) => entry.value),
      ),
    ).observe({ type: 'layout-shift', buffered: true });
    document.addEventListener('securitypolicyviolation', ({ violatedDirective }) =>
      window.violations?.push(violatedDirective),
    );
    window.violations = [];
  });
  await opened.goto(`${origin}/inspect/${hash}`);
  await ready(opened.page).catch((error) => {
    throw new Error(`${error.message} ${opened.complaints}`);
  });
  return opened;
}

const ready = (page) => until(page, () => document.documentElement.dataset.ready === 'true');
const stateIs = (page, id, state) =>
  until(page, ([id, state]) => document.getElementById(id).dataset.state === state, [id, state]);

/**
 * Asked from outside: Playwright's own waiting compiles code in the page, which its policy
 * forbids.
 */
async function until(page, condition, argument) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await page.evaluate(condition, argument))) {
    if (Date.now() > end) throw new Error(`It never comes that ${condition} ${argument ?? ''}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A main state of each section. */
async function reach(page, view) {
  if (view === 'attacks') {
    await page.click('#forge-all');
    await until(page, () => document.querySelector('#all-result').textContent !== '');
    await page.click('#attack-confusion-pem');
    await stateIs(page, 'forged', 'refused');
    return;
  }
  await page.click('#example');
  await stateIs(page, 'outcome', 'unchecked');
  if (view === 'verify') {
    await page.fill('#expect-aud', 'https://other.example');
    await stateIs(page, 'outcome', 'refused');
    await page.click('#measure');
    await until(page, () => /quickest/.test(document.querySelector('#measured').textContent));
  }
  if (view === 'policy') {
    await page.fill(
      '#policy',
      '{ "issuers": [{ "issuer": "https://issuer.example", "audience": "a", "jwks": {} }], "leeway": 5 }',
    );
    await until(page, () => document.querySelector('#policy-problems').children.length > 0);
  }
}

for (const scheme of SCHEMES) {
  for (const width of WIDTHS) {
    test(`fits ${width} px, ${scheme}`, async () => {
      for (const view of VIEWS) {
        const { page, close } = await open(`#${view}`, { width, height: 900, colorScheme: scheme });
        const shot = (name) =>
          page.screenshot({ path: join(SHOTS, `www-${name}-${width}-${scheme}.png`), fullPage: true });
        if (view === 'inspect') await shot('start');
        await reach(page, view);
        await page.evaluate(() => scrollTo(0, 0));
        await shot(view);
        const tooWide = await page.evaluate(() => {
          const overflowing = [...document.querySelectorAll('main *')].filter(
            (one) =>
              one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('#coloured, [aria-hidden]'),
          );
          return [
            document.documentElement.scrollWidth - innerWidth,
            overflowing.slice(0, 3).map((one) => one.outerHTML.slice(0, 120)),
          ];
        });
        assert.ok(tooWide[0] <= 0 && tooWide[1].length === 0, `${view}: ${JSON.stringify(tooWide)}`);
        await close();
      }
    });

    test(`axe finds nothing serious at ${width} px, ${scheme}`, async () => {
      for (const view of VIEWS) {
        const { page, close } = await open(`#${view}`, {
          width,
          height: 900,
          colorScheme: scheme,
          bypassCSP: true,
        });
        await reach(page, view);
        const found = await audit(page);
        assert.deepEqual(found, [], view);
        await close();
      }
    });
  }
}

test('axe would find something if there was something', async () => {
  const { page, close } = await open('', { bypassCSP: true });
  await page.evaluate(() => document.querySelector('label[for="token"]').remove());
  await page.evaluate(() => document.querySelector('#token').removeAttribute('placeholder'));
  assert.match((await audit(page)).join(), /label/);
  await close();
});

test('the sheets are dialogs that axe has nothing against, and Escape closes them', async () => {
  const { page, close } = await open('', { bypassCSP: true });
  for (const [name, id] of [
    ['Nothing leaves this page', 'privacy'],
    ['Share', 'share'],
  ]) {
    await page.getByRole('button', { name, exact: true }).click();
    assert.ok(await page.getByRole('dialog').isVisible());
    assert.deepEqual(await audit(page), [], name);
    await page.screenshot({ path: join(SHOTS, `www-${id}-1280-light.png`) });
    await page.keyboard.press('Escape');
    assert.ok(!(await page.locator(`#${id}`).isVisible()));
  }
  await close();
});

test('the policy that forbids all connections is shown, and holds', async () => {
  const { page, close } = await open();
  await page.getByRole('button', { name: 'Nothing leaves this page' }).click();
  assert.match(await page.locator('#csp').textContent(), /connect-src 'none'/);
  const attempts = await page.evaluate(async () => {
    const outcome = async (work) =>
      work().then(
        () => 'sent',
        () => 'forbidden',
      );
    const image = new Image();
    image.src = 'https://elsewhere.example/?token';
    const through = [() => fetch('/'), () => fetch('https://elsewhere.example/'), () => image.decode()];
    return Promise.all(through.map(outcome));
  });
  assert.deepEqual(attempts, ['forbidden', 'forbidden', 'forbidden']);
  assert.ok(
    (await page.evaluate(() => window.violations)).filter((directive) => directive === 'connect-src')
      .length >= 2,
  );
  await close();
});

test('a plain host without headers is as safe: the page brings its policy', async () => {
  const bare = await serveSite({ bare: true });
  const { page, close } = await open('', {}, bare);
  assert.equal(
    await page.evaluate(() =>
      fetch('/').then(
        () => 'sent',
        () => 'forbidden',
      ),
    ),
    'forbidden',
  );
  await page.click('#example');
  await stateIs(page, 'outcome', 'unchecked');
  await close();
  await bare.stop();
});

for (const view of VIEWS) {
  test(`nothing moves while ${view} loads`, async () => {
    const { page, complaints, close } = await open(`#${view}`);
    await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
    const shifts = await page.evaluate(() => window.shifts);
    assert.ok(shifts.reduce((sum, shift) => sum + shift, 0) < 0.001, `${view}: ${shifts}`);
    assert.deepEqual(complaints, []);
    await close();
  });
}

test('the address and a link carry no token and no secret unless the token is asked for', async () => {
  const { page, close } = await open('#verify');
  await page.click('#example');
  await stateIs(page, 'outcome', 'unchecked');
  const token = await page.inputValue('#token');
  await page.fill('#expect-aud', 'https://api.example');
  await until(page, () => location.hash.includes('aud='));
  const holdsToken = (text) => token.split('.').some((part) => text.includes(part));
  assert.ok(!holdsToken(page.url()) && page.url().includes('key='));
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  await until(page, () => document.querySelector('#share-link').value !== '');
  const link = await page.inputValue('#share-link');
  assert.ok(!holdsToken(link));
  const other = await open(link.slice(link.indexOf('#')));
  assert.equal(await other.page.inputValue('#expect-aud'), 'https://api.example');
  assert.match(await other.page.inputValue('#key'), /"crv": "P-256"/);
  assert.equal(await other.page.inputValue('#token'), '');
  await other.close();
  await page.getByLabel('Put the token in as well').check();
  const withToken = await page.inputValue('#share-link');
  assert.ok(withToken.endsWith(`token=${token}`));
  const third = await open(withToken.slice(withToken.indexOf('#')));
  await stateIs(third.page, 'outcome', 'unchecked');
  assert.ok(!holdsToken(third.page.url()), 'the token stays in the address');
  await third.close();
  await page.keyboard.press('Escape');
  await page.selectOption('#generate-alg', 'HS256');
  await page.click('#generate');
  await stateIs(page, 'outcome', 'unchecked');
  const secret = JSON.parse(await page.inputValue('#key')).k;
  await page.fill('#expect-iss', 'https://issuer.example');
  await until(page, () => location.hash.includes('iss='));
  assert.ok(!page.url().includes('key=') && !page.url().includes(secret));
  await page.click('#to-policy');
  await page.click('#policy-from-verify');
  await page.locator('#policy').press('End');
  await page.waitForTimeout(700);
  assert.ok(!page.url().includes('policy='), 'a policy with a secret is in the address');
  await close();
});

test('a token of a stranger is shown as text', async () => {
  const { page, close } = await open();
  const hostile = Buffer.from(
    '{"<img src=x onerror=alert(1)>":"</pre><script>1</script>","typ":"<b>"}',
  ).toString('base64url');
  await page.fill('#token', `${hostile}.${hostile}.${hostile}`);
  assert.match(await page.locator('#decoded-header').textContent(), /<img src=x/);
  assert.equal(await page.locator('main :is(img, script, pre b, dl b)').count(), 0);
  await close();
});

test('works offline after the first load', async () => {
  const own = await serveSite();
  const { page, context, close } = await open('', {}, own);
  await until(page, () => document.querySelector('#offline').textContent === 'Works offline.');
  await own.stop();
  await context.setOffline(true);
  await page.reload();
  await ready(page);
  await page.click('#example');
  await stateIs(page, 'outcome', 'unchecked');
  await page.click('#to-policy');
  await until(page, () => /This is a policy/.test(document.querySelector('#policy-state').textContent));
  await page.click('#to-attacks');
  await page.click('#attack-jwk');
  await stateIs(page, 'forged', 'refused');
  await close();
});

test('stands still where that is asked for, and prints what matters', async () => {
  const { page, close } = await open('', { reducedMotion: 'reduce' });
  await page.click('#example');
  await stateIs(page, 'outcome', 'unchecked');
  assert.equal(
    await page.evaluate(
      () => getComputedStyle(document.querySelector('.mark[data-name="now"]')).transitionDuration,
    ),
    '0s',
  );
  await page.emulateMedia({ media: 'print' });
  assert.ok(
    !(await page.locator('nav').first().isVisible()) && !(await page.locator('#example').isVisible()),
  );
  assert.ok(await page.locator('#claim-members').isVisible());
  await page.screenshot({ path: join(SHOTS, 'www-print.png'), fullPage: true });
  await close();
});

test('no request left the origin', () => {
  assert.deepEqual(elsewhere, []);
});
