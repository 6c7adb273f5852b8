// The demonstration as a person meets it: started as `npm start` starts it, and its page used in
// Chromium against the real servers.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

import { DEMONSTRATION, INSPECTOR } from '../../../www/csp.js';
import { ROOT, runtimeBinary } from '../../support/binaries.mjs';
import { CHROMIUM_FLAGS } from '../../support/browsers.mjs';
import { audit } from '../www/axe.mjs';
import { ended, startDemonstration, startDemonstrationOn } from './demonstration.mjs';

const SCREENSHOTS = join(ROOT, 'target', 'screenshots');

let demonstration;
let browser;
let context;
const complaints = [];

before(async () => {
  demonstration = await startDemonstration();
  browser = await chromium.launch({
    executablePath: runtimeBinary('chromium'),
    args: CHROMIUM_FLAGS,
  });
  context = await browser.newContext();
});

after(async () => {
  await browser?.close();
  if (demonstration?.child.exitCode === null) process.kill(-demonstration.child.pid, 'SIGTERM');
});

test('a user signs in, two tabs refresh at once, and a lost answer signs nobody out', async () => {
  const [page, other] = [await open(), await open()];
  await signIn(page);
  await until(other, '#sid', (text) => text !== 'none');
  assert.match(await page.textContent('#access'), /^for ada, expires in/);
  await page.click('#both');
  await until(page, '#both-result', (text) => text.startsWith('Both got a token'));
  await page.click('#lose');
  await until(page, '#lose-result', (text) => text.startsWith('The same token was good a second time'));
  await until(page, '#edge', (text) => text === 'yes');
  await Promise.all([page.close(), other.close()]);
});

test('a stolen token is noticed, the session ends, and the edge refuses it within the stated seconds', async () => {
  const page = await open();
  await signIn(page);
  await page.click('#steal');
  const told = await until(page, '#theft-result', (text) => text.startsWith('The thief was'), 60_000);
  assert.match(
    told,
    /^The thief was refused \(invalid_grant\) and noticed; your own session is over as well/,
  );
  const [, seconds, stated] = told.match(
    /refused it after ([\d.]+) s \(token-revoked\); stated are at most (\d+) s/,
  );
  // The page asks a few times a second, and instants in lists are whole seconds.
  assert.ok(Number(seconds) <= Number(stated) + 2, told);
  await until(page, '#events', (text) => text.includes('reuse_detected'));
  await page.close();
});

test('a session that is ended is refused at the edge', async () => {
  const page = await open();
  await signIn(page);
  await page.click('#revoke');
  await until(
    page,
    '#revoke-result',
    (text) => /refused it after [\d.]+ s \(token-revoked\)/.test(text),
    30_000,
  );
  await page.close();
});

test('each message moves between client, issuer and edge, unless motion is to be reduced', async () => {
  const page = await open();
  // Every place at which a message is seen while two requests go out and are answered.
  await page.evaluate(() => {
    window.ways = {};
    const look = () => {
      for (const one of document.querySelectorAll('.message')) {
        const way = `${one.dataset.way} ${one.dataset.to}: ${one.textContent}`;
        window.ways[way] ??= [];
        window.ways[way].push(one.getBoundingClientRect().left);
      }
      requestAnimationFrame(look);
    };
    look();
  });
  await signIn(page);
  const isOver = () =>
    [
      'out issuer: POST /demo/sign-in',
      'back issuer: 200',
      'out edge: GET /api/notes',
      'back edge: 200',
    ].every((way) => window.ways[way]) && document.querySelector('.message') === null;
  const end = Date.now() + 20_000;
  while (!(await page.evaluate(isOver))) assert.ok(Date.now() < end, 'the messages never come');
  const ways = await page.evaluate(() => window.ways);
  for (const [way, places] of Object.entries(ways)) {
    const gone = places.at(-1) - places[0];
    assert.ok(way.startsWith('out') ? gone > 50 : gone < -50, `${way} moved ${gone} px`);
  }
  for (const node of ['issuer', 'edge'])
    assert.equal(await page.getAttribute(`.node.${node}`, 'data-state'), 'accepted');
  await page.close();

  const still = await browser.newContext({ reducedMotion: 'reduce' });
  const other = await still.newPage();
  await other.goto(`${demonstration.origin}/demo/`);
  await other.evaluate(() => {
    window.moving = [];
    new MutationObserver(() => {
      for (const one of document.querySelectorAll('.message')) window.moving.push(one.getAnimations().length);
    }).observe(document.querySelector('#wires'), { childList: true });
  });
  await signIn(other);
  await other.waitForSelector('.node.edge[data-state="accepted"]');
  const moving = await other.evaluate(() => window.moving);
  assert.ok(moving.length > 0 && moving.every((count) => count === 0), String(moving));
  await still.close();
});

