// One access token, kept fresh in all tabs by one of them at a time.
import { challengeOf } from './challenge.js';
import { createClock, type Mark, type Offset } from './clock.js';
import { locked } from './lock.js';
import { timesOf } from './times.js';
import type { Session, SessionOptions, Snapshot, TokenResponse } from './types.js';

/** What all tabs agree on: the highest `n` counts, and of two with the same `n` the one that ends the session. */
interface State {
  n: number;
  out?: boolean;
  access?: string;
  refresh?: string | undefined;
  issuedAt?: number;
  expiresAt?: number | undefined;
}

/** What tabs tell each other: news, with what is known of the time; a question for newer ones; how long to leave the endpoint alone. */
interface Message {
  state?: State;
  offset?: Offset | undefined;
  ask?: number;
  wait?: number;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

// Answers of other tabs come at once, unless they sleep.
const ANSWER_MS = 100;
// A shorter wait that the server asks for is waited out with the lock in hand.
const SHORT_MS = 2000;
const PAUSE_MS = 5000;

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
}: SessionOptions): Session {
  let state: State = { n: 0 };
  let snapshot: Snapshot;
  let flight: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const closing = new AbortController();
  let pausedUntil = 0;
  let answered: (() => void) | undefined;
  const listeners = new Set<() => void>();
  let channel = globalThis.BroadcastChannel && new BroadcastChannel(name);
  const post = (message: Message) => channel?.postMessage(message);

  const become = (next: State) => {
    state = next;
    const { out, access, expiresAt } = next;
    const seen = access ? inspect?.(access) : undefined;
    const claims = seen?.ok ? seen.claims : undefined;
    const status = out ? 'signed-out' : access ? 'signed-in' : 'unknown';
    snapshot = Object.freeze({ status, claims, expiresAt });
    schedule();
    for (const listener of [...listeners]) listener();
  };
  /** A state of this tab's own making, for all. */
  const publish = async (next: State) => {
    become(next);
    post({ state: next, offset: clock.offset() });
    await storage?.set(next.refresh ?? null);
  };
  const take = (tokens: TokenResponse, sent?: Mark, dated?: boolean) => {
    const { access_token: access, refresh_token, expires_in } = tokens;
    if (!dated) clock.observe(access, sent);
    const { iat, exp } = timesOf(access);
    // Of an opaque token, only the response says how long it lives.
    const issuedAt = iat ?? clock.now().seconds;
    const expiresAt = exp ?? (expires_in === undefined ? undefined : issuedAt + Number(expires_in));
    // An answer without a refresh token leaves the one there is (RFC 6749 §6).
    return publish({ n: state.n + 1, access, refresh: refresh_token ?? state.refresh, issuedAt, expiresAt });
  };

  const accepted = (access: unknown) =>
    typeof access === 'string' && (!verify || verify(access, Math.floor(clock.now().seconds)).ok);

  const dueIn = () =>
    state.expiresAt === undefined ? Infinity : clock.dueIn(state.issuedAt, state.expiresAt);
  const expired = () => state.expiresAt !== undefined && clock.left(state.expiresAt) <= 0;
  const usable = (refused?: string) => state.access && state.access !== refused && !expired();
  const paused = () => clock.mark()[0] < pausedUntil;
  const pause = (pauseMs: number) => {
    pausedUntil = clock.mark()[0] + pauseMs;
    schedule();
  };

  /** Learns what other tabs have done since. */
  const catchUp = async () => {
    if (channel) {
      post({ ask: state.n });
      await new Promise<void>((resolve) => {
        answered = resolve;
        setTimeout(resolve, ANSWER_MS);
      });
    }
    const kept = await storage?.get();
    if (kept === null && state.refresh) become({ n: state.n, out: true });
    else if (kept && kept !== state.refresh && !state.out) state = { ...state, refresh: kept };
  };

  /** One request, however long it takes: undefined when its answer is lost. */
  const attempt = async (lost: AbortSignal) => {
    const control = new AbortController();
    const end = () => control.abort();
    const timer = setTimeout(end, attemptMs);
    lost.onabort = end;
    try {
      return await Promise.race([
        refresh(state.refresh, control.signal).then(async (response) => ({
          response,
          body: await response.json().catch(() => ({})),
        })),
        // What does not listen to the signal is not waited for.
        new Promise<never>((_, reject) => {
          control.signal.onabort = reject;
        }),
      ]);
    } catch {
      return undefined;
    } finally {
      clearTimeout(timer);
      end();
    }
  };

  const refreshUnderLock = async (refused: string | undefined, lost: AbortSignal) => {
    const started = clock.mark()[0];
    await catchUp();
    // Another tab was first, or was told to wait.
    if (state.out || paused() || (usable(refused) && dueIn() > 0)) return;
    const mine = state;
    const current = async () =>
      state === mine &&
      !lost.aborted &&
      (!storage || !mine.refresh || (await storage.get()) === mine.refresh);
    for (let tries = 0; ; tries++) {
      const sent = clock.mark();
      const answer = await attempt(lost);
      // Signed out meanwhile, or this tab has slept and others went on without it.
      if (!(await current())) return;
      const { response, body } = answer ?? {};
      const dated = response && clock.observe(response, sent);
      if (response?.ok && accepted(body.access_token)) return take(body, sent, dated);
      if (body?.error === 'invalid_grant') {
        // A tab that never had a session ends none.
        if (mine.n === 0 && !mine.refresh) return become({ n: 0, out: true });
        return publish({ n: mine.n + 1, out: true });
      }
      const status = response?.status ?? 503;
      const asked = response?.headers.get('retry-after');
      const waitMs = asked
        ? Number(asked) * 1000 || Date.parse(asked) - clock.now().seconds * 1000 || 0
        : 250 * 2 ** tries * (0.5 + Math.random());
      const elapsed = clock.mark()[0] - started;
      // Overslept: that says nothing about the server.
      if (elapsed > holdMs) return;
      // The same token again, as long as nobody has to think that this tab hangs: what a lost answer held, comes again.
      const enough = elapsed + waitMs + attemptMs > holdMs * 0.9;
      if ((status < 500 && status !== 429) || waitMs > SHORT_MS || enough) {
        const pauseMs = Math.max(waitMs, PAUSE_MS);
        post({ wait: pauseMs });
        return pause(pauseMs);
      }
      await sleep(waitMs);
      if (!(await current())) return;
    }
  };

  const accessToken = async (refused?: string) => {
    const idle = () => state.out || paused();
    const fly = () => {
      flight ??= locked(`${name}:refresh`, holdMs, (lost) => refreshUnderLock(refused, lost)).finally(() => {
        flight = undefined;
      });
      return flight;
    };
    // What is still good serves while the next one is fetched.
    if (usable(refused) && dueIn() <= 0 && !idle()) void fly();
    // More than once: another's flight had another reason, and from a tab that slept the lock has been taken.
    for (let tries = 0; tries < 3 && !usable(refused) && !idle(); tries++) await fly();
    return usable(refused) ? state.access : undefined;
  };

  /** Hidden tabs are refreshed when they ask. */
  const tick = () => {
    if (!globalThis.document?.hidden) void accessToken();
    schedule();
  };
  const schedule = () => {
    clearTimeout(timer);
    // By the minute, since timers stop with the device.
    const ms = paused() ? pausedUntil - clock.mark()[0] : dueIn();
    if (state.access) timer = setTimeout(tick, Math.min(Math.max(ms, 500), 60_000));
  };
  const online = () => {
    pausedUntil = 0;
    tick();
  };

  if (channel)
    channel.onmessage = ({ data: { state: theirs, offset, ask, wait } }: MessageEvent<Message>) => {
      if (ask !== undefined && state.n >= ask && state.n > 0) post({ state, offset: clock.offset() });
      if (wait) pause(wait);
      if (!theirs) return;
      if (offset) clock.adopt(offset);
      if (theirs.n > state.n || (theirs.n === state.n && theirs.out && !state.out)) become(theirs);
      answered?.();
    };
  const unwatch = storage?.watch?.(async () => {
    const kept = await storage.get();
    // Signed out, or in, by another tab.
    if (kept === null ? state.refresh : state.out) {
      become(kept === null ? { n: state.n, out: true } : { n: state.n, refresh: kept });
      tick();
    }
  });
  become(state);
  // On a server that renders the page, nobody is signed in.
  if (globalThis.location) {
    addEventListener('online', online, closing);
    globalThis.document?.addEventListener('visibilitychange', tick, closing);
    tick();
  }

  const send = (request: Request, access: string | undefined) => {
    if (!access) return fetch(request);
    const own = new Request(request, { redirect: request.redirect === 'manual' ? 'manual' : 'error' });
    if (dpop) return dpop.fetch(own, access);
    own.headers.set('authorization', `Bearer ${access}`);
    return fetch(own);
  };
  const start = async (tokens: TokenResponse) => {
    if (!accepted(tokens.access_token)) throw new TypeError('no access token');
    await take(tokens);
  };

  return {
    clock,
    start,
    accessToken,
    async fetch(input, init) {
      const request = new Request(input, init);
      if (!origins.includes(new URL(request.url).origin)) return fetch(request);
      const tried = new Set<string>();
      for (;;) {
        const access = await accessToken();
        if (!access && !state.out) throw new TypeError('no access token');
        const sent = clock.mark();
        const response = await send(request.clone(), access);
        clock.observe(response, sent);
        if (response.status !== 401 || !access) return response;
        const { error = '', acr_values: acrValues, max_age } = challengeOf(response);
        if (tried.has(error)) return response;
        tried.add(error);
        if (error === 'invalid_token') {
          if (!(await accessToken(access))) return response;
        } else if (error === 'insufficient_user_authentication' && stepUp) {
          const maxAgeSeconds = max_age === undefined ? undefined : Number(max_age);
          const tokens = await stepUp({ acrValues, maxAgeSeconds, request, response });
          if (!tokens) return response;
          if (tokens !== true) await start(tokens);
        } else return response;
      }
    },
    async signOut() {
      const { refresh: token, n } = state;
      await publish({ n: n + 1, out: true });
      await revoke?.(token);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    snapshot: () => snapshot,
    close() {
      // What is under way finds another state than it started from.
      state = { n: 0, out: true };
      closing.abort();
      clearTimeout(timer);
      unwatch?.();
      channel?.close();
      channel = undefined as never;
    },
  };
}
