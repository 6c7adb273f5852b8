/**
 * A mistake of the caller's own: in a policy, a key or an option. A token never causes it.
 *
 * `pointer` is a JSON pointer (RFC 6901) to the field at fault, `reason` says what would be right.
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

/** Runs a call into the core. What the core throws as a string is the caller's mistake; anything else passes. */
export function orPolicyError<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    if (typeof thrown !== 'string') throw thrown;
    throw asPolicyError(thrown);
  }
}

/** The caller's mistake as the core writes it. */
export function asPolicyError(json: string): PolicyError {
  const { pointer, reason } = JSON.parse(json) as { pointer: string; reason: string };
  return new PolicyError(pointer, reason);
}
