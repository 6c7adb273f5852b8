/** What is kept for a while, bounded in entries and in characters. */
export interface Kept {
  text: string;
  /** It is given out before this second. */
  until: number;
  /** And not before this one: a clock may be set back. */
  from: number;
}

/** Texts by key; what was put in first goes first. */
export class BoundedTexts {
  readonly #kept = new Map<string, Kept>();
  readonly #mostEntries: number;
  readonly #mostCharacters: number;
  #characters = 0;

  constructor(mostEntries: number, mostCharacters: number) {
    this.#mostEntries = mostEntries;
    this.#mostCharacters = mostCharacters;
  }

  get size(): number {
    return this.#kept.size;
  }

  get(key: string, now: number): string | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (now < kept.until && now >= kept.from) return kept.text;
    this.#forget(key, kept);
    return undefined;
  }

  set(key: string, kept: Kept): void {
    const before = this.#kept.get(key);
    if (before !== undefined) this.#forget(key, before);
    if (kept.until <= kept.from || kept.text.length > this.#mostCharacters) return;
    for (const [oldest, old] of this.#kept) {
      const fits = this.#characters + kept.text.length <= this.#mostCharacters;
      if (fits && this.#kept.size < this.#mostEntries) break;
      this.#forget(oldest, old);
    }
    this.#kept.set(key, kept);
    this.#characters += kept.text.length;
  }

  delete(key: string): void {
    const kept = this.#kept.get(key);
    if (kept !== undefined) this.#forget(key, kept);
  }

  #forget(key: string, { text }: Kept): void {
    this.#kept.delete(key);
    this.#characters -= text.length;
  }
}
