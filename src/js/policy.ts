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
  kid?: string | undefined;
  /** Needed for RSA and `oct`, unless the issuer's `algorithms` leave one that fits. */
  alg?: string | undefined;
  use?: string | undefined;
  key_ops?: string[] | undefined;
  crv?: string | undefined;
  x?: string | undefined;
  y?: string | undefined;
  n?: string | undefined;
  e?: string | undefined;
  k?: string | undefined;
  pub?: string | undefined;
  [member: string]: unknown;
}

/** A JWK Set (RFC 7517 §5). Keys of kinds, uses or algorithms that are not supported are left out. */
export interface Jwks {
  keys: Jwk[];
}

/** A key in a format other than JWK. Without a `kid` it fits every token of its algorithm. */
export type Key<A extends string = Alg> =
  | {
      kid?: string;
      alg: A;
      /** SubjectPublicKeyInfo in PEM, labelled `PUBLIC KEY` (RFC 7468 §13). */
      pem: string;
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
      /** At least as long as the hash: 32, 48 or 64 bytes (RFC 7518 §3.2). Bytes, or base64url without padding. */
      secret: string | Uint8Array;
    };

interface Issuer<A extends string> {
  /** The exact `iss`, compared byte for byte. */
  issuer: string;
  /** A token must name one of these in `aud`, byte for byte. */
  audience: string | [string, ...string[]];
  /** Narrows the algorithms, and settles that of a JWK without `alg`. */
  algorithms?: [A, ...A[]];
  /** The accepted `typ`, byte for byte, with or without `application/`. Default: `['at+jwt']` (RFC 9068). `'any'` takes every `typ` and none. */
  types?: [string, ...string[]] | 'any';
  /** Claims that must be there besides `iss`, `aud` and `exp`. */
  requiredClaims?: [string, ...string[]];
}

/** One issuer whose tokens are accepted, with its keys: as a JWK Set, in other formats, or both. */
export type IssuerPolicy<A extends string = Alg> = Issuer<A> &
  ({ jwks: Jwks; keys?: Key<A>[] } | { jwks?: Jwks; keys: [Key<A>, ...Key<A>[]] });

/** Whose word is taken for what was revoked, and what holds when it is not heard for too long. None of the keys may sign tokens. */
export type RevocationPolicy<A extends string = Alg> = {
  /** For how long a list is relied on after it was made, in seconds: 1 to 86400. It is how long a revoked token may still pass. */
  maxStalenessSeconds: number;
  /**
   * What holds for a token that no list names when the list is stale, or none has come yet: it is refused (`'deny'`, the default), a gate asks
   * its issuer (`'introspect'`), or it is accepted and the verdict says so (`'allow'`).
   */
  whenStale?: 'deny' | 'introspect' | 'allow';
  /** Where a gate pulls the list from: https, or http on a loopback name. */
  feed?: string;
} & ({ jwks: Jwks; keys?: Key<A>[] } | { jwks?: Jwks; keys: [Key<A>, ...Key<A>[]] });

/** Whom a verifier trusts, and for what. It is JSON, but for bytes in `keys`; members that are not named here are refused. */
export interface Policy<A extends string = Alg> {
  issuers: [IssuerPolicy<A>, ...IssuerPolicy<A>[]];
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
}
