import { orPolicyError, PolicyError } from '../errors.js';
import type { Io, KeyReport, RemoteSource } from '../gate/io.js';
import { RemoteKeys } from '../gate/keys.js';
import type { Instance } from '../instance.js';
import type { Jwk } from '../policy.js';
import { membersOf, toJson } from '../to-json.js';
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
import { ResidentIssuer } from './resident.js';

const SWEPT_AT_ONCE = 1000;

/** Makes an issuer around the core's. */
export function makeIssuer(home: Instance<IssuerGlue>, options: IssuerOptions): Issuer {
  const { config, signingKeys, rootKeys, store, onEvent } = options;
  // One that is there and undefined would be an issuer without a feed.
  const feedKey = 'feedKey' in options ? { feedKey: options.feedKey } : {};
  const texts = [toJson(config), toJson({ signingKeys, rootKeys, ...feedKey })] as const;
  const raw = orPolicyError(() => new ResidentIssuer(home, ...texts));
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
  const world: World = { store, counter: options.counter ?? memoryCounter({ now }), keys, now };

  const answer = async (facts: string, context: RequestContext): Promise<FinalStep & { step: 'done' }> => {
    const final = await follow((at) => orPolicyError(() => raw.begin(facts, at)), world, context);
    if (final.step === 'mistake') throw new PolicyError(final.error.pointer, final.error.reason);
    for (const event of final.events) tell(onEvent, event);
    return final;
  };
  const command = async (command: object): Promise<unknown> => {
    const { response } = await answer(toJson(command), {});
    const body = JSON.parse(response.body) as { error_description?: string };
    if (response.status === 200) return body;
    const wait = response.headers.find(([name]) => name === 'retry-after')?.[1];
    throw new IssuerUnavailableError(body.error_description ?? 'no answer', Number(wait ?? 1));
  };

  return {
    async fetch(request, context = {}) {
      // Keys that are due are looked after beside the request; those past their end before it.
      await keys.tend(context);
      const { response } = await answer(await toFacts(request), context);
      const { status, headers, body } = response;
      return new Response(body === '' ? null : body, { status, headers });
    },
    startSession: (subject, session) =>
      command({ command: 'startSession', subject, ...membersOf(session, ['command', 'subject']) }) as Promise<
        TokenResponse & { sid: string }
      >,
    mintCode: async (subject, code) =>
      (
        (await command({ command: 'mintCode', subject, ...membersOf(code, ['command', 'subject']) })) as {
          code: string;
        }
      ).code,
    endSession: async (sid) => void (await command({ command: 'endSession', sid })),
    endSessionsOf: async (subject) => void (await command({ command: 'revoke', subject })),
    revoke: async (target) => void (await command({ command: 'revoke', ...membersOf(target, ['command']) })),
    jwks: () => JSON.parse(orPolicyError(() => raw.jwks(now()))) as { keys: Jwk[] },
    feedJwks: () => {
      const jwks = raw.feedJwks();
      return jwks === undefined ? undefined : (JSON.parse(jwks) as { keys: Jwk[] });
    },
    async sweep(limit = SWEPT_AT_ONCE) {
      await command({ command: 'fold' });
      return store.sweep(now(), limit);
    },
  };
}

/** A listener that fails changes no answer: what it is told of is committed. */
function tell(onEvent: ((event: IssuerEvent) => void) | undefined, event: IssuerEvent): void {
  try {
    onEvent?.(event);
  } catch {}
}
