import type { IssuerEvent } from './index.js';

/** What failed, for the operator and in process. Nothing of it reaches a client. */
export interface Failure {
  kind: 'store_failed' | 'counter_failed' | 'keys_failed' | 'issue_failed' | 'request_failed';
  operation: NonNullable<IssuerEvent['operation']>;
  cause: Error;
  durationMs: number;
  /** The upstream issuer, of `keys_failed`. */
  issuer?: string;
}

/**
 * What was thrown, as an Error that says something: Node's `AggregateError` of a refused connection
 * has no message, and its parts have.
 */
export function asError(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return new Error(String(thrown), { cause: thrown });
  if (thrown.message !== '') return thrown;
  const { name, code, errors } = thrown as Error & { code?: unknown; errors?: unknown };
  const parts = Array.isArray(errors) ? errors.map((error) => asError(error).message) : [];
  const text = [String(code ?? name), ...new Set(parts)].join(': ');
  return new Error(text, { cause: thrown });
}

/** An event as the core tells it: a cause is a text there. */
export function fromCore(event: Omit<IssuerEvent, 'cause'> & { cause?: string }): IssuerEvent {
  const { cause, ...rest } = event;
  return cause === undefined ? rest : { ...rest, cause: new Error(cause) };
}

/** Measures a call, in milliseconds. */
export function stopwatch(): () => number {
  const began = performance.now();
  return () => Math.max(0, performance.now() - began);
}

/**
 * A listener that fails, at once or later, changes no answer and ends no process: what it is told
 * of has happened.
 */
export function tell(onEvent: ((event: IssuerEvent) => unknown) | undefined, event: IssuerEvent): void {
  try {
    Promise.resolve(onEvent?.(event)).catch(() => {});
  } catch {}
}
