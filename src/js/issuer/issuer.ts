import type { Instance } from '../instance/instance.js';
import { type Io, type KeyReport, keepAlive, type RemoteSource } from '../net/io.js';
import { ruleOf } from '../net/remote-keys/key-rule.js';
import { RemoteKeys } from '../net/remote-keys/remote-keys.js';
import { orPolicyError, PolicyError } from '../shared/errors.js';
import { clockOf } from '../shared/synchronous.js';
import { toJson } from '../shared/to-json.js';
import type { Jwk } from '../verifier/policy.js';
import type { IssuerGlue } from '../wasm/glue.js';
import type { AuthorizationAsk, FromBrowser } from './authorization.js';
import { memoryCounter } from './counter.js';
import { Deadline } from './deadline.js';
import { asError, type Failure, fromCore, stopwatch, tell } from './failures.js';
import {
  type Issuer,
  type IssuerEvent,
  type IssuerOptions,
  IssuerUnavailableError,
  type RequestContext,
  type TokenResponse,
} from './index.js';
import { type FinalIssuerStep, follow, type World } from './loop.js';
import { checkShapes, commandOf, contextOf, fromBrowser, inOptions, refuseUnknown } from './options.js';
import { bodyOf, toFacts } from './request.js';
import { ResidentIssuer } from './resident.js';
import { type CoreResponse, toResponse } from './response.js';
import { upstreamIo } from './upstream.js';

const SWEPT_AT_ONCE = 1000;
/** How often in a row the issuer sweeps so many by itself. */
const SWEEPS_AT_ONCE = 20;

/** How long a request or a command may take in all, in milliseconds. */
const REQUEST_MS = 15_000;

const OPTIONS = [
  'config',
  'signingKeys',
  'rootKeys',
  'feedKey',
  'store',
  'counter',
  'onEvent',
  'now',
  'fetch',
];

type Answered = FinalIssuerStep & { step: 'done' };

