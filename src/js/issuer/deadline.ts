import { within } from '../net/within.js';

/**
 * The time that one request has in all, whatever it waits for. It belongs to that request alone.
 */
export class Deadline {
  readonly #late: Promise<never>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(ms: number) {
    this.#late = new Promise((_, reject) => {
      this.#timer = setTimeout(() => {
        this.#isOver = true;
        reject(new DOMException('the request took too long', 'TimeoutError'));
      }, ms);
    });
    this.#late.catch(() => {});
  }

  /**
   * Asks for something and waits no longer than `ms`, nor past the deadline; after it nothing is
   * asked. It rejects with a `TimeoutError`.
   */
  async within<T>(ms: number, ask: () => T | PromiseLike<T>): Promise<T> {
    if (this.#isOver) return this.#late;
    return within(ms, Promise.race([ask(), this.#late]));
  }

  /** Waits until the deadline. */
  async for<T>(ask: () => T | PromiseLike<T>): Promise<T> {
    return this.#isOver ? this.#late : Promise.race([ask(), this.#late]);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
