// Verify: a key, what is expected, and the pipeline's answer panel by panel; and the other way
// round, claims to be edited and signed.

import { decode } from '../base64url.js';
import { $, announce, element, isOpen, settled, takesDrops } from '../dom.js';
import { nowSeconds } from '../times.js';
import { createVerifier, inspect, PolicyError } from './core.js';
import { read as readJson } from './json.js';
import { readKey, secretFits } from './keys.js';
import { generate, importPrivate, signTexts } from './sign.js';
import { inMicros, measure, showMicros, showStages } from './stages.js';
import { pretty } from './token.js';

const HOUR = 3600;
/**
 * Not an address that exists (RFC 2606): what an issuer or audience is called where a token names
 * none.
 */
const NOBODY = 'https://nobody.example';

let current = { token: '', taken: undefined };
let setToken;
let generation = 0;
let last;

export function startVerify(takeToken) {
  setToken = takeToken;
  const again = settled(refresh);
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
  $('generate').addEventListener('click', () => orSay('key-note', signAnew));
  $('sign').addEventListener('click', () => orSay('sign-note', signEdited));
  $('sign-with').addEventListener('input', showSigningKey);
  $('measure').addEventListener('click', showTimes);
  $('at-now').addEventListener('click', () => {
    $('expect-at').value = '';
    refresh();
  });
  showStages($('stages'), undefined);
  showSigningKey();
}

/** Another token, or the same: the editors follow it, and it is judged anew. */
export function verifyToken(token, taken) {
  current = { token, taken };
  if (!document.activeElement?.closest('#editors')) {
    $('edit-header').value = taken.header?.json ? pretty(taken.header.json) : '';
    $('edit-payload').value = taken.claims?.json ? pretty(taken.claims.json) : '';
  }
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
  const text = (value, other) => (typeof value === 'string' && value !== '' ? value : other);
  const issuer = $('expect-iss').value || text(iss, NOBODY);
  const audience = $('expect-aud').value || text(Array.isArray(aud) ? aud[0] : aud, NOBODY);
  const typ = $('expect-typ').value;
  const leeway = Number($('expect-leeway').value || 5);
  const types = typ === '' ? 'any' : [typ];
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

/** Without a key the first two stages can be judged, and no more. */
function withoutKey(token) {
  const verdict = inspect(token);
  if (!verdict.ok && verdict.stage === 'jws') return showVerdict(verdict);
  showStages($('stages'), verdict, { waitingAt: 'keys' });
  return showOutcome('idle', 'Not verified', 'Give the issuer’s key: a JWK, a JWK Set, a PEM or a secret.');
}

async function keyTyped() {
  const text = $('key').value;
  $('key').removeAttribute('aria-invalid');
  $('secret-options').hidden = text.trim() === '' || /^\s*(?:[{[]|-----BEGIN)/.test(text);
  if (text.trim() === '') {
    $('key-note').textContent = '';
    return undefined;
  }
  try {
    const key = await readKey(text, { wanted: $('key-alg').value, encoding: $('key-encoding').value });
    $('key-note').textContent = `${key.note}.`;
    return key;
  } catch (error) {
    return badKey(error.message);
  }
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
  showStages($('stages'), verdict, { facts });
  if (verdict.ok)
    showOutcome(
      'accepted',
      'Accepted',
      `Every stage passed, as of ${new Date(instant() * 1000).toLocaleString()}.`,
    );
  else showOutcome('refused', 'Refused', `At the stage ${verdict.stage}: ${verdict.message}`, verdict.code);
  $('borrowed').hidden = $('expect-iss').value !== '' && $('expect-aud').value !== '';
}

function showOutcome(state, title, sentence, code = '') {
  const panel = $('outcome');
  const changed = panel.dataset.state !== state || $('outcome-code').textContent !== code;
  panel.dataset.state = state;
  $('outcome-title').textContent = title;
  $('outcome-code').textContent = code;
  $('outcome-sentence').textContent = sentence;
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
  return { ...claims, iat: now, auth_time: now - 2 * HOUR, exp: now + 300, jti: crypto.randomUUID() };
}

/** Signs what is in the editors, or an example, with a new throw-away key. */
export async function signAnew() {
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
  $('key').value = JSON.stringify(key.jwk, null, 2);
  $('sign-note').textContent = `Signed with ${key.alg}; the key to verify it is under Verify.`;
  setToken(token);
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
