import type { RawVerifier } from '../wasm/glue.js';
import type { Instance } from './instance.js';
import { takeLists } from './write-lists.js';

/** As much of a key as the core's reports and its `stats` both say. */
interface NamedKey {
  kid?: string | null;
  alg: string;
}

/** Something that a core has taken. */
type TakenInput =
  | { kind: 'policy'; text: string }
  | { kind: 'requirement'; text: string }
  | { kind: 'keys'; issuer: string; jwks: string; used: readonly NamedKey[] }
  | { kind: 'lists'; text: string; now: number; taken: number }
  | { kind: 'status'; text: string; now: number; uri: string };

/**
 * How many policies are kept: the present one, and those whose lists and proof windows still count
 * for it.
 */
const MOST_POLICIES = 3;

/**
 * Longer lists, in characters all together, are not kept twice. They are pulled again after a
 * trap.
 */
const MOST_CHARACTERS = 8 * 1024 * 1024;

// What `takenRevocations` of the core says of a text: nothing was taken, or what the most of it
// was.
const NOTHING = 0;
const RENEWAL = 1;
const SNAPSHOT = 3;

/**
 * What a core in the wasm memory has taken, in its order. It is the one place where JavaScript
 * keeps it: handed to a new core, it makes one that answers as the first did. Only what the core
 * has accepted is noted, after it was accepted.
 *
 * Where lists of revocations cannot be had again, the core is told so, and refuses what it would
 * have accepted for want of a list (`whenStale: 'allow'`) until they come: nothing that was
 * revoked is accepted because of a trap.
 */
export class CoreState {
  /** Called when lists were held and are not to be had again here: they have to be pulled. */
  onListsLost: () => void = () => {};
  #entries: TakenInput[];
  /** What of the feed, and of which status lists, the core holds and is not kept here. */
  readonly #tooLong = new Set<string>();

  constructor(policy: string) {
    this.#entries = [{ kind: 'policy', text: policy }];
  }

  /** The policy that a new core begins with. `replay` brings it to the present one. */
  get first(): string {
    const [first] = this.#entries;
    return first?.kind === 'policy' ? first.text : '';
  }

  tookPolicy(text: string): void {
    this.#entries.push({ kind: 'policy', text });
  }

  /**
   * Forgets published keys that the core let go with a policy, by what its `stats` say afterwards:
   * a later policy must not find them again. Without `stats` all of them are, and are fetched
   * again.
   */
  keepsKeys(stats: string | undefined): void {
    const { keys = [] } = JSON.parse(stats ?? '{}') as { keys?: (NamedKey & { issuer: string })[] };
    const isHeld = (issuer: string, { kid, alg }: NamedKey) =>
      keys.some((key) => key.issuer === issuer && (key.kid ?? null) === (kid ?? null) && key.alg === alg);
    this.#entries = this.#entries.filter(
      (entry) =>
        entry.kind !== 'keys' ||
        (entry.used.length > 0 && entry.used.every((key) => isHeld(entry.issuer, key))),
    );
    this.#trim();
  }

  /** Lets go of policies of which nothing counts any more. */
  #trim(): void {
    const policies = this.#entries.filter((entry) => entry.kind === 'policy');
    if (policies.length <= MOST_POLICIES) return;
    // Requirements keep their numbers; keys and lists may be those of the present policy.
    const [first, second] = policies;
    const rest = this.#entries.filter((entry) => entry !== first && entry !== second);
    this.#entries = [second as TakenInput, ...rest];
  }

  tookRequirement(text: string): void {
    if (!this.#entries.some((entry) => entry.kind === 'requirement' && entry.text === text))
      this.#entries.push({ kind: 'requirement', text });
  }

  /** `report` is what the core said of them. */
  tookKeys(issuer: string, jwks: string, report: string): void {
    const { keys: used } = JSON.parse(report) as { keys: NamedKey[] };
    this.forgotKeys(issuer);
    this.#entries.push({ kind: 'keys', issuer, jwks, used });
  }

  forgotKeys(issuer: string): void {
    this.#entries = this.#entries.filter((entry) => entry.kind !== 'keys' || entry.issuer !== issuer);
  }

  /**
   * Notes lists as of the instant at which they were taken. With a snapshot, those before it under
   * the present policy are over.
   */
  tookLists(text: string, now: number, taken: number): void {
    if (taken === NOTHING) return;
    const last = this.#entries.at(-1);
    if (taken === SNAPSHOT) {
      this.#tooLong.delete(FEED);
      this.#drop((entry) => entry.kind === 'lists');
    }
    // A renewal says all that the one before it did.
    if (taken === RENEWAL && last?.kind === 'lists' && last.taken === RENEWAL) this.#entries.pop();
    this.#entries.push({ kind: 'lists', text, now, taken });
    this.#bound();
  }

  tookStatusList(uri: string, text: string, now: number): void {
    this.#tooLong.delete(statusOf(uri));
    this.#drop((entry) => entry.kind === 'status' && entry.uri === uri);
    this.#entries.push({ kind: 'status', uri, text, now });
    this.#bound();
  }

  /** Brings a new core, made with `first`, to the same state. */
  replay(raw: RawVerifier & { requirement?(json: string): number }, home: Instance): void {
    let lost = this.#tooLong.size > 0;
    for (const entry of this.#entries.slice(1)) {
      if (entry.kind === 'policy') raw.replace(entry.text);
      else if (entry.kind === 'requirement') raw.requirement?.(entry.text);
      // What was a former policy's, the present one need not take.
      else if (entry.kind === 'keys') quietly(() => raw.setRemoteKeys(entry.issuer, entry.jwks));
      else if (entry.kind === 'lists') {
        const { text, now, taken } = entry;
        lost = quietly(() => takeLists(raw, home, text, now).taken) !== taken || lost;
      } else {
        const told = quietly(() => raw.applyStatusList?.(entry.uri, entry.text, entry.now));
        lost = told === undefined || isRefusal(told) || lost;
      }
    }
    if (!lost) return;
    raw.loseRevocations?.();
    this.onListsLost();
  }

  /** Drops entries that came since the present policy. */
  #drop(isOver: (entry: TakenInput) => boolean): void {
    const present = this.#entries.findLastIndex((entry) => entry.kind === 'policy');
    this.#entries = this.#entries.filter((entry, index) => index < present || !isOver(entry));
  }

  #bound(): void {
    let characters = 0;
    for (const entry of this.#entries) if (isList(entry)) characters += entry.text.length;
    if (characters <= MOST_CHARACTERS) return;
    for (const entry of this.#entries)
      if (isList(entry)) this.#tooLong.add(entry.kind === 'status' ? statusOf(entry.uri) : FEED);
    this.#entries = this.#entries.filter((entry) => !isList(entry));
  }
}

/** Under which names `#tooLong` has them. */
const FEED = 'feed';
const statusOf = (uri: string) => `status ${uri}`;

function isList(entry: TakenInput): entry is Extract<TakenInput, { now: number }> {
  return entry.kind === 'lists' || entry.kind === 'status';
}

/** Whether a list was refused, by what the core says of it. */
export function isRefusal(told: string): boolean {
  return 'code' in (JSON.parse(told) as object);
}

/** What the core answers; `undefined` when it refuses by a PolicyError. */
function quietly<T>(take: () => T): T | undefined {
  try {
    return take();
  } catch (thrown) {
    if (typeof thrown !== 'string') throw thrown;
    return undefined;
  }
}
