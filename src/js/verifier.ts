import type { Core } from './boot.js';
import { type Kind, VerdictCache } from './cache.js';
import { freeze, freezeData, instant, toJson } from './convert.js';
import { asPolicyError, orPolicyError, PolicyError } from './errors.js';
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
import { listUpdate, statusUpdate } from './lists.js';
import type { Policy } from './policy.js';
import type { StandardSchema } from './standard-schema.js';
import { type ClaimsReader, claimsReader } from './typed-claims.js';
import type { Accepted, JoseHeader, Rejected, Verdict } from './verdict.js';
import type { RawVerifier, ValidatorGlue } from './wasm/glue.js';

// What the core's `verify` returns (src/wasm/verifier.rs).
const MISTAKE = 0;
const ACCEPTED = 2;

/** As many parsed headers as the core keeps (src/jws/memo.rs). */
const HEADERS = 16;

const DEFAULT_CACHE = 512;

// `ignoreBOM` keeps a byte order mark in the text, where JSON.parse would refuse it as the core has.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** A verifier whose tokens are written straight into the wasm memory, and whose verdicts are read from there. */
export function makeVerifier(
  { glue, memory }: Core<ValidatorGlue>,
  policy: string,
  options: VerifierOptions & { claims?: StandardSchema } = {},
): Verifier {
  const most = cacheSize(options.cache);
  const read = options.claims === undefined ? undefined : claimsReader(options.claims);
  const raw = orPolicyError(() => new glue.RawVerifier(policy));
  const changes: Changes = {
    replacePolicy: (policy) => orPolicyError(() => raw.replace(toJson(policy))),
    setRemoteKeys: (issuer, jwks) =>
      orPolicyError(() => JSON.parse(raw.setRemoteKeys(issuer, jwks)) as KeyReport),
    applyRevocations: (documents, now) => listUpdate(raw, memory, documents, now),
    applyStatusList: (uri, jwt, now) => statusUpdate(raw, uri, jwt, now),
  };
  return verifierOn(raw, memory, most, changes, read).verifier;
}

/** How a verifier takes another policy and other keys; whoever has more to do about it does it there. */
export interface Changes {
  replacePolicy(policy: Policy): void;
  setRemoteKeys(issuer: string, jwks: string): KeyReport;
  applyRevocations(documents: string, now: number): RevocationUpdate;
  applyStatusList(uri: string, jwt: string, now: number): StatusUpdate;
}

/** How many answers are kept. */
export function cacheSize(wanted: unknown): number {
  const most = wanted ?? DEFAULT_CACHE;
  if (typeof most !== 'number' || !Number.isInteger(most) || most < 0 || most > 1_000_000) {
    throw new PolicyError('/cache', 'must be an integer from 0 to 1000000');
  }
  return most;
}

/** A verifier on something in the wasm memory that is one, and a way to make it forget what it remembers when its keys have changed. */
export function verifierOn(
  raw: RawVerifier,
  memory: WebAssembly.Memory,
  most: number,
  changes: Changes,
  read?: ClaimsReader,
): { verifier: Verifier; evict(): void } {
  const core = new Exchange(raw, memory);
  const cache = new VerdictCache(most);
  const count = { hits: 0, misses: 0 };
  let epoch = 0;

  function decide(
    kind: Kind,
    text: unknown,
    options: VerifyOptions | undefined,
    ask: (written: number, length: number, now: number) => number,
  ): Verdict {
    const now = instant(options);
    if (typeof text === 'string') {
      const known = cache.get(text, kind, now, epoch);
      if (known !== undefined) {
        count.hits += 1;
        return known;
      }
    }
    count.misses += 1;
    const length = core.write(text);
    const outcome = ask(core.written, length, now);
    if (outcome === ACCEPTED) {
      const accepted = core.accepted();
      const verdict = read ? typed(accepted, read) : accepted;
      if (!verdict.ok) return verdict;
      cache.set(text as string, { kind, verdict, from: core.from, until: core.until, epoch });
      return verdict;
    }
    if (outcome === MISTAKE) throw asPolicyError(core.text());
    return JSON.parse(core.text()) as Rejected;
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
      return { ...kept, memoryBytes: memory.buffer.byteLength, cache: { entries: cache.size, ...count } };
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

/** The verdict with what a schema makes of the claims. */
function typed(accepted: Accepted, read: ClaimsReader): Verdict {
  const result = read(accepted.claims);
  if ('ok' in result) return result;
  return Object.freeze({ ...accepted, claims: freezeData(result.value) as Accepted['claims'] });
}

/** The input and the answer in the wasm memory, and what was parsed of it before. */
class Exchange {
  /** How many bytes of the last text are in the input. */
  written = 0;
  readonly #raw: RawVerifier;
  readonly #memory: WebAssembly.Memory;
  readonly #headers: { number: number; header: JoseHeader }[] = [];
  #bytes = new Uint8Array();
  #input = new Uint8Array();
  #answer = new Float64Array();

  constructor(raw: RawVerifier, memory: WebAssembly.Memory) {
    this.#raw = raw;
    this.#memory = memory;
  }

  /** From when until when the token that was just accepted is, in seconds. */
  get from(): number {
    return this.#answer[5] as number;
  }

  get until(): number {
    return this.#answer[6] as number;
  }

  /**
   * Writes a text and returns its length in bytes. Of one that does not fit only the beginning is written; its length is enough to refuse
   * it. What is no string is written as none.
   */
  write(text: unknown): number {
    this.#look();
    this.written = 0;
    if (typeof text !== 'string') return 0;
    const room = this.#input.length;
    if (text.length > room) return text.length;
    const { read, written } = encoder.encodeInto(text, this.#input);
    this.written = written;
    return read === text.length ? written : encoder.encode(text).length;
  }

  /** The text that the core left: a rejection, or the caller's mistake. */
  text(): string {
    this.#look();
    return this.#decode(0);
  }

  accepted(): Accepted {
    this.#look();
    const claims = JSON.parse(this.#decode(0)) as Accepted['claims'];
    const verdict = { ok: true as const, header: this.#header(), claims: freeze(claims) };
    return Object.freeze(this.#answer[7] === 1 ? { ...verdict, stale: true as const } : verdict);
  }

  forgetHeaders(): void {
    this.#headers.length = 0;
  }

  /** Most tokens have a header that was parsed before. */
  #header(): JoseHeader {
    const number = this.#answer[4] as number;
    const known = this.#headers[number % HEADERS];
    if (known?.number === number) return known.header;
    const header = freeze(JSON.parse(this.#decode(2)) as JoseHeader);
    this.#headers[number % HEADERS] = { number, header };
    return header;
  }

  #decode(place: number): string {
    const address = this.#answer[place] as number;
    return decoder.decode(this.#bytes.subarray(address, address + (this.#answer[place + 1] as number)));
  }

  /** A memory that has grown has a new buffer, and views of the old one are empty. */
  #look(): void {
    if (this.#bytes.length > 0) return;
    const { buffer } = this.#memory;
    this.#bytes = new Uint8Array(buffer);
    this.#input = new Uint8Array(buffer, this.#raw.input(), this.#raw.inputBytes());
    this.#answer = new Float64Array(buffer, this.#raw.answer(), 8);
  }
}
