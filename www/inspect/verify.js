// Verify: a key, what is expected, and the pipeline's answer panel by panel.

import { decode } from '../base64url.js';
import { $, announce, element, isOpen, settled, takesDrops } from '../dom.js';
import { nowSeconds } from '../times.js';
import { createVerifier, inspect, PolicyError } from './core.js';
import { isAddress, readKey, secretFits } from './keys.js';
import { codePage, inMicros, measure, showMicros, showStages } from './stages.js';

const EXPECTED = { iss: 'issuer', aud: 'audience', typ: 'type' };
const EDITED = 'Stale: this is about the token as it was signed, not about the text below. Sign it.';
/**
 * Not an address that exists (RFC 2606): what an issuer or audience is called where a token names
 * none.
 */
const NOBODY = 'https://nobody.example';

let current = { token: '', taken: undefined };
let generation = 0;
let last;
let isEdited = false;
/** What the page itself has put into the key's field, and what a person had there before. */
let ownKey = '';
let pastedKey = '';

export function startVerify() {
  const judge = settled(refresh);
  const again = () => {
    // Until it is judged anew, the verdict is about what stood there before.
    $('outcome').dataset.stale = 'true';
    judge();
  };
  for (const id of [
    'key',
    'key-alg',
    'key-encoding',
    'expect-iss',
    'expect-aud',
    'expect-typ',
    'expect-leeway',
    'expect-at',
  ])
    $(id).addEventListener('input', again);
  takesDrops($('key'), refresh);
  $('key-undo').addEventListener('click', () => {
    $('key').value = pastedKey;
    $('key-undo').hidden = true;
    refresh();
    $('key').focus();
  });
  $('measure').addEventListener('click', showTimes);
  $('at-now').addEventListener('click', () => {
    $('expect-at').value = '';
    refresh();
  });
  showStages($('stages'), undefined);
}

/** Puts a key into its field. One that a person has pasted can be put back. */
export function replaceKey(text) {
  const before = $('key').value;
  if (before.trim() !== '' && before !== ownKey) {
    pastedKey = before;
    $('key-undo').hidden = false;
  }
  ownKey = text;
  $('key').value = text;
}

/** Whether the editors hold something else than the token that was judged. */
export function setEdited(edited) {
  isEdited = edited;
  showStale(edited ? EDITED : '');
}

function showStale(text) {
  $('stale').textContent = text;
  $('stale').hidden = text === '';
  $('outcome').dataset.stale = String(text !== '');
}

/** Another token, or the same: it is judged anew. */
export function verifyToken(token, taken) {
  current = { token, taken };
  const { iss, aud } = taken.claims?.value ?? {};
  $('expect-iss').placeholder = typeof iss === 'string' ? iss : 'the token names none';
  $('expect-aud').placeholder = String((Array.isArray(aud) ? aud[0] : aud) ?? 'the token names none');
  $('expect-typ').placeholder = String(taken.header?.value?.typ ?? 'any');
  refresh();
}

/** What the fields say, for a fragment and for the policy playground. A secret is never in it. */
export function verifyFields() {
  const fields = {};
  for (const name of ['iss', 'aud', 'typ', 'leeway', 'at']) {
    const { value } = $(`expect-${name}`);
    if (value !== '' && value !== $(`expect-${name}`).defaultValue) fields[name] = value;
  }
  if (last?.key && !last.key.secret) fields.key = JSON.stringify(last.key.fields);
  return fields;
}

export function setVerifyFields(fields) {
  for (const name of ['iss', 'aud', 'typ', 'leeway', 'at'])
    if (fields[name] !== undefined) $(`expect-${name}`).value = fields[name];
  if (fields.key) $('key').value = keyText(fields.key);
}

/** A key as a person would paste it, from an issuer's members. */
function keyText(json) {
  try {
    const { jwks, keys } = JSON.parse(json);
    return jwks ? JSON.stringify(jwks.keys.length === 1 ? jwks.keys[0] : jwks, null, 2) : (keys[0].pem ?? '');
  } catch {
    return '';
  }
}

/**
 * The policy that the fields come to; issuer, audience and typ are the token's own where nothing
 * is expected.
 */
