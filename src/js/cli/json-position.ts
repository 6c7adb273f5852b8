/** A spot in a text, both counted from 1. */
export interface Position {
  line: number;
  column: number;
}

/** Where a JSON text stops being one, and what would have stood there. */
export interface JsonMistake extends Position {
  expected: string;
  found: string;
}

/** Deeper than any document of ours; the core has refused what is. */
const DEEPEST = 200;

/**
 * Where a JSON text (RFC 8259) goes wrong; `undefined` for one that does not. `JSON.parse` says it
 * in other words in each runtime, or not at all, and does not mind a member that is there twice.
 */
export function mistakeIn(text: string): JsonMistake | undefined {
  const reader = new Reader(text);
  return reader.read();
}

/**
 * Where the value begins that a pointer (RFC 6901) names, or the innermost one around it that is
 * there.
 */
export function positionOf(text: string, pointer: string): Position | undefined {
  const reader = new Reader(text);
  if (reader.read() !== undefined) return undefined;
  let name = pointer;
  while (name !== '' && !reader.places.has(name)) name = name.slice(0, name.lastIndexOf('/'));
  const at = reader.places.get(name);
  return at === undefined ? undefined : positionAt(text, at);
}

function positionAt(text: string, at: number): Position {
  const before = text.slice(0, at).split(/\r\n|\r|\n/);
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

class Mistake {
  constructor(
    readonly at: number,
    readonly expected: string,
    readonly found?: string,
  ) {}
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON has none in its strings
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
const WORD = /true|false|null/y;
const SPACE = /[ \t\n\r]*/y;

class Reader {
  /** Where each value begins, by its pointer. */
  readonly places = new Map<string, number>();
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): JsonMistake | undefined {
    try {
      this.#value('', 0);
      this.#space();
      if (this.#at < this.#text.length) throw new Mistake(this.#at, 'the end of the text');
      return undefined;
    } catch (thrown) {
      if (!(thrown instanceof Mistake)) throw thrown;
      const found = thrown.found ?? kindOf(this.#text, thrown.at);
      return { ...positionAt(this.#text, thrown.at), expected: thrown.expected, found };
    }
  }

  #value(pointer: string, depth: number): void {
    this.#space();
    this.places.set(pointer, this.#at);
    if (depth > DEEPEST) throw new Mistake(this.#at, `at most ${DEEPEST} levels`);
    const first = this.#text[this.#at];
    if (first === '{') this.#object(pointer, depth);
    else if (first === '[') this.#array(pointer, depth);
    else if (first === '"') this.#string();
    else if (this.#match(NUMBER) === undefined && this.#match(WORD) === undefined)
      throw new Mistake(this.#at, 'a value');
  }

  #object(pointer: string, depth: number): void {
    this.#at += 1;
    const names = new Set<string>();
    if (this.#next('}')) return;
    do {
      this.#space();
      const begin = this.#at;
      if (this.#text[begin] !== '"') throw new Mistake(begin, 'the name of a member in quotation marks');
      const name = JSON.parse(this.#string()) as string;
      if (names.has(name))
        throw new Mistake(begin, 'each name once in an object', `${JSON.stringify(name)} again`);
      names.add(name);
      if (!this.#next(':')) throw new Mistake(this.#at, '":"');
      this.#value(`${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, depth + 1);
    } while (this.#next(','));
    if (!this.#next('}')) throw new Mistake(this.#at, '"," or "}"');
  }

  #array(pointer: string, depth: number): void {
    this.#at += 1;
    if (this.#next(']')) return;
    let index = 0;
    do this.#value(`${pointer}/${index++}`, depth + 1);
    while (this.#next(','));
    if (!this.#next(']')) throw new Mistake(this.#at, '"," or "]"');
  }

  #string(): string {
    const found = this.#match(STRING);
    if (found === undefined)
      throw new Mistake(this.#at, 'a string without line ends, and with valid escapes');
    return found;
  }

  /** Goes past a character, if it is the next one behind white space. */
  #next(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #space(): void {
    this.#match(SPACE);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

/** What stands there, without showing more than a sign: the text may be a secret. */
function kindOf(text: string, at: number): string {
  const character = text[at];
  if (character === undefined) return 'the end of the text';
  if ('{}[]:,"\''.includes(character)) return character === '"' ? 'a quotation mark' : `"${character}"`;
  if (text.startsWith('//', at) || text.startsWith('/*', at)) return 'a comment, which JSON has not';
  if (character === '\ufeff') return 'a byte order mark';
  return /\d/.test(character) ? 'a digit' : /\p{L}/u.test(character) ? 'a letter' : 'another character';
}
