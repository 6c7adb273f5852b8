import { listUpdate, statusUpdate } from './lists.js';
import type { RawVerifier } from './wasm/glue.js';

/** Something that a core has taken. */
type Entry =
  | { kind: 'policy'; text: string }
  | { kind: 'requirement'; text: string }
  | { kind: 'keys'; issuer: string; jwks: string }
  | { kind: 'lists'; documents: string; now: number }
  | { kind: 'status'; uri: string; jwt: string; now: number };

/** How many policies are kept: the present one, and those whose lists and proof windows still count for it. */
const MOST_POLICIES = 3;

/**
 * What a core in the wasm memory has taken, in its order. It is the one place where JavaScript keeps it: handed to a new core, it makes one
 * that answers as the first did. Only what the core has accepted is noted, after it was accepted.
 */
export class CoreState {
  #entries: Entry[];

  constructor(policy: string) {
    this.#entries = [{ kind: 'policy', text: policy }];
  }

  /** The present policy, as JSON. */
  get policy(): string {
    const last = this.#entries.findLast((entry) => entry.kind === 'policy');
    return last?.kind === 'policy' ? last.text : '';
  }

  /** The policy that a new core begins with. `replay` brings it to the present one. */
  get first(): string {
    const [first] = this.#entries;
    return first?.kind === 'policy' ? first.text : '';
  }

  tookPolicy(text: string): void {
    this.#entries.push({ kind: 'policy', text });
    const policies = this.#entries.filter((entry) => entry.kind === 'policy');
    if (policies.length <= MOST_POLICIES) return;
    const second = this.#entries.indexOf(policies[1] as Entry);
    // Requirements keep their numbers, and keys may be those of the present policy.
    const kept = this.#entries
      .slice(1, second)
      .filter(({ kind }) => kind === 'requirement' || kind === 'keys');
    this.#entries = [policies[1] as Entry, ...kept, ...this.#entries.slice(second + 1)];
  }

  tookRequirement(text: string): void {
    this.#entries.push({ kind: 'requirement', text });
  }

  tookKeys(issuer: string, jwks: string): void {
    this.forgotKeys(issuer);
    this.#entries.push({ kind: 'keys', issuer, jwks });
  }

  forgotKeys(issuer: string): void {
    this.#entries = this.#entries.filter((entry) => entry.kind !== 'keys' || entry.issuer !== issuer);
  }

  /** Notes lists as of the instant at which they were taken. With a snapshot, those before it under the present policy are over. */
  tookLists(documents: string, now: number): void {
    if (hasSnapshot(documents)) this.#drop((entry) => entry.kind === 'lists');
    this.#entries.push({ kind: 'lists', documents, now });
  }

  tookStatusList(uri: string, jwt: string, now: number): void {
    this.#drop((entry) => entry.kind === 'status' && entry.uri === uri);
    this.#entries.push({ kind: 'status', uri, jwt, now });
  }

  /** Brings a new core, made with `first`, to the same state. */
  replay(raw: RawVerifier & { requirement?(json: string): number }, memory: WebAssembly.Memory): void {
    for (const entry of this.#entries.slice(1)) {
      if (entry.kind === 'policy') raw.replace(entry.text);
      else if (entry.kind === 'requirement') raw.requirement?.(entry.text);
      else if (entry.kind === 'keys') quietly(() => raw.setRemoteKeys(entry.issuer, entry.jwks));
      else if (entry.kind === 'lists') quietly(() => listUpdate(raw, memory, entry.documents, entry.now));
      else quietly(() => statusUpdate(raw, entry.uri, entry.jwt, entry.now));
    }
  }

  /** Drops entries that came since the present policy. */
  #drop(isOver: (entry: Entry) => boolean): void {
    const present = this.#entries.findLastIndex((entry) => entry.kind === 'policy');
    this.#entries = this.#entries.filter((entry, index) => index < present || !isOver(entry));
  }
}

/** What a former policy took, the policy that a new core begins with need not. */
function quietly(take: () => unknown): void {
  try {
    take();
  } catch {
    // The present policy has taken it, or has no use for it.
  }
}

/** Whether one of the documents is a whole list (src/revocation/snapshot.rs). It only saves memory: the core judges each again. */
function hasSnapshot(documents: string): boolean {
  return documents.split('\n').some((line) => {
    try {
      const payload = line.split('.', 2)[1] ?? '';
      const members = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as object;
      return 'head' in members;
    } catch {
      return false;
    }
  });
}
