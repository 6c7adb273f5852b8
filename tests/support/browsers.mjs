// Chromium through playwright-core and Firefox through puppeteer-core: the package unbundled,
// through an import map.
import { runtimeBinary } from './binaries.mjs';
import { pageAnswer, serve, unbundledPage, within } from './common.mjs';

/** Chromium as root, without a graphics card, and asking nobody for anything. */
export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function chromium({ stage, timeoutMs }) {
  return inChromium(await serve(stage.folder, await unbundledPage(stage, 'page.mjs')), timeoutMs);
}

/** Opens a served page in Chromium and waits for what it posts. */
export async function inChromium(server, timeoutMs) {
  const playwright = await import('playwright-core');
  const executablePath = runtimeBinary('chromium');
  const browser = await playwright.chromium.launch({
    executablePath,
    args: CHROMIUM_FLAGS,
  });
  try {
    const page = await browser.newPage();
    const broken = new Promise((_, reject) => page.once('pageerror', reject));
    broken.catch(() => {});
    await page.goto(server.origin);
    const answer = await within(timeoutMs, 'Chromium', Promise.race([server.answer, broken]));
    return { version: browser.version(), ...pageAnswer(answer) };
  } finally {
    await browser.close();
    server.close();
  }
}

export async function firefox({ stage, timeoutMs }) {
  const { default: puppeteer } = await import('puppeteer-core');
  const executablePath = runtimeBinary('firefox');
  const server = await serve(stage.folder, await unbundledPage(stage, 'page.mjs'));
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
  try {
    const page = await browser.newPage();
    await page.goto(server.origin);
    const answer = pageAnswer(await within(timeoutMs, 'Firefox', server.answer));
    return { version: (await browser.version()).replace(/^firefox\//i, ''), ...answer };
  } finally {
    await browser.close();
    server.close();
  }
}
