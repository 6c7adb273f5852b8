import type { PolicyError } from '../shared/errors.js';
import { mistakeIn, type Position, positionOf } from './json-position.js';

/** What is wrong with a file, for people and for machines. */
export interface Mistake extends Partial<Position> {
  pointer: string;
  reason: string;
}

/** The core's word about a text, and where in it that is. */
export function mistakeOf({ pointer, reason }: PolicyError, text: string): Mistake {
  const malformed = mistakeIn(text);
  if (malformed === undefined) return { pointer, reason, ...(pointer ? positionOf(text, pointer) : {}) };
  const { line, column, expected, found } = malformed;
  return { pointer, reason: `${reason}: expected ${expected}; found ${found}`, line, column };
}

/** The same as one line. */
export function lineOf({ pointer, reason, line, column }: Mistake): string {
  const where = line === undefined ? '' : ` (line ${line}, column ${column})`;
  return `${pointer || 'the document'} ${reason}${where}`;
}
