import type { SchemaOutput, StandardSchema } from '../shared/standard-schema.js';
import type { Bytes, WasmModule } from '../shared/web.js';
import type { Alg, Jwk, JwkLike, Jwks, MlDsaAlg, Policy, PolicyDocument } from './policy.js';

export type { Preset } from './presets.js';

import type { Claims, Inspection, JwsVerdict, Verdict } from './verdict.js';

export { PolicyError } from '../shared/errors.js';
export type { NonEmpty } from '../shared/non-empty.js';
export type { SchemaIssue, SchemaOutput, SchemaResult, StandardSchema } from '../shared/standard-schema.js';
export { definePolicy } from './define-policy.js';
export type {
  Alg,
  Deviation,
  Introspection,
  IssuerPolicy,
  Jwk,
  JwkLike,
  Jwks,
  Key,
  MlDsaAlg,
  Policy,
  PolicyDocument,
  Remote,
  RevocationPolicy,
  Scalar,
  Secret,
  StatusListPolicy,
} from './policy.js';
export type {
  Accepted,
  Claims,
  Inspection,
  JoseHeader,
  JwsVerdict,
  Rejected,
  RejectionCode,
  Stage,
  UnverifiedClaims,
  Verdict,
} from './verdict.js';

/**
 * What a single call may set.
 * @example
 * ```ts
 * const verdict = verifier.verify(token, { now: 1_800_000_000 });
 * ```
 */
export interface VerifyOptions {
  /**
   * The instant to judge by, in whole seconds since 1970, from 0 to 253402300799. Default: the
   * runtime's clock.
   */
  now?: number;
}

/**
 * What a call about an Authorization header may set.
 * @example
 * ```ts
 * const value = request.headers.get('authorization');
 * const verdict = verifier.verifyAuthorization(value, { binding: 'checked' });
 * if (verdict.ok) console.log(verdict.claims.cnf); // compared with the client's certificate by the caller
 * ```
 */
export interface VerifyAuthorizationOptions extends VerifyOptions {
  /**
   * `'checked'`: the caller checks what a token is bound to, `claims.cnf`, against the client's
   * certificate (RFC 8705 §3) or proof (RFC 9449 §4.3). Without it, a token with `cnf` is refused
   * with `binding-unsupported`: a verifier does not see who sends it.
   */
  binding?: 'checked';
}

/**
 * What a verifier may keep. It changes no verdict.
 * @example
 * ```ts
 * import { createVerifier } from 'portcullis';
 *
 * const verifier = createVerifier(policy, { cache: 10_000 });
 * ```
 */
export interface VerifierOptions {
  /**
   * How many accepted tokens are remembered, so that the same token again costs next to nothing:
   * 512 by default, 0 for none. One is remembered until it expires or the policy is replaced.
   */
  cache?: number;
}

/**
 * The same, with a type for the claims.
 * @example
 * ```ts
 * import { createVerifier } from 'portcullis';
 * import { z } from 'zod';
 *
 * const verifier = createVerifier(policy, { claims: z.object({ tenant: z.string() }) });
 * const verdict = verifier.verify(token);
 * if (verdict.ok) console.log(verdict.claims.tenant.length);
 * ```
 */
export interface TypedVerifierOptions<Schema extends StandardSchema> extends VerifierOptions {
  /**
   * A schema that speaks Standard Schema v1, asked about the claims of a token that was accepted;
   * `verdict.claims` is what it makes of them. A token that does not fit is refused with
   * `claims-refused`. What it makes is remembered when it is plain data, as a frozen copy;
   * otherwise it is asked again for each answer, about the same frozen claims. It must be
   * synchronous: an asynchronous one is a PolicyError here, or with the first token for which it
   * shows.
   */
  claims: Schema;
}

