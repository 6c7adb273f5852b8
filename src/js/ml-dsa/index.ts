import type { SchemaOutput, StandardSchema } from '../shared/standard-schema.js';
import type { Sealed, TypedVerifierOptions, Verifier, VerifierOptions } from '../verifier/index.js';
import type { Alg, MlDsaAlg, Policy, PolicyDocument } from '../verifier/policy.js';

export * from '../verifier/index.js';

/**
 * As `createVerifier` of the main entry, with ML-DSA besides. A token signed with ML-DSA-44
 * takes 3.3 KB and more, with ML-DSA-87 6.2 KB: `limits.tokenBytes` may have to be raised, and
 * servers' limits on headers with it.
 * @example
 * ```ts
 * import { createVerifier } from 'portcullis/ml-dsa';
 *
 * const verifier = createVerifier({
 *   issuers: [{ issuer: 'https://issuer.example', audience: 'https://api.example', jwks, algorithms: ['ML-DSA-65'] }],
 *   limits: { tokenBytes: 16_384 },
 * });
 * ```
 */
export declare function createVerifier<const P = never>(
  policy: Policy<Alg | MlDsaAlg> | (P & PolicyDocument<P>),
  options?: VerifierOptions,
): Verifier<Alg | MlDsaAlg>;
export declare function createVerifier<Schema extends StandardSchema, const P = never>(
  policy: Policy<Alg | MlDsaAlg> | (P & PolicyDocument<P>),
  options: TypedVerifierOptions<Schema>,
): Verifier<Alg | MlDsaAlg, SchemaOutput<Schema>>;
/**
 * As `definePolicy` of the main entry, with the ML-DSA algorithms besides.
 * @example
 * ```ts
 * import { createVerifier, definePolicy } from 'portcullis/ml-dsa';
 *
 * const policy = definePolicy({
 *   issuers: [{ issuer: 'https://issuer.example', audience: 'https://api.example', jwks, algorithms: ['ML-DSA-87'] }],
 * });
 * const verifier = createVerifier(policy);
 * ```
 */
export declare function definePolicy<const P = never>(
  policy: Policy<Alg | MlDsaAlg> | (P & PolicyDocument<P>),
): Policy<Alg | MlDsaAlg>;
export declare namespace createVerifier {
  /** As `createVerifier.fromSealed` of the main entry. */
  function fromSealed(sealed: Sealed, options?: VerifierOptions): Verifier<Alg | MlDsaAlg>;
}
