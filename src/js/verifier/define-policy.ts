import type { Policy, PolicyDocument } from './policy.js';

/**
 * A policy for later, with its type: a literal is checked and completed as it is written, and one
 * whose values TypeScript does not know, as of a JSON file, is taken as it is. Nothing is read
 * yet: `createVerifier` or `createGate` does that, and names what is wrong.
 * @example
 * ```ts
 * import { createVerifier, definePolicy } from 'portcullis';
 *
 * const policy = definePolicy({
 *   issuers: [{ preset: 'google', audience: 'client-id.apps.googleusercontent.com' }],
 * });
 * const verifier = createVerifier(policy);
 * ```
 */
export function definePolicy<const P = never>(policy: Policy | (P & PolicyDocument<P>)): Policy {
  return policy as Policy;
}
