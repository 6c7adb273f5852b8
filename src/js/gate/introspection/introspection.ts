import { type FetchFailure, fetchText } from '../../net/fetch.js';
import { Flights } from '../../net/flights.js';
import { type IntrospectionSource, type Io, type IoContext, keepAlive } from '../../net/io.js';
import { retryAfter } from '../../net/retry-after.js';
import { BoundedTexts } from './bounded-texts.js';
import {
  type ClientAuthentication,
  type ClientSecrets,
  clientAuthentication,
} from './client-authentication.js';

/** What introspection of one issuer's tokens has come to. */
export interface IntrospectionStats {
  issuer: string;
  /** Answers that are kept: of tokens that are active, and of such as are not. */
  active: number;
  inactive: number;
  hits: number;
  requests: number;
  failures: number;
  busy: number;
  lastFailure: string | null;
}

/** An answer is a few claims; the core reads no more than this either. */
const MOST_BYTES = 65_536;

/**
 * For how long an endpoint that says that it is overloaded is left alone, in seconds: no answer
 * silences it for longer.
 */
const LEAST_REST = 1;
const LONGEST_REST = 60;

const MOST_ANSWERS = 1_000;
const MOST_CHARACTERS = 4_000_000;

interface Endpoint {
  source: IntrospectionSource;
  authenticate: ClientAuthentication;
  flights: Flights;
  /** Apart, so that a flood of tokens that nobody issued evicts no good answer. */
  active: BoundedTexts;
  inactive: BoundedTexts;
  count: { hits: number; requests: number; failures: number; busy: number };
  /**
   * Whose answer is kept, by the number of its question: one that was asked earlier and answered
   * later must not take its place.
   */
  latest: Map<string, number>;
  lastFailure: string | undefined;
  /** Until then it is not asked. */
  restUntil: number;
}

/**
 * Asks the authorization server about a token (RFC 7662).
 *
 * What it answers is handed on as text: whether that means yes is the core's to say. Here it is
 * only kept for a while, under the SHA-256 of the token, until its `exp` and never longer than the
 * policy's bound. Of requests with one token the first asks and the others look again by timers of
 * their own (`Flights` says why).
 */
export class Introspection {
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #io: Io;