/** Makes an issuer around the core's. */
export function makeIssuer(home: Instance<IssuerGlue>, options: IssuerOptions): Issuer {
  refuseUnknown(options, OPTIONS);
  checkShapes(options);
  const { config, signingKeys, rootKeys, store, onEvent } = options;
  // One that is there and undefined would be an issuer without a feed.
  const feedKey = 'feedKey' in options ? { feedKey: options.feedKey } : {};
  const secrets = toJson({ signingKeys, rootKeys, ...feedKey });
  const raw = inOptions(() => new ResidentIssuer(home, toJson(config), secrets));
  const now = clockOf(options.now);
  const failed = (failure: Failure) => tell(onEvent, { ...failure, at: instantOf(now) });
  const io: Io = {
    ...upstreamIo(options.fetch, now, failed),
    readMetadata: (issuer, text) => raw.readMetadata(issuer, text),
  };
  const keys = new RemoteKeys(
    JSON.parse(raw.remotes()) as RemoteSource[],
    io,
    (issuer, jwks) => orPolicyError(() => JSON.parse(raw.setRemoteKeys(issuer, jwks)) as KeyReport),
    (issuer) => raw.forgetKeys(issuer),
    ruleOf(home),
  );
  const world: World = {
    store,
    counter: options.counter ?? memoryCounter({ now }),
    keys,
    now,
    calls: new Set(),
  };
  /**
   * What nobody waits for has calls of its own: where a runtime ends it with its request, they
   * stay behind.
   */
  const beside: World = { ...world, calls: new Set() };

  /**
   * One request or command, to its end; `failed` hears of everything that goes wrong on the way.
   */
  const answer = async (
    facts: string,
    journey: Parameters<typeof follow>[2],
    within = world,
  ): Promise<Answered> => {
    const final = await follow((at) => orPolicyError(() => raw.begin(facts, at)), within, journey);
    if (final.step === 'mistake') throw new PolicyError(final.error.pointer, final.error.reason);
    if (final.tend)
      keepAlive(
        journey.context,
        io,
        config.issuer,
        sweepAll().catch(() => {}),
      );
    return final;
  };

  const respond = async (request: Request, context: RequestContext, deadline: Deadline) => {
    // Keys that are due are looked after beside the request; those past their end before it.
    const late = keys.tend(context);
    if (late !== undefined) await deadline.for(() => late).catch(() => {});
    const { response, events } = await answer(toFacts(request, context.clientAddress), {
      context,
      deadline,
      body: () => bodyOf(request, deadline),
      failed,
    });
    for (const event of events) tell(onEvent, fromCore(event));
    return toResponse(response);
  };

  const command = async (
    facts: object,
    context: RequestContext = {},
    within?: World,
    /** Whose body the core may ask for. */
    request?: Request,
  ): Promise<unknown> => {
    const deadline = new Deadline(REQUEST_MS);
    let first: IssuerEvent | Failure | undefined;
    try {
      const { response, events } = await answer(
        toJson(facts),
        {
          context,
          deadline,
          body: async () => (request === undefined ? { body: null } : bodyOf(request, deadline)),
          failed(failure) {
            first ??= failure;
            failed(failure);
          },
        },
        within,
      );
      for (const event of events.map(fromCore)) {
        if (event.cause !== undefined) first ??= event;
        tell(onEvent, event);
      }
      const body = JSON.parse(response.body) as { error_description?: string };
      if (response.status === 200) return body;
      const wait = response.headers.find(([name]) => name === 'retry-after')?.[1];
      throw unavailable(body.error_description ?? 'no answer', Number(wait ?? 1), first);
    } finally {
      deadline.end();
    }
  };

  const tend = () => command({ command: 'tend' }, {}, beside);
  const sweepStore = async (limit: number) => {
    // Not by this process's clock alone: one that is ahead would throw away what others need.
    const { past } = (await command({ command: 'visit' }, {}, beside)) as { past: number };
    const elapsed = stopwatch();
    try {
      return await store.sweep(past, limit);
    } catch (thrown) {
      const cause = asError(thrown);
      const failure: Failure = { kind: 'store_failed', operation: 'sweep', cause, durationMs: elapsed() };
      failed(failure);
      throw unavailable('the store gave no answer', 1, failure);
    }
  };
  /** The store is swept whether it could be tended or not. */
  const sweep = async (limit: number) => {
    const [tended, swept] = [await settled(tend()), await settled(sweepStore(limit))];
    for (const outcome of [swept, tended]) if (outcome.status === 'rejected') throw outcome.reason;
    return (swept as PromiseFulfilledResult<number>).value;
  };
  /** By itself, beside or after an answer. What fails is done the next time. */
  const sweepAll = async () => {
    for (let times = 0; times < SWEEPS_AT_ONCE; times++) {
      await settled(tend());
      if ((await sweepStore(SWEPT_AT_ONCE)) < SWEPT_AT_ONCE) return;
    }
  };

  const finish = async (fixed: Record<string, unknown>, options: FromBrowser, context: RequestContext) => {
    const told = await command(commandOf(fixed, fromBrowser(options)), context);
    return toResponse((told as { response: CoreResponse }).response);
  };

  /** The issuer as a caller has it, whose commands have their work beside the answer in `bound`. */
  const face = (bound: RequestContext): Issuer => ({
    async fetch(request, context = bound) {
      const elapsed = stopwatch();
      const deadline = new Deadline(REQUEST_MS);
      try {
        return await respond(request, context, deadline);
      } catch (thrown) {
        // The caller's own mistake is the caller's to see; what a callback threw is the
        // operator's, and no client's.
        if (thrown instanceof PolicyError) throw thrown;
        const cause = asError(thrown);
        failed({ kind: 'request_failed', operation: 'answer', cause, durationMs: elapsed() });
        return serverError();
      } finally {
        deadline.end();
      }
    },
    startSession: (subject, session) =>
      command(commandOf({ command: 'startSession', subject }, session), bound) as Promise<
        TokenResponse & { sid: string }
      >,
    mintCode: async (subject, code) =>
      ((await command(commandOf({ command: 'mintCode', subject }, code), bound)) as { code: string }).code,
    async authorize(request, context = bound) {
      const facts = JSON.parse(toFacts(request, context.clientAddress)) as object;
      const told = await command({ command: 'authorize', request: facts }, context, undefined, request);
      const { outcome, response } = told as { outcome: string; response: CoreResponse };
      if (outcome !== 'response') return told as AuthorizationAsk;
      return { outcome, response: await toResponse(response) };
    },
    complete: (sealed, completion) => finish({ command: 'complete', sealed }, completion, bound),
    decline: (sealed, declined) => finish({ command: 'decline', sealed }, declined, bound),
    endSession: async (sid) => void (await command({ command: 'endSession', sid }, bound)),
    endSessionsOf: async (subject) => void (await command({ command: 'revoke', sub: subject }, bound)),
    revoke: async (target) => void (await command(commandOf({ command: 'revoke' }, target), bound)),
    jwks: () => JSON.parse(orPolicyError(() => raw.jwks(now()))) as { keys: Jwk[] },
    feedJwks: () => {
      const jwks = raw.feedJwks();
      return jwks === undefined ? undefined : (JSON.parse(jwks) as { keys: Jwk[] });
    },
    sweep: (limit = SWEPT_AT_ONCE) => sweep(limit),
    async health() {
      const elapsed = stopwatch();
      try {
        await command({ command: 'health' }, bound);
        return { ok: true, durationMs: elapsed() };
      } catch (thrown) {
        const cause = asError(thrown instanceof IssuerUnavailableError ? (thrown.cause ?? thrown) : thrown);
        return { ok: false, durationMs: elapsed(), operation: 'read', cause };
      }
    },
    with: (context) => face(contextOf(context)),
  });
  return face({});
}

async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([promise]);
  return outcome;
}

function unavailable(reason: string, seconds: number, first: { cause?: Error } | undefined) {
  return new IssuerUnavailableError(reason, seconds, first?.cause && { cause: first.cause });
}

/** The time of a failure. The clock itself may be what fails. */
function instantOf(now: () => number): number {
  try {
    return now();
  } catch {
    return Math.floor(Date.now() / 1000);
  }
}

function serverError(): Response {
  const body = { error: 'server_error', error_description: 'the issuer failed to answer' };
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return new Response(JSON.stringify(body), { status: 500, headers });
}
