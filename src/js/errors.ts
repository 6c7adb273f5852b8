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
    const { pointer, reason } = JSON.parse(thrown) as { pointer: string; reason: string };
    throw new PolicyError(pointer, reason);
  }
}
