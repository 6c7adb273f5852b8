/** Replaces `[start, end)` of a text. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

const CONTEXT = 3;

interface Change {
  /** The lines of the old text that are replaced, from 0; `to` is behind the last. */
  from: number;
  to: number;
  lines: string[];
}

export interface UnifiedDiff {
  text: string;
  /** The old lines that it shows, from 0. */
  shown: Set<number>;
}

/** What edits, which do not overlap, make of a text, as `diff -u` would say it. */
export function unifiedDiff(name: string, text: string, edits: readonly Edit[]): UnifiedDiff {
  const old = linesOf(text);
  const shown = new Set<number>();
  const parts: string[] = [];
  let moved = 0;
  for (const hunk of hunksOf(changesOf(text, old, edits))) {
    const first = Math.max(0, (hunk[0]?.from ?? 0) - CONTEXT);
    const last = Math.min(old.length, (hunk.at(-1)?.to ?? 0) + CONTEXT);
    const rows: string[] = [];
    let at = first;
    let added = 0;
    for (const { from, to, lines } of hunk) {
      rows.push(...old.slice(at, from).map((line) => row(' ', line)));
      rows.push(...old.slice(from, to).map((line) => row('-', line)));
      rows.push(...lines.map((line) => row('+', line)));
      added += lines.length - (to - from);
      at = to;
    }
    rows.push(...old.slice(at, last).map((line) => row(' ', line)));
    for (let line = first; line < last; line += 1) shown.add(line);
    const [was, is] = [last - first, last - first + added];
    parts.push(`@@ -${range(first, was)} +${range(first + moved, is)} @@\n`, ...rows);
    moved += added;
  }
  const path = name.replaceAll('\\', '/').replace(/^\.?\//, '');
  return { text: parts.length === 0 ? '' : `--- a/${path}\n+++ b/${path}\n${parts.join('')}`, shown };
}

/** Lines with their ends, so that a file without a last one stays so. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

const row = (mark: string, line: string): string =>
  line.endsWith('\n') ? `${mark}${line}` : `${mark}${line}\n\\ No newline at end of file\n`;

const range = (from: number, count: number): string => `${count === 0 ? from : from + 1},${count}`;

/** Edits as changes of whole lines; those that share a line are one. */
function changesOf(text: string, old: string[], edits: readonly Edit[]): Change[] {
  const starts: number[] = [];
  let offset = 0;
  for (const line of old) {
    starts.push(offset);
    offset += line.length;
  }
  const lineAt = (position: number): number => {
    let at = starts.findLastIndex((start) => start <= position);
    if (at < 0) at = 0;
    return at;
  };
  const groups: { from: number; to: number; edits: Edit[] }[] = [];
  const sorted = edits.toSorted((one, other) => one.start - other.start || one.end - other.end);
  for (const edit of sorted) {
    const from = lineAt(edit.start);
    const whole = edit.end > edit.start ? edit.end - 1 : edit.end;
    const to = Math.min(old.length, lineAt(whole) + 1);
    const last = groups.at(-1);
    if (last && from < last.to) {
      last.to = Math.max(last.to, to);
      last.edits.push(edit);
    } else groups.push({ from, to, edits: [edit] });
  }
  return groups.map(({ from, to, edits: own }) => {
    const start = starts[from] ?? text.length;
    const end = starts[to] ?? text.length;
    return trimmed(old, { from, to, lines: linesOf(applied(text, own, start, end)) });
  });
}

/** A part of a text with the edits in it made. */
function applied(text: string, edits: readonly Edit[], start: number, end: number): string {
  let made = '';
  let at = start;
  for (const edit of edits) {
    made += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return made + text.slice(at, end);
}

/** A change without the lines at both ends that stay as they are. */
function trimmed(old: string[], { from, to, lines }: Change): Change {
  let [first, last, kept] = [from, to, [...lines]];
  while (first < last && kept.length > 0 && old[first] === kept[0]) {
    first += 1;
    kept = kept.slice(1);
  }
  while (last > first && kept.length > 0 && old[last - 1] === kept.at(-1)) {
    last -= 1;
    kept = kept.slice(0, -1);
  }
  return { from: first, to: last, lines: kept };
}

/** Changes whose context meets are one hunk. */
function hunksOf(changes: readonly Change[]): Change[][] {
  const hunks: Change[][] = [];
  for (const change of changes) {
    const last = hunks.at(-1);
    const end = last?.at(-1)?.to;
    if (last && end !== undefined && change.from - end <= 2 * CONTEXT) last.push(change);
    else hunks.push([change]);
  }
  return hunks;
}
