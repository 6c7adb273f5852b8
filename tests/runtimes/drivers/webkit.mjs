// WebKit: the package unbundled, through an import map.
import { pageAnswer, serve, unbundledPage, within } from '../../support/common.mjs';
import { startMiniBrowser } from '../../support/webdriver.mjs';

export async function webkit({ stage, timeoutMs }) {
  const server = await serve(stage.folder, await unbundledPage(stage, 'page.mjs'));
  try {
    const browser = await startMiniBrowser({ timeoutMs });
    try {
      await browser.send('POST', '/url', { url: server.origin });
      const answer = pageAnswer(await within(timeoutMs, 'WebKit', server.answer));
      return { version: browser.version, ...answer };
    } finally {
      await browser.stop();
    }
  } finally {
    server.close();
  }
}
