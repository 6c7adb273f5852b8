// The client of the demonstration: sign-in, refresh and calls, as any client of RFC 6749 makes
// them. It keeps everything in memory.
import { decode, textOf } from '../base64url.js';

const CLIENT_ID = 'demo';

export const session = { sid: '', access: '', refresh: '', claims: undefined };

let told = () => () => {};

/**
 * `told({ method, path, note })` hears of every request as it is sent, and gives what is to hear
 * of its answer: a status, and a code or a note.
 */
export function listen(listener) {
  told = listener;
}

export async function config() {
  return (await ask('GET', '/demo/config')).body;
}

export async function signIn(user) {
  const { status, body } = await ask('POST', '/demo/sign-in', { json: { user } });
  if (status !== 200) throw new Error(`Signing in failed with status ${status}.`);
  Object.assign(session, { sid: body.sid });
  take(body);
}

/**
 * One refresh (RFC 6749 §6) with the present token, or with another. `keep: false` throws the
 * answer away, as a network does.
 */
export async function refresh({ token = session.refresh, keep = true, note = '' } = {}) {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: token,
    client_id: CLIENT_ID,
  });
  const { status, body } = await ask('POST', '/token', { form, note });
  if (status === 200 && keep) take(body);
  return { status, body };
}

/** What the edge says of the access token. */
export async function callApi(note = '') {
  const { status, body } = await ask('GET', '/api/notes', { bearer: session.access, note });
  return { ok: status === 200, status, code: body?.code ?? body?.error ?? '' };
}

export const endSession = () => ask('POST', '/demo/end-session', { json: { sid: session.sid } });

export async function events() {
  const { status, body } = await ask('GET', `/demo/events?sid=${encodeURIComponent(session.sid)}`, {
    quiet: true,
  });
  return status === 200 && Array.isArray(body) ? body : [];
}

/** Takes over what another tab has. */
export function adopt(theirs) {
  Object.assign(session, theirs);
}

export function forget() {
  Object.assign(session, { sid: '', access: '', refresh: '', claims: undefined });
}

function take({ access_token, refresh_token }) {
  session.access = access_token;
  // An answer without one leaves the present one in force (RFC 6749 §6).
  session.refresh = refresh_token ?? session.refresh;
  session.claims = JSON.parse(textOf(decode(access_token.split('.')[1])));
}

async function ask(method, path, { json, form, bearer, note = '', quiet = false } = {}) {
  const answered = quiet ? () => {} : told({ method, path: path.split('?')[0], note });
  const headers = {};
  if (json) headers['content-type'] = 'application/json';
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  const response = await fetch(path, { method, headers, body: json ? JSON.stringify(json) : form });
  const text = await response.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  answered(response.status, note || body?.code || body?.error || '');
  return { status: response.status, body };
}