test('results are what stands out', async () => {
  const page = await open();
  await signIn(page);
  await page.click('#lose');
  await until(page, '#lose-result', (text) => text.startsWith('The same token'));
  const [result, text] = await page.evaluate(() =>
    ['#lose-result', '[aria-labelledby="lost-title"] p'].map((selector) => {
      const { fontSize, fontWeight, backgroundColor } = getComputedStyle(document.querySelector(selector));
      return { size: Number.parseFloat(fontSize), weight: Number(fontWeight), backgroundColor };
    }),
  );
  assert.ok(result.size > text.size && result.weight > text.weight, JSON.stringify([result, text]));
  assert.notEqual(result.backgroundColor, text.backgroundColor);
  assert.equal(await page.getAttribute('#lose-result', 'data-result'), 'held');
  await page.close();
});

test('axe finds nothing serious in the middle of a session, and nothing is too wide, at three widths in both themes', async () => {
  for (const width of [390, 768, 1440]) {
    for (const colorScheme of ['light', 'dark']) {
      const own = await browser.newContext({
        viewport: { width, height: 900 },
        colorScheme,
        bypassCSP: true,
      });
      const page = await own.newPage();
      await page.goto(`${demonstration.origin}/demo/`);
      await signIn(page);
      assert.deepEqual(await audit(page), [], `${width} ${colorScheme}`);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${over} px too wide at ${width}`);
      mkdirSync(SCREENSHOTS, { recursive: true });
      await page.screenshot({
        path: join(SCREENSHOTS, `demo-${width}-${colorScheme}.png`),
        fullPage: true,
      });
      await own.close();
    }
  }
});

test('nothing was complained about, and no request left the origin', () => {
  assert.deepEqual(complaints, []);
});

test('each page has the content security policy that is its own', async () => {
  for (const [path, policy] of [
    ['/', INSPECTOR],
    ['/inspect/', INSPECTOR],
    ['/demo/', DEMONSTRATION],
  ]) {
    const { headers } = await fetch(demonstration.origin + path);
    assert.equal(headers.get('content-security-policy'), policy);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  }
});

test('nothing but the site is served', async () => {
  for (const path of [
    '/package.json',
    '/%2e%2e/package.json',
    '/..%2fwasm.stamp',
    '/workers/issuer.js',
    '/demo/keys',
  ])
    assert.equal((await fetch(demonstration.origin + path)).status, 404, path);
});

test('a port in use is one sentence', async () => {
  const { port } = new URL(demonstration.origin);
  const { code, errors } = await ended(startDemonstrationOn(port));
  assert.equal(code, 1);
  assert.match(errors, new RegExp(`^✗ Port ${port} is in use: [^\\n]+\\n$`));
});

test('Ctrl-C stops it cleanly', async () => {
  const stopped = ended(demonstration);
  // The terminal signals the whole group: workerd hears it too.
  process.kill(-demonstration.child.pid, 'SIGINT');
  const { code, errors } = await stopped;
  assert.equal(errors, '');
  assert.equal(code, 0);
});

async function open() {
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    // Chromium reports every refusal as an error; here they are the point.
    const expected =
      /\/(?:token|api\/notes)$/.test(message.location().url) && /status of 40[01]/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !expected)
      complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== demonstration.origin) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(`${demonstration.origin}/demo/`);
  return page;
}

async function signIn(page) {
  await page.click('#sign-in');
  await until(page, '#sid', (text) => text !== 'none');
  await until(page, '#edge', (text) => text === 'yes');
}

/** Waits until the text of an element is so, and gives it. */
async function until(page, selector, isSo, patienceMs = 15_000) {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const text = (await page.textContent(selector)).trim();
    if (isSo(text)) return text;
    assert.ok(Date.now() < deadline, `${selector}: ${text}`);
    await page.waitForTimeout(100);
  }
}
