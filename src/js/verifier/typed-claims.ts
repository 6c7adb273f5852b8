import { PolicyError } from '../shared/errors.js';
import type { SchemaIssue, SchemaResult, StandardSchema } from '../shared/standard-schema.js';
import type { Claims, Rejected } from './verdict.js';

/**
 * A hostile token can be made to disagree with a schema in many places; nobody reads more of them.
 */
const MOST_ISSUES = 16;
const LONGEST_POINTER = 200;

/** What a schema makes of claims that the core has accepted, or the refusal. */
export type ClaimsReader = (claims: Claims) => { value: unknown } | Rejected;

/**
 * The reader that the options ask for, if they ask for one. A schema that is named and undefined
 * is a check that has got lost.
 * @throws PolicyError as `claimsReader`.
 */
export function readerOf(options: { claims?: StandardSchema }): ClaimsReader | undefined {
  if (!('claims' in options)) return undefined;
  return claimsReader(options.claims as StandardSchema);
}

/**
 * Reads claims by a schema, synchronously.
 * @throws PolicyError when it is no Standard Schema v1, or is seen to be asynchronous.
 */
function claimsReader(schema: StandardSchema): ClaimsReader {
  const standard = schema?.['~standard'];
  if (standard?.version !== 1 || typeof standard.validate !== 'function') {
    throw new PolicyError('/claims', 'must be a schema that speaks Standard Schema v1');
  }
  // A probe: most asynchronous schemas show themselves here. What it says of no claims at all is
  // of no interest.
  try {
    settled(standard.validate({}));
  } catch (error) {
    if (error instanceof PolicyError) throw error;
  }
  let answered = false;
  return (claims) => {
    let result: SchemaResult<unknown>;
    try {
      result = settled(standard.validate(claims));
    } catch (error) {
      // Once it has taken claims synchronously it is no asynchronous schema: a transformation has
      // thrown, which Zod makes a promise of. Whatever a token is, the answer is a value.
      if (error instanceof PolicyError && !answered) throw error;
      return refused([]);
    }
    if (result.issues) return refused(result.issues);
    answered = true;
    return { value: result.value };
  };
}

function settled(result: SchemaResult<unknown> | Promise<SchemaResult<unknown>>): SchemaResult<unknown> {
  if (typeof (result as Promise<unknown>)?.then !== 'function') return result as SchemaResult<unknown>;
  // Nobody will wait for it, so nobody would hear of its failure.
  (result as Promise<unknown>).then(undefined, () => undefined);
  throw new PolicyError('/claims', 'must be a synchronous schema, since verify is synchronous');
}

function refused(issues: readonly SchemaIssue[]): Rejected {
  return {
    ok: false,
    code: 'claims-refused',
    stage: 'policy',
    message: 'The claims do not fit the schema of the verifier.',
    issues: issues.slice(0, MOST_ISSUES).map(({ path }) => pointer(path ?? [])),
  };
}

/** JSON pointer (RFC 6901) to the claim. */
function pointer(path: NonNullable<SchemaIssue['path']>): string {
  const names = path.map((step) => String(typeof step === 'object' ? step.key : step));
  const text = names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return text.slice(0, LONGEST_POINTER);
}
