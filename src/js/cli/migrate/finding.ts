import type ts from 'typescript';

import type { Draft } from './draft.js';

/** What takes the call's place in the source. */
export type Replacement =
  /** A function of a token that answers claims, or what jose's `jwtVerify` answers. */
  | { kind: 'verify'; answers: 'claims' | 'jose'; remote: boolean; put: 'call' | 'function' | 'object' }
  | { kind: 'guard'; from: 'portcullis/express' | 'portcullis/hono' }
  | {
      kind: 'inspect';
      from: 'portcullis' | 'portcullis/session';
      part: 'claims' | 'header';
      otherwise: 'null' | 'throw';
    };

/** A call of another library, and what it comes to. */
export interface Finding {
  call: ts.CallExpression | ts.NewExpression;
  library: string;
  /** The call by the library's own name for it: `verify`. */
  name: string;
  /** What it is for, in a few words. */
  what: string;
  policy?: Draft;
  /** Where keys stand in the source: nothing of them is shown. */
  secrets: ts.Expression[];
  stricter: string[];
  notes: string[];
  replacement?: Replacement;
  /** Why there is no diff. */
  byHand?: string;
}

export const STRICTER = {
  types:
    'typ must be what "types" says: an ID token must not pass for an access token (RFC 8725 section 3.11)',
  issuer: 'iss must be there and match: the source does not check it',
  audience: 'aud must be there and match: the source does not check it, and a token for another API passes',
  exp: 'exp must be there',
  algorithm: "the algorithm is the key's own: the source leaves it to the token's header",
  iat: 'iat in the future is refused: a revocation by time of issue would miss it',
  secret:
    'a secret for HMAC is at least as long as the hash: a short one is guessed offline (RFC 7518 section 3.2)',
  json: 'duplicate JSON members, padding and text that is not UTF-8 are refused',
} as const;
