// What a link carries, behind the “#”: browsers send that part to no server. The token is in it
// only when it was asked for, a secret never.
import { bytesOf, decode, encode, textOf } from '../base64url.js';

export const VIEWS = ['inspect', 'verify', 'policy', 'attacks'];

/**
 * Names under which sign-in pages hand over a token in the fragment (RFC 6749 §4.2.2, OpenID
 * Connect Core §3.2.2.5).
 */
const HANDED_OVER = ['token', 'access_token', 'id_token'];
const PLAIN = ['iss', 'aud', 'typ', 'leeway', 'at', 'attack'];
const PACKED = ['key', 'policy'];

/** `{ view, fields, token }` of a fragment; whatever else is in it is left out. */
export function readFragment(hash) {
  const text = hash.replace(/^#/, '');
  const [name, query = name] = text.includes('?')
    ? [text.slice(0, text.indexOf('?')), text.slice(text.indexOf('?') + 1)]
    : [text, text.includes('=') ? text : ''];
  const parameters = new URLSearchParams(query);
  const fields = {};
  for (const key of PLAIN) if (parameters.has(key)) fields[key] = parameters.get(key);
  for (const key of PACKED) {
    const bytes = decode(parameters.get(key) ?? '!');
    const unpacked = bytes && textOf(bytes);
    if (unpacked !== undefined) fields[key] = unpacked;
  }
  const token = HANDED_OVER.map((key) => parameters.get(key)).find(Boolean);
  return { view: VIEWS.includes(name) ? name : 'inspect', fields, token };
}

export function writeFragment(view, fields, token) {
  const parameters = new URLSearchParams();
  for (const key of PLAIN) if (fields[key]) parameters.set(key, fields[key]);
  for (const key of PACKED) if (fields[key]) parameters.set(key, encode(bytesOf(fields[key])));
  if (token) parameters.set('token', token);
  const query = parameters.toString();
  return `#${view}${query && `?${query}`}`;
}

/** Is there an HMAC secret or a private key in this policy? */
export const holdsSecret = (text) => /"(?:secret|k|d)"\s*:|"oct"/.test(text);
