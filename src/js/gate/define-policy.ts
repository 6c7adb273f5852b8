import type { PolicyDocument } from '../verifier/policy.js';
import type { GatedPolicy } from './types.js';

/**
 * As `definePolicy` of the main entry, and the gate's part is checked as well.
 * @example
 * ```ts
 * import { createGate, definePolicy } from 'portcullis/gate';
 *
 * const policy = definePolicy({
 *   issuers: [{ preset: 'google', audience: 'client-id.apps.googleusercontent.com' }],
 *   gate: { routes: [{ path: '/health', requirement: 'public' }] },
 * });
 * const gate = createGate(policy);
 * ```
 */
export function definePolicy<const P = never>(policy: GatedPolicy | (P & PolicyDocument<P>)): GatedPolicy {
  return policy as GatedPolicy;
}
