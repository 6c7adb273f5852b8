import { toJson } from '../convert.js';
import { orPolicyError, PolicyError } from '../errors.js';
import { type Io, type KeyReport, keepAlive, type RemoteSource } from '../gate/io.js';
import { RemoteKeys } from '../gate/keys.js';
import type { Jwk } from '../policy.js';
import type { IssuerGlue } from '../wasm/glue.js';
import { memoryCounter } from './counter.js';
import {
  type Issuer,
  type IssuerEvent,
  type IssuerOptions,
  IssuerUnavailableError,
  type RequestContext,
  type TokenResponse,
} from './index.js';
import { type FinalStep, follow, type World } from './loop.js';
import { toFacts } from './request.js';
import { toResponse } from './response.js';

const SWEPT_AT_ONCE = 1000;
/** How often in a row the issuer sweeps so many by itself. */
const SWEEPS_AT_ONCE = 20;

/** Makes an issuer around the core's. */
export function makeIssuer(glue: IssuerGlue, options: IssuerOptions): Issuer {
  const { config, signingKeys, rootKeys, feedKey, store, onEvent } = options;
  const raw = orPolicyError(
    () => new glue.RawIssuer(toJson(config), toJson({ signingKeys, rootKeys, feedKey })),
  );
  const now = options.now ?? (() => Math.floor(Date.now() / 1000));
  const io: Io = {
    fetch: options.fetch ?? ((...args: Parameters<typeof fetch>) => globalThis.fetch(...args)),
    now,
  };
  const keys = new RemoteKeys(
    JSON.parse(raw.remotes()) as RemoteSource[],
    io,
    (issuer, jwks) => orPolicyError(() => JSON.parse(raw.setRemoteKeys(issuer, jwks)) as KeyReport),
    (issuer) => raw.forgetKeys(issuer),
  );
  const world: World = { store, counter: options.counter ?? memoryCounter({ now }), keys, now, calls: 0 };

  const answer = async (facts: string, context: RequestContext): Promise<FinalStep & { step: 'done' }> => {
    const final = await follow(
      orPolicyError(() => raw.begin(facts, now())),
      world,
      context,
    );
    if (final.step === 'mistake') throw new PolicyError(final.error.pointer, final.error.reason);
    for (const event of final.events) tell(onEvent, event);
    if (final.tend)
      keepAlive(
        context,
        io,
        config.issuer,
        sweepAll().catch(() => {}),
      );
    return final;
  };
  const command = async (command: object): Promise<unknown> => {
    const { response } = await answer(toJson(command), {});
    const body = JSON.parse(response.body) as { error_description?: string };
    if (response.status === 200) return body;
    const wait = response.headers.find(([name]) => name === 'retry-after')?.[1];
    throw new IssuerUnavailableError(body.error_description ?? 'no answer', Number(wait ?? 1));
  };

  const sweep = async (limit: number) => {
    await command({ command: 'tend' });
    return store.sweep(now(), limit);
  };
  /** By itself, beside or after an answer. What fails is done the next time. */
  const sweepAll = async () => {
    for (let times = 0; times < SWEEPS_AT_ONCE; times++)
      if ((await sweep(SWEPT_AT_ONCE)) < SWEPT_AT_ONCE) return;
  };

  return {
    async fetch(request, context = {}) {
      // Keys that are due are looked after beside the request; those past their end before it.
      await keys.tend(context);
      const { response } = await answer(await toFacts(request), context);
      return toResponse(response);
    },
    startSession: (subject, session) =>
      command({ command: 'startSession', subject, ...session }) as Promise<TokenResponse & { sid: string }>,
    mintCode: async (subject, code) =>
      ((await command({ command: 'mintCode', subject, ...code })) as { code: string }).code,
    endSession: async (sid) => void (await command({ command: 'endSession', sid })),
    endSessionsOf: async (subject) => void (await command({ command: 'revoke', subject })),
    revoke: async (target) => void (await command({ command: 'revoke', ...target })),
    jwks: () => JSON.parse(orPolicyError(() => raw.jwks(now()))) as { keys: Jwk[] },
    feedJwks: () => {
      const jwks = raw.feedJwks();
      return jwks === undefined ? undefined : (JSON.parse(jwks) as { keys: Jwk[] });
    },
    sweep: (limit = SWEPT_AT_ONCE) => sweep(limit),
  };
}

/** A listener that fails changes no answer: what it is told of is committed. */
function tell(onEvent: ((event: IssuerEvent) => void) | undefined, event: IssuerEvent): void {
  try {
    onEvent?.(event);
  } catch {}
}
