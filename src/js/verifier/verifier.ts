import type { Instance } from '../instance/instance.js';
import { MemoryView } from '../instance/memory-view.js';
import { type ResidentJudge, ResidentVerifier } from '../instance/resident-judge.js';
import { asPolicyError, orPolicyError, PolicyError } from '../shared/errors.js';
import { ownOf } from '../shared/plain-data.js';
import type { StandardSchema } from '../shared/standard-schema.js';
import { toJson } from '../shared/to-json.js';
import {
  ACCEPTED,
  ALTERNATIVE,
  FROM,
  MISTAKE,
  SHARED,
  SHARED_NUMBER,
  STALE,
  TEXT,
  UNTIL,
  VERDICT_NUMBERS,
} from '../wasm/answer.js';
import type { RawVerifier, ValidatorGlue } from '../wasm/glue.js';
import { type Kind, VerdictCache } from './cache.js';
import { freeze, instant } from './convert.js';
import type {
  KeyReport,
  RevocationUpdate,
  StatusUpdate,
  Verifier,
  VerifierOptions,
  VerifierStats,
  VerifyAuthorizationOptions,
  VerifyOptions,
} from './index.js';
import type { Policy } from './policy.js';
import { listUpdate, statusUpdate } from './revocation-lists.js';
import { type ClaimsReader, readerOf } from './typed-claims.js';
import { unavailable } from './unavailable.js';
import type { Accepted, JoseHeader, Rejected, Verdict } from './verdict.js';

// What the core's `verify` returns (src/wasm/verifier.rs).

/** As many parsed headers as the core keeps (src/jws/header_memo.rs). */
const HEADERS = 16;

const DEFAULT_CACHE = 512;

const encoder = new TextEncoder();

/**
 * A verifier whose tokens are written straight into the wasm memory, and whose verdicts are read
 * from there.
 */
export function makeVerifier(
  home: Instance<ValidatorGlue>,
  policy: string,
  options: VerifierOptions & { claims?: StandardSchema } = {},
): Verifier {
  const most = cacheSize(options.cache);
  const read = readerOf(options);
  const raw = orPolicyError(() => new ResidentVerifier(home, policy));
  const changes: Changes = {
    replacePolicy(policy) {
      const text = toJson(policy);
      orPolicyError(() => raw.replace(text));
    },
    setRemoteKeys: (issuer, jwks) =>
      orPolicyError(() => JSON.parse(raw.setRemoteKeys(issuer, jwks)) as KeyReport),
    applyRevocations: (documents, now) => listUpdate(raw, documents, now),
    applyStatusList: (uri, jwt, now) => statusUpdate(raw, uri, jwt, now),
  };
  return verifierOn(raw, home, most, changes, read).verifier;
}

/**
 * How a verifier takes another policy and other keys; whoever has more to do about it does it
 * there.
 */
export interface Changes {
  replacePolicy(policy: Policy): void;
  setRemoteKeys(issuer: string, jwks: string): KeyReport;
  applyRevocations(documents: string, now: number): RevocationUpdate;
  applyStatusList(uri: string, jwt: string, now: number): StatusUpdate;
  /** Whether an issuer that was accepted is none of ours any more; the core has let it go then. */
  refuses?(issuer: string): boolean;
}

/** How many answers are kept. */
export function cacheSize(wanted: unknown): number {
  const most = wanted ?? DEFAULT_CACHE;
  if (typeof most !== 'number' || !Number.isInteger(most) || most < 0 || most > 1_000_000) {
    throw new PolicyError('/cache', 'must be an integer from 0 to 1000000');
  }
  return most;
}

/**
 * A verifier on something in the wasm memory that is one, and a way to make it forget what it
 * remembers when its keys have changed.
 */
