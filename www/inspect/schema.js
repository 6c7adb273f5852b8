// As much of JSON Schema 2020-12 as policy.schema.json uses: what is wrong with a policy while it
// is written, and what may be written where the caret stands. Whether it is a policy, the core
// says; this says it sooner, and where.
import { pointerTo, read } from './json.js';

/** A list of `{ pointer, message }`: of alternatives that all fail, what the nearest one wants. */
export function check(value, schema, root = schema, pointer = '') {
  if (schema === true) return [];
  if (schema === false) return [{ pointer, message: 'does not belong here' }];
  if (schema.$ref) return check(value, resolve(schema.$ref, root), root, pointer);
  const errors = [];
  const say = (message, at = pointer) => errors.push({ pointer: at, message });
  if (schema.type !== undefined && ![schema.type].flat().some((type) => hasType(value, type))) {
    say(`has to be ${[schema.type].flat().map(articled).join(' or ')}`);
    return errors;
  }
  if ('const' in schema && value !== schema.const) say(`has to be ${JSON.stringify(schema.const)}`);
  if (schema.enum && !schema.enum.includes(value))
    say(`has to be one of ${schema.enum.map((item) => JSON.stringify(item)).join(', ')}`);
  if (typeof value === 'number') ofNumber(value, schema, say);
  if (typeof value === 'string') ofString(value, schema, say);
  if (Array.isArray(value)) errors.push(...ofArray(value, schema, root, pointer));
  else if (typeof value === 'object' && value !== null)
    errors.push(...ofObject(value, schema, root, pointer));
  for (const inner of schema.allOf ?? []) errors.push(...check(value, inner, root, pointer));
  for (const alternatives of [schema.anyOf, schema.oneOf])
    if (alternatives) errors.push(...nearest(value, alternatives, root, pointer));
  if (schema.not && check(value, schema.not, root, pointer).length === 0) say('is what it must not be');
  if (schema.if) {
    const branch = check(value, schema.if, root, pointer).length === 0 ? schema.then : schema.else;
    if (branch) errors.push(...check(value, branch, root, pointer));
  }
  return errors;
}

export function resolve(reference, root) {
  return reference
    .slice(2)
    .split('/')
    .reduce((schema, name) => schema[name], root);
}

/** The schemas that may describe what stands at a pointer. */
export function schemasAt(pointer, value, root) {
  let schemas = expanded(root, value, root);
  let here = value;
  for (const name of pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))) {
    here = here?.[name];
    const inner = schemas.flatMap((schema) => [
      schema.properties?.[name] ??
        schema.items ??
        (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined),
    ]);
    schemas = inner
      .filter((schema) => typeof schema === 'object')
      .flatMap((schema) => expanded(schema, here, root));
  }
  return schemas;
}

/** A schema with what its references, its alternatives and its conditions add for this value. */
function expanded(schema, value, root) {
  const own = schema.$ref ? resolve(schema.$ref, root) : schema;
  if (typeof own !== 'object') return [];
  const branches = [own.allOf, own.anyOf, own.oneOf].flatMap((list) => list ?? []);
  if (own.if) branches.push(check(value, own.if, root).length === 0 ? own.then : own.else);
  return [
    own,
    ...branches
      .filter((branch) => typeof branch === 'object')
      .flatMap((branch) => expanded(branch, value, root)),
  ];
}

function ofNumber(value, { minimum, maximum }, say) {
  if (minimum !== undefined && value < minimum) say(`has to be at least ${minimum}`);
  if (maximum !== undefined && value > maximum) say(`may be at most ${maximum}`);
}

function ofString(value, { minLength, maxLength, pattern }, say) {
  if (minLength !== undefined && value.length < minLength)
    say(minLength === 1 ? 'may not be empty' : `has to have at least ${minLength} characters`);
  if (maxLength !== undefined && value.length > maxLength) say(`may have at most ${maxLength} characters`);
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) say(`has to look like ${pattern}`);
}

