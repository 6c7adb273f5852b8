import type { Instance } from '../../instance/instance.js';
import { MemoryView } from '../../instance/memory-view.js';
import { freeze } from '../../verifier/convert.js';
import {
  ACCEPTED,
  DECISION_NUMBERS,
  FROM,
  MISTAKE,
  SHARED,
  SHARED_NUMBER,
  TEXT,
  UNREAD,
  UNTIL,
} from '../../wasm/answer.js';
import type { RawGate } from '../../wasm/glue.js';
import type { Facts } from '../request/facts.js';
import type { AllowedStep, Step } from './decision.js';

// Which facts are there (`there` of src/gate/facts.rs).
const URL_VOUCHED = 1;
const HAS_BODY = 2;
const TARGET = 4;
const CLIENT_ADDRESS = 8;
const CERTIFICATE = 16;

/** Lines before the header fields. */
const LEADING = 5;

/** Nobody sends more fields of those that decisions rest on. */
const MOST_FIELDS = 32;

/** What of a step is the same for many requests. */
type Rest = Omit<AllowedStep, 'claims' | 'from' | 'until'>;

/**
 * The usual question and its answer in the wasm memory: facts as lines, claims as text, times as
 * numbers, and the rest of a step only when it is another than the last one. JSON of all that,
 * both ways, takes as long as a signature of HMAC.
 */
export class DecisionMemory {
  readonly #memory: MemoryView<'decision'>;
  #restNumber = -1;
  #rest: Rest | undefined;

  constructor(home: Instance) {
    this.#memory = new MemoryView(home, 'decision', DECISION_NUMBERS);
  }

  /** The next step about a request; `undefined` for facts that lines cannot say. */
  ask(raw: RawGate, facts: Facts, now: number): Step | undefined {
    const { requirement, method, url, target, clientAddress, certificate, headers } = facts;
    if (facts.served !== undefined || headers.length > MOST_FIELDS) return undefined;
    let text = `${method}\n${url}\n${target ?? ''}\n${clientAddress ?? ''}\n${certificate ?? ''}`;
    for (const [name, value] of headers) text += `\n${name}\n${value}`;
    this.#look(raw);
    if (text.length > this.#memory.room) return undefined;
    const { read, written } = this.#memory.write(text);
    // What is not ASCII takes more bytes than characters, and what does not fit is left out: only
    // both numbers together say that all of it is there.
    if (read !== text.length || written !== text.length) return undefined;
    const there =
      (facts.urlVouched ? URL_VOUCHED : 0) |
      (facts.hasBody ? HAS_BODY : 0) |
      (target === undefined ? 0 : TARGET) |
      (clientAddress === undefined ? 0 : CLIENT_ADDRESS) |
      (certificate === undefined ? 0 : CERTIFICATE);
    const lines = LEADING + 2 * headers.length;
    const outcome = raw.decideLines(text.length, lines, there, requirement ?? -1, now);
    if (outcome === UNREAD) return undefined;
    this.#look(raw);
    const told = this.#memory.text(TEXT);
    if (outcome === MISTAKE) throw told;
    if (outcome !== ACCEPTED) return JSON.parse(told) as Step;
    const claims = JSON.parse(told) as AllowedStep['claims'];
    return {
      ...this.#restOf(),
      claims,
      from: this.#memory.answer[FROM] as number,
      until: this.#memory.answer[UNTIL] as number,
    };
  }

  #restOf(): Rest {
    const number = this.#memory.answer[SHARED_NUMBER] as number;
    if (this.#rest === undefined || this.#restNumber !== number) {
      this.#rest = freeze(JSON.parse(this.#memory.text(SHARED)) as Rest);
      this.#restNumber = number;
    }
    return this.#rest;
  }

  #look(raw: RawGate): void {
    if (this.#memory.look(raw)) this.#rest = undefined;
  }
}
