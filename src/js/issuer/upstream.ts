import type { Io, IoEvent } from '../net/io.js';
import { asError, type Failure, stopwatch } from './failures.js';

/**
 * What the keys of upstream issuers are fetched through. Every failure of it is told, with what
 * was thrown and how long it took.
 */
export function upstreamIo(
  given: typeof fetch | undefined,
  now: () => number,
  failed: (failure: Failure) => void,
): Omit<Io, 'readMetadata'> {
  const ask = given ?? ((...args: Parameters<typeof fetch>) => globalThis.fetch(...args));
  let last: { cause: Error | undefined; durationMs: number } | undefined;
  return {
    now,
    async fetch(...args: Parameters<typeof fetch>) {
      const elapsed = stopwatch();
      last = undefined;
      try {
        const response = await ask(...args);
        last = { cause: undefined, durationMs: elapsed() };
        return response;
      } catch (thrown) {
        last = { cause: asError(thrown), durationMs: elapsed() };
        throw thrown;
      }
    },
    observe({ name, issuer, reason }: IoEvent) {
      if (name !== 'keys-failed') return;
      const cause = last?.cause ?? new Error(`keys of ${issuer}: ${reason ?? 'unknown'}`);
      failed({ kind: 'keys_failed', operation: 'keys', cause, durationMs: last?.durationMs ?? 0, issuer });
    },
  };
}
