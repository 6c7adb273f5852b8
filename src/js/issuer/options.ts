import { PolicyError } from '../shared/errors.js';
import { membersOf } from '../shared/to-json.js';

/**
 * The object of a command for the core, which refuses members that it does not know. What is fixed stands last, and an option never stands in
 * for it.
 * @throws PolicyError for an option that is an argument of its own, or an object that is not plain. What has no JSON, `toJson` refuses.
 */
export function commandOf(fixed: Record<string, unknown>, options: object | undefined): object {
  return { ...membersOf(options, fixed), ...fixed };
}

/**
 * Refuses members that nobody would look at: a misspelt one would be left out without a word.
 * @throws PolicyError that names the first.
 */
export function refuseUnknown(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new PolicyError(`/${unknown}`, `is unknown; expected one of ${known.join(', ')}`);
}
