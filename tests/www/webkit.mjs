// WebKitGTK's MiniBrowser on a display of its own, WebDriver spoken plainly over HTTP (https://www.w3.org/TR/webdriver2/).
import { createServer } from 'node:net';

import { start, within } from '../conformance/drivers/common.mjs';
import { runtimeBinary } from '../conformance/runtimes/binaries.mjs';

const LIFE_MS = 600_000;
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
/** WebDriver's code points for keys without a character (§17.4.2). */
const KEYS = {
  Tab: '\ue004',
  Enter: '\ue007',
  Escape: '\ue00c',
  Space: ' ',
  ArrowDown: '\ue015',
  ArrowUp: '\ue013',
  End: '\ue010',
  Home: '\ue011',
  Backspace: '\ue003',
  Delete: '\ue017',
  Control: '\ue009',
  Shift: '\ue008',
};

export async function startWebKit() {
  const xvfb = start(
    runtimeBinary('xvfb'),
    ['-displayfd', '3', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'],
    {
      timeoutMs: LIFE_MS,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    },
  );
  const [display] = await within(20_000, 'Xvfb', xvfb.printed(/\d+/));
  const port = await freePort();
  const env = { DISPLAY: `:${display}`, GDK_BACKEND: 'x11', NO_AT_BRIDGE: '1', LIBGL_ALWAYS_SOFTWARE: '1' };
  const driver = start(runtimeBinary('webkitDriver'), ['--host=127.0.0.1', `--port=${port}`], {
    env,
    timeoutMs: LIFE_MS,
  });
  const wire = wireTo(`http://127.0.0.1:${port}`);
  await within(20_000, 'WebKitWebDriver', wire.ready());
  const binary = runtimeBinary('miniBrowser');
  const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': { binary, args: ['--automation'] } } };
  const { sessionId } = await wire.send('POST', '/session', { capabilities });
  const send = (method, path, body) => wire.send(method, `/session/${sessionId}${path}`, body);
  await send('POST', '/timeouts', { script: 60_000, pageLoad: 60_000 });
  return {
    open: (url, size) => openPage(send, url, size),
    async stop() {
      await send('DELETE', '').catch(() => {});
      driver.stop();
      xvfb.stop();
    },
  };
}

async function openPage(send, url, { width = 1280, height = 900 } = {}) {
  await send('POST', '/window/rect', { width, height });
  await send('POST', '/url', { url });
  const actions = (list) =>
    send('POST', '/actions', { actions: [{ type: 'key', id: 'keyboard', actions: list }] });
  const press = (key) => {
    const keys = (key === '+' ? ['+'] : key.split('+')).map((name) => KEYS[name] ?? name);
    return actions([
      ...keys.map((value) => ({ type: 'keyDown', value })),
      ...keys.reverse().map((value) => ({ type: 'keyUp', value })),
    ]);
  };
  return {
    complaints: [],
    press,
    goto: (next) => send('POST', '/url', { url: next }),
    type: (text) =>
      actions(
        [...text].flatMap((value) => [
          { type: 'keyDown', value },
          { type: 'keyUp', value },
        ]),
      ),
    async run(fn, ...args) {
      const script = `const [done] = [arguments[arguments.length - 1]];
        Promise.resolve().then(() => (${fn})(...JSON.parse(arguments[0]))).then((value) => done({ value: JSON.stringify(value) ?? 'null' }), (error) => done({ error: String(error) }));`;
      const { value, error } = await send('POST', '/execute/async', { script, args: [JSON.stringify(args)] });
      if (error) throw new Error(error);
      return JSON.parse(value);
    },
    async click(selector) {
      const found = await send('POST', '/element', { using: 'css selector', value: selector });
      await send('POST', `/element/${found[ELEMENT]}/click`, {});
    },
    close: () => send('POST', '/url', { url: 'about:blank' }),
  };
}

function wireTo(origin) {
  const send = async (method, path, body) => {
    const response = await fetch(origin + path, { method, body: body && JSON.stringify(body) });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`WebDriver ${method} ${path}: ${value.error}: ${value.message}`);
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
  return { send, ready };
}

// WebKitWebDriver takes no port 0; the gap between closing and its opening is loopback's own.
async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
