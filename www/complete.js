// What may be written where the caret stands in a policy: names of members, or values.
import { read } from './json.js';
import { schemasAt } from './schema-check.js';

const MOST = 12;

/**
 * `{ from, to, items }`: what a choice replaces, and the choices as `{ text, label, about, caret }`; `caret` is where the caret goes, counted from
 * the end. `undefined` where nothing is known.
 */
export function completionsAt(text, caret, root) {
  const context = contextAt(text, caret);
  if (!context) return undefined;
  const { pointer, kind, from, to, typed, members } = context;
  // The text is rarely JSON while it is written: what was read up to its first mistake says enough.
  const { value } = read(text);
  const schemas = schemasAt(pointer, value ?? valueBefore(text, from), root);
  const items = kind === 'name' ? names(schemas, members) : values(schemas);
  const wanted = typed.toLowerCase();
  const fitting = items.filter(({ label }) => label.toLowerCase().includes(wanted));
  return fitting.length > 0 ? { from, to, items: fitting.slice(0, MOST) } : undefined;
}

/** What an object or array that is not closed yet comes to, when it is closed here. */
function valueBefore(text, from) {
  const stack = [];
  for (const [piece] of text.slice(0, from).matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (piece === '{') stack.push('}');
    else if (piece === '[') stack.push(']');
    else if (piece === '}' || piece === ']') stack.pop();
  }
  const start = text.slice(0, from).replace(/(?:,?\s*"(?:[^"\\]|\\.)*"\s*:\s*|,)\s*$/, '');
  return read(start + stack.reverse().join('')).value;
}

/** Where the caret is: in or before a member's name, or a value; in which object or array. */
function contextAt(text, caret) {
  const stack = [];
  let at = 0;
  let top = { pointer: '', array: false, index: 0, state: 'value', members: new Set() };
  const token = /\s+|"(?:[^"\\\n]|\\.)*"?|[{}[\],:]|[^\s{}[\],:"]+/y;
  while (at < text.length) {
    token.lastIndex = at;
    const [piece] = token.exec(text) ?? [text[at]];
    const end = at + piece.length;
    const isWord = /^["\w-]/.test(piece);
    if (caret <= at || (caret < end && isWord) || (caret === end && isWord && !/^".*"$/.test(piece))) {
      if (caret >= at && isWord) return here(top, at, end, text.slice(at, caret).replace('"', ''));
      break;
    }
    top = step(top, piece, stack);
    if (!top) return undefined;
    at = end;
  }
  return here(top, caret, caret, '');
}

function here({ pointer, state, members, inner, array }, from, to, typed) {
  if (state === 'name') return { kind: 'name', pointer, from, to, typed, members };
  if (state === 'value')
    return { kind: 'value', pointer: array ? `${pointer}/0` : (inner ?? pointer), from, to, typed, members };
  return undefined;
}

function step(top, piece, stack) {
  if (/^\s/.test(piece)) return top;
  if (piece === '{' || piece === '[') {
    stack.push(top);
    const pointer = top.array ? `${top.pointer}/${top.index}` : (top.inner ?? top.pointer);
    const array = piece === '[';
    return { pointer, array, index: 0, state: array ? 'value' : 'name', members: new Set() };
  }
  if (piece === '}' || piece === ']') {
    const outer = stack.pop();
    if (outer) outer.state = 'after';
    return outer;
  }
  if (piece === ',')
    return { ...top, index: top.index + 1, state: top.array ? 'value' : 'name', inner: undefined };
  if (piece === ':') return { ...top, state: 'value' };
  if (top.state === 'name') {
    const name = piece.replaceAll('"', '');
    top.members.add(name);
    return {
      ...top,
      state: 'colon',
      inner: `${top.pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    };
  }
  return { ...top, state: 'after' };
}

function names(schemas, members) {
  const refused = new Set();
  const found = new Map();
  for (const { properties = {} } of schemas) {
    for (const [name, schema] of Object.entries(properties)) {
      if (schema === false) refused.add(name);
      else if (schema.description || !found.has(name)) found.set(name, schema);
    }
  }
  return [...found]
    .filter(([name]) => !refused.has(name) && !members.has(name))
    .map(([name, schema]) => ({
      label: name,
      about: schema.description ?? '',
      ...written(`"${name}": `, schema),
    }));
}

/** The beginning of a value of the schema's type, and where the caret goes in it. */
function written(before, { type, enum: choices, anyOf, default: usual }) {
  const kind = [type ?? (choices ? 'string' : anyOf?.[0]?.type)].flat()[0];
  const value = { string: '""', object: '{}', array: '[]' }[kind] ?? '';
  if (value === '' && usual !== undefined) return { text: before + JSON.stringify(usual), caret: 0 };
  return { text: before + value, caret: value === '' ? 0 : 1 };
}

function values(schemas) {
  const found = new Map();
  for (const { const: only, enum: several, type, default: usual, description } of schemas) {
    const choices =
      several ??
      (only !== undefined ? [only] : type === 'boolean' ? [true, false] : usual !== undefined ? [usual] : []);
    for (const choice of choices) found.set(JSON.stringify(choice), description ?? '');
  }
  return [...found].map(([text, about]) => ({ label: text.replaceAll('"', ''), text, about, caret: 0 }));
}
