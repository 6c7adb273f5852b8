import type { NonEmpty } from '../shared/non-empty.js';

/** The algorithms of DPoP proofs. */
export type ProofAlg = 'ES256' | 'EdDSA' | 'RS256';

/**
 * What a request has to bring besides a good token. Everything is optional; `gate.check` takes one
 * as well.
 * @example
 * ```ts
 * import type { Requirement } from 'portcullis/gate';
 *
 * const requirement: Requirement = {
 *   scopes: ['notes:write'],
 *   claims: [{ path: ['realm_access', 'roles'], anyOf: ['editor', 'owner'] }],
 *   maxAgeSeconds: 3600,
 * };
 * const decision = await gate.check(request, requirement);
 * ```
 */
export interface Requirement {
  /** All of these, in `scope` (a string) or `scp` (a string or an array of strings). */
  scopes?: NonEmpty<string>;
  /** At least one of these. */
  anyScope?: NonEmpty<string>;
  /** Roles, groups, entitlements: a claim by its exact path, a string or an array of strings. */
  claims?: readonly ClaimRequirement[];
  /**
   * One of these authentication contexts (RFC 9470); what is missing is asked for by a step-up
   * challenge.
   */
  acr?: NonEmpty<string>;
  /** The user's authentication (`auth_time`) may not be longer ago than this (RFC 9470). */
  maxAgeSeconds?: number;
  /** The client's address is in one of these: names in the policy's `networks`, or CIDR blocks. */
  networks?: NonEmpty<string>;
  /**
   * A claim that holds the CIDR blocks its token may be used from: a string or an array of
   * strings.
   */
  networkClaim?: string;
  /** The token's `typ` is one of these: narrower than the issuer's `types`. */
  types?: NonEmpty<string>;
  /**
   * The token is bound to a key of the client's. A token with `cnf` must always be proven,
   * whatever this says.
   */
  binding?: 'dpop' | 'mtls' | 'any';
  /** A request without credentials passes, without claims. Bad credentials never do. */
  anonymous?: boolean;
}

/**
 * `allOf` and `anyOf` are compared byte for byte with the claim's string, or with the strings in
 * its array.
 */
export interface ClaimRequirement {
  /** Names from the outermost object inwards: `['realm_access', 'roles']`. */
  path: NonEmpty<string>;
  allOf?: NonEmpty<string>;
  anyOf?: NonEmpty<string>;
}

/** A kind of place for a token, as `credentials` names it. */
export type TokenPlace = 'header' | 'cookie' | 'subprotocol';

/** What a route may allow in its paths although servers read it in different ways. */
export type InPath = '%23' | '%25' | '%2F' | '%3F' | '%5C' | ';';

/**
 * A rule for some paths. The first route that matches however servers read the path decides, with
 * those before it that match in some reading (another case, a slash at the end, escapes): what
 * each of them asks for must hold.
 */
export interface Route {
  /**
   * A pathname pattern of `URLPattern`: literals, `:name`, `*`, `{…}`, and `?`, `+`, `*` behind
   * them; no regular expressions. It is compared with every reading of the path.
   */
  path: string;
  /** Exact methods; `GET` covers `HEAD`. Default: every method. */
  methods?: NonEmpty<string>;
  /**
   * What may stand in paths here although servers read it in different ways: `%2F` for
   * `/@scope%2Fname`. Elsewhere it is refused.
   */
  allowInPath?: NonEmpty<InPath>;
  /** What is required there; `'public'` for nothing at all. */
  requirement: Requirement | 'public';
}

/**
 * The policy's member `gate`: from a request to a decision.
 * @example
 * ```ts
 * import type { GatePolicy } from 'portcullis/gate';
 *
 * const part: GatePolicy = {
 *   origins: ['https://api.example'],
 *   routes: [{ path: '/health', methods: ['GET'], requirement: 'public' }],
 *   forward: { claims: { sub: 'x-user' } },
 * };
 * ```
 */
