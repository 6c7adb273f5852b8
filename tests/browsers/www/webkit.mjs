// WebKit's pages, used by keys and pointer over WebDriver.
import { startMiniBrowser } from '../../support/webdriver.mjs';

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
  const { send, stop } = await startMiniBrowser({ timeoutMs: LIFE_MS, screen: '1400x1000' });
  await send('POST', '/timeouts', { script: 60_000, pageLoad: 60_000 });
  return { open: (url, size) => openPage(send, url, size), stop };
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
    inject: (script) => send('POST', '/execute/sync', { script, args: [] }),
    async click(selector) {
      const found = await send('POST', '/element', { using: 'css selector', value: selector });
      await send('POST', `/element/${found[ELEMENT]}/click`, {});
    },
    close: () => send('POST', '/url', { url: 'about:blank' }),
  };
}
