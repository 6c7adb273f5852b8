import { pageOf } from './code-page.js';
import { inspect } from './core.js';
import { readNow, readToken } from './input.js';
import type { Call } from './main.js';
import { type Terminal, when } from './terminal.js';

/** Claims that are instants (RFC 7519 §4.1, OpenID Connect Core §2). */
const TIMES = ['exp', 'nbf', 'iat', 'auth_time', 'updated_at'];

/** `portcullis inspect` */
export async function inspectToken({ operands: [operand], options, terminal }: Call): Promise<boolean> {
  const now = readNow(options.now);
  const seen = inspect(await readToken(operand));
  if (terminal.json) terminal.answer(seen);
  else if (seen.ok) {
    terminal.print('decoded and NOT verified: this may have been written by anyone');
    showToken(terminal, seen, now);
  } else {
    terminal.bad(`${seen.code}: ${seen.message}`);
    terminal.print(`  about this code: ${pageOf(seen.code, '')}`);
  }
  return seen.ok;
}

/** Header and claims of a token, one a line, with readable times. */
export function showToken(
  terminal: Terminal,
  { header, claims }: { header: object; claims: object },
  now: number,
): void {
  for (const [title, members] of Object.entries({ header, claims })) {
    terminal.faint(title);
    terminal.table(Object.entries(members).map(([name, value]) => [name, shown(name, value, now)]));
  }
}

function shown(name: string, value: unknown, now: number): string {
  const text = JSON.stringify(value);
  return TIMES.includes(name) && typeof value === 'number' ? `${text}  ${when(value, now)}` : text;
}
