// Claims to be edited and signed again, and examples for whoever has no token at hand.
import { $, announce, element } from '../dom.js';
import { nowSeconds } from '../times.js';
import { read as readJson } from './json.js';
import { generate, importPrivate, SIGNABLE, sign, signTexts } from './sign.js';
import { pretty } from './token.js';
import { replaceKey, setEdited } from './verify.js';

const EDITORS = ['edit-header', 'edit-payload'];

let setToken;
let current = '';
let shown = '';
/** The example that the page opens with, and its key. */
let opening;

export function startEditors(takeToken) {
  setToken = takeToken;
  $('generate').addEventListener('click', () => orSay('key-note', signAnew));
  $('sign').addEventListener('click', () => orSay('sign-note', signEdited));
  $('sign-with').addEventListener('input', showSigningKey);
  $('key').addEventListener('input', offerKey);
  $('key-example').addEventListener('click', () => {
    replaceKey(JSON.stringify(opening.jwk, null, 2));
    $('key').dispatchEvent(new Event('input', { bubbles: true }));
    $('key').focus();
  });
  for (const id of EDITORS) $(id).addEventListener('input', () => setEdited(written() !== shown));
  showSigningKey();
}

/** Another token, or the same: the editors follow it, unless somebody writes in one. */
export function editToken(token, taken) {
  current = token;
  offerKey();
  const alg = taken.header?.value?.alg;
  if (SIGNABLE.includes(alg)) for (const id of ['sign-alg', 'generate-alg']) $(id).value = alg;
  if (EDITORS.includes(document.activeElement?.id)) return;
  $('edit-header').value = taken.header?.json ? pretty(taken.header.json) : '';
  $('edit-payload').value = taken.claims?.json ? pretty(taken.claims.json) : '';
  remember();
}

function offerKey() {
  $('key-example').hidden = current !== opening?.token || $('key').value !== '';
}

const written = () => EDITORS.map((id) => $(id).value).join('\n');

function remember() {
  shown = written();
  setEdited(false);
}

/** Another example, whatever is in the editors. */
export async function anotherExample() {
  for (const id of EDITORS) $(id).value = '';
  await signAnew();
}

/**
 * The token that the page opens with; `undefined` where a page may not sign, which is over plain
 * HTTP from elsewhere.
 */
export async function openingExample() {
  try {
    const key = await generate('ES256');
    opening = { token: await sign(exampleClaims(), key), jwk: key.jwk };
  } catch {
    return undefined;
  }
  return opening.token;
}

async function orSay(place, work) {
  try {
    $(place).textContent = '';
    await work();
  } catch (error) {
    $(place).textContent = error.message;
    announce(error.message);
  }
}

/** Claims for whoever has no token at hand. */
function exampleClaims() {
  const now = nowSeconds();
  const claims = {
    iss: 'https://issuer.example',
    aud: 'https://api.example',
    sub: 'ada',
    client_id: 'inspector',
    scope: 'notes:read notes:write',
  };
  return { ...claims, iat: now, auth_time: now - 120, exp: now + 300, jti: crypto.randomUUID() };
}

/** Signs what is in the editors, or an example, with a new throw-away key. */
async function signAnew() {
  const key = await generate($('generate-alg').value);
  const payload = $('edit-payload').value.trim() || JSON.stringify(exampleClaims());
  await signWith(key, $('edit-header').value.trim() || '{"typ":"at+jwt"}', payload);
}

async function signEdited() {
  const alg = $('sign-alg').value;
  const own = $('sign-with').value === 'own';
  const key = own
    ? await importPrivate($('own-key').value, alg, $('own-encoding').value)
    : await generate(alg);
  await signWith(key, $('edit-header').value.trim() || '{}', $('edit-payload').value);
}

async function signWith(key, headerText, payloadText) {
  const header = readJson(headerText);
  if (header.error) throw new Error(`The header is not JSON: ${header.error.message}.`);
  const payload = readJson(payloadText);
  if (payload.error) throw new Error(`The claims are not JSON: ${payload.error.message}.`);
  const { alg: _, kid: __, ...rest } = header.value;
  const full = { alg: key.alg, ...(key.kid && { kid: key.kid }), ...rest };
  const token = await signTexts(JSON.stringify(full), compact(payloadText), key);
  replaceKey(JSON.stringify(key.jwk, null, 2));
  $('sign-note').textContent = `Signed with ${key.alg}; the key to verify it is above.`;
  setToken(token);
  remember();
  announce(`Signed with ${key.alg}.`);
}

/** Without spaces, but member by member as it was written: one that is there twice stays. */
const compact = (text) => text.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');

function showSigningKey() {
  $('own').hidden = $('sign-with').value !== 'own';
}

/** Makes the algorithms' lists; those of keys first. */
export function fillAlgorithms(names) {
  for (const id of ['generate-alg', 'sign-alg', 'key-alg'])
    $(id).append(...names.map((name) => element('option', { value: name, textContent: name })));
}