export function policyOf(key = last?.key) {
  const { iss, aud } = current.taken?.claims?.value ?? {};
  const own = current.taken?.header?.value?.typ;
  const text = (value, other) => (typeof value === 'string' && value !== '' ? value : other);
  const issuer = $('expect-iss').value || text(iss, NOBODY);
  const audience = $('expect-aud').value || text(Array.isArray(aud) ? aud[0] : aud, NOBODY);
  const typ = $('expect-typ').value;
  const leeway = Number($('expect-leeway').value || 5);
  // "any" would take every kind of token, where the token says its kind.
  const types = typ !== '' ? [typ] : typeof own === 'string' && own !== '' ? [own] : 'any';
  return {
    issuers: [{ issuer, audience, types, ...key?.fields }],
    ...(leeway !== 5 && { leewaySeconds: leeway }),
  };
}

async function refresh() {
  generation += 1;
  const mine = generation;
  const { token, taken } = current;
  last = undefined;
  $('measured').textContent = '';
  $('too-short').hidden = true;
  const key = await keyTyped();
  if (mine !== generation) return;
  if (token === '') return showOutcome('idle', 'No token yet', 'Paste one above, or take an example.');
  if (!key) return withoutKey(token);
  try {
    const policy = policyOf(key);
    const verifier = createVerifier({ ...policy, precompute: true }, { cache: 0 });
    const verdict = verifier.verify(token, { now: instant() });
    last = { key, policy, verifier, verdict };
    showVerdict(verdict, taken);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    await refusedKey(error, key, mine);
  }
}

/** The keys of Verify as a JWK Set, for a policy that fetches its keys at run time. */
export const verifyJwks = () => last?.key?.fields.jwks;

/** The address in the key's field, if one was pasted there. */
export const keyAddress = () => (isAddress($('key').value) ? $('key').value.trim() : undefined);

/** Without a key the first two stages can be judged, and no more. */
function withoutKey(token) {
  const verdict = inspect(token);
  if (!verdict.ok && verdict.stage === 'jws') return showVerdict(verdict);
  showStages($('stages'), verdict, { waitingAt: 'keys' });
  const wanted = keyAddress()
    ? 'The key is an address, and this page fetches nothing: paste what is there.'
    : 'Give the issuer’s key: a JWK, a JWK Set, a PEM or a secret.';
  return showOutcome('idle', 'Not verified', wanted);
}

