// One user's session at this backend, and what keeps it.

/** How long a session is kept that nobody uses, unless the cookie has an age: 30 days. */
export const IDLE_SECONDS = 2_592_000;

/** What is kept of it. It never reaches the page. */
export interface Session {
  /** A random name, for this backend alone. */
  id: string;
  accessToken: string;
  tokenType: 'Bearer' | 'DPoP';
  /** When the access token ends, in seconds since 1970. */
  expiresAt: number;
  refreshToken?: string;
  /** The private key that the tokens are bound to (RFC 9449). */
  key?: JsonWebKey;
  scope?: string;
  /** What the ID token says of the user. */
  claims?: Record<string, unknown>;
  /** When it ends unless it is used, by the clock of this backend; written with each change. */
  until?: number;
  /** When the user signed in. */
  since: number;
  /** The user has signed out, and the authorization server has not been told. */
  ended?: true;
}

/** A session as it was found, with what a change of it has to know. */
export interface Held {
  session: Session;
  cookies: ReadonlyMap<string, string>;
  /** Of its row in the store; 0 in cookies. */
  version: number;
}

/** Where sessions are. What it gives are fields `Set-Cookie`. */
export interface Keeper {
  load(cookies: ReadonlyMap<string, string>): Promise<Held | undefined>;
  begin(session: Session, cookies: ReadonlyMap<string, string>): Promise<string[]>;
  /** Undefined when somebody else has changed it, or ended it, since it was found. */
  replace(held: Held, session: Session): Promise<string[] | undefined>;
  end(held: Held): Promise<string[]>;
  /**
   * Runs the work while nobody else's runs, in whatever process; or takes over what another's has
   * come to meanwhile, as `isDone` knows it. Undefined when there is no end of it in time.
   */
  alone<T>(
    held: Held,
    isDone: (session: Session) => boolean,
    work: (held: Held) => Promise<T>,
  ): Promise<T | Held | undefined>;
}

/** A session that was written down, if that is what it is. */
export function parseSession(text: string | undefined, now: number): Session | undefined {
  if (text === undefined) return undefined;
  // Nobody but this backend can have written it: it was sealed.
  const session = JSON.parse(text) as Session;
  // A cookie's age is the browser's to keep, and nobody's who has stolen it.
  return (session.until ?? 0) > now ? session : undefined;
}
