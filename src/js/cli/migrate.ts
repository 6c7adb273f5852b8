import { Misuse, readText } from './input.js';
import type { Call } from './main.js';
import { type FillIn, toDocument } from './migrate/draft.js';
import type { Finding } from './migrate/finding.js';
import { findingOf } from './migrate/libraries.js';
import { type Rewritten, rewrite } from './migrate/rewrite.js';
import { Source } from './migrate/source.js';
import { loadTypeScript } from './migrate/typescript.js';
import type { Terminal } from './terminal.js';

const EXTENSIONS = /\.[cm]?[jt]sx?$/i;

/** What is told of a call. */
interface Told {
  line: number;
  column: number;
  library: string;
  call: string;
  what: string;
  policy?: unknown;
  fillIn: FillIn[];
  stricter: string[];
  notes: string[];
  byHand?: string;
}

interface FileReport {
  file: string;
  /** Where the parser stumbled first; calls behind it may be missing. */
  syntaxError?: { line: number; column: number };
  calls: Told[];
  diff: string;
  withheld?: string;
}

/** `portcullis migrate` */
export async function migrate({ operands, terminal }: Call): Promise<boolean> {
  if (operands.length === 0) throw new Misuse('migrate requires a file; write the names of sources');
  for (const file of operands)
    if (!EXTENSIONS.test(file))
      throw new Misuse(
        `${file} must be JavaScript or TypeScript: .js, .mjs, .cjs, .jsx, .ts, .mts, .cts or .tsx`,
      );
  const files: FileReport[] = [];
  for (const file of operands) files.push(report(file, await readText(file, 'a source')));
  const ok = files.every(isDone);
  if (terminal.json) terminal.answer({ ok, files });
  else for (const file of files) show(terminal, file);
  return ok;
}

const isDone = ({ calls, syntaxError, withheld }: FileReport): boolean =>
  syntaxError === undefined &&
  withheld === undefined &&
  calls.every(({ fillIn, byHand }) => fillIn.length === 0 && byHand === undefined);

function report(file: string, text: string): FileReport {
  const compiler = loadTypeScript(file);
  try {
    const source = new Source(compiler, file, text);
    const findings: Finding[] = [];
    source.walk((node) => {
      if (!compiler.isCallExpression(node) && !compiler.isNewExpression(node)) return;
      const finding = findingOf(source, node);
      if (finding) findings.push(finding);
    });
    const rewritten: Rewritten = source.broken
      ? { diff: '', byHand: new Map() }
      : rewrite(source, file, findings);
    const { diff, byHand, withheld } = rewritten;
    return {
      file,
      ...(source.broken ? { syntaxError: source.broken } : {}),
      calls: findings.map((finding) => told(source, finding, byHand.get(finding))),
      diff,
      ...(withheld === undefined ? {} : { withheld }),
    };
  } catch (error) {
    // The parser and the walk go as deep as the source does.
    if (error instanceof RangeError) throw new Misuse(`${file} is nested too deeply to be read`);
    throw error;
  }
}

function told(source: Source, finding: Finding, byHand: string | undefined): Told {
  const { call, library, name, what, policy, stricter, notes } = finding;
  const { document, fillIn } =
    policy === undefined ? { document: undefined, fillIn: [] } : toDocument(source, policy);
  return {
    ...source.at(call.getStart(source.file)),
    library,
    call: name,
    what,
    ...(document === undefined ? {} : { policy: document }),
    fillIn,
    stricter,
    notes,
    ...(byHand === undefined ? {} : { byHand }),
  };
}

function show(terminal: Terminal, { file, calls, diff, withheld, syntaxError }: FileReport): void {
  if (syntaxError)
    terminal.bad(
      `${file}:${syntaxError.line}:${syntaxError.column} is not JavaScript or TypeScript; calls may be missing, and there is no diff`,
    );
  if (calls.length === 0) terminal.good(`${file} has no call that comes to a policy`);
  for (const one of calls) {
    terminal.print(`${file}:${one.line}  ${one.library} ${one.call}  ${one.what}`);
    if (one.policy !== undefined) terminal.print(indented(JSON.stringify(one.policy, null, 2)));
    list(terminal, 'to fill in', one.fillIn.map(shownHole));
    list(terminal, 'becomes stricter', one.stricter);
    list(terminal, 'notes', one.notes);
    list(terminal, 'by hand', one.byHand === undefined ? [] : [one.byHand]);
    terminal.print('');
  }
  if (withheld !== undefined) terminal.bad(`no diff: ${withheld}`);
  if (diff !== '') terminal.verbatim(diff.replace(/\n$/, ''));
}

const shownHole = ({ pointer, what, source, line }: FillIn): string =>
  `${pointer}: ${what}${source === undefined ? '' : `; line ${line} has ${source}`}`;

const indented = (text: string): string => text.replaceAll(/^/gm, '  ');

function list(terminal: Terminal, title: string, rows: readonly string[]): void {
  if (rows.length === 0) return;
  terminal.print(`  ${title}`);
  for (const row of rows) terminal.print(`    - ${row}`);
}