async function keyTyped() {
  const text = $('key').value;
  $('key').removeAttribute('aria-invalid');
  $('secret-options').hidden = text.trim() === '' || isAddress(text) || /^\s*(?:[{[]|-----BEGIN)/.test(text);
  if (text.trim() === '') {
    $('key-note').textContent = '';
    return undefined;
  }
  if (isAddress(text)) return showAddress(text.trim());
  try {
    const key = await readKey(text, { wanted: $('key-alg').value, encoding: $('key-encoding').value });
    $('key-note').textContent = `${key.note}.`;
    return key;
  } catch (error) {
    return badKey(error.message);
  }
}

/** The address of a JWK Set, or of metadata that names one: this page may not ask there. */
function showAddress(href) {
  const isMetadata = /\/\.well-known\/(?:openid-configuration|oauth-authorization-server)/.test(href);
  const link = element('a', { href, target: '_blank', rel: 'noopener noreferrer', textContent: 'Open it' });
  $('key-note').replaceChildren(
    isMetadata ? 'This is the address of an issuer’s metadata. ' : 'This is the address of a JWK Set. ',
    link,
    isMetadata
      ? ' in another tab, open the jwks_uri that it names, and paste what is there.'
      : ' in another tab, and paste what is there.',
  );
  return undefined;
}

function badKey(message) {
  $('key').setAttribute('aria-invalid', 'true');
  $('key-note').textContent = message;
  return undefined;
}

async function refusedKey(error, key, mine) {
  const isKey = /\/(?:jwks|keys)/.test(error.pointer);
  if (isKey) badKey(`${error.reason[0].toUpperCase()}${error.reason.slice(1)}.`);
  showStages($('stages'), undefined);
  showOutcome(
    'refused',
    isKey ? 'The key is refused' : 'The expectations are refused',
    `${error.pointer}: ${error.reason}.`,
  );
  if (!key.secret || !key.fields.keys) return;
  // Truth is owed about a secret that is too short: it may still be the right one.
  const bytes = decode(key.fields.keys[0].secret.base64url);
  const fits = bytes.length > 0 && (await secretFits(current.token, bytes, key.alg));
  if (mine !== generation) return;
  $('too-short').hidden = false;
  $('too-short').textContent = fits
    ? 'It is the secret of this token all the same. It is so short that it can be guessed offline from any one token: change it.'
    : 'Nor does it make the signature of this token.';
}

function instant() {
  const { value } = $('expect-at');
  const at = value === '' ? Number.NaN : Date.parse(value);
  return Number.isNaN(at) ? nowSeconds() : Math.floor(at / 1000);
}

function showVerdict(verdict, taken) {
  const header = taken?.header?.value ?? {};
  const facts = {
    jws: `alg ${header.alg}${header.kid === undefined ? ', no kid' : `, kid ${header.kid}`}.`,
    keys: `The key is for ${header.alg}.`,
    signature: `${taken?.signature?.bytes?.length ?? 0} bytes hold: nothing was changed since it was signed.`,
    policy: 'Issuer, audience, typ and time are as expected.',
  };
  const unchecked = Object.keys(EXPECTED).filter((name) => $(`expect-${name}`).value === '');
  if (verdict.ok && unchecked.length > 0) facts.policy = `In time; ${notChecked(unchecked)}.`;
  showStages($('stages'), verdict, { facts });
  $('borrowed').hidden = !verdict.ok || unchecked.length === 0;
  if (!verdict.ok)
    return showOutcome(
      'refused',
      'Refused',
      `At the stage ${verdict.stage}: ${verdict.message}`,
      verdict.code,
    );
  const asOf = `As of ${new Date(instant() * 1000).toLocaleString()}.`;
  return unchecked.length === 0
    ? showOutcome('accepted', 'Accepted', `Every stage passed. ${asOf}`)
    : showOutcome('unchecked', 'Accepted', `Signature valid; ${notChecked(unchecked)}. ${asOf}`);
}

/** `issuer, audience and type not checked` */
function notChecked(names) {
  const words = names.map((name) => EXPECTED[name]);
  const end = words.pop();
  return `${words.length > 0 ? `${words.join(', ')} and ` : ''}${end} not checked`;
}

function showOutcome(state, title, sentence, code = '') {
  const panel = $('outcome');
  const changed = panel.dataset.state !== state || $('outcome-code').textContent !== code;
  panel.dataset.state = state;
  $('outcome-title').textContent = title;
  showCode($('outcome-code'), code);
  $('outcome-sentence').textContent = sentence;
  showVerified(state, title, sentence, code);
  showStale(isEdited ? EDITED : '');
  if (state === 'idle') $('borrowed').hidden = true;
  $('measure').disabled = last === undefined;
  if (state === 'idle' && current.token === '') showStages($('stages'), undefined);
  if (changed && isOpen('verify')) announce(`${title}${code && `, ${code}`}. ${sentence}`);
}

/** Times the stages of the last verdict, if another token has not come meanwhile. */
async function showTimes() {
  const mine = generation;
  const { verifier, verdict, policy } = last;
  // Not disabled meanwhile: it would lose the focus.
  $('measured').textContent = 'Measuring …';
  const issuers = policy.issuers.map((issuer) => ({ ...issuer, types: ['no such typ'] }));
  const stopper = createVerifier({ ...policy, issuers, precompute: true }, { cache: 0 });
  const { micros, whole, calls } = await measure({
    verifier,
    stopper,
    token: current.token,
    at: instant(),
    verdict,
  });
  if (mine !== generation) return;
  showMicros($('stages'), micros);
  $('measured').textContent =
    `The whole verification: ${inMicros(whole)}, the quickest of ${calls} calls, in batches, in this browser.`;
  announce($('measured').textContent);
}

function showCode(link, code) {
  link.hidden = code === '';
  link.textContent = code;
  link.href = codePage(code);
}

/** The same, first of all under Inspect. */
function showVerified(state, title, sentence, code) {
  $('verified').dataset.state = state;
  $('verified-title').textContent = state === 'idle' ? 'Not verified' : code ? `${title}: ${code}` : title;
  $('verified-why').textContent = state === 'idle' ? 'Anyone could have written this.' : sentence;
  $('verified-link').textContent = state === 'idle' ? 'Verify it' : 'See the verdict';
}
