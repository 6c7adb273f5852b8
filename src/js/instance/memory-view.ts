import type { Instance } from './instance.js';

// `ignoreBOM` keeps a byte order mark in the text, where JSON.parse would refuse it as the core
// has.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * The input in the wasm memory, and the answer that a function of that name tells the address of.
 */
type Raw<Name extends string> = { input(): number; inputBytes(): number } & Record<Name, () => number>;

/** The input of the core and its last answer, as they lie in the wasm memory (answer.ts). */
export class MemoryView<Name extends string> {
  /** The numbers of the answer. */
  answer = new Float64Array();
  readonly #home: Instance;
  readonly #name: Name;
  readonly #numbers: number;
  #generation = -1;
  #bytes = new Uint8Array();
  #input = new Uint8Array();

  constructor(home: Instance, name: Name, numbers: number) {
    this.#home = home;
    this.#name = name;
    this.#numbers = numbers;
  }

  /** How many bytes the input has. */
  get room(): number {
    return this.#input.length;
  }

  /**
   * Looks at the memory as it is now; true when it is another than before. One that has grown has
   * a new buffer, and views of the old one are empty. Another instance has another memory, and
   * counts anew what answers share.
   */
  look(raw: Raw<Name>): boolean {
    const home = this.#home;
    if (this.#generation === home.generation && home.sound && this.#bytes.length > 0) return false;
    this.#generation = -1;
    const [input, room, answer] = [raw.input(), raw.inputBytes(), raw[this.#name]()];
    const { buffer } = home;
    this.#bytes = new Uint8Array(buffer);
    this.#input = new Uint8Array(buffer, input, room);
    this.answer = new Float64Array(buffer, answer, this.#numbers);
    this.#generation = home.generation;
    return true;
  }

  /** Writes a text into the input. Not all of it is there unless `read` is its length. */
  write(text: string): { read: number; written: number } {
    return encoder.encodeInto(text, this.#input);
  }

  /** The text whose address and length are at a place of the answer. */
  text(place: number): string {
    const address = this.answer[place] as number;
    return decoder.decode(this.#bytes.subarray(address, address + (this.answer[place + 1] as number)));
  }
}
