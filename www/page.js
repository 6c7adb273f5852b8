// The page: it makes a token, sends it to the API, lets this browser decide as well, and shows both answers.
import { ATTEMPTS, bearer } from '/attempts.js';
import { createVerifier } from '/portcullis/entry/default.js';
import { addToLog, buildAttempts, showBusy, showFailure, showToken, showVerdict } from '/view.js';

const editor = document.querySelector('#editor');
const field = document.querySelector('#token');

const TIMED_CALLS = 9;

let ready;
let busy = false;

buildAttempts(ATTEMPTS, (attempt) => run(attempt));
editor.addEventListener('submit', (event) => {
  event.preventDefault();
  run({ label: 'Edited by hand', headers: async () => [bearer(field.value.trim())] });
});
field.addEventListener('input', () => showToken(field.value.trim(), { keepField: true }));

/** Makes the headers, sends them, and shows what came back. One at a time, so that times mean something. */
async function run({ id, label, headers }) {
  if (busy) return;
  busy = true;
  showBusy(id);
  try {
    const { policy, verifier } = await prepared();
    const values = await headers({ policy, issue });
    showToken((values[0] ?? '').replace(/^Bearer /, ''));
    const answer = await callApi(values);
    const own = verifyHere(verifier, values);
    const result = { label, lines: values.length, ...answer, ...own };
    showVerdict(result);
    addToLog(result);
  } catch (error) {
    showFailure(error);
  } finally {
    busy = false;
  }
}

/** The API's policy and a verifier of our own for it, made once. */
function prepared() {
  ready ??= fetchJson('/api/policy').then((policy) => ({ policy, verifier: createVerifier(policy) }));
  ready.catch(() => {
    ready = undefined;
  });
  return ready;
}

async function issue(wish = {}) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetchJson('/issuer/token', { method: 'POST', headers, body: JSON.stringify(wish) });
  return answer.access_token;
}

async function callApi(values) {
  const headers = authorization(values);
  const started = performance.now();
  const response = await reach('/api/notes', { headers });
  const verdict = await response.json();
  const roundTripMs = performance.now() - started;
  return {
    verdict,
    roundTripMs,
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
  };
}

function authorization(values) {
  const headers = new Headers();
  try {
    for (const value of values) headers.append('authorization', value);
  } catch {
    throw new Error('The browser does not send this: a header cannot carry such characters.');
  }
  return headers;
}

/** What this browser says, and how long it takes for that: the median, since a browser compiles wasm when it first runs. */
function verifyHere(verifier, values) {
  // What a server sees of two header lines: one value, joined by a comma (RFC 9110 §5.3).
  const value = values.length > 0 ? values.join(', ') : null;
  let here;
  const times = Array.from({ length: TIMED_CALLS }, () => {
    const started = performance.now();
    here = verifier.verifyAuthorization(value);
    return performance.now() - started;
  });
  times.sort((a, b) => a - b);
  return { here, hereMs: times[(TIMED_CALLS - 1) / 2] };
}

async function fetchJson(path, options) {
  const response = await reach(path, options);
  if (!response.ok) throw new Error(`${path} answered ${response.status}.`);
  return response.json();
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    throw new Error('The demonstration does not answer. Is npm start still running?');
  }
}