/** What a verifier keeps in memory in order to be fast. */
export interface VerifierStats {
  /** The keys, in the order of the policy. */
  keys: {
    issuer: string;
    kid: string | null;
    alg: Alg | MlDsaAlg;
    /** How often a signature has held under it since its table was last taken away. */
    uses: number;
    /** What its table takes, in bytes; 0 without one. */
    tableBytes: number;
  }[];
  /** What the tables of all keys take together, in bytes. */
  tableBytes: number;
  /** What they may take at most: the policy's `tableBytes`. */
  tableBytesAllowed: number;
  /** What the tables of the curves' generators take, which all verifiers share, in bytes. */
  generatorTableBytes: number;
  /** How many headers need not be read again. */
  headers: number;
  /** The whole wasm memory, which all verifiers share, in bytes. It never shrinks. */
  memoryBytes: number;
  /** The remembered tokens and Authorization values, and how often one was found there or not. */
  cache: { entries: number; hits: number; misses: number };
}

/** What came of a JWK Set. */
export interface KeyReport {
  /** Whether other keys are used than before. */
  changed: boolean;
  /** The keys of the set that are used. */
  keys: { kid: string | null; alg: Alg | MlDsaAlg }[];
  /** The keys of the set that are not, and why. */
  leftOut: { kid: string | null; reason: string }[];
}

/**
 * What came of a list of revocations. One that was not taken has changed nothing, and `code` says
 * why; the codes are permanent.
 */
export type RevocationUpdate =
  | {
      ok: true;
      /** Whether tokens may be judged otherwise than before. */
      changed: boolean;
      /** The version that is held now. */
      version: number;
      /** How many tokens and sessions are revoked one by one. */
      tokens: number;
      cutoffs: number;
      /** From when on the list is stale unless another comes, in seconds since 1970. */
      staleAt: number;
      /** What it takes, in bytes. */
      bytes: number;
    }
  | { ok: false; code: 'update-malformed'; what: string }
  | { ok: false; code: 'update-foreign' | 'update-type' }
  | { ok: false; code: 'update-from-future'; now: number; issuedAt: number }
  | { ok: false; code: 'update-over'; now: number; notAfter: number }
  | { ok: false; code: 'update-older'; held: number; offered: number }
  | { ok: false; code: 'update-forked'; held: number }
  /** It is another issuer's list. */
  | { ok: false; code: 'update-issuer'; expected: string }
  | { ok: false; code: 'update-gap'; held: number | null; offered: number };

/** What came of a Token Status List, as of a list of revocations. */
export type StatusUpdate =
  | {
      ok: true;
      changed: boolean;
      /** How many tokens have a place in it. */
      entries: number;
      staleAt: number;
      bytes: number;
    }
  | Exclude<RevocationUpdate, { ok: true } | { code: 'update-forked' | 'update-gap' | 'update-issuer' }>;

/** Decides about tokens by one policy. Make it once and keep it. */
export interface Verifier<A extends string = Alg, C = Claims> {
  /**
   * Decides about a token in the compact serialization (RFC 7515 §7.1, RFC 7519 §7.2),
   * synchronously.
   *
   * Whatever the token is, the answer is a value. It says what the issuer has signed, not who
   * sends it: a token with `cnf` (RFC 7800) is bound to a key of its client's, and whoever lets a
   * request pass by it has to check that. `verifyAuthorization` and gates do not accept such a
   * token unseen.
   * @throws PolicyError when `options.now` is no whole number of seconds.
   */
  verify(token: unknown, options?: VerifyOptions): Verdict<C>;
  /**
   * Decides about the value of a request's Authorization header (RFC 6750 §2.1):
   * `request.headers.get('authorization')`. `null` and `undefined` mean that there was none. Two
   * headers, which runtimes join with a comma, are refused. So is a token with `cnf`, which is
   * bound to a key and must not pass as a bearer token (RFC 9449 §7.2, RFC 8705 §3):
   * `portcullis/gate` checks the binding, or the caller, who then says `binding: 'checked'`.
   * @throws PolicyError when `options.now` is no whole number of seconds, or `options.binding` is
   * anything else.
   */
  verifyAuthorization(value: unknown, options?: VerifyAuthorizationOptions): Verdict<C>;
  /**
   * Takes another policy from now on, keys included; nothing that was remembered by the present
   * one counts any more. Keys that an issuer publishes are taken over where both policies name the
   * same place, and lists of revocations where the other trusts who signed them; lists that it has
   * no use for are kept for a later policy, so that no older ones come in.
   * @throws PolicyError as `createVerifier`; the present policy then stays.
   */
  replacePolicy<const P = never>(policy: Policy<A> | (P & PolicyDocument<P>)): void;
  /**
   * Takes the JWK Set that an issuer with `remote` publishes, as a value or as the text that was
   * fetched. Keys of the policy stay and come first; keys that are no good are left out and
   * listed; the same keys again change nothing, and when they change, nothing that was remembered
   * counts any more.
   * @throws PolicyError when the policy names no `remote` for that issuer, or the set has no
   * usable key; the present keys then stay.
   */
  setRemoteKeys(issuer: string, jwks: Jwks | string): KeyReport;
  /**
   * Takes signed lists of revocations, each on a line of its own: a snapshot, or what came anew
   * since the one that is held. A bad, old, forked or foreign list never replaces a good one; when
   * one is taken that changes anything, nothing that was remembered counts any more.
   * @throws PolicyError when the policy has no `revocation` with keys, or `options.now` is no
   * whole number of seconds. Only verifiers of `portcullis/gate` have such policies.
   */
  applyRevocations(documents: string, options?: VerifyOptions): RevocationUpdate;
  /**
   * Takes a Token Status List (draft-ietf-oauth-status-list, JWT form) that the policy names by
   * this URI.
   * @throws PolicyError as `applyRevocations`.
   */
  applyStatusList(uri: string, jwt: string, options?: VerifyOptions): StatusUpdate;
  /** What is kept in memory, and how often it served. */
  stats(): VerifierStats;
}

