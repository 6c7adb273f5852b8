// A policy before it is one: what the source does not say is a hole.
import type ts from 'typescript';

import { shownSource } from './secrets.js';
import type { Source } from './source.js';

/** What is to be filled in. */
export interface Hole {
  hole: string;
  /** What stands there in the source. */
  expression?: ts.Expression;
  /** Whether its texts are never shown. */
  secret?: boolean;
  /** What stands for it in the printed policy; by default a text that says what is missing. */
  instead?: string | number;
  /** What makes a text of the expression. */
  suffix?: string;
}

export type Draft = string | number | boolean | Hole | Draft[] | { [member: string]: Draft };

/** A hole of a printed policy, as it is told to the caller. */
export interface FillIn {
  pointer: string;
  what: string;
  /** The source text that stands there, if there is any. */
  source?: string;
  line?: number;
}

export const isHole = (draft: Draft): draft is Hole =>
  typeof draft === 'object' && !Array.isArray(draft) && typeof draft.hole === 'string';

/** The policy as a document, and what is left to fill in. */
export function toDocument(source: Source, draft: Draft): { document: unknown; fillIn: FillIn[] } {
  const fillIn: FillIn[] = [];
  const write = (part: Draft, pointer: string): unknown => {
    if (typeof part !== 'object') return part;
    if (Array.isArray(part)) return part.map((one, at) => write(one, `${pointer}/${at}`));
    if (!isHole(part)) {
      const members = Object.entries(part).map(([name, value]) => [
        name,
        write(value, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
      ]);
      return Object.fromEntries(members);
    }
    const { hole: what, expression, secret = false, instead } = part;
    const told: FillIn = { pointer, what };
    if (expression !== undefined) {
      told.source = shownSource(source, expression, secret);
      told.line = source.at(expression.getStart(source.file)).line;
    }
    fillIn.push(told);
    // A text that anybody knows is no secret: it is too short for one, so that a check refuses it.
    return instead ?? (secret ? 'FILL IN' : placeholder(what));
  };
  return { document: write(draft, ''), fillIn };
}

const placeholder = (what: string): string => `FILL IN: ${what}`;

/** The policy as source text, with the expressions that stood in the call. */
export function toCode(source: Source, draft: Draft, indent: string): string {
  if (typeof draft === 'string') return quoted(draft);
  if (typeof draft !== 'object') return String(draft);
  if (Array.isArray(draft)) {
    if (draft.every((one) => typeof one !== 'object'))
      return `[${draft.map((one) => toCode(source, one, indent)).join(', ')}]`;
    const rows = draft.map((one) => `${indent}  ${toCode(source, one, `${indent}  `)},\n`);
    return `[\n${rows.join('')}${indent}]`;
  }
  if (isHole(draft)) {
    const { hole, expression, instead, suffix = '' } = draft;
    if (expression === undefined) return toCode(source, instead ?? placeholder(hole), indent);
    const text = expression.getText(source.file);
    // The environment may lack it: then the policy is refused at start-up, and names the field.
    return /^process\.env\.\w+$/.test(text) ? `${text} ?? ''` : `${text}${suffix}`;
  }
  const rows = Object.entries(draft).map(
    ([name, value]) =>
      `${indent}  ${/^[a-z]\w*$/i.test(name) ? name : quoted(name)}: ${toCode(source, value, `${indent}  `)},\n`,
  );
  return `{\n${rows.join('')}${indent}}`;
}

const quoted = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

/** The expressions of a draft's holes. */
export function expressionsOf(draft: Draft): ts.Expression[] {
  if (typeof draft !== 'object') return [];
  if (isHole(draft)) return draft.expression ? [draft.expression] : [];
  return Object.values(draft).flatMap(expressionsOf);
}
