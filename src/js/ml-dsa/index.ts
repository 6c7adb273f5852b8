import type { SchemaOutput, StandardSchema } from '../shared/standard-schema.js';
import type { Sealed, TypedVerifierOptions, Verifier, VerifierOptions } from '../verifier/index.js';
import type { Alg, MlDsaAlg, Policy } from '../verifier/policy.js';

export * from '../verifier/index.js';

/**
 * As `createVerifier` of the main entry, with ML-DSA besides. A token signed with ML-DSA-44 takes 3.3 KB and more, with ML-DSA-87 6.2 KB:
 * `limits.tokenBytes` may have to be raised, and servers' limits on headers with it.
 */
export declare function createVerifier(
  policy: Policy<Alg | MlDsaAlg>,
  options?: VerifierOptions,
): Verifier<Alg | MlDsaAlg>;
export declare function createVerifier<Schema extends StandardSchema>(
  policy: Policy<Alg | MlDsaAlg>,
  options: TypedVerifierOptions<Schema>,
): Verifier<Alg | MlDsaAlg, SchemaOutput<Schema>>;
export declare namespace createVerifier {
  /** As `createVerifier.fromSealed` of the main entry. */
  function fromSealed(sealed: Sealed, options?: VerifierOptions): Verifier<Alg | MlDsaAlg>;
}
