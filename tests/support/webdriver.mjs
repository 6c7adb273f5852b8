// WebKitGTK's MiniBrowser, Safari's engine: a display of its own, and WebDriver spoken plainly
// over HTTP (https://www.w3.org/TR/webdriver2/).
import { freePort } from '../../src/build/steps.mjs';
import { runtimeBinary } from './binaries.mjs';
import { start, within } from './common.mjs';

/**
 * Starts it: `{ version, send(method, path, body), stop() }`, with paths below the session's. Its
 * programs end after `timeoutMs` at the latest.
 */
export async function startMiniBrowser({ timeoutMs, screen = '1024x768', acceptInsecureCerts = false }) {
  // The server picks a free display and writes its number to the descriptor it is given.
  const xvfb = start(
    runtimeBinary('xvfb'),
    ['-displayfd', '3', '-screen', '0', `${screen}x24`, '-nolisten', 'tcp'],
    { timeoutMs, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] },
  );
  let driver;
  const end = () => {
    driver?.stop();
    xvfb.stop();
  };
  try {
    const [display] = await within(20_000, 'Xvfb', xvfb.printed(/\d+/));
    const port = await freePort();
    const env = { DISPLAY: `:${display}`, GDK_BACKEND: 'x11', NO_AT_BRIDGE: '1', LIBGL_ALWAYS_SOFTWARE: '1' };
    driver = start(runtimeBinary('webkitDriver'), ['--host=127.0.0.1', `--port=${port}`], { env, timeoutMs });
    const wire = wireTo(`http://127.0.0.1:${port}`);
    await within(20_000, 'WebKitWebDriver', wire.ready());
    const options = { binary: runtimeBinary('miniBrowser'), args: ['--automation'] };
    const { sessionId, capabilities } = await wire.send('POST', '/session', {
      capabilities: { alwaysMatch: { acceptInsecureCerts, 'webkitgtk:browserOptions': options } },
    });
    const send = (method, path, body) => wire.send(method, `/session/${sessionId}${path}`, body);
    return {
      version: capabilities.browserVersion,
      send,
      async stop() {
        await send('DELETE', '').catch(() => undefined);
        end();
      },
    };
  } catch (error) {
    end();
    throw error;
  }
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