export interface GatePolicy {
  /** The `realm` of challenges: `api` by default. */
  realm?: string;
  /**
   * The `type` of the problems in refusals (RFC 9457 §3.1.1): the URI of a code's page, with
   * `{code}` in place of the code, such as `https://docs.example/reference/codes/{code}.html`.
   * `about:blank` by default.
   */
  problemTypes?: string;
  /** Where the token is. Default: `Authorization: Bearer`, or `DPoP` with its proof. */
  credentials?: {
    /** The header that holds it. */
    header?: string;
    /**
     * The scheme in front of it: `Bearer` in `authorization`, none in another header, unless it is
     * named here.
     */
    scheme?: string;
    /**
     * The cookie that holds it. With `header` either may; both at once are refused, unless
     * `precedence` says which counts.
     */
    cookie?: string;
    /**
     * The WebSocket subprotocol behind which it stands: `'bearer'` for
     * `new WebSocket(url, ['bearer', token])`. What the origin sees of the header has no token.
     */
    subprotocol?: string;
    /**
     * Which of them counts where several are there, the first one first. The others are not read.
     */
    precedence?: readonly [TokenPlace, ...TokenPlace[]];
    /**
     * Which pages may have a request with the cookie sent, where its method is unsafe or it opens a
     * WebSocket: by default those of the request's own origin, by `Sec-Fetch-Site` and `Origin`.
     * `'off'` for a defence of your own.
     */
    csrf?:
      | 'off'
      | {
          /** `'all'` asks it of GET, HEAD and OPTIONS as well. */
          methods?: 'unsafe' | 'all';
          /** Origins of further pages: `https://app.example`. */
          origins?: NonEmpty<string>;
        };
  };
  /** What holds where no route says otherwise. Default: a good token, and nothing else. */
  requirement?: Requirement;
  routes?: readonly Route[];
  /**
   * What the origin is told. Copies of these headers that a request brings along never reach it.
   */
  forward?: {
    /**
     * Claim (dots lead inwards) → header. Arrays are joined by a space; what no header can hold is
     * left out.
     */
    claims?: Readonly<Record<string, string>>;
    /** Does the token itself reach the origin? `'strip'` by default. */
    token?: 'strip' | 'keep';
  };
  /** Names for lists of CIDR blocks, IPv4 and IPv6. */
  networks?: Readonly<Record<string, NonEmpty<string>>>;
  /** Proxies whose word is taken for the client's address and for the scheme. Default: nobody's. */
  proxies?: {
    trusted: NonEmpty<string>;
    /**
     * Where they say who the client is: `x-forwarded-for` by default, with `x-forwarded-proto`.
     * `forwarded` (RFC 7239) says the scheme as well, and the host.
     */
    header?: string;
    /**
     * They say which host was asked for, and replace what a client writes there:
     * `x-forwarded-host`.
     */
    host?: boolean;
    /**
     * They say which path they took off, and replace what a client writes there:
     * `x-forwarded-prefix`.
     */
    prefix?: boolean;
  };
  /**
   * Networks from which plain HTTP is accepted: names of `networks`, addresses or CIDR blocks. The
   * connection has to begin there, and behind a trusted proxy the client's as well.
   */
  plainHttpFrom?: NonEmpty<string>;
  /** Proof of possession (RFC 9449). */
  dpop?: {
    /** How old a proof may be: 60 by default, 1 to 300. */
    iatWindowSeconds?: number;
    /** Whether proofs must carry a nonce of ours; it takes the option `nonceSecret`. */
    nonce?: boolean;
    /** A nonce is good for its step and the next one: 60 by default, 10 to 3600. */
    nonceSeconds?: number;
    /** Default: `['ES256', 'EdDSA', 'RS256']`. */
    algorithms?: NonEmpty<ProofAlg>;
  };
  /**
   * The origins under which the service is reached: `https://api.example`, or
   * `http://localhost:3000` and `http://localhost:*` on a loopback name. A request for another
   * one is refused. DPoP needs it wherever the platform takes the host from the client's `Host`:
   * in Node, Deno, Bun and natively.
   */
  origins?: NonEmpty<string>;
  /**
   * What CORS preflights are answered, and who may read a refusal. Without it no other origin is
   * allowed.
   */
  cors?: CorsPolicy;
  /** `'pass'` leaves CORS preflights to the handler, ungated. Default: `'answer'`, by `cors`. */
  preflight?: 'answer' | 'pass';
  /**
   * Hosts that are not public and may be named by an issuer's metadata all the same: `keys.corp`,
   * `10.0.0.7`. An issuer's own host may.
   */
  privateHosts?: NonEmpty<string>;
}

/** Cross-origin requests (Fetch §3.3). */
export interface CorsPolicy {
  /**
   * Exact, as browsers send them (`https://app.example`), or `'any'`. None that is not listed is
   * ever reflected.
   */
  origins: 'any' | NonEmpty<string>;
  /** Default: GET, HEAD, POST, PUT, PATCH and DELETE. */
  methods?: NonEmpty<string>;
  /** Request headers besides Content-Type and those of the gate's own credentials. */
  headers?: NonEmpty<string>;
  /**
   * Response headers that scripts may read of a refusal besides WWW-Authenticate, DPoP-Nonce and
   * Retry-After.
   */
  exposeHeaders?: NonEmpty<string>;
  /** Whether scripts may send cookies along; not with `'any'`. Default: false. */
  credentials?: boolean;
  /** For how long browsers may remember the answer: 600 by default, 0 to 86400. */
  maxAgeSeconds?: number;
}
