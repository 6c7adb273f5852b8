import type { Alg, MlDsaAlg } from './policy.js';

/** A JOSE header (RFC 7515 §4). */
export interface JoseHeader {
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
  readonly cty?: string;
  readonly [member: string]: unknown;
}

/**
 * The claims of a token that passed every stage (RFC 7519 §4.1, RFC 9068 §2.2). Times are seconds
 * since 1970, with a fraction where the issuer writes one.
 */
export interface Claims {
  readonly iss: string;
  /**
   * Absent only where the policy's `audienceClaim` names another claim, or its `deviations` have
   * `missing-aud`.
   */
  readonly aud?: string | readonly string[];
  readonly exp: number;
  readonly sub?: string;
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
  readonly client_id?: string;
  /** Scopes separated by spaces (RFC 8693 §4.2); some issuers write an array. */
  readonly scope?: string | readonly string[];
  readonly [claim: string]: unknown;
}

declare const unverified: unique symbol;

/**
 * What a token says of itself, checked by nobody. It cannot be passed where {@link Claims} are
 * asked for.
 */
export interface UnverifiedClaims {
  readonly [unverified]: true;
  readonly [claim: string]: unknown;
}

/** The stage of the pipeline that refused. */
export type Stage =
  | 'transport'
  | 'request'
  | 'bearer'
  | 'jws'
  | 'keys'
  | 'signature'
  | 'claims'
  | 'policy'
  | 'revocation'
  | 'introspection'
  | 'binding'
  | 'requirement';

type Part = 'header' | 'payload';

/** The fields of each code; the codes are permanent. */
interface Fields {
  'transport-insecure': object;
  'verifier-unavailable': object;
  'request-malformed': {
    member:
      | 'method'
      | 'url'
      | 'target'
      | 'served'
      | 'host'
      | 'connection'
      | 'forwarded'
      | 'x-forwarded-host'
      | 'x-forwarded-prefix'
      | 'request'
      | 'requirement';
  };
  'path-ambiguous': object;
  'request-misdirected': object;
  'request-cross-site': { expected: string[]; actual: string | null };
  'authorization-missing': {
    /** What was looked for: `Authorization header`, `cookie "session"`. */
    expected: string[];
  };
  'authorization-ambiguous': object;
  'authorization-scheme': object;
  'authorization-malformed': object;
  'token-in-query': object;
  'token-missing': object;
  'token-too-large': { limit: number; actual: number };
  'segment-count': { expected: 3; actual: number };
  'segment-not-base64url': {
    segment: Part | 'signature';
    found: 'scheme' | 'padding' | 'white-space' | 'other';
  };
  'header-too-large': { limit: number; actual: number };
  'json-malformed': { part: Part };
  'json-too-deep': { part: Part; limit: number };
  'json-too-many-members': { part: Part; limit: number };
  'json-duplicate-member': { part: Part };
  'header-member-malformed': { member: string };
  'header-member-unsupported': { member: 'b64' | 'zip' | 'enc' };
  'crit-unsupported': object;
  'alg-missing': object;
  'alg-unknown': object;
  'kid-unknown': object;
  /** Up to eight names of issuers that the policy has. */
  'issuer-unknown': { expected: string[] };
  'keys-unavailable': {
    /**
     * What kept them from being fetched: `status-500`, or `bad-document: ` and what is wrong with
     * it.
     */
    reason: string | null;
  };
  /** The policy's `remote` says where the keys are, and none were handed over. */
  'keys-not-set': { issuer: string };
  'kid-required': { limit: number; candidates: number };
  'alg-mismatch': { expected: (Alg | MlDsaAlg)[]; actual: Alg | MlDsaAlg };
  'signature-length': { expected: number; actual: number };
  'signature-invalid': object;
  'claim-missing': { claim: string };
  'claim-malformed': { claim: string; expected: string; found: string };
  'type-mismatch': { expected: string[]; actual: string | null };
  'issuer-mismatch': { expected: string[]; actual: string };
  'audience-mismatch': { expected: string[]; actual: string[] };
  'claim-mismatch': { claim: string; expected: string | number | boolean };
  'claims-refused': {
    /** JSON pointers to the claims that do not fit, without their values. */
    issues: string[];
  };
  expired: { now: number; expires: number; leeway: number };
  'not-yet-valid': { now: number; notBefore: number; leeway: number };
  'issued-in-future': { now: number; issuedAt: number; leeway: number };
  'token-revoked': { claim: 'jti' | 'sid' };
  'issued-before-cutoff': {
    claim: 'iss' | 'client_id' | 'sub' | 'sid' | 'kid';
    cutoff: number;
    issuedAt: number | null;
  };
  'revocation-stale': { now: number; staleSince: number | null };
  'status-not-valid': { index: number; statusValue: number };
  'status-out-of-range': { index: number; entries: number };
  'introspection-unavailable': { reason: 'unavailable' | 'busy' | 'malformed' };
  'token-inactive': object;
  'token-kind-refused': { member: 'token_type' | 'token_use' | 'typ' };
  'binding-required': { expected: 'dpop' | 'mtls' | 'any' };
  'binding-unsupported': object;
  'dpop-scheme-required': object;
  'dpop-proof-missing': object;
  'dpop-proof-ambiguous': object;
  'dpop-proof-invalid': { reason: string };
  'dpop-origin-unknown': object;
  'dpop-method-mismatch': object;
  'dpop-url-mismatch': { expected: string; actual: string };
  'dpop-token-mismatch': object;
  'dpop-time-mismatch': { now: number; issuedAt: number; window: number };
  'dpop-nonce-required': object;
  'dpop-key-mismatch': object;
  'dpop-replayed': object;
  'replay-unavailable': object;
  'certificate-missing': object;
  'certificate-mismatch': object;
  'scope-insufficient': { scopes: string[] };
  'claim-insufficient': { path: string[] };
  'acr-insufficient': { expected: string[] };
  'authentication-too-old': { now: number; authenticatedAt: number | null; maxAge: number };
  'network-denied': object;
  'address-unknown': object;
  'refused-by-check': { reason: string };
}

/** A permanent name for a kind of refusal. */
export type RejectionCode = keyof Fields;

/**
 * A refusal: which stage, why in a code and a sentence, and both compared values. It holds no
 * piece of the token but, once its signature has held, `typ`, `iss` and `aud`.
 */
export type Rejected = {
  [Code in RejectionCode]: { ok: false; code: Code; stage: Stage; message: string } & Fields[Code];
}[RejectionCode];

/** A token that passed every stage. */
export interface Accepted<C = Claims> {
  readonly ok: true;
  readonly header: JoseHeader;
  readonly claims: C;
  /**
   * There when no list of revocations was new enough to be believed, and the policy accepts the
   * token all the same.
   */
  readonly stale?: true;
  /**
   * The name of the alternative that the token fits, where the policy has its issuer's tokens in
   * several (`issuers[].alternatives`).
   */
  readonly alternative?: string;
}

/** The answer about a token. `ok` tells which it is. */
export type Verdict<C = Claims> = Accepted<C> | Rejected;

/** The answer about a signature alone. */
export type JwsVerdict = { ok: true; header: JoseHeader; payload: Uint8Array } | Rejected;

/** A token decoded and not verified. */
export type Inspection =
  | { ok: true; verified: false; header: { readonly [member: string]: unknown }; claims: UnverifiedClaims }
  | Rejected;
