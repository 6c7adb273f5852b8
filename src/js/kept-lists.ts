import type { Instance } from './instance.js';
import type { RawVerifier } from './wasm/glue.js';

const encoder = new TextEncoder();

/** Longer lists, in characters all together, are not kept twice. They are pulled again after a trap. */
const MOST_CHARACTERS = 8 * 1024 * 1024;

// What `takenRevocations` of the core says of a text: nothing was taken, or what the most of it was.
const NOTHING = 0;
const RENEWAL = 1;
const SNAPSHOT = 3;

/** A text and the instant as of which it was taken. */
interface Text {
  text: string;
  now: number;
  taken: number;
}

/**
 * The lists of revocations that the core has taken, as they came: what it holds is gone with its instance.
 *
 * Where they cannot be had again, the core is told so, and refuses what it would have accepted for want of a list (`whenStale: 'allow'`) until
 * they come: nothing that was revoked is accepted because of a trap.
 */
export class KeptLists {
  onLost: () => void = () => {};
  readonly #home: Instance;
  #texts: Text[] = [];
  /** By their URI. */
  readonly #statuses = new Map<string, Text>();
  /** The core holds a list that is not kept here. */
  #tooLong = false;
  /** The present policy has no use for lists that were taken under another. */
  #missing = false;

  constructor(home: Instance) {
    this.#home = home;
  }

  /** Whether the core was made again without the lists that are kept. */
  get areMissing(): boolean {
    return this.#missing;
  }

  took(text: string, now: number, taken: number): void {
    if (taken === NOTHING) return;
    const last = this.#texts.at(-1);
    // A snapshot says everything; a renewal says all that the one before it did.
    if (taken === SNAPSHOT) this.#texts = [];
    else if (taken === RENEWAL && last?.taken === RENEWAL) this.#texts.pop();
    if (taken === SNAPSHOT) this.#tooLong = false;
    this.#texts.push({ text, now, taken });
    this.#bound();
  }

  tookStatus(uri: string, jwt: string, now: number, told: string): void {
    if (isRefusal(told)) return;
    this.#statuses.set(uri, { text: jwt, now, taken: SNAPSHOT });
    this.#bound();
  }

  /** Hands everything to the core again, as of the instants at which it was taken. */
  restore(raw: RawVerifier): void {
    this.#missing = false;
    let lost = this.#tooLong;
    for (const { text, now, taken } of this.#texts) {
      lost = !this.#again(() => takeLists(raw, this.#home, text, now).taken === taken) || lost;
    }
    for (const [uri, { text, now }] of this.#statuses) {
      lost = !this.#again(() => !isRefusal(raw.applyStatusList?.(uri, text, now) ?? '{}')) || lost;
    }
    if (!lost) return;
    raw.loseRevocations?.();
    this.onLost();
  }

  /** Whether something was taken as it was before. What the policy asks for no longer is no loss. */
  #again(take: () => boolean): boolean {
    try {
      return take();
    } catch (thrown) {
      if (typeof thrown !== 'string') throw thrown;
      this.#missing = true;
      return true;
    }
  }

  #bound(): void {
    let characters = 0;
    for (const { text } of [...this.#texts, ...this.#statuses.values()]) characters += text.length;
    if (characters <= MOST_CHARACTERS) return;
    this.#texts = [];
    this.#statuses.clear();
    this.#tooLong = true;
  }
}

function isRefusal(told: string): boolean {
  return 'code' in (JSON.parse(told) as object);
}

/** Hands lists of revocations to the core, through its input: of megabytes there is no copy in its memory but what it keeps. */
export function takeLists(
  raw: RawVerifier,
  home: Instance,
  documents: string,
  now: number,
): { told: string; taken: number } {
  raw.beginRevocations?.(now);
  const room = raw.inputBytes();
  for (let from = 0; from < documents.length; ) {
    // The memory may have grown with the last piece.
    const input = new Uint8Array(home.buffer, raw.input(), room);
    const { read, written } = encoder.encodeInto(documents.substring(from, from + room), input);
    raw.moreRevocations?.(written);
    from += read;
  }
  const told = raw.endRevocations?.() ?? '';
  return { told, taken: raw.takenRevocations?.() ?? NOTHING };
}
