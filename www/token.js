// Takes a token apart without judging it: what can be shown of a broken one is shown. The judging is the core's.
import { decode, textOf } from './base64url.js';
import { read } from './json.js';

const NAMES = ['header', 'payload', 'signature'];
const JWE_NAMES = ['header', 'encrypted key', 'initialization vector', 'ciphertext', 'tag'];

/** `{ parts, header, claims, signature, kind }`; a part is `{ name, text, bytes, json, value, duplicates, problem }`. */
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
    header,
    claims: kind === 'jwe' ? undefined : payload,
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

/** JSON with two spaces, as it was signed: the order of its members, and those that are there twice. */
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
