// A device whose time passes when a test says so, for tabs that are sessions of one process.
import { afterEach, beforeEach, mock } from 'node:test';

import { createSession } from 'portcullis/session';

import { fakeLocks, mint, tokenOf, tokens } from './fakes.mjs';

export const T0 = 1_800_000_000;
export const API = 'https://api.example';
const realFetch = globalThis.fetch;
const opened = [];
let listeners;
let locks;
let names = 0;

/**
 * Registers, for every test of a file, a page on that device. `locked(tab)` makes the next session
 * one of another tab.
 */
export function simulate() {
  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: T0 * 1000 });
    // The monotonic clock of the simulated device.
    mock.method(performance, 'now', () => Date.now() - T0 * 1000);
    listeners = new Map();
    globalThis.addEventListener = (name, listener, { signal } = {}) => {
      const all = listeners.get(name) ?? listeners.set(name, new Set()).get(name);
      all.add(listener);
      signal?.addEventListener('abort', () => all.delete(listener));
    };
    globalThis.removeEventListener = (name, listener) => listeners.get(name)?.delete(listener);
    locks = fakeLocks();
    inTab('tab');
  });
  afterEach(() => {
    for (const session of opened.splice(0)) session.close();
    globalThis.fetch = realFetch;
    delete globalThis.navigator;
    delete globalThis.location;
    mock.timers.reset();
    mock.restoreAll();
  });
}

/** What is created from now on is in that tab. */
export function inTab(name) {
  Object.defineProperty(globalThis, 'navigator', { value: { locks: locks(name) }, configurable: true });
}
/** An event of the window, such as `online`. */
export const dispatch = (name) => {
  for (const listener of [...(listeners.get(name) ?? [])]) listener();
};
export const listening = () => [...listeners.values()].reduce((sum, all) => sum + all.size, 0);

export const nowSeconds = () => Math.floor(Date.now() / 1000);
export const settle = async (turns = 20) => {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
};
export const pass = async (ms, stepMs = 100) => {
  for (let gone = 0; gone < ms; gone += stepMs) {
    mock.timers.tick(stepMs);
    await settle();
  }
};
/** Lets time pass until a promise is settled, in steps that let everything run. */
export async function passing(promise, { stepMs = 50, mostMs = 120_000 } = {}) {
  let outcome;
  promise.then(
    (value) => {
      outcome = { value };
    },
    (error) => {
      outcome = { error };
    },
  );
  for (let ms = 0; ms <= mostMs; ms += stepMs) {
    await settle();
    if (outcome?.error) throw outcome.error;
    if (outcome) return outcome.value;
    mock.timers.tick(stepMs);
  }
  throw new Error(`nothing after ${mostMs} ms`);
}

/** What a session answers to who says that an API refused its present token. */
export const renewed = async (session) => passing(tokenOf(session, await tokenOf(session)));

export const uniqueName = () => `test-${names++}`;
/** A session that ends with the test. */
export function open(options) {
  const session = createSession({ name: uniqueName(), origins: [API], ...options });
  opened.push(session);
  return session;
}

/**
 * A signed-in session whose endpoint answers by a list of functions, the last of them from then
 * on.
 */
export async function signedIn(answers, options = {}) {
  const asked = [];
  const refresh = async (refreshToken, signal) => {
    asked.push({ refreshToken, at: Date.now() / 1000 - T0 });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer(refreshToken, signal);
  };
  const session = open({ refresh, ...options });
  const first = {
    access_token: mint(nowSeconds()),
    expires_in: 300,
    refresh_token: 'r0',
    token_type: 'Bearer',
  };
  await passing(session.start(first));
  asked.length = 0;
  return { session, asked };
}
export const good = (more) => () => tokens(nowSeconds(), more);
export const lost = () => {
  throw new TypeError('network');
};
export const status =
  (code, body = {}, headers = {}) =>
  () =>
    Response.json(body, { status: code, headers });

/** A `localStorage` for sessions of one process. */
export function box(initial = {}) {
  const kept = new Map(Object.entries(initial));
  return {
    kept,
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => kept.set(name, value),
    removeItem: (name) => kept.delete(name),
  };
}
