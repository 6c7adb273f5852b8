// Chromium, Firefox and WebKit, each with tabs of its own that share one profile.
import { createServer } from 'node:net';

import { start, within } from '../conformance/drivers/common.mjs';
import { runtimeBinary } from '../conformance/runtimes/binaries.mjs';

const CHROMIUM = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const LONGEST_MS = 300_000;

/** Opens a tab for each URL: `{ version, open(url), close() }`; Chromium's tabs can be frozen besides. */
export const engines = { chromium, firefox, webkit };

async function chromium() {
  const playwright = await import('playwright-core');
  const browser = await playwright.chromium.launch({
    executablePath: runtimeBinary('chromium'),
    args: CHROMIUM,
  });
  const context = await browser.newContext();
  const open = async (url) => {
    const page = await context.newPage();
    await page.goto(url);
    const cdp = await context.newCDPSession(page);
    const freeze = (state) => cdp.send('Page.setWebLifecycleState', { state });
    return { page, freeze: () => freeze('frozen'), wake: () => freeze('active'), close: () => page.close() };
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
    return { close: () => page.close() };
  };
  return {
    version: (await browser.version()).replace(/^firefox\//i, ''),
    open,
    close: () => browser.close(),
  };
}

async function webkit() {
  const xvfb = start(
    runtimeBinary('xvfb'),
    ['-displayfd', '3', '-screen', '0', '1024x768x24', '-nolisten', 'tcp'],
    {
      timeoutMs: LONGEST_MS,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    },
  );
  let driver;
  const stop = () => {
    driver?.stop();
    xvfb.stop();
  };
  try {
    const [display] = await within(20_000, 'Xvfb', xvfb.printed(/\d+/));
    const port = await freePort();
    const env = { DISPLAY: `:${display}`, GDK_BACKEND: 'x11', NO_AT_BRIDGE: '1', LIBGL_ALWAYS_SOFTWARE: '1' };
    driver = start(runtimeBinary('webkitDriver'), ['--host=127.0.0.1', `--port=${port}`], {
      env,
      timeoutMs: LONGEST_MS,
    });
    const wire = webDriver(`http://127.0.0.1:${port}`);
    await within(20_000, 'WebKitWebDriver', wire.ready());
    const binary = runtimeBinary('miniBrowser');
    const session = await wire.post('/session', {
      capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': { binary, args: ['--automation'] } } },
    });
    const path = `/session/${session.sessionId}`;
    let first = true;
    const open = async (url) => {
      if (!first) {
        const { handle } = await wire.post(`${path}/window/new`, { type: 'window' });
        await wire.post(`${path}/window`, { handle });
      }
      first = false;
      await wire.post(`${path}/url`, { url });
      return {};
    };
    const close = async () => {
      await wire.remove(path).catch(() => undefined);
      stop();
    };
    return { version: session.capabilities.browserVersion, open, close };
  } catch (error) {
    stop();
    throw error;
  }
}

function webDriver(origin) {
  const send = async (method, path, body) => {
    const response = await fetch(origin + path, { method, body: body && JSON.stringify(body) });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`WebDriver ${path}: ${value.error}: ${value.message}`);
    return value;
  };
  const ready = async () => {
    for (;;) {
      try {
        return await send('GET', '/status');
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  return { ready, post: (path, body) => send('POST', path, body), remove: (path) => send('DELETE', path) };
}

// WebKitWebDriver takes no port 0; the gap between closing and its opening is loopback's own.
async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
