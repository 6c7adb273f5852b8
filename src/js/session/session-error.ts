/**
 * Why a session could not do what was asked: the token endpoint gives no access token for now
 * (`offline`); it has refused the refresh token, or `verify` the access token of a sign-in
 * (`refused`); nobody is signed in (`signed-out`); the session was closed in this page (`closed`);
 * or the server could not be told of a sign-out (`unrevoked`).
 */
export type SessionErrorCode = 'offline' | 'refused' | 'signed-out' | 'closed' | 'unrevoked';

/**
 * What `session.accessToken`, `fetch`, `start` and `signOut` reject with; `cause` is what was
 * thrown, where something was.
 * @example
 * ```ts
 * import { SessionError } from 'portcullis/session';
 *
 * try {
 *   await session.fetch('https://api.example/notes');
 * } catch (error) {
 *   if (error instanceof SessionError) console.log(error.code, session.snapshot().reason);
 * }
 * ```
 */
export class SessionError extends TypeError {
  override readonly name = 'SessionError';

  constructor(
    readonly code: SessionErrorCode,
    cause?: unknown,
  ) {
    super(code === 'unrevoked' ? `revoke: ${(cause as Error)?.message}` : `no access token: ${code}`, {
      cause,
    });
  }
}
