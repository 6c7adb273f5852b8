// What tabs tell each other. Other scripts of this origin, and other versions of this one, write
// to the same channel: it is read as if by a foe.
import type { Offset } from './clock.js';

/**
 * What all tabs agree on: the newest `n` counts, and of two with the same `n` the one that ends
 * the session. Numbers of 32 bits, compared around the clock (RFC 1982), so that there is none
 * after which no other comes; 0 is that of a tab that has never had a session.
 */
export interface State {
  n: number;
  /** Over: by a sign-out, or since the server has refused the refresh token. */
  out?: boolean | typeof REFUSED;
  access?: string | undefined;
  refresh?: string | undefined;
  issuedAt?: number | undefined;
  expiresAt?: number | undefined;
  /** Refresh tokens of sign-outs that the server has not been told of; '' stands for a cookie. */
  due?: readonly string[] | undefined;
}

export const REFUSED = 2;
export const REFRESH = 0;
export const REVOKE = 1;
export type Endpoint = typeof REFRESH | typeof REVOKE;

/**
 * News, with what is known of the time; a question for newer ones; how long to leave an endpoint
 * alone, and how much it was asked.
 */
export interface Message {
  state?: State;
  offset?: Offset | undefined;
  ask?: number;
  /** Of the question, and of what answers it. */
  id?: number | undefined;
  wait?: number;
  of?: Endpoint;
  owed?: number;
}

export const after = (n: number) => (n + 1) | 0 || 1;
/** Is it newer? Nothing is as old as 0. */
export const isNewer = (n: number, than: number) => n !== 0 && (!than || ((n - than) | 0) > 0);

/** The state in a message, its known members alone; undefined when it is none. */
export function stateIn(from: unknown): State | undefined {
  const { n, out, access, refresh, issuedAt, expiresAt, due }: Record<keyof State, unknown> = Object(from);
  const over = out === true || out === REFUSED;
  const good =
    Number.isInteger(n) &&
    n === ((n as number) | 0) &&
    // Nobody tells of a session that is neither over nor alive.
    (over || access) &&
    [access, refresh].every(isText) &&
    [issuedAt, expiresAt].every((time) => time === undefined || Number.isFinite(time)) &&
    (due === undefined || (Array.isArray(due) && due.length < 9 && due.every(isText)));
  return good
    ? ({
        n,
        out: over && out,
        access: over ? undefined : access,
        refresh,
        issuedAt,
        expiresAt,
        due,
      } as State)
    : undefined;
}

const isText = (value: unknown) => value === undefined || typeof value === 'string';
