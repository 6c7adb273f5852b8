/** Tells the page of a fault in what it has given: a listener, a reader, a storage. */
export const report = (error: unknown) => globalThis.reportError?.(error);

/**
 * Runs a callback of the caller's. What it throws, at once or later, is reported and disturbs
 * nothing.
 */
export function contained<T>(work: () => T): T | undefined {
  try {
    const result = work();
    Promise.resolve(result).catch(report);
    return result;
  } catch (error) {
    report(error);
    return undefined;
  }
}
