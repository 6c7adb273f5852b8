import { contained } from './contained.js';
import { REFUSED, type State } from './state.js';
import type { SessionOptions, Snapshot } from './types.js';

/** What a page shows of a state. */
export function snapshotOf(
  { out, access, expiresAt, due = [] }: State,
  failures: number,
  inspect: SessionOptions['inspect'],
): Snapshot {
  const seen = access ? contained(() => inspect?.(access)) : undefined;
  const status = out ? 'signed-out' : access ? 'signed-in' : 'unknown';
  return Object.freeze({
    status,
    reason:
      status === 'signed-out' ? (out === REFUSED ? 'refused' : status) : failures > 0 ? 'offline' : undefined,
    claims: seen?.ok ? seen.claims : undefined,
    expiresAt,
    unrevoked: due.length,
  });
}
