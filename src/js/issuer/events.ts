/** Something that has happened and is committed, or that has failed. It never holds a token. */
export interface IssuerEvent {
  kind:
    | 'rotated'
    | 'replayed'
    | 'replayed_late'
    | 'reuse_detected'
    | 'store_behind'
    | 'revoked'
    /**
     * The store threw, took too long, or returned what cannot be decoded; or others won every race
     * for an entry.
     */
    | 'store_failed'
    /** The counter threw or took too long: nothing was limited. */
    | 'counter_failed'
    /** The keys of an upstream issuer could not be fetched. */
    | 'keys_failed'
    /** A token could not be signed. */
    | 'issue_failed'
    /**
     * A request was answered with 500 by an exception of something that the options gave, such as
     * `now`.
     */
    | 'request_failed';
  /** When, in seconds since 1970. */
  at: number;
  sid?: string;
  client?: string;
  subject?: string;
  /** The session's current generation. */
  generation?: number;
  /** That of the token that was presented. */
  presented?: number;
  /** The key that was revoked. */
  kid?: string;
  /** Of a failure: what was under way. */
  operation?: 'read' | 'swap' | 'sweep' | 'readMany' | 'wait' | 'count' | 'keys' | 'sign' | 'body' | 'answer';
  /** Of a failure: what was thrown. It is for logs, and no client ever sees it. */
  cause?: Error;
  /** Of a failure: how long the operation took. */
  durationMs?: number;
  /** Of `keys_failed`: the upstream issuer. */
  issuer?: string;
}

/** Whether the store answers. */
export type Health =
  | { ok: true; durationMs: number }
  | { ok: false; durationMs: number; operation: NonNullable<IssuerEvent['operation']>; cause: Error };
