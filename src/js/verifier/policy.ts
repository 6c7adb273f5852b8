import type { NonEmpty } from '../shared/non-empty.js';
import type { Preset } from './presets.js';

/** The algorithms that can be verified (RFC 7518 §3.1, RFC 8037 §3.1, RFC 8812 §3.2). */
export type Alg =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'ES256K'
  | 'EdDSA'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512';

/** The post-quantum algorithms (FIPS 204, RFC 9964), which the entry `portcullis/ml-dsa` verifies besides. */
export type MlDsaAlg = 'ML-DSA-44' | 'ML-DSA-65' | 'ML-DSA-87';

/**
 * A public key or HMAC secret as a JWK (RFC 7517). Members of private keys are refused; members that are not named here are ignored.
 */
export interface Jwk {
  kty: string;
  kid?: string;
  /** Needed for RSA and `oct`, unless the issuer's `algorithms` leave one that fits. */
  alg?: string;
  use?: string;
  key_ops?: string[];
  crv?: string;
  x?: string;
  y?: string;
  n?: string;
  e?: string;
  k?: string;
  pub?: string;
  [member: string]: unknown;
}

/** The same as other libraries type it, where every member may be missing: jose's `JWK`, the DOM's `JsonWebKey`. */
export interface JwkLike {
  readonly kty?: string;
  readonly kid?: string;
  readonly alg?: string;
  readonly use?: string;
  readonly key_ops?: readonly string[];
}

/** A JWK Set (RFC 7517 §5). Keys of kinds, uses or algorithms that are not supported are left out. */
export interface Jwks {
  readonly keys: readonly (Jwk | JwkLike)[];
}

/** A key in a format other than JWK. Without a `kid` it fits every token of its algorithm. */
export type Key<A extends string = Alg> =
  | {
      kid?: string;
      alg: A;
      /**
       * A public key in PEM, labelled `PUBLIC KEY` (RFC 7468 §13) or `RSA PUBLIC KEY` (RFC 8017 appendix A.1.1), or the base64 between its lines.
       * Line breaks may be written as `\n`, or be missing, and quotes may stand around it.
       */
      pem: string;
    }
  | {
      kid?: string;
      alg: A;
      /**
       * An X.509 certificate: in PEM, the base64 between its lines, or DER in bytes. Its public key is taken and nothing else of it is judged: no
       * chain, no name and no time.
       */
      certificate: string | Uint8Array;
    }
  | {
      kid?: string;
      alg: A;
      /** SubjectPublicKeyInfo in DER (RFC 5280 §4.1): bytes, or base64url without padding. */
      spki: string | Uint8Array;
    }
  | {
      kid?: string;
      alg: 'HS256' | 'HS384' | 'HS512';
      /** At least as long as the hash: 32, 48 or 64 bytes (RFC 7518 §3.2). */
      secret: Secret;
    };

/** A secret: bytes, or a text whose encoding is spelled out. A text alone could be any of these, and none is guessed. */
export type Secret =
  | Uint8Array
  | { utf8: string; hex?: never; base64?: never; base64url?: never }
  | { utf8?: never; hex: string; base64?: never; base64url?: never }
  | { utf8?: never; hex?: never; base64: string; base64url?: never }
  | { utf8?: never; hex?: never; base64?: never; base64url: string };

/**
 * What an issuer's tokens do differently from RFC 7515 and RFC 7519:
 * - `missing-iss`: they have no `iss`. Such a token speaks for the issuer whose key has signed it, and `claims.iss` is its name; with another
 *   `iss` it is refused.
 * - `missing-aud`: they have no `aud`. One that is there is compared.
 * - `numeric-ids`: `sub`, `jti` and `client_id` may be whole numbers. They are read as text: `42` is `"42"` in `claims`, in lists of
 *   revocations and wherever else.
 * - `null-claims`: a claim that is `null` counts as absent, and is not in `claims`. But for `cnf`.
 * - `base64url-padding`: the segments may be padded.
 */
export type Deviation = 'missing-iss' | 'missing-aud' | 'numeric-ids' | 'null-claims' | 'base64url-padding';

/** A value that a claim is compared with. */
export type Scalar = string | number | boolean;

/** Where an issuer publishes its keys: https, or http on a loopback name (localhost, 127.0.0.1, [::1]). */
export type Remote = (
  | { jwksUri: string; discovery?: never }
  | {
      /** The issuer's own metadata name the `jwks_uri`: OpenID Connect Discovery, or RFC 8414. */
      discovery: 'oidc' | 'oauth';
      jwksUri?: never;
    }
) & {
  /** The shortest time for which keys are kept without asking again: 60 by default, 30 to 86400. */
  minTtlSeconds?: number;
  /** The longest such time: 86400 by default, at most 2592000. */
  maxTtlSeconds?: number;
  /** For how long keys are used past that when they cannot be fetched again: 86400 by default, at most 2592000. */
  staleSeconds?: number;
  /** 3000 by default, 100 to 30000. */
  timeoutMs?: number;
  /** The longest response that is read: 262144 by default, 1024 to 4194304. */
  maxBytes?: number;
};