export function verifierOn(
  raw: ResidentJudge<RawVerifier>,
  home: Instance,
  most: number,
  changes: Changes,
  read?: ClaimsReader,
): { verifier: Verifier; evict(): void } {
  const core = new VerdictMemory(raw, home);
  const cache = new VerdictCache(most);
  /**
   * What is remembered untyped: the schema is asked again each time, since what it makes must not
   * be shared.
   */
  const anew = new WeakSet<Accepted>();
  const count = { hits: 0, misses: 0 };
  let epoch = 0;

  /** What is remembered of a text, unless its issuer is none of ours any more. */
  function remembered(text: string, kind: Kind, now: number): Accepted | undefined {
    const known = cache.get(text, kind, now, epoch);
    return known !== undefined && changes.refuses?.(known.claims.iss) ? undefined : known;
  }

  function decide(
    kind: Kind,
    text: unknown,
    options: VerifyOptions | undefined,
    ask: (written: number, length: number, now: number) => number,
  ): Verdict {
    const now = instant(options);
    if (typeof text === 'string') {
      const known = remembered(text, kind, now);
      if (known !== undefined) {
        count.hits += 1;
        return read !== undefined && anew.has(known) ? typed(known, read).verdict : known;
      }
    }
    count.misses += 1;
    let answer: CoreVerdict | undefined;
    for (let attempt = 0; answer === undefined; attempt++) {
      try {
        const length = core.write(text);
        answer = core.read(ask(core.written, length, now));
      } catch {
        // A trap: nothing else throws there.
        home.sound = false;
        if (attempt > 0) return unavailable();
      }
    }
    if ('mistake' in answer) throw asPolicyError(answer.mistake);
    if (!answer.ok) return answer;
    // What the core said, whole and of this epoch, before the schema runs, which may ask it about
    // another token.
    const { accepted, from, until } = answer;
    // The core knows the issuer no more, and says so.
    if (changes.refuses?.(accepted.claims.iss)) return decide(kind, text, options, ask);
    const asked = epoch;
    const { verdict, isData } = read ? typed(accepted, read) : { verdict: accepted, isData: true };
    if (!verdict.ok) return verdict;
    if (!isData) anew.add(accepted);
    cache.set(text as string, { kind, verdict: isData ? verdict : accepted, from, until, epoch: asked });
    return verdict;
  }

  function evict(): void {
    core.forgetHeaders();
    epoch += 1;
  }

  const verifier: Verifier = {
    verify: (token, options) =>
      decide('token', token, options, (written, length, now) => raw.verify(written, length, now)),
    verifyAuthorization: (value, options) => {
      const present = value !== null && value !== undefined;
      const checked = isBindingChecked(options);
      return decide(checked ? 'bound' : 'authorization', value, options, (written, length, now) =>
        raw.verifyAuthorization(present, written, length, now, checked),
      );
    },
    replacePolicy(policy) {
      changes.replacePolicy(policy);
      evict();
    },
    setRemoteKeys(issuer, jwks) {
      const text = typeof jwks === 'string' ? jwks : toJson(jwks);
      const report = changes.setRemoteKeys(String(issuer), text);
      if (report.changed) epoch += 1;
      return report;
    },
    applyRevocations(documents, options) {
      const now = instant(options);
      const update = changes.applyRevocations(String(documents), now);
      // A line that is refused may stand behind one that was taken.
      if (!update.ok || update.changed) epoch += 1;
      return update;
    },
    applyStatusList(uri, jwt, options) {
      const now = instant(options);
      const update = changes.applyStatusList(String(uri), String(jwt), now);
      if (update.ok && update.changed) epoch += 1;
      return update;
    },
    stats() {
      const kept = JSON.parse(raw.stats()) as Omit<VerifierStats, 'cache' | 'memoryBytes'>;
      return { ...kept, memoryBytes: home.buffer.byteLength, cache: { entries: cache.size, ...count } };
    },
  };
  return { verifier, evict };
}

/** Whether the caller checks a token's binding. */
function isBindingChecked(options: VerifyAuthorizationOptions | undefined): boolean {
  const binding = options?.binding;
  if (binding === undefined || binding === 'checked') return binding === 'checked';
  throw new PolicyError('/binding', 'must be "checked", or absent');
}

/** The verdict with what a schema makes of the claims, and whether that is unchangeable data. */
function typed(accepted: Accepted, read: ClaimsReader): { verdict: Verdict; isData: boolean } {
  const result = read(accepted.claims);
  if ('ok' in result) return { verdict: result, isData: false };
  const { value, isData } = ownOf(result.value, accepted.claims);
  return { verdict: Object.freeze({ ...accepted, claims: value as Accepted['claims'] }), isData };
}

/** What the core says of a token. */
type CoreVerdict =
  | { ok: true; accepted: Accepted; from: number; until: number }
  | Rejected
  /** The caller's own: a PolicyError as JSON. */
  | { mistake: string };

/** What is written for the core and read from it, and what was parsed of it before. */
class VerdictMemory {
  /** How many bytes of the last text are in the input. */
  written = 0;
  readonly #raw: ResidentJudge<RawVerifier>;
  readonly #memory: MemoryView<'answer'>;
  readonly #headers: { number: number; header: JoseHeader }[] = [];

  constructor(raw: ResidentJudge<RawVerifier>, home: Instance) {
    this.#raw = raw;
    this.#memory = new MemoryView(home, 'answer', VERDICT_NUMBERS);
  }

  /**
   * Writes a text and returns its length in bytes. Of one that does not fit only the beginning is
   * written; its length is enough to refuse it. What is no string is written as none.
   */
  write(text: unknown): number {
    this.#look();
    this.written = 0;
    if (typeof text !== 'string') return 0;
    if (text.length > this.#memory.room) return text.length;
    const { read, written } = this.#memory.write(text);
    this.written = written;
    return read === text.length ? written : encoder.encode(text).length;
  }

  /** All that the core has said, by what its `verify` returned. */
  read(outcome: number): CoreVerdict {
    this.#look();
    const text = this.#memory.text(TEXT);
    if (outcome === MISTAKE) return { mistake: text };
    if (outcome !== ACCEPTED) return JSON.parse(text) as Rejected;
    const { answer } = this.#memory;
    const [from, until, stale] = [answer[FROM] as number, answer[UNTIL] as number, answer[STALE]];
    const claims = freeze(JSON.parse(text) as Accepted['claims']);
    const verdict = { ok: true as const, header: this.#header(), claims };
    const accepted: { -readonly [Name in keyof Accepted]: Accepted[Name] } = verdict;
    if (stale === 1) accepted.stale = true;
    if (answer[ALTERNATIVE + 1] !== 0) accepted.alternative = this.#memory.text(ALTERNATIVE);
    Object.freeze(accepted);
    return { ok: true, accepted, from, until };
  }

  forgetHeaders(): void {
    this.#headers.length = 0;
  }

  /** Most tokens have a header that was parsed before. */
  #header(): JoseHeader {
    const number = this.#memory.answer[SHARED_NUMBER] as number;
    const known = this.#headers[number % HEADERS];
    if (known?.number === number) return known.header;
    const header = freeze(JSON.parse(this.#memory.text(SHARED)) as JoseHeader);
    this.#headers[number % HEADERS] = { number, header };
    return header;
  }

  #look(): void {
    if (this.#memory.look(this.#raw)) this.forgetHeaders();
  }
}
