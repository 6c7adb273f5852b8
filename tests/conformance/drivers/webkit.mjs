// WebKitGTK's MiniBrowser, Safari's engine: a display of its own and WebDriver spoken plainly over HTTP.
import { createServer } from 'node:net';

import { runtimeBinary } from '../runtimes/binaries.mjs';
import { pageAnswer, serve, start, unbundledPage, within } from './common.mjs';

export async function webkit({ stage, timeoutMs }) {
  const binary = runtimeBinary('miniBrowser');
  const driverBinary = runtimeBinary('webkitDriver');
  const server = await serve(stage.folder, await unbundledPage(stage, 'page.mjs'));
  // The server picks a free display and writes its number to the descriptor it is given.
  const xvfb = start(
    runtimeBinary('xvfb'),
    ['-displayfd', '3', '-screen', '0', '1024x768x24', '-nolisten', 'tcp'],
    {
      timeoutMs,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    },
  );
  let driver;
  try {
    const [display] = await within(20_000, 'Xvfb', xvfb.printed(/\d+/));
    const port = await freePort();
    const env = { DISPLAY: `:${display}`, GDK_BACKEND: 'x11', NO_AT_BRIDGE: '1', LIBGL_ALWAYS_SOFTWARE: '1' };
    driver = start(driverBinary, ['--host=127.0.0.1', `--port=${port}`], { env, timeoutMs });
    const wire = webDriver(`http://127.0.0.1:${port}`);
    await within(20_000, 'WebKitWebDriver', wire.ready());
    const session = await wire.post('/session', {
      capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': { binary, args: ['--automation'] } } },
    });
    await wire.post(`/session/${session.sessionId}/url`, { url: server.origin });
    const answer = pageAnswer(await within(timeoutMs, 'WebKit', server.answer));
    await wire.remove(`/session/${session.sessionId}`);
    return { version: session.capabilities.browserVersion, ...answer };
  } finally {
    driver?.stop();
    xvfb.stop();
    server.close();
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