  /** @throws PolicyError when an issuer's secret is missing or of another kind. */
  constructor(
    sources: readonly IntrospectionSource[],
    secrets: Readonly<Record<string, ClientSecrets>> | undefined,
    io: Io,
  ) {
    this.#io = io;
    for (const source of sources) {
      const { issuer } = source;
      const own = secrets !== undefined && Object.hasOwn(secrets, issuer) ? secrets[issuer] : undefined;
      this.#endpoints.set(issuer, {
        source,
        authenticate: clientAuthentication(source, own),
        flights: new Flights(io.now, io.sleep),
        active: new BoundedTexts(MOST_ANSWERS, MOST_CHARACTERS),
        inactive: new BoundedTexts(MOST_ANSWERS, MOST_CHARACTERS),
        count: { hits: 0, requests: 0, failures: 0, busy: 0 },
        latest: new Map(),
        lastFailure: undefined,
        restUntil: Number.NEGATIVE_INFINITY,
      });
    }
  }

  /**
   * @param fresh asks in any case: no answer to an earlier question will do, neither one that was
   * kept nor one that is on its way.
   * @returns the response's JSON text; `unavailable` when there is none to be had, `busy` when as
   * many requests as the policy allows are under way. Neither is kept.
   */
  async ask(
    issuer: string,
    token: string,
    context: IoContext,
    fresh = false,
  ): Promise<string | 'unavailable' | 'busy'> {
    const endpoint = this.#endpoints.get(issuer);
    if (endpoint === undefined) return 'unavailable';
    const key = await hash(token);
    const { flights, source, count } = endpoint;
    const before = flights.underWay(key);
    if (!fresh) {
      const known = this.#known(endpoint, key);
      if (known !== undefined) return known;
      if (before !== undefined) {
        await flights.landed(before);
        const answer = this.#known(endpoint, key);
        if (answer !== undefined) return answer;
        // A server that is down is not asked once more by each of those who waited.
        if (before.failed) return 'unavailable';
      }
    }
    // It has asked to be left alone, and the next token's bearer would only hear the same.
    const rest = endpoint.restUntil - this.#io.now();
    // A clock that was set back does not silence us until it has caught up.
    if (rest > 0 && rest <= LONGEST_REST) return 'unavailable';
    if (flights.size >= source.concurrency) {
      count.busy += 1;
      this.#io.observe?.({ name: 'introspection-busy', issuer });
      return 'busy';
    }
    const flight = flights.begin(
      before === undefined ? key : `${key} again ${count.requests}`,
      source.timeoutMs,
    );
    const work = this.#request(issuer, endpoint, token, key)
      .then((answer) => {
        flight.failed = answer === 'unavailable';
        return answer;
      })
      .finally(() => flights.end(flight));
    keepAlive(context, this.#io, issuer, work);
    return work;
  }

  stats(): IntrospectionStats[] {
    return Array.from(this.#endpoints, ([issuer, { active, inactive, count, lastFailure }]) => ({
      issuer,
      active: active.size,
      inactive: inactive.size,
      ...count,
      lastFailure: lastFailure ?? null,
    }));
  }

  #known({ active, inactive, count }: Endpoint, key: string): string | undefined {
    const now = this.#io.now();
    const text = active.get(key, now) ?? inactive.get(key, now);
    if (text !== undefined) count.hits += 1;
    return text;
  }

  async #request(issuer: string, endpoint: Endpoint, token: string, key: string): Promise<string> {
    const { source, authenticate, count } = endpoint;
    count.requests += 1;
    const number = count.requests;
    // The age of an answer counts from the question.
    const asked = this.#io.now();
    try {
      const { headers, parameters } = await authenticate(asked);
      const body = new URLSearchParams({ token, token_type_hint: 'access_token', ...parameters }).toString();
      const answer = await fetchText(
        this.#io.fetch,
        source.endpoint,
        {
          method: 'POST',
          headers: {
            accept: 'application/json',
            'content-type': 'application/x-www-form-urlencoded',
            ...headers,
          },
          body,
        },
        { timeoutMs: source.timeoutMs, maxBytes: MOST_BYTES },
      );
      if (!answer.ok) {
        if (answer.reason === 'status-429' || answer.reason === 'status-503') {
          const seconds = answer.headers ? retryAfter(answer.headers, asked) : 0;
          endpoint.restUntil = this.#io.now() + Math.min(Math.max(seconds, LEAST_REST), LONGEST_REST);
        }
        return this.#failed(issuer, endpoint, answer.reason);
      }
      keep(endpoint, key, answer.text, asked, number);
      return answer.text;
    } catch (error) {
      // The private key cannot be used here: its name, and nothing of what it says.
      return this.#failed(issuer, endpoint, error instanceof Error ? error.name : 'unknown');
    }
  }

  #failed(issuer: string, endpoint: Endpoint, reason: FetchFailure | string): 'unavailable' {
    endpoint.count.failures += 1;
    endpoint.lastFailure = reason;
    // RFC 7662 §2.3: the server does not know us, which no token's bearer can help.
    const name = reason === 'status-401' ? 'introspection-credentials-refused' : 'introspection-failed';
    this.#io.observe?.({ name, issuer, reason });
    return 'unavailable';
  }
}

/** Keeps an answer for as long as it may count; what says nothing clear about that is not kept. */
function keep(endpoint: Endpoint, key: string, text: string, from: number, number: number): void {
  const { source, active, inactive, latest } = endpoint;
  if (number < (latest.get(key) ?? 0)) return;
  note(latest, key, number);
  // Whatever was said before is not the last word any more.
  active.delete(key);
  inactive.delete(key);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return;
  }
  if (typeof answer !== 'object' || answer === null) return;
  const { active: isActive, exp } = answer as Record<string, unknown>;
  if (isActive === true) {
    const until = from + source.cacheSeconds;
    // The core judges the answer itself, whenever it is used: this is for how long there is none
    // to ask for.
    if (exp !== undefined && !Number.isFinite(exp)) return;
    active.set(key, {
      text,
      from,
      until: Math.min(until, Math.ceil((exp as number | undefined) ?? until)),
    });
  } else if (isActive === false) {
    inactive.set(key, { text, from, until: from + source.negativeCacheSeconds });
  }
}

function note(latest: Map<string, number>, key: string, number: number): void {
  latest.delete(key);
  if (latest.size >= 2 * MOST_ANSWERS) latest.delete(latest.keys().next().value as string);
  latest.set(key, number);
}

/** The token itself is kept nowhere. */
async function hash(token: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
