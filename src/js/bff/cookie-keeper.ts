import { ChunkedCookie } from './cookies.js';
import type { Sealer } from './sealing.js';
import { type Keeper, parseSession, type Session } from './session.js';
import type { Settings } from './settings.js';

const PURPOSE = 'session';

/**
 * Sessions sealed in the browser's own cookies: nothing is kept here. What ended a session is not
 * known to other processes; that its tokens were revoked is.
 */
export function cookieKeeper({ cookieName, maxAgeSeconds }: Settings, sealer: Sealer): Keeper {
  const cookie = new ChunkedCookie(`__Host-${cookieName}`, maxAgeSeconds);
  const write = async (session: Session, before: ReadonlyMap<string, string>) =>
    cookie.write(await sealer.seal(PURPOSE, JSON.stringify(session)), before);
  return {
    async load(cookies) {
      const sealed = cookie.read(cookies);
      const session = sealed && parseSession(await sealer.open(PURPOSE, sealed));
      return session ? { session, cookies, version: 0 } : undefined;
    },
    begin: write,
    replace: ({ cookies }, session) => write(session, cookies),
    end: async ({ cookies }) => cookie.cleared(cookies),
    alone: (held, _isDone, work) => work(held),
  };
}
