import { CoreError, type Instance } from './instance.js';

/** What the glue's classes have in common. */
interface Freeable {
  free(): void;
}

/** An object in wasm memory and the instance it is in. */
export interface ResidentHandle {
  raw: Freeable | undefined;
  readonly home: Instance;
  generation: number;
}

/**
 * To be registered with what it belongs to, so that it is freed when nobody holds that any more.
 */
export const collected = /* @__PURE__ */ finalization(free);

/**
 * Frees an object if its instance still runs. What failed here in a finalizer would end the
 * process.
 */
export function free(held: ResidentHandle): void {
  const { raw, home, generation } = held;
  held.raw = undefined;
  if (raw === undefined || !home.sound || generation !== home.generation) return;
  try {
    raw.free();
  } catch {
    home.sound = false;
  }
}

function finalization(free: (held: ResidentHandle) => void): {
  register(target: object, held: ResidentHandle): void;
} {
  return typeof FinalizationRegistry === 'undefined'
    ? { register: () => {} }
    : new FinalizationRegistry(free);
}

/**
 * Something in wasm memory that outlives its instance: after a trap it is made again in the next
 * one, from what is kept of it here.
 *
 * What the core throws as a string is the caller's mistake (`orPolicyError`). Anything else that
 * comes out of a call is a trap.
 */
export abstract class Resident<R extends object> {
  protected readonly home: Instance;
  readonly #held: ResidentHandle;

  constructor(home: Instance) {
    this.home = home;
    this.#held = { raw: undefined, home, generation: -1 };
    collected.register(this, this.#held);
  }

  /** Makes it in the instance that runs. */
  protected abstract make(): R;

  /** It, in the instance that runs. */
  protected get raw(): R {
    const held = this.#held;
    if (held.generation === this.home.generation && this.home.sound) return held.raw as unknown as R;
    this.home.renew();
    held.generation = -1;
    held.raw = undefined;
    const raw = this.make();
    held.raw = raw as unknown as Freeable;
    held.generation = this.home.generation;
    return raw;
  }

  /**
   * Asks it; once more in a new instance when the first one trapped, which may have been another
   * question's fault.
   * @throws CoreError when that trapped as well.
   */
  protected ask<T>(question: (raw: R) => T): T {
    return ask(this.home, () => question(this.raw));
  }
}

/** The same about what needs no object. */
export function ask<T>(home: Instance, question: () => T): T {
  try {
    home.renew();
    return question();
  } catch (thrown) {
    if (typeof thrown === 'string') throw thrown;
    home.sound = false;
  }
  try {
    home.renew();
    return question();
  } catch (thrown) {
    if (typeof thrown === 'string') throw thrown;
    home.sound = false;
    throw new CoreError('the core trapped twice', { cause: thrown });
  }
}
