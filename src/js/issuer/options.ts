import { PolicyError } from '../errors.js';

/**
 * The object of a command for the core, which refuses members that it does not know. What is fixed stands last, and an option never stands in
 * for it.
 * @throws PolicyError for an option that is an argument of its own, or that is a function: `toJSON` would write something else.
 */
export function commandOf(fixed: Record<string, unknown>, options: object | undefined): object {
  for (const [name, value] of Object.entries(options ?? {})) {
    if (Object.hasOwn(fixed, name))
      throw new PolicyError(`/${name}`, 'must not be an option: it is fixed by the call. Leave it out');
    if (typeof value === 'function') throw new PolicyError(`/${name}`, 'must not be a function');
  }
  return { ...options, ...fixed };
}

/**
 * Refuses members that nobody would look at: a misspelt one would be left out without a word.
 * @throws PolicyError that names the first.
 */
export function refuseUnknown(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new PolicyError(`/${unknown}`, `is not known here; known are ${known.join(', ')}`);
}
