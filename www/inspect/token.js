// Finds the token in whatever was pasted (a header, a curl line, a token response, a URL, a log
// line) and takes it apart without judging it: what can be shown of a broken one is shown. The
// judging is the core’s.
import { decode, textOf } from '../base64url.js';
import { read } from './json.js';

// A segment that is a JSON object starts with `{`, which is `e` and one of these in base64url.
const TOKEN = /(?<![\w.-])e[w-z0-9_-][\w-]*\.[\w-]*\.[\w-]*(?:\.[\w-]*\.[\w-]*)?(?![\w-])/g;
const OPAQUE_NAMES = ['access_token', 'id_token', 'refresh_token'];

/**
 * `{ token, where, others }`: the first token, how it came, and further ones as
 * `{ token, label }`. `undefined` when there is none; `{ opaque }` names the member of a token
 * response that is no JWT.
 */
export function find(text) {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  if (/^[\w-]+(?:\.[\w-]*){2,4}$/.test(trimmed)) return { token: trimmed, where: 'as it is', others: [] };
  return inJson(trimmed) ?? wrapped(trimmed) ?? inText(trimmed);
}

/** The members of a JSON document that hold tokens, an access token first. */
function inJson(text) {
  const start = text.indexOf('{');
  if (start === -1) return undefined;
  let document;
  try {
    document = JSON.parse(text.slice(start, text.lastIndexOf('}') + 1));
  } catch {
    return undefined;
  }
  const found = [];
  collect(document, '', found);
  if (found.length === 0) {
    const opaque = OPAQUE_NAMES.find((name) => typeof document[name] === 'string');
    return opaque && { opaque };
  }
  found.sort((a, b) => rank(a.label) - rank(b.label));
  const [{ token, label }, ...others] = found;
  return { token, where: `“${label}” of a JSON document`, others };
}

function collect(value, label, found) {
  if (typeof value === 'string') {
    const [token] = value.match(TOKEN) ?? [];
    if (token) found.push({ token, label: label || 'text' });
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) collect(inner, name, found);
  }
}

function rank(label) {
  const at = OPAQUE_NAMES.indexOf(label);
  return at === -1 ? OPAQUE_NAMES.length : at;
}

/** A token that a terminal or a mail has broken into lines. */
function wrapped(text) {
  if (!/^[\w.\s-]+$/.test(text) || !/\s/.test(text)) return undefined;
  const joined = text.replaceAll(/\s/g, '');
  if (!/^e[w-z0-9_-][\w-]*(?:\.[\w-]+){2}$/.test(joined)) return undefined;
  // Two tokens in a row would make a text with more dots.
  return { token: joined, where: 'several lines', others: [] };
}

function inText(text) {
  const found = [...new Set(text.match(TOKEN) ?? [])];
  if (found.length === 0) return undefined;
  const [token, ...rest] = found;
  return {
    token,
    where: placeOf(text),
    others: rest.map((other, index) => ({ token: other, label: `token ${index + 2}` })),
  };
}

function placeOf(text) {
  if (/^\s*(?:\$ )?curl\b/.test(text)) return 'a curl command';
  if (/^(?:authorization\s*:\s*)?(?:bearer|dpop)\s/i.test(text)) return 'an Authorization header';
  if (/^https?:\/\//i.test(text)) return 'a URL';
  if (/^(?:set-)?cookie\s*:/i.test(text)) return 'a cookie';
  return 'the text around it';
}

const NAMES = ['header', 'payload', 'signature'];
const JWE_NAMES = ['header', 'encrypted key', 'initialization vector', 'ciphertext', 'tag'];

/**
 * `{ parts, header, claims, signature, kind }`; a part is
 * `{ name, text, bytes, json, value, duplicates, problem }`.
 */
export function takeApart(token) {
  const segments = token === '' ? [] : token.split('.');
  const kind = segments.length === 3 ? 'jws' : segments.length === 5 ? 'jwe' : 'other';
  const names = kind === 'jwe' ? JWE_NAMES : NAMES;
  const parts = segments.map((text, index) => {
    const name = names[index] ?? `segment ${index + 1}`;
    return partOf(name, text, index === 0 || (index === 1 && kind !== 'jwe'));
  });
  const [header, payload, signature] = parts;
  return {
    kind,
    parts,
    // Of what is no token only a piece that is an object is worth showing.
    header: kind === 'other' && !header?.value ? undefined : header,
    claims: kind === 'jwe' || (kind === 'other' && !payload?.value) ? undefined : payload,
    signature: kind === 'jws' ? signature : undefined,
  };
}

function partOf(name, text, isJson) {
  const bytes = decode(text);
  if (!bytes) return { name, text, problem: 'This is not base64url.' };
  if (!isJson) return { name, text, bytes };
  const json = textOf(bytes);
  if (json === undefined) return { name, text, bytes, problem: 'These bytes are not text in UTF-8.' };
  const { value, duplicates, error } = read(json);
  if (error)
    return {
      name,
      text,
      bytes,
      json,
      duplicates,
      problem: `This is not JSON: ${error.message}, at character ${error.at + 1}.`,
    };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { name, text, bytes, json, duplicates, problem: 'This is JSON, but not an object.' };
  return { name, text, bytes, json, value, duplicates };
}

/**
 * JSON with two spaces, as it was signed: the order of its members, and those that are there
 * twice.
 */
export function pretty(json) {
  let depth = 0;
  let out = '';
  for (const [piece] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    const line = `\n${'  '.repeat(depth)}`;
    if (piece === '{' || piece === '[') {
      depth += 1;
      out += `${piece}\n${'  '.repeat(depth)}`;
    } else if (piece === '}' || piece === ']') {
      depth = Math.max(0, depth - 1);
      out = /[{[]\s*$/.test(out) ? out.trimEnd() + piece : `${out}\n${'  '.repeat(depth)}${piece}`;
    } else if (piece === ',') out += `,${line}`;
    else out += piece === ':' ? ': ' : piece;
  }
  return out;
}
