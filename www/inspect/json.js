// A JSON reader that keeps what `JSON.parse` throws away: where each value stands, and members
// that are named twice.

const DEEPEST = 64;

/**
 * Reads a text: `{ value, places, duplicates }`, and `error: { at, message }` where it is no JSON.
 * `places` maps JSON pointers (RFC 6901) to `{ start, end, name }`; `name` is where the member's
 * name starts. What was read before an error is kept: a policy is read while it is written.
 */
export function read(text) {
  const reader = new Reader(text);
  try {
    reader.space();
    const value = reader.value('', 0);
    reader.space();
    if (reader.at < text.length) reader.fail('nothing may follow the value');
    return { value, places: reader.places, duplicates: reader.duplicates };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return { places: reader.places, duplicates: reader.duplicates, error };
  }
}

export const pointerTo = (parent, name) =>
  `${parent}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** A place as people count: lines and columns from 1. */
export function lineAndColumn(text, at) {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: before.at(-1).length + 1 };
}

class JsonError extends Error {
  constructor(at, message) {
    super(message);
    this.at = at;
  }
}

class Reader {
  at = 0;
  places = new Map();
  duplicates = [];

  constructor(text) {
    this.text = text;
  }

  fail(message) {
    throw new JsonError(this.at, message);
  }

  space() {
    while (' \t\n\r'.includes(this.text[this.at] ?? '.')) this.at += 1;
  }

  value(pointer, depth, name) {
    if (depth > DEEPEST) this.fail('too deep');
    const start = this.at;
    this.places.set(pointer, { start, end: start, name });
    const first = this.text[start];
    let value;
    if (first === '{') value = this.object(pointer, depth);
    else if (first === '[') value = this.array(pointer, depth);
    else if (first === '"') value = this.string();
    else value = this.word();
    this.places.set(pointer, { start, end: this.at, name });
    return value;
  }

  object(pointer, depth) {
    const object = {};
    this.list('}', () => {
      const name = this.at;
      if (this.text[name] !== '"') this.fail('a member’s name in double quotes is expected');
      const key = this.string();
      const inner = pointerTo(pointer, key);
      if (Object.hasOwn(object, key)) this.duplicates.push(inner);
      this.space();
      if (this.text[this.at] !== ':') this.fail('a colon is expected');
      this.at += 1;
      this.space();
      const value = this.value(inner, depth + 1, name);
      // Defined, not assigned: a member may be called `__proto__`.
      Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
    });
    return object;
  }

  array(pointer, depth) {
    const array = [];
    this.list(']', () => array.push(this.value(pointerTo(pointer, array.length), depth + 1)));
    return array;
  }

  list(end, item) {
    this.at += 1;
    this.space();
    if (this.text[this.at] === end) {
      this.at += 1;
      return;
    }
    for (;;) {
      item();
      this.space();
      const next = this.text[this.at];
      if (next !== ',' && next !== end) this.fail(`a comma or ${end} is expected`);
      this.at += 1;
      if (next === end) return;
      this.space();
      if (this.text[this.at] === end) this.fail('a comma may not stand last');
    }
  }

  string() {
    const found = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
    found.lastIndex = this.at;
    const [text] = found.exec(this.text) ?? [];
    if (text === undefined) this.fail('a text that does not end, or holds what has to be escaped');
    this.at += text.length;
    return JSON.parse(text);
  }

  word() {
    const found = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    found.lastIndex = this.at;
    const [text] = found.exec(this.text) ?? [];
    if (text === undefined)
      this.fail(this.at < this.text.length ? 'no value starts like this' : 'a value is missing');
    this.at += text.length;
    return JSON.parse(text);
  }
}