function ofArray(value, { items, minItems, maxItems, uniqueItems }, root, pointer) {
  const errors = [];
  if (minItems !== undefined && value.length < minItems)
    errors.push({
      pointer,
      message: minItems === 1 ? 'may not be empty' : `needs at least ${minItems} items`,
    });
  if (maxItems !== undefined && value.length > maxItems)
    errors.push({ pointer, message: `may have at most ${maxItems} items` });
  if (uniqueItems && new Set(value.map((item) => JSON.stringify(item))).size < value.length)
    errors.push({ pointer, message: 'names an item twice' });
  if (items !== undefined)
    errors.push(...value.flatMap((item, index) => check(item, items, root, pointerTo(pointer, index))));
  return errors;
}

function ofObject(
  value,
  { properties = {}, required = [], additionalProperties, propertyNames, minProperties, maxProperties },
  root,
  pointer,
) {
  const errors = required
    .filter((name) => !Object.hasOwn(value, name))
    .map((name) => ({ pointer, message: `needs “${name}”` }));
  const count = Object.keys(value).length;
  if (count < (minProperties ?? 0)) errors.push({ pointer, message: 'may not be empty' });
  if (count > (maxProperties ?? count))
    errors.push({ pointer, message: `may have at most ${maxProperties} members` });
  for (const [name, inner] of Object.entries(value)) {
    const at = pointerTo(pointer, name);
    if (propertyNames && check(name, propertyNames, root).length > 0)
      errors.push({ pointer: at, message: 'has a name that may not be' });
    if (Object.hasOwn(properties, name)) errors.push(...check(inner, properties[name], root, at));
    else if (additionalProperties === false) errors.push({ pointer: at, message: 'is not known' });
    else if (typeof additionalProperties === 'object')
      errors.push(...check(inner, additionalProperties, root, at));
  }
  return errors;
}

/** Nothing when one of them fits; otherwise what the one with the fewest errors says. */
function nearest(value, alternatives, root, pointer) {
  const results = alternatives.map((schema) => check(value, schema, root, pointer));
  if (results.some((errors) => errors.length === 0)) return [];
  const wanted = alternatives.map(({ required }) => required?.length === 1 && required[0]);
  if (wanted.every(Boolean))
    return [{ pointer, message: `needs one of ${wanted.map((name) => `“${name}”`).join(', ')}` }];
  return results.reduce((best, errors) => (errors.length < best.length ? errors : best));
}

function hasType(value, type) {
  if (type === 'array') return Array.isArray(value);
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

const articled = (type) =>
  type === 'null' ? type : `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type === 'string' ? 'text' : type}`;

const MOST = 12;

/**
 * `{ from, to, items }`: what a choice replaces, and the choices as
 * `{ text, label, about, caret }`; `caret` is where the caret goes, counted from the end.
 * `undefined` where nothing is known.
 */
export function completionsAt(text, caret, root) {
  const context = contextAt(text, caret);
  if (!context) return undefined;
  const { pointer, kind, from, to, typed, members } = context;
  // The text is rarely JSON while it is written: what was read up to its first mistake says enough.
  const { value } = read(text);
  const schemas = schemasAt(pointer, value ?? valueBefore(text, from), root);
  const next = text.slice(to).trimStart()[0];
  const items = kind === 'name' ? names(schemas, members, next === '"') : values(schemas);
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

function names(schemas, members, another) {
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
      ...written(`"${name}": `, schema, another ? ',' : ''),
    }));
}

/**
 * The beginning of a value of the schema's type, a comma where a member follows, and where the
 * caret goes in it.
 */
function written(before, { type, enum: choices, anyOf, default: usual }, after) {
  const kind = [type ?? (choices ? 'string' : anyOf?.[0]?.type)].flat()[0];
  const value = { string: '""', object: '{}', array: '[]' }[kind] ?? '';
  const plain = value === '' && usual !== undefined ? JSON.stringify(usual) : value;
  return { text: before + plain + after, caret: after.length + (value === '' ? 0 : 1) };
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
