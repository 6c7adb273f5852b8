// What a person does on the inspector's page and sees there, in any engine.
import { generateKeyPairSync, sign } from 'node:crypto';

const PATIENCE_MS = 20_000;
export const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * A token of an issuer that the page knows nothing of, and that issuer's public key in three
 * forms.
 */
export function issued(changes = {}, alg = 'ES256') {
  const { privateKey, publicKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'https://login.example',
    aud: 'https://api.example',
    sub: 'grace',
    iat: now,
    exp: now + 600,
    jti: 'j',
    ...changes,
  };
  const input = `${encode({ alg, typ: 'at+jwt', kid: 'k1' })}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1' };
  return {
    token: `${input}.${signature.toString('base64url')}`,
    jwk,
    pem: publicKey.export({ type: 'spki', format: 'pem' }),
  };
}

/** The verdict under Verify is that it holds, whatever was expected. */
export const isAccepted = () =>
  ['accepted', 'unchecked'].includes(document.querySelector('#outcome').dataset.state);

/** Puts text into a field as pasting does: all of it replaced, one input event. */
export async function paste(page, selector, value) {
  await page.run(
    (selector, value) => {
      const field = document.querySelector(selector);
      field.focus();
      field.value = value;
      field.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertFromPaste' }));
    },
    selector,
    value,
  );
}

export const text = (page, selector) =>
  page.run((selector) => document.querySelector(selector).textContent, selector);
export const states = (page, selector) =>
  page.run(
    (selector) => [...document.querySelector(selector).children].map((item) => item.dataset.state),
    selector,
  );

/**
 * Presses Tab, or Shift and Tab, until that element has the focus; not around the end, where a
 * browser's own buttons are.
 */
export async function tabTo(page, id) {
  const steps = await page.run((id) => {
    const order = document.activeElement.compareDocumentPosition(document.getElementById(id));
    return document.activeElement !== document.body && order & Node.DOCUMENT_POSITION_PRECEDING
      ? 'Shift+Tab'
      : 'Tab';
  }, id);
  for (let presses = 0; presses < 120; presses += 1) {
    if ((await page.run(() => document.activeElement?.id)) === id) return;
    await page.press(steps);
  }
  throw new Error(`${steps} does not lead to ${id}`);
}

export async function until(page, condition, ...args) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    // A page that is being left has no answer.
    const isLeft = (error) =>
      !/context was destroyed|navigation/i.test(error.message) && Promise.reject(error);
    if (await page.run(condition, ...args).catch(isLeft)) return;
    if (Date.now() > end)
      throw new Error(
        `It never comes that ${condition}; the page says: ${await page.run(() => document.querySelector('main').textContent.slice(0, 1500))} ${page.complaints}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
