/** Where a command writes: for a person, or as one JSON object. */
export class Terminal {
  readonly json: boolean;
  readonly #stream: NodeJS.WriteStream;
  readonly #colour: boolean;

  constructor(stream: NodeJS.WriteStream, json: boolean) {
    this.#stream = stream;
    this.json = json;
    // https://no-color.org: any value but an empty one.
    this.#colour = !json && stream.isTTY === true && !process.env.NO_COLOR;
  }

  /** The whole answer for machines. */
  answer(value: unknown): void {
    this.#stream.write(`${JSON.stringify(value)}\n`);
  }

  print(text: string): void {
    this.#stream.write(`${printable(text)}\n`);
  }

  /** A text whose tabs and line ends count, such as a diff. */
  verbatim(text: string): void {
    this.#stream.write(
      `${text
        .split(/(\t|\r?\n)/)
        .map((part, at) => (at % 2 ? part : printable(part)))
        .join('')}\n`,
    );
  }

  good(text: string): void {
    this.print(`${this.#mark('✓', 32)} ${text}`);
  }

  bad(text: string): void {
    this.print(`${this.#mark('✗', 31)} ${text}`);
  }

  /** Rows of columns, set apart and aligned. */
  table(rows: string[][]): void {
    const widths = rows.reduce<number[]>(
      (most, row) => row.map((cell, at) => Math.max(most[at] ?? 0, cell.length)),
      [],
    );
    for (const row of rows) {
      const cells = row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)));
      this.print(`  ${cells.join('  ')}`.trimEnd());
    }
  }

  faint(text: string): void {
    this.print(this.#mark(text, 2));
  }

  problem(text: string, hint: string): void {
    this.print(this.#mark(text, 31));
    this.faint(hint);
  }

  #mark(text: string, code: number): string {
    return this.#colour ? `${ESCAPE}[${code}m${text}${ESCAPE}[0m` : text;
  }
}

const ESCAPE = '\u001b';

/**
 * Control characters and those that turn the direction of writing, but for line ends and our own
 * colours.
 */
const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /\u001b(?!\[(?:0|2|31|32)m)|[\u0000-\u0009\u000b-\u001a\u001c-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A text of somebody else's, so that it can be shown: it moves no cursor and hides nothing. */
function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** An instant for a reader, and how far it is from another. */
export function when(seconds: number, now: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `${seconds}`;
  return `${date.toISOString().replace('.000Z', 'Z')} (${distance(seconds - now)})`;
}

function distance(seconds: number): string {
  const size = Math.abs(seconds);
  const units: [number, string][] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const at = units.findIndex(([length]) => size >= length);
  if (at < 0) return 'now';
  const [first, second] = units.slice(at) as [[number, string], [number, string] | undefined];
  const whole = `${Math.floor(size / first[0])} ${first[1]}`;
  const rest = second && Math.floor((size % first[0]) / second[0]);
  const text = second && rest ? `${whole} ${rest} ${second[1]}` : whole;
  return seconds < 0 ? `${text} ago` : `in ${text}`;
}