/** Whom a gate asks about opaque tokens (RFC 7662). The secret is an option of the gate and never part of a policy. */
export interface Introspection {
  endpoint: string;
  clientId: string;
  /** `client_secret_basic` by default. */
  authentication?: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';
  /** For how long an answer is used again, at most: 60 by default, at most 3600. A revocation takes effect within it. */
  cacheSeconds?: number;
  /** The same for the answer "not active": 10 by default, at most 300. */
  negativeCacheSeconds?: number;
  /** 2000 by default, 100 to 30000. */
  timeoutMs?: number;
  /** How many questions may be open at a time: 16 by default, 1 to 256. */
  concurrency?: number;
}

/** One kind of an issuer's tokens. `requiredClaims` and `claims` add up with those of the issuer; the rest holds in place of the issuer's. */
export interface Alternative {
  name: string;
  audience?: Audience;
  audienceClaim?: string;
  types?: NonEmpty<string> | 'any';
  requiredClaims?: NonEmpty<string>;
  claims?: Record<string, Scalar>;
}

interface IssuerRules<A extends string> {
  /**
   * The values that the hole of `issuer` may have (`https://login.example/{tid}/v2.0`), or those of each hole by its name. Every
   * tenant is an issuer with keys of its own; `remote.jwksUri` may have the same holes. A token has to name its tenant in the claim
   * of the hole's name as well. `'resolver'` has the gate's option `tenants` say which there are.
   */
  tenants?: NonEmpty<string> | 'resolver' | Readonly<Record<string, NonEmpty<string>>>;
  /** Holes for which the issuer's tokens have no claim: its name alone tells the tenant. */
  holesWithoutClaim?: NonEmpty<string>;
  /** Which claim is compared with `audience`, for issuers whose tokens have no `aud`: it must then be there. Default: `'aud'`. */
  audienceClaim?: string;
  /** Narrows the algorithms, and settles that of a JWK without `alg`. */
  algorithms?: NonEmpty<A>;
  /** The accepted `typ`, byte for byte, with or without `application/`. Default: `['at+jwt']` (RFC 9068). `'any'` takes every `typ` and none. */
  types?: NonEmpty<string> | 'any';
  /** What this issuer's tokens do differently from RFC 7515 and RFC 7519, and is accepted of them alone. Nothing by default. */
  deviations?: NonEmpty<Deviation>;
  /** Claims that must be there besides `iss`, `exp` and the audience. */
  requiredClaims?: NonEmpty<string>;
  /** Claims that must be there with exactly this value, of exactly this type. Numbers are whole and not negative. */
  claims?: Readonly<Record<string, Scalar>>;
  /** Kinds of token of which each has to be one: the first that fits is named in the verdict. */
  alternatives?: NonEmpty<Alternative>;
  jwks?: Jwks;
  keys?: readonly Key<A>[];
  /** Where the issuer publishes its keys, which a gate fetches; those that are built in stay and come first. */
  remote?: Remote;
  introspection?: Introspection;
}

/** A token must name one of these in `aud`, byte for byte. */
type Audience = string | NonEmpty<string>;

interface Named {
  /** The exact `iss`, compared byte for byte. */
  issuer: string;
  audience: Audience;
  preset?: never;
}

/** At least one of these says where keys or answers come from. */
type Source<A extends string> =
  | { jwks: Jwks }
  | { keys: NonEmpty<Key<A>> }
  | { remote: Remote }
  | { introspection: Introspection };

/** A preset stands for the other fields. Those that are given win; of `claims` and `requiredClaims`, both count. */
type Preselected =
  | (Preset & { audience: Audience })
  | { preset: 'firebase' | 'supabase'; project: string; audience?: Audience }
  | {
      preset: 'workos';
      /** The client id of the environment. */
      client: string;
      audience?: Audience;
    }
  | {
      preset: 'better-auth';
      /** The `baseURL` of the server, which is the audience as well. */
      url: string;
      audience?: Audience;
    };

/** One issuer whose tokens are accepted, by its name or by a preset, with its keys or where they are. */
export type IssuerPolicy<A extends string = Alg> =
  | (Named & IssuerRules<A> & Source<A>)
  | (Preselected & IssuerRules<A> & { issuer?: string });

/** At least one of these says who signs. */
type Signed<A extends string> = { jwks: Jwks; keys?: Key<A>[] } | { jwks?: Jwks; keys: NonEmpty<Key<A>> };

