// One access token, kept fresh in all tabs by one of them at a time.
import { retryAfter } from '../net/retry-after.js';
import { challengeOf } from './challenge.js';
import { createClock } from './clock.js';
import { contained, report } from './contained.js';
import { ANSWER_MS, atMost, bounded, PAUSE_MS, SHORT_MS, sleep } from './delays.js';
import { learn } from './learn-time.js';
import { locked } from './lock.js';
import { attempt, createRate } from './request-rate.js';
import { SessionError } from './session-error.js';
import { snapshotOf } from './snapshot.js';
import {
  after,
  type Endpoint,
  isNewer,
  type Message,
  REFRESH,
  REFUSED,
  REVOKE,
  type State,
  stateIn,
} from './state.js';
import { read } from './storage.js';
import { lifeOf } from './token-times.js';
import type { Session, SessionOptions, Snapshot, TokenResponse } from './types.js';

/**
 * Makes a session: one for all tabs of this origin that give it the same name. It refreshes by itself until `close`.
 * @example
 * ```ts
 * import { createSession, revocationEndpoint, tokenEndpoint } from 'portcullis/session';
 *
 * const session = createSession({
 *   refresh: tokenEndpoint('https://issuer.example/token', { clientId: 'app' }),
 *   revoke: revocationEndpoint('https://issuer.example/revoke', { clientId: 'app' }),
 * });
 * const response = await session.fetch('https://api.example/notes');
 * ```
 */
