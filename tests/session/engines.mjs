// Chromium, Firefox and WebKit, each with tabs of its own that share one profile.

import { runtimeBinary } from '../support/binaries.mjs';
import { CHROMIUM_FLAGS } from '../support/browsers.mjs';
import { startMiniBrowser } from '../support/webdriver.mjs';

const LONGEST_MS = 300_000;

/**
 * Opens a tab for each URL: `{ version, open(url), close() }`; Chromium's tabs can be frozen
 * besides.
 */
export const engines = { chromium, firefox, webkit };

async function chromium() {
  const playwright = await import('playwright-core');
  const browser = await playwright.chromium.launch({
    executablePath: runtimeBinary('chromium'),
    args: CHROMIUM_FLAGS,
  });
  const context = await browser.newContext();
  const open = async (url) => {
    const page = await context.newPage();
    await page.goto(url);
    const cdp = await context.newCDPSession(page);
    const freeze = (state) => cdp.send('Page.setWebLifecycleState', { state });
    return {
      page,
      click: (selector) => page.click(selector),
      freeze: () => freeze('frozen'),
      wake: () => freeze('active'),
      close: () => page.close(),
    };
  };
  return { version: browser.version(), context, open, close: () => browser.close() };
}

async function firefox() {
  const { default: puppeteer } = await import('puppeteer-core');
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: runtimeBinary('firefox'),
    headless: true,
    // Tabs of one origin in processes of their own, so that one can sleep without the other.
    extraPrefsFirefox: {
      'dom.ipc.processCount.webIsolated': 4,
      'dom.ipc.keepProcessesAlive.webIsolated.max': 4,
    },
  });
  const open = async (url) => {
    const page = await browser.newPage();
    await page.goto(url);
    const click = async (selector) => (await page.waitForSelector(selector)).click();
    return { click, close: () => page.close() };
  };
  return {
    version: (await browser.version()).replace(/^firefox\//i, ''),
    open,
    close: () => browser.close(),
  };
}

async function webkit() {
  const { version, send, stop } = await startMiniBrowser({ timeoutMs: LONGEST_MS });
  let first = true;
  const open = async (url) => {
    if (!first) {
      const { handle } = await send('POST', '/window/new', { type: 'window' });
      await send('POST', '/window', { handle });
    }
    first = false;
    await send('POST', '/url', { url });
    const click = async (selector) => {
      const found = await send('POST', '/element', { using: 'css selector', value: selector });
      await send('POST', `/element/${Object.values(found)[0]}/click`, {});
    };
    return { click };
  };
  return { version, open, close: stop };
}