/** A Token Status List (draft-ietf-oauth-status-list) that tokens may refer to. */
export type StatusListPolicy<A extends string = Alg> = Signed<A> & {
  /** Its exact `uri` in tokens, from which a gate pulls it: https, or http on a loopback name. */
  uri: string;
  /** Where that differs from the other lists: up to 31 days. */
  maxStalenessSeconds?: number;
};

/**
 * Whose word is taken for what was revoked, and what holds when it is not heard for too long. Only `portcullis/gate` reads it. None of the keys
 * that sign lists of revocations may sign tokens.
 */
export type RevocationPolicy<A extends string = Alg> = {
  /** For how long a list is relied on after it was made, in seconds: 1 to 86400. It is how long a revoked token may still pass. */
  maxStalenessSeconds: number;
  /**
   * What holds for a token that no list names when the list is stale, or none has come yet: it is refused (`'deny'`, the default), a gate asks
   * its issuer (`'introspect'`), or it is accepted and the verdict says so (`'allow'`).
   */
  whenStale?: 'deny' | 'introspect' | 'allow';
  /** Whose lists these are, where a policy has several issuers: one of them. By default a list of each of them is taken. */
  issuer?: string;
  /** Where a gate pulls lists from: https, or http on a loopback name. Without it they are handed over by `applyRevocations`. */
  feed?: string;
  /** The client by which a gate shows itself at `feed` (`client_secret_basic`); its secret is in the gate's `revocation` option. */
  clientId?: string;
  /** How long after a pull a gate pulls again: a quarter of `maxStalenessSeconds` by default. */
  pullSeconds?: number;
  /** How long a pull may take, in milliseconds: 5000 by default, 100 to 30000. */
  timeoutMs?: number;
  /** The longest response that is read: 16 MiB by default, at most 64. */
  maxBytes?: number;
  statusLists?: NonEmpty<StatusListPolicy<A>>;
} & (Signed<A> | { jwks?: Jwks; keys?: readonly Key<A>[]; statusLists: NonEmpty<StatusListPolicy<A>> });

/**
 * Whom a verifier trusts, and for what. It is JSON, but for bytes in `keys`; members that are not named here are refused.
 * @example
 * ```ts
 * import type { Policy } from 'portcullis';
 *
 * const policy: Policy = {
 *   issuers: [{ issuer: 'https://issuer.example', audience: 'https://api.example', jwks, types: ['JWT'] }],
 *   leewaySeconds: 10,
 * };
 * ```
 */
export interface Policy<A extends string = Alg> {
  /** Where an editor finds the schema: `portcullis/policy.schema.json`. */
  $schema?: string;
  issuers: NonEmpty<IssuerPolicy<A>>;
  /** How far clocks may be apart, in seconds: 5 by default, at most 300. */
  leewaySeconds?: number;
  /** Builds the tables that make verification fast when the policy is read, a few milliseconds a key, and not with its second token. */
  precompute?: boolean;
  /**
   * The most that the tables of all keys may take, in bytes: 2097152 by default, at most 67108864, 0 for no tables. A P-256 key takes 99072,
   * and 294912 once it is in steady use; the table that is longest unused goes first.
   */
  tableBytes?: number;
  /** Lists of what was revoked before its time. */
  revocation?: RevocationPolicy<A>;
  limits?: {
    /** Longest token, in bytes: 8192 by default, at most 16384. */
    tokenBytes?: number;
    /** Longest header, in bytes of its JSON text: 1024 by default, at most 4096. */
    headerBytes?: number;
    /** Deepest nesting: 16 by default, at most 32. */
    depth?: number;
    /** Most object members in header or payload, all levels together: 128 by default, at most 1024. */
    members?: number;
  };
  /**
   * Hosts of yours that keys, metadata, answers and lists may be fetched from over plain HTTP:
   * `keycloak`, `10.0.0.7`, `*.svc.cluster.local`. A gate refuses public ones.
   */
  plainHttpHosts?: NonEmpty<string>;
  /** What a gate does with requests: the `GatePolicy` of `portcullis/gate`. A verifier skips it. */
  gate?: object;
}

/** An issuer in a document: its audience is there, or what may hold it. */
type DocumentedIssuer =
  | { readonly audience: unknown }
  | { readonly preset: unknown }
  | { readonly alternatives: unknown };

/**
 * A policy whose values TypeScript does not know, as of an imported JSON file: every text is a `string` there, and every list an
 * array of any length. Whether they are right is told when the policy is read. A literal, whose list of issuers has a length, is none: it is
 * a {@link Policy} or a mistake.
 */
export type PolicyDocument<P> = P extends { readonly issuers: infer Issuers extends readonly object[] }
  ? number extends Issuers['length']
    ? Issuers[number] extends DocumentedIssuer
      ? P
      : never
    : never
  : never;
