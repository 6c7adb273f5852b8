/**
 * Runs what must not disturb a request: a callback of the caller's, or a second opinion. What it
 * throws, at once or later, is told to `fault` and reaches nobody, neither as an exception nor as
 * a rejection that ends the process.
 */
export function contained<T>(work: () => T, fault: () => void): T | undefined {
  try {
    const result = work();
    if (isThenable(result)) Promise.resolve(result).catch(fault);
    return result;
  } catch {
    fault();
    return undefined;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
