// The demonstration as a person meets it: started as `npm start` starts it, its page used by mouse and by keyboard in Chromium.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

import { ROOT, runtimeBinary } from '../conformance/runtimes/binaries.mjs';
import { ended, startDemonstration, startDemonstrationOn } from './demonstration.mjs';

const SHOTS = join(ROOT, 'target', 'screenshots');
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const QUIET_FLAGS = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];

const ANSWERS = [
  ['Genuine token', 'Accepted', '', 'none'],
  ['Forge a claim', 'Refused', 'signature-invalid', 'signature'],
  ['Algorithm “none”', 'Refused', 'alg-unknown', 'jws'],
  ['RSA key as HMAC secret', 'Refused', 'alg-mismatch', 'keys'],
  ['Expired', 'Refused', 'expired', 'policy'],
  ['Wrong audience', 'Refused', 'audience-mismatch', 'policy'],
  ['Wrong issuer', 'Refused', 'issuer-mismatch', 'policy'],
  ['Two headers', 'Refused', 'authorization-ambiguous', 'bearer'],
  ['9 KiB of token', 'Refused', 'token-too-large', 'jws'],
  ['No token', 'Refused', 'authorization-missing', 'bearer'],
];

let demonstration;
let browser;
const complaints = [];

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  demonstration = await startDemonstration();
  browser = await chromium.launch({
    executablePath: runtimeBinary('chromium'),
    args: [...FLAGS, ...QUIET_FLAGS],
  });
});

after(async () => {
  await browser?.close();
  demonstration?.child.kill('SIGKILL');
});

test('each button gets its verdict, from the API and from the browser alike', async () => {
  const page = await open();
  for (const [label, outcome, code, stage] of ANSWERS) {
    await page.getByRole('button', { name: label, exact: true }).click();
    await settled(page, label);
    assert.deepEqual(await verdictOf(page), { outcome, code, stage }, label);
    assert.match(
      await page.locator('#facts').textContent(),
      /Verified in browser\s*[\d.]+ ms, the same verdict/,
      label,
    );
    assert.match(
      await page.locator('#facts').textContent(),
      code ? /Round trip\s*[\d.]+ ms, status 401/ : /Round trip\s*[\d.]+ ms, status 200/,
      label,
    );
  }
  assert.equal(await page.locator('#log li').count(), ANSWERS.length);
  await page.context().close();
});

test('a token edited by hand is refused, and accepted once it is whole again', async () => {
  const page = await open();
  await page.getByRole('button', { name: 'Genuine token' }).click();
  await settled(page, 'Genuine token');
  const field = page.getByRole('textbox', { name: /^Token/ });
  const whole = await field.inputValue();
  const [header, payload, signature] = whole.split('.');
  const other = signature[0] === 'A' ? 'B' : 'A';
  await field.fill([header, payload, other + signature.slice(1)].join('.'));
  await page.getByRole('button', { name: 'Call the API with this token' }).click();
  await settled(page, 'Edited by hand: refused');
  assert.equal((await verdictOf(page)).code, 'signature-invalid');
  await field.fill(whole);
  await page.getByRole('button', { name: 'Call the API with this token' }).click();
  await settled(page, 'Edited by hand: accepted');
  assert.match(await page.locator('#payload').textContent(), /"sub": "ada"/);
  await page.context().close();
});

test('everything is within reach of the keyboard, and said to a screen reader', async () => {
  const page = await open();
  const names = [];
  for (let presses = 0; presses < ANSWERS.length + 2; presses += 1) {
    await page.keyboard.press('Tab');
    names.push(await page.evaluate(() => document.activeElement.id));
  }
  assert.deepEqual(names.slice(-2), ['token', 'send']);
  await page.locator('#try-genuine').focus();
  await page.keyboard.press('Enter');
  await settled(page, 'Genuine token: accepted');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'try-genuine');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await settled(page, 'Forge a claim: refused at stage signature, signature-invalid');
  await page.locator('#token').focus();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('.');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await settled(page, 'Edited by hand: refused at stage jws, segment-count');
  await page.context().close();
});

test('what no header can carry is said, not sent', async () => {
  const page = await open();
  await page.locator('#token').fill('☃.☃.☃');
  await page.locator('#send').click();
  await settled(page, 'No answer. The browser does not send this');
  await page.context().close();
});