// The functions are declared here, documented once, and made in each entry by `bindFunctions`,
// since entries differ only in how the wasm gets in.

/**
 * Makes a verifier. Keys are checked once, here. Verdicts are frozen: what one part of a program
 * was told, no other can change.
 * @throws PolicyError naming the field by JSON pointer: unknown, missing or mistyped members,
 * private or weak keys.
 * @example
 * ```ts
 * import { createVerifier } from 'portcullis';
 *
 * const verifier = createVerifier({
 *   issuers: [{ issuer: 'https://issuer.example', audience: 'https://api.example', jwks }],
 * });
 * const verdict = verifier.verifyAuthorization(request.headers.get('authorization'));
 * if (verdict.ok) console.log(verdict.claims.sub);
 * else console.log(verdict.code, verdict.message);
 * ```
 */
export declare function createVerifier<const P = never>(
  policy: Policy | (P & PolicyDocument<P>),
  options?: VerifierOptions,
): Verifier;
export declare function createVerifier<Schema extends StandardSchema, const P = never>(
  policy: Policy | (P & PolicyDocument<P>),
  options: TypedVerifierOptions<Schema>,
): Verifier<Alg, SchemaOutput<Schema>>;
export declare namespace createVerifier {
  /**
   * Makes a verifier by the policy that `portcullis seal` has written into a wasm file: from the
   * file's bytes, or from the module that a runtime has made of it.
   * @throws PolicyError as `createVerifier`, and when there is not exactly one policy in it.
   */
  function fromSealed(sealed: Sealed, options?: VerifierOptions): Verifier;
  function fromSealed<Schema extends StandardSchema>(
    sealed: Sealed,
    options: TypedVerifierOptions<Schema>,
  ): Verifier<Alg, SchemaOutput<Schema>>;
}

/** A wasm file that holds a policy: its bytes, or compiled. */
export type Sealed = Bytes | WasmModule;

/**
 * Checks a signature alone (RFC 7515 §5.2): no issuer, no audience, no time. The payload may be
 * anything.
 * @throws PolicyError when the key is no usable public key or HMAC secret.
 * @example
 * ```ts
 * import { verifyJws } from 'portcullis';
 *
 * const verdict = verifyJws(token, jwk);
 * if (verdict.ok) console.log(new TextDecoder().decode(verdict.payload));
 * ```
 */
export declare function verifyJws(jws: unknown, jwk: Jwk | JwkLike): JwsVerdict;

/**
 * Decodes a token without verifying anything. What it says may have been written by anyone.
 * @example
 * ```ts
 * import { inspect } from 'portcullis';
 *
 * const seen = inspect(token);
 * if (seen.ok) console.log(seen.header, seen.claims); // what anybody may have written
 * ```
 */
export declare function inspect(token: unknown): Inspection;