export function createSession({
  refresh,
  revoke,
  storage,
  name = 'portcullis',
  origins = [globalThis.location?.origin],
  dpop,
  stepUp,
  inspect,
  verify,
  clock = createClock(),
  attemptMs = 8000,
  holdMs = 30_000,
  requestsAMinute = 20,
}: SessionOptions): Session {
  let state: State = { n: 0 };
  let snapshot: Snapshot;
  let ending: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const closing = new AbortController();
  const closed = closing.signal;
  let flight: Promise<void> | undefined;
  let flying: AbortController | undefined;
  // By endpoint: neither is left alone for what the other fails with.
  const pausedUntil: [number, number] = [0, 0];
  const failures: [number, number] = [0, 0];
  /** The server has said so: no change of the network makes it wrong. */
  let askedUntil = 0;
  let asking: number | undefined;
  let answered: (() => void) | undefined;
  /** What this tab has read in the storage, or written there: what differs is another's. */
  let stored: string | null | undefined;
  const listeners = new Set<() => void>();
  let channel = globalThis.BroadcastChannel && new BroadcastChannel(name);
  const post = (message: Message) => channel?.postMessage(message);
  const ms = () => clock.mark()[0];
  const rate = createRate(ms, requestsAMinute);
  const underLock = locked.bind(null, `${name}:refresh`, holdMs);

  const become = (next: State) => {
    if (closed.aborted) return;
    // Nobody waits for what comes after the end.
    if (next.out && !state.out) flying?.abort();
    // Another tab has got it.
    if (next.access !== state.access) failures[REFRESH] = 0;
    state = next;
    snapshot = snapshotOf(state, failures[REFRESH], inspect);
    schedule();
    for (const listener of [...listeners]) contained(listener);
  };
  /** A state of this tab's own making, for all. */
  const publish = async (next: Omit<State, 'n'>) => {
    become({ ...next, n: after(state.n) });
    post({ state, offset: clock.offset() });
    const text = [next.refresh, ...(next.due ?? [])].join('\n') || null;
    // What cannot be stored serves in memory.
    try {
      await storage?.set(text);
      stored = text;
    } catch (error) {
      report(error);
    }
  };
  const take = (tokens: TokenResponse) => {
    const { access_token: access, refresh_token: refresh, expires_in } = tokens;
    const { issuedAt, expiresAt } = lifeOf(access, expires_in, clock.now().seconds);
    // The cookie is another by now: what was due for the one before is not to be done to this one.
    const due = state.due?.filter(Boolean);
    failures[REFRESH] = 0;
    // An answer without a refresh token leaves the one there is (RFC 6749 §6); it consists of visible characters (appendix A.17).
    const kept = typeof refresh === 'string' && /^[ -~]+$/.test(refresh) ? refresh : state.refresh;
    return publish({ access, refresh: kept, issuedAt, expiresAt, due });
  };

  const accepted = (access: unknown) =>
    typeof access === 'string' &&
    access &&
    (!verify || contained(() => verify(access, Math.floor(clock.now().seconds)))?.ok === true);

  const dueIn = () =>
    state.expiresAt === undefined ? Infinity : clock.dueIn(state.issuedAt, state.expiresAt);
  const usable = (refused?: string) =>
    state.access !== refused && clock.left(state.expiresAt ?? Infinity) > 0 && state.access;
  const pauseOf = (of: Endpoint) => pausedUntil[of] - ms();
  const paused = () => pauseOf(REFRESH) > 0;
  const settlesIn = () => (state.due?.length ? pauseOf(REVOKE) : Infinity);
  const pause = (of: Endpoint, pauseMs: number) => {
    pausedUntil[of] = Math.max(pausedUntil[of], ms() + pauseMs);
    schedule();
  };
  /** After a failure, longer each time. */
  const rest = (of: Endpoint, waitMs = 0, asked = 0) => {
    const pauseMs = bounded(Math.max(waitMs, PAUSE_MS * 2 ** failures[of]++));
    post({ wait: pauseMs, of });
    pause(of, pauseMs);
    if (asked > 0) askedUntil = pausedUntil[of];
    if (of === REFRESH && failures[of] === 1) become(state);
  };

  /** Takes over what another tab has stored: a refresh token, and after it those that are still to be revoked. */
  const catchUpStored = async () => {
    const text = await read(storage);
    if (text === undefined || text === stored) return;
    stored = text;
    const [refresh, ...due] = (text ?? '').split('\n');
    if (!refresh) {
      if (state.n || state.refresh || due.length) become({ n: state.n, out: true, due });
    } else if (state.out) become({ n: state.n, refresh, due });
    else if (refresh !== state.refresh) state = { ...state, refresh, due };
  };
  /** Learns what other tabs have done since. */
  const catchUp = async (lost: AbortSignal) => {
    if (channel) {
      asking = Math.random();
      post({ ask: state.n, id: asking });
      await sleep(ANSWER_MS, lost, (end) => {
        answered = end;
      });
    }
    await catchUpStored();
  };

  /** One request, which all tabs count. */
  const request = <T>(lost: AbortSignal, work: (signal: AbortSignal) => Promise<T>) => {
    rate.count();
    post({ owed: rate.owed() });
    return attempt(attemptMs, lost, work);
  };
  /** Waits for its turn, however many have asked before; false when that takes long. */
  const turn = async (of: Endpoint, lost: AbortSignal) => {
    const waitMs = rate.waitMs();
    if (waitMs > SHORT_MS) pause(of, bounded(waitMs));
    else if (waitMs > 0) await sleep(bounded(waitMs), lost);
    return waitMs <= SHORT_MS && !lost.aborted;
  };

  /** Ends the session, the one that this tab knows of after it has caught up. */
  const end = async () => {
    const { out, due = [], refresh = '' } = state;
    if (!out) await publish({ out: true, due: revoke && [...due.slice(-7), refresh] });
  };
  /** Tells the server of the sign-outs that it has not heard of. What fails stays due. */
  const settle = async (lost: AbortSignal) => {
    // After the wait, in which there may have been a sign-in.
    while ((await turn(REVOKE, lost)) && state.due?.length) {
      const [token] = state.due;
      try {
        await request(lost, async (signal) => revoke?.(token || undefined, signal));
        failures[REVOKE] = 0;
        await publish({ ...state, due: state.due?.filter((other) => other !== token) });
      } catch (error) {
        rest(REVOKE);
        return error;
      }
    }
    return undefined;
  };

  const refreshUnderLock = async (refused: string | undefined, lost: AbortSignal) => {
    const started = ms();
    await catchUp(lost);
    // Another tab was first, or was told to wait.
    if (state.out || paused() || (usable(refused) && dueIn() > 0)) return;
    const mine = state;
    const current = async () =>
      state === mine && !lost.aborted && (!storage || [undefined, stored].includes(await read(storage)));
    for (let tries = 0; ; tries++) {
      if (!(await turn(REFRESH, lost)) || !(await current())) return;
      const sent = clock.mark();
      const answer = await request(lost, async (signal) => {
        const response = await refresh(state.refresh, signal);
        return { response, body: await response.json().catch(() => undefined) };
      }).catch(() => undefined);
      // Signed out meanwhile, or this tab has slept and others went on without it.
      if (!(await current())) return;
      const { response, body } = answer ?? {};
      if (response?.ok) {
        learn(clock, body?.access_token, sent, response);
        if (accepted(body?.access_token)) return take(body);
      }
      const status = response?.status ?? 503;
      // A backend for frontend says so with 401; what a server says that has failed, is not about the grant.
      if ((status === 400 || status === 401) && body?.error === 'invalid_grant') {
        // A tab that never had a session ends none.
        if (mine.n === 0 && !mine.refresh) return become({ n: 0, out: true });
        return publish({ out: REFUSED, due: mine.due });
      }
      const elapsed = ms() - started;
      // Overslept: that says nothing about the server.
      if (elapsed > holdMs) return;
      const asked = response ? retryAfter(response.headers, clock.now().seconds) * 1000 : 0;
      const waitMs = Math.max(asked, 250 * 2 ** tries * (0.5 + Math.random()));
      // The same token again, as long as nobody has to think that this tab hangs: what a lost answer held, comes again.
      const enough = elapsed + waitMs + attemptMs > holdMs * 0.9;
      if ((status < 500 && status !== 429) || waitMs > SHORT_MS || enough)
        return rest(REFRESH, waitMs, asked);
      await sleep(bounded(waitMs), lost);
    }
  };

  const tokenFor = async (refused?: string) => {
    const idle = () => state.out || paused();
    const fly = () => {
      if (flight) return flight;
      flying = new AbortController();
      flight = underLock(flying, async (lost) => {
        // Whatever an answer breaks, it has failed.
        await refreshUnderLock(refused, lost).catch(() => rest(REFRESH));
        if (settlesIn() <= 0) await settle(lost);
      })
        .catch(() => {})
        .finally(() => {
          flight = undefined;
        });
      return flight;
    };
    if (settlesIn() <= 0) void fly();
    // What is still good serves while the next one is fetched.
    if (usable(refused) && dueIn() <= 0 && !idle()) void fly();
    // More than once: another's flight had another reason, and from a tab that slept the lock has been taken.
    for (let tries = 0; tries < 3 && !usable(refused) && !idle(); tries++) await fly();
    return usable(refused) || undefined;
  };

  /** Hidden tabs are refreshed when they ask. */
  const tick = () => {
    if (!globalThis.document?.hidden) void tokenFor();
    schedule();
  };
  const schedule = () => {
    clearTimeout(timer);
    // By the minute, since timers stop with the device.
    const waitMs = Math.min(Math.max(pauseOf(REFRESH), dueIn()), settlesIn());
    if (!closed.aborted && waitMs < Infinity)
      timer = setTimeout(tick, Math.min(Math.max(waitMs, 500), 60_000));
  };
  const online = () => {
    pausedUntil[REFRESH] = askedUntil;
    pausedUntil[REVOKE] = 0;
    tick();
  };

  if (channel)
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      const { state: sent, offset, ask, id, wait, of, owed }: Message = Object(data);
      const within = (value: unknown) => (Number.isFinite(value) ? atMost(value as number) : 0);
      if (Number.isInteger(ask) && !isNewer(ask as number, state.n))
        post({ state, offset: clock.offset(), owed: rate.owed(), id });
      if (within(wait) > 0) pause(of === REVOKE ? of : REFRESH, within(wait));
      if (within(owed) > rate.owed()) rate.owe(within(owed));
      const theirs = stateIn(sent);
      if (!theirs?.n || (theirs.access && !accepted(theirs.access))) return;
      clock.adopt(offset as never);
      const { refresh, out, n } = state;
      const tied = theirs.n === n && theirs.out && !out;
      // What was rotated, or started, at the same time, only this tab can revoke.
      if (tied && refresh && theirs.due && !theirs.due.includes(refresh))
        void publish({ out: true, due: [...theirs.due, refresh] });
      else if (tied || isNewer(theirs.n, n)) become(theirs);
      // Whatever answers another's question may be older than what is to be learned.
      if (id === asking) answered?.();
    };
  const unwatch = storage?.watch?.(() => void catchUpStored().then(tick));
  become(state);
  // On a server that renders the page, nobody is signed in.
  if (globalThis.location) {
    addEventListener('online', online, closing);
    globalThis.document?.addEventListener('visibilitychange', tick, closing);
    tick();
  }

  const send = (request: Request, access: string | undefined) => {
    const signal = AbortSignal.any?.([request.signal, closed]) ?? request.signal;
    if (!access) return fetch(request, { signal });
    const redirect = request.redirect === 'manual' ? 'manual' : 'error';
    const own = new Request(request, { redirect, signal });
    if (dpop) return dpop.fetch(own, access);
    own.headers.set('authorization', `Bearer ${access}`);
    return fetch(own);
  };
  const start = async (tokens: TokenResponse) => {
    closed.throwIfAborted?.();
    const { access_token: access } = tokens;
    // It may have been minted a while ago: better than nothing.
    if (!clock.offset()) learn(clock, access);
    if (!accepted(access)) throw new SessionError('refused');
    await take(tokens);
  };
  const signOut = async () => {
    let fault: unknown;
    pausedUntil[REFRESH] = askedUntil;
    const control = new AbortController();
    // Wherever it is known, at once: whoever refreshes it now does not keep the lock. Then what was rotated meanwhile.
    await (state.n ? catchUpStored() : catchUp(control.signal));
    if (state.n || state.refresh) await end();
    await underLock(control, async (lost) => {
      await catchUp(lost);
      await end();
      fault = await settle(lost);
    });
    if (state.due?.length) throw new SessionError('unrevoked', fault);
  };
  const close = () => {
    state = { n: 0, out: true };
    closing.abort();
    flying?.abort();
    clearTimeout(timer);
    listeners.clear();
    unwatch?.();
    channel?.close();
    channel = undefined as never;
  };

  return {
    clock,
    start,
    accessToken: async (refused) =>
      (await tokenFor(refused)) ||
      Promise.reject(new SessionError(closed.aborted ? 'closed' : (snapshot.reason ?? 'offline'))),
    async fetch(input, init) {
      const request = new Request(input, init);
      if (!origins.includes(new URL(request.url).origin)) return fetch(request);
      const tried = new Set<string>();
      for (;;) {
        const access = await tokenFor();
        closed.throwIfAborted?.();
        if (!access && !state.out) throw new SessionError('offline');
        // What the API says of the time is not asked: its clock is not the one by which tokens expire.
        const response = await send(request.clone(), access);
        if (response.status !== 401 || !access) return response;
        const { error = '', acr_values: acrValues, max_age } = challengeOf(response);
        if (tried.has(error)) return response;
        tried.add(error);
        if (error === 'invalid_token') {
          if (!(await tokenFor(access))) return response;
        } else if (error === 'insufficient_user_authentication' && stepUp) {
          const maxAgeSeconds = max_age === undefined ? undefined : Number(max_age);
          const tokens = await stepUp({ acrValues, maxAgeSeconds, request, response });
          if (!tokens) return response;
          if (tokens !== true) await start(tokens);
        } else return response;
      }
    },
    signOut() {
      ending ??= signOut().finally(() => {
        ending = undefined;
      });
      return ending;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    snapshot: () => snapshot,
    // A user who signs out is not stopped by the page that goes.
    close() {
      if (ending) void ending.then(close, close);
      else close();
    },
  };
}
