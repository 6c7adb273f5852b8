// An access token that is good for a while, for whoever has a session.
import { retryAfter } from '../net/retry-after.js';
import { type Client, isGood } from './client.js';
import type { Metadata } from './metadata.js';
import type { Held, Keeper, Session } from './session.js';
import type { Settings } from './settings.js';

/** A token that ends sooner is refreshed first, in seconds. */
const SPARE_SECONDS = 10;
/** Of a token without `expires_in` (RFC 6749 §5.1 only recommends it). */
const USUAL_SECONDS = 300;
/** What the page is told to wait at least and at most. */
const [LEAST_WAIT, USUAL_WAIT, MOST_WAIT] = [1, 5, 300];
const MOST_ENDED = 1000;

/** A session with its token, that it is over, or how many seconds to wait. */
export type Access =
  | { kind: 'good'; held: Held; cookies: string[] }
  | { kind: 'over'; cookies: string[] }
  | { kind: 'wait'; seconds: number };

export interface AccessTokens {
  /** `spent` is a token that an API has refused. */
  fresh(held: Held, spent?: string): Promise<Access>;
  /** From now on nobody gets this session's tokens from this process. */
  forget(session: Session): void;
}

export function accessTokens(
  { now }: Settings,
  keeper: Keeper,
  client: Client,
  metadata: () => Promise<Metadata | undefined>,
): AccessTokens {
  const flights = new Map<string, Promise<Access>>();
  /** Sessions that were signed out here: an answer under way must not bring their cookie back. */
  const ended = new Set<string>();
  const over = async (held: Held): Promise<Access> => ({ kind: 'over', cookies: await keeper.end(held) });

  const refresh = async (held: Held): Promise<Access> => {
    const { session } = held;
    const endpoint = (await metadata())?.tokenEndpoint;
    if (session.refreshToken === undefined || endpoint === undefined) {
      const isGoodStill = session.expiresAt > now();
      if (isGoodStill) return { kind: 'good', held, cookies: [] };
      return session.refreshToken === undefined ? over(held) : { kind: 'wait', seconds: USUAL_WAIT };
    }
    const form = [
      ['grant_type', 'refresh_token'],
      ['refresh_token', session.refreshToken],
    ] as const;
    const told = await client.post(endpoint, form, session.key);
    const members = (told?.body ?? {}) as Record<string, unknown>;
    const next = isGood(told) ? withTokens(session, members, now()) : undefined;
    if (next !== undefined) {
      if (ended.has(session.id)) return over(held);
      const cookies = await keeper.replace(held, next);
      // Signed out, or signed in anew, meanwhile.
      return cookies === undefined
        ? { kind: 'over', cookies: [] }
        : { kind: 'good', held: { ...held, session: next, version: held.version + 1 }, cookies };
    }
    // RFC 6749 §5.2. What else a server, or a proxy before it, answers, ends no session.
    if (told?.status === 400 && members.error === 'invalid_grant') return over(held);
    if (session.expiresAt > now()) return { kind: 'good', held, cookies: [] };
    const asked = told === undefined ? 0 : Math.ceil(retryAfter(told.headers as Headers, now()));
    const seconds = asked === 0 ? USUAL_WAIT : Math.min(Math.max(asked, LEAST_WAIT), MOST_WAIT);
    return { kind: 'wait', seconds };
  };

  return {
    async fresh(held, spent) {
      const isDone = ({ accessToken, expiresAt }: Session) =>
        accessToken !== spent && expiresAt - now() > SPARE_SECONDS;
      const { session } = held;
      if (session.ended || ended.has(session.id)) return { kind: 'over', cookies: [] };
      if (isDone(session)) return { kind: 'good', held, cookies: [] };
      const name = `${session.id} ${session.refreshToken ?? ''}`;
      let flight = flights.get(name);
      if (flight === undefined) {
        flight = keeper
          .alone(held, isDone, refresh)
          .then((outcome): Access => {
            if (outcome === undefined) return { kind: 'wait', seconds: LEAST_WAIT };
            return 'kind' in outcome ? outcome : { kind: 'good', held: outcome, cookies: [] };
          })
          .finally(() => flights.delete(name));
        flights.set(name, flight);
      }
      return flight;
    },
    forget({ id }) {
      ended.add(id);
      for (const oldest of ended) if (ended.size > MOST_ENDED) ended.delete(oldest);
    },
  };
}

/** The session with what a token endpoint has answered (RFC 6749 §5.1), if that is what it is. */
export function withTokens<Of extends Partial<Session>>(
  session: Of,
  members: Record<string, unknown>,
  now: number,
): (Of & Pick<Session, 'accessToken' | 'tokenType' | 'expiresAt'>) | undefined {
  const {
    access_token: accessToken,
    token_type: type,
    expires_in: life,
    refresh_token: refresh,
    scope,
  } = members;
  const kind = typeof type === 'string' ? type.toLowerCase() : '';
  const isBound = session.key !== undefined;
  // A bound session whose token is not would lose what it was asked for.
  // RFC 6749, appendix A.12: anything else would not fit into a header field.
  if (
    typeof accessToken !== 'string' ||
    !/^[\x20-\x7e]+$/.test(accessToken) ||
    kind !== (isBound ? 'dpop' : 'bearer')
  )
    return undefined;
  const seconds = typeof life === 'number' && life > 0 ? life : USUAL_SECONDS;
  return {
    ...session,
    accessToken,
    tokenType: isBound ? 'DPoP' : 'Bearer',
    expiresAt: Math.floor(now + seconds),
    ...(typeof refresh === 'string' && refresh !== '' && { refreshToken: refresh }),
    ...(typeof scope === 'string' && { scope }),
  };
}