test('a token of a stranger is shown as text', async () => {
  const page = await open();
  const hostile = Buffer.from('{"<img src=x onerror=alert(1)>":"</pre><script>1</script>"}').toString(
    'base64url',
  );
  await page.locator('#token').fill(`${hostile}.${hostile}.<b>`);
  assert.match(await page.locator('#header').textContent(), /<img src=x/);
  assert.equal(await page.locator('main img, main script, #coloured b').count(), 0);
  await page.context().close();
});

for (const colorScheme of ['light', 'dark']) {
  for (const width of [320, 768, 1280, 1920]) {
    test(`fits ${width} px, ${colorScheme}`, async () => {
      const page = await open({ colorScheme, viewport: { width, height: 900 } });
      const shot = (name) => page.screenshot({ path: join(SHOTS, `${name}-${width}-${colorScheme}.png`) });
      await shot('start');
      for (const label of ['Genuine token', 'Expired']) {
        await page.getByRole('button', { name: label, exact: true }).click();
        await settled(page, label);
        await shot(label === 'Expired' ? 'refused' : 'accepted');
        const { wide, seen } = await page.evaluate(() => ({
          wide: document.documentElement.scrollWidth - window.innerWidth,
          seen: document.querySelector('#outcome').getBoundingClientRect().bottom <= window.innerHeight,
        }));
        assert.ok(wide <= 0, `${wide} px too wide`);
        assert.ok(seen, 'the verdict is out of sight');
      }
      const path = join(SHOTS, `whole-${width}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
      await page.context().close();
    });
  }
}

test('nothing was complained about, and no request left the origin', () => {
  assert.deepEqual(complaints, []);
});

test('the content security policy is the strict one', async () => {
  const response = await fetch(demonstration.origin);
  assert.equal(
    response.headers.get('content-security-policy'),
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'",
  );
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
});

test('nothing but www/ and dist/ is served', async () => {
  for (const path of [
    '/package.json',
    '/%2e%2e/package.json',
    '/portcullis/..%2f..%2fpackage.json',
    '/workers/',
  ]) {
    assert.equal((await fetch(demonstration.origin + path)).status, 404, path);
  }
});

test('a port in use is one sentence', async () => {
  const { port } = new URL(demonstration.origin);
  const { code, errors } = await ended(startDemonstrationOn(port));
  assert.equal(code, 1);
  assert.match(errors, new RegExp(`^✗ Port ${port} is in use: [^\\n]+\\n$`));
});

test('Ctrl-C stops it cleanly, and the page says so', async () => {
  const page = await open();
  const stopped = ended(demonstration);
  // The terminal signals the whole group: workerd hears it too.
  process.kill(-demonstration.child.pid, 'SIGINT');
  const { code, errors } = await stopped;
  assert.equal(errors, '');
  assert.equal(code, 0);
  await page.getByRole('button', { name: 'Genuine token' }).click();
  await settled(page, 'No answer. The demonstration does not answer');
  await page.context().close();
});

async function open(options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    // Chromium reports every 401 as an error; here they are the point.
    const expected = message.location().url === `${demonstration.origin}/api/notes`;
    if (['error', 'warning'].includes(message.type()) && !(expected && /status of 401/.test(message.text())))
      complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== demonstration.origin) complaints.push(`request: ${request.url()}`);
  });
  await page.exposeFunction('reportViolation', (what) => complaints.push(`policy: ${what}`));
  await page.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      window.reportViolation(`${violatedDirective} ${blockedURI}`),
    ),
  );
  await page.goto(demonstration.origin);
  await page.locator('#try-genuine').waitFor();
  return page;
}

async function settled(page, beginning) {
  await page.waitForFunction(
    (text) => document.querySelector('#announcement').textContent.startsWith(text),
    beginning,
    { timeout: 15_000 },
  );
}

async function verdictOf(page) {
  const refused = page.locator('#stages [data-state="refused"]');
  const stage = (await refused.count()) > 0 ? await refused.getAttribute('data-stage') : 'none';
  return {
    outcome: await page.locator('#outcome').textContent(),
    code: await page.locator('#code').textContent(),
    stage,
  };
}
