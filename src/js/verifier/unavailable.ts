import { CoreError } from '../instance/instance.js';
import type { Rejected } from './verdict.js';

/**
 * The verdict where the core trapped twice about one question, which nothing that a token says can
 * make it do.
 */
export function unavailable(): Extract<Rejected, { code: 'verifier-unavailable' }> {
  return {
    ok: false,
    code: 'verifier-unavailable',
    stage: 'request',
    message: 'The verifier is unavailable at the moment; the token was not checked.',
  };
}

/** An answer, or that verdict. */
export function orUnavailable<T>(ask: () => T): T | Rejected {
  try {
    return ask();
  } catch (error) {
    if (error instanceof CoreError) return unavailable();
    throw error;
  }
}
