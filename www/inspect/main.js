// The page as a whole: one token that all sections look at, and the address that says which
// section is open.

import { $, announce, copy, element, settled, showColours, takesDrops } from '../dom.js';
import { keepOffline } from '../offline.js';
import { start } from './core.js';
import { anotherExample, editToken, fillAlgorithms, openingExample, startEditors } from './edit.js';
import { forge, startGallery } from './gallery.js';
import { showInspection, startInspection } from './inspect.js';
import { isAddress } from './keys.js';
import { openPolicy, policyText, policyToken, setPolicy, startPolicy } from './policy.js';
import { holdsSecret, readFragment, VIEWS, writeFragment } from './share.js';
import { SIGNABLE } from './sign.js';
import { find, takeApart } from './token.js';
import { setVerifyFields, startVerify, verifyFields, verifyToken } from './verify.js';

const TITLES = {
  inspect: 'Inspect',
  verify: 'Verify',
  policy: 'Policy playground',
  attacks: 'Attack gallery',
};

const field = $('token');
const ready = start();
let view = 'inspect';
let attack;
let started = false;
let judge = () => {};
let example;

const show = () => {
  const token = field.value.trim();
  const taken = takeApart(token);
  showColours($('coloured'), field.value);
  showInspection(taken, token);
  $('clear').disabled = $('copy').disabled = token === '';
  judge(token, taken);
};

const taken = () => {
  unwrap();
  show();
};
field.addEventListener('input', (event) => {
  taken();
  if (event.inputType === 'insertFromPaste') fold(true);
});
takesDrops(field, () => {
  taken();
  fold(true);
});
// A keyboard on the screen would hide what was asked for.
const hasKeyboardOnScreen = matchMedia('(pointer: coarse)');

/** Where the page is one column, a token that was given takes one line: the verdict is seen. */
function fold(isFolded) {
  $('token-panel').dataset.folded = String(isFolded);
  $('fold').setAttribute('aria-expanded', String(!isFolded));
  $('fold').textContent = isFolded ? 'Unfold' : 'Fold';
  if (isFolded && hasKeyboardOnScreen.matches) field.blur();
}

$('fold').addEventListener('click', () => fold($('token-panel').dataset.folded !== 'true'));
field.addEventListener('focus', () => fold(false));
// Whoever pastes a token writes over the example, wherever the caret is.
field.addEventListener('paste', () => field.value === example && field.select());

/** A header, a command or a document is replaced by the token that is in it. */
function unwrap() {
  const found = find(field.value);
  const note = $('found');
  note.replaceChildren();
  if (found?.opaque)
    note.textContent = `“${found.opaque}” is no JWT: what it means, only the authorization server can say (RFC 7662).`;
  if (!found?.token && isAddress(field.value))
    note.textContent = 'This is an address, and no token. If it is that of keys, it belongs under Verify.';
  if (!found?.token || found.token === field.value.trim()) return;
  field.value = found.token;
  note.append(
    `Found in ${found.where}.`,
    ...found.others.map(({ token, label }) => otherToken(token, label)),
  );
  announce(note.textContent);
}

function otherToken(token, label) {
  const button = element('button', { type: 'button', className: 'link', textContent: `Show ${label}` });
  button.addEventListener('click', () => setToken(token));
  return button;
}

function setToken(token) {
  field.value = token;
  $('found').replaceChildren();
  show();
}

$('example').addEventListener('click', async () => {
  await ready;
  await anotherExample();
});
$('clear').addEventListener('click', () => {
  setToken('');
  field.focus();
});
$('copy').addEventListener('click', () => copy(field.value.trim(), $('copy'), 'The token is copied'));
for (const button of document.querySelectorAll('[data-copy]'))
  button.addEventListener('click', () => copy($(button.dataset.copy).textContent, button));

/** Opens a section: the address says which, so that “back” works. */
function open(next, { focus = false } = {}) {
  view = next;
  document.documentElement.dataset.view = next;
  for (const name of VIEWS) {
    const link = $(`to-${name}`);
    if (name === next) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${TITLES[next]} · Portcullis`;
  if (next === 'policy' && started) openPolicy();
  if (focus) $(`title-${next}`).focus();
}

function fields() {
  if (view === 'verify') return verifyFields();
  if (view === 'policy') return holdsSecret(policyText()) ? {} : { policy: policyText() };
  return view === 'attacks' ? { attack } : {};
}

/** The address follows what is shown, without the token. */
const follow = settled(() => history.replaceState(null, '', writeFragment(view, fields())), 400);
document.addEventListener('input', follow);

window.addEventListener('hashchange', () => {
  const { view: next, fields, token } = readFragment(location.hash);
  if (token) take(location.hash);
  else {
    if (next !== view) open(next, { focus: true });
    if (fields.attack && fields.attack !== attack) ready.then(() => forge(fields.attack));
  }
});

$('skip').addEventListener('click', (event) => {
  event.preventDefault();
  $('content').focus();
});

/** What a link brings. A token in it is taken out of the address at once. */
function take(hash) {
  const { view: wanted, fields, token } = readFragment(hash);
  if (token) history.replaceState(null, '', writeFragment(wanted, fields));
  setVerifyFields(fields);
  if (fields.policy) setPolicy(fields.policy);
  open(wanted);
  if (fields.attack && wanted === 'attacks') forge(fields.attack);
  if (token) setToken(find(token)?.token ?? token);
}

/**
 * What the page opens with: the token of the link, or an example to be looked at, unless the link
 * brings a key or a policy for a token of one's own.
 */
async function firstToken() {
  const { fields, token } = readFragment(location.hash);
  if (token) return find(token)?.token ?? token;
  if (Object.keys(fields).some((name) => name !== 'attack')) return '';
  example = await openingExample();
  if (example) $('found').textContent = 'An example, signed in this page just now. Paste your own over it.';
  return example ?? '';
}

$('share-copy').addEventListener('click', () => copy(link(), $('share-copy'), 'The link is copied'));
$('share-token').addEventListener('input', showLink);
$('share').addEventListener('toggle', showLink);

function link() {
  return new URL(
    writeFragment(view, fields(), $('share-token').checked ? field.value.trim() : ''),
    location.href,
  ).href;
}

function showLink() {
  $('share-link').value = link();
  $('share-warning').hidden = !$('share-token').checked;
}

$('csp').textContent = document
  .querySelector('meta[http-equiv="Content-Security-Policy"]')
  .content.replaceAll('; ', ';\n');
fillAlgorithms(SIGNABLE);
startInspection();
// What needs no verifier is there at once.
open(readFragment(location.hash).view);
field.value = await firstToken();
fold(field.value !== '');
show();
delete document.documentElement.dataset.filling;
await ready;
started = true;
startVerify();
startEditors(setToken);
startPolicy();
startGallery(
  (token) => {
    setToken(token);
    location.hash = '#inspect';
  },
  (id) => {
    attack = id;
    follow();
  },
);
judge = (token, taken) => {
  editToken(token, taken);
  verifyToken(token, taken);
  policyToken(token, taken);
};
setVerifyFields(readFragment(location.hash).fields);
show();
take(location.hash);
document.documentElement.dataset.ready = 'true';
keepOffline('../sw.js', $('offline'));
