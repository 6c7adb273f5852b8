// The page as a whole: one token that all sections look at, and the address that says which
// section is open.

import { $, announce, copy, element, settled, takesDrops } from '../dom.js';
import { start } from './core.js';
import { forge, startGallery } from './gallery.js';
import { showColours, showInspection } from './inspect.js';
import { openPolicy, policyText, policyToken, setPolicy, startPolicy } from './policy.js';
import { holdsSecret, readFragment, VIEWS, writeFragment } from './share.js';
import { SIGNABLE } from './sign.js';
import { find, takeApart } from './token.js';
import {
  fillAlgorithms,
  setVerifyFields,
  signAnew,
  startVerify,
  verifyFields,
  verifyToken,
} from './verify.js';

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

const show = () => {
  const token = field.value.trim();
  const taken = takeApart(token);
  showColours(takeApart(field.value).parts);
  showInspection(taken, token);
  $('clear').disabled = $('copy').disabled = token === '';
  judge(token, taken);
};

field.addEventListener('input', () => {
  unwrap();
  show();
});
takesDrops(field, () => {
  unwrap();
  show();
});

/** A header, a command or a document is replaced by the token that is in it. */
function unwrap() {
  const found = find(field.value);
  const note = $('found');
  note.replaceChildren();
  if (found?.opaque)
    note.textContent = `“${found.opaque}” is no JWT: what it means, only the authorization server can say (RFC 7662).`;
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
  for (const id of ['edit-header', 'edit-payload']) $(id).value = '';
  await signAnew();
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

/** Offline from the second visit on. The address goes through Trusted Types where there are any. */
function installOffline() {
  if (!('serviceWorker' in navigator)) return;
  const policy = window.trustedTypes?.createPolicy('service-worker', {
    createScriptURL: () => new URL('../sw.js', location.href).href,
  });
  navigator.serviceWorker.register(policy ? policy.createScriptURL('') : '../sw.js').then(
    () => navigator.serviceWorker.ready.then(() => $('offline').replaceChildren('Works offline.')),
    () => $('offline').replaceChildren('Not kept for offline use here.'),
  );
}

$('csp').textContent = document
  .querySelector('meta[http-equiv="Content-Security-Policy"]')
  .content.replaceAll('; ', ';\n');
fillAlgorithms(SIGNABLE);
// What needs no verifier is there at once.
open(readFragment(location.hash).view);
show();
await ready;
started = true;
startVerify(setToken);
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
  verifyToken(token, taken);
  policyToken(token, taken);
};
show();
take(location.hash);
document.documentElement.dataset.ready = 'true';
installOffline();
