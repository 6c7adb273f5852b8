// Three engines behind one small face, so that a task is written once: Chromium through
// playwright-core, Firefox through puppeteer-core, WebKit through plain WebDriver.

import { runtimeBinary } from '../../support/binaries.mjs';
import { CHROMIUM_FLAGS } from '../../support/browsers.mjs';
import { startWebKit } from './webkit.mjs';

export const ENGINES = { Chromium: chromium, Firefox: firefox, WebKit: startWebKit };

/**
 * A browser: `open(url, { width, height })` gives a page with `run(fn, ...args)`,
 * `inject(script)`, `press(key)`, `type(text)`, `click(selector)`, `goto(url)`, `complaints`
 * (console errors and exceptions, where the engine tells them) and `close()`; `stop()` ends it.
 */
async function chromium() {
  const playwright = await import('playwright-core');
  const browser = await playwright.chromium.launch({
    executablePath: runtimeBinary('chromium'),
    args: CHROMIUM_FLAGS,
  });
  return {
    browser,
    async open(url, { width = 1280, height = 900, ...options } = {}) {
      const context = await browser.newContext({ viewport: { width, height }, ...options });
      const page = await context.newPage();
      const complaints = [];
      page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      await page.goto(url);
      return {
        page,
        context,
        complaints,
        goto: (next) => page.goto(next),
        run: (fn, ...args) => page.evaluate(evaluated(fn, args)),
        inject: (script) => page.evaluate(script),
        press: (key) => page.keyboard.press(key),
        type: (text) => page.keyboard.type(text),
        click: (selector) => page.locator(selector).click(),
        close: () => context.close(),
      };
    },
    stop: () => browser.close(),
  };
}

async function firefox() {
  const { default: puppeteer } = await import('puppeteer-core');
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: runtimeBinary('firefox'),
    headless: true,
  });
  return {
    async open(url, { width = 1280, height = 900 } = {}) {
      const page = await browser.newPage();
      const complaints = [];
      page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      await page.setViewport({ width, height });
      await page.goto(url);
      return {
        complaints,
        goto: (next) => page.goto(next),
        run: (fn, ...args) => page.evaluate(evaluated(fn, args)),
        inject: (script) => page.evaluate(script),
        press: (key) => pressInSteps(page.keyboard, key),
        type: (text) => page.keyboard.type(text),
        click: (selector) => page.click(selector),
        close: () => page.close(),
      };
    },
    stop: () => browser.close(),
  };
}

async function pressInSteps(keyboard, key) {
  // BiDi calls the space bar by its character.
  const keys = key.split('+').map((name) => (name === 'Space' ? ' ' : name));
  for (const modifier of keys.slice(0, -1)) await keyboard.down(modifier);
  await keyboard.press(keys.at(-1));
  for (const modifier of keys.slice(0, -1)) await keyboard.up(modifier);
}

/** An expression, since a function would be compiled in the page, which its policy forbids. */
export const evaluated = (fn, args) => `(${fn})(...${JSON.stringify(args)})`;
