/**
 * A mistake of the caller's own: in a policy, a key or an option. A token never causes it.
 *
 * `pointer` is a JSON pointer (RFC 6901) to the field at fault, `reason` says what would be right.
 * @example
 * ```ts
 * import { createVerifier, PolicyError } from 'portcullis';
 *
 * try {
 *   createVerifier(policy);
 * } catch (error) {
 *   if (error instanceof PolicyError) console.error(error.pointer, error.reason);
 * }
 * ```
 */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly pointer: string;
  readonly reason: string;

  constructor(pointer: string, reason: string) {
    super(`${pointer}: ${reason}`);
    this.pointer = pointer;
    this.reason = reason;
  }
}

/**
 * Runs a call into the core. What the core throws as a string is the caller's mistake, or a
 * platform without randomness; anything else passes.
 */
export function orPolicyError<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    if (typeof thrown !== 'string') throw thrown;
    throw asPolicyError(thrown);
  }
}

/** The caller's mistake, or the platform's failure, as the core writes it. */
export function asPolicyError(json: string): Error {
  const told = JSON.parse(json) as { pointer: string; reason: string } | { failure: string };
  return 'failure' in told ? new Error(told.failure) : new PolicyError(told.pointer, told.reason);
}
