import { PolicyError } from './errors.js';

/**
 * Whether a caller's function, which has to answer at once, has answered with a promise. Nobody
 * waits for it, so nobody would hear of its failure, and a rejection that nobody hears ends the
 * process.
 */
export function isPromise(answer: unknown): boolean {
  try {
    if (typeof (answer as PromiseLike<unknown> | null | undefined)?.then !== 'function') return false;
    Promise.resolve(answer).catch(() => {});
  } catch {
    // It says that it has a `then`, and throws when that is looked at: no answer either.
  }
  return true;
}

/**
 * The caller's clock, or the runtime's. A clock that does not tell whole seconds at once is the
 * caller's mistake.
 */
export function clockOf(now: (() => number) | undefined): () => number {
  if (now === undefined) return () => Math.floor(Date.now() / 1000);
  return () => {
    const seconds: unknown = now();
    if (typeof seconds === 'number') {
      if (Number.isSafeInteger(seconds) && seconds >= 0) return seconds;
      throw new PolicyError('/now', `must be whole seconds since 1970; found ${seconds}`);
    }
    const found = isPromise(seconds) ? 'a promise' : typeof seconds;
    throw new PolicyError('/now', `must return whole seconds since 1970 at once; it returned ${found}`);
  };
}
