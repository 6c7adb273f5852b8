import { type Before, ChunkedCookie } from './cookies.js';
import type { Sealer } from './sealing.js';
import { IDLE_SECONDS, type Keeper, parseSession, type Session } from './session.js';
import type { Settings } from './settings.js';

/** Where nobody knows which cookies the browser has. */
const ANY: Before = { has: () => true };

/**
 * Sessions sealed in the browser's own cookies: nothing is kept here. What ended a session is not
 * known to other processes; that its tokens were revoked is.
 */
export function cookieKeeper(settings: Settings, sealer: Sealer): Keeper {
  const { cookieName, maxAgeSeconds, issuer, clientId, now } = settings;
  // What another application has sealed with the same secret is none of this one's.
  const purpose = JSON.stringify(['session', issuer, clientId]);
  const cookie = new ChunkedCookie(`__Host-${cookieName}`, maxAgeSeconds);
  const write = async (session: Session, before: Before) => {
    const until = now() + (maxAgeSeconds ?? IDLE_SECONDS);
    return cookie.write(await sealer.seal(purpose, JSON.stringify({ ...session, until })), before);
  };
  return {
    async load(cookies) {
      const sealed = cookie.read(cookies);
      const session = sealed && parseSession(await sealer.open(purpose, sealed), now());
      return session ? { session, cookies, version: 0 } : undefined;
    },
    // The way back from another site comes without cookies of SameSite=Strict: parts of a longer
    // session before may be there, and would spoil this one.
    begin: (session) => write(session, ANY),
    replace: ({ cookies }, session) => write(session, cookies),
    end: async ({ cookies }) => cookie.cleared(cookies),
    alone: (held, _isDone, work) => work(held),
  };
}
