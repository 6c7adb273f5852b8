import type { Glue } from './boot.js';

/**
 * The core trapped, and again in a fresh instance: there is no answer. Neither instance is in use
 * any more, and the next call gets another.
 */
export class CoreError extends Error {
  override readonly name = 'CoreError';
}

/**
 * The instance of a module that runs now.
 *
 * A trap (the stack is used up, memory cannot grow, a check failed) leaves the stack pointer,
 * borrows and half-written values where they were, so that the memory can be believed no more.
 * Whoever sees one sets `sound` to false: a plain store, since there may be no stack left for a
 * call. The next use makes another instance of the same module, in which the objects are made
 * again (`Resident`).
 */
export class Instance<G extends Glue = Glue> {
  readonly glue: G;
  /** Counts the instances: an object that was made in another one is gone with it. */
  generation = 0;
  /** False before the first instance, and from a trap until the next one runs. */
  sound = false;
  readonly #name: string;
  readonly #module: WebAssembly.Module;
  #memory: WebAssembly.Memory | undefined;

  constructor(glue: G, name: string, module: WebAssembly.Module) {
    this.glue = glue;
    this.#name = name;
    this.#module = module;
  }

  /** The memory of a sound instance. */
  get buffer(): ArrayBuffer {
    if (!this.sound) this.renew();
    return (this.#memory as WebAssembly.Memory).buffer;
  }

  /**
   * Makes another instance unless the present one is sound. What fails here, for want of stack or
   * memory, is tried again by the next use.
   */
  renew(): void {
    if (this.sound) return;
    if (this.#memory !== undefined) detach(this.#memory);
    // This is done here and not by wasm-bindgen's `--target web`, which asks
    // `instanceof WebAssembly.Module`: on some edges the module comes from another realm. The
    // glue's namespace object is the import object: wasm names its functions.
    const imports = this.glue as unknown as WebAssembly.ModuleImports;
    const { exports } = new WebAssembly.Instance(this.#module, { [`./${this.#name}_bg.js`]: imports });
    this.#memory = exports.memory as WebAssembly.Memory;
    this.glue.__wbg_set_wasm(withoutFinalizers(exports));
    (exports.__wbindgen_start as () => void)();
    this.generation += 1;
    this.sound = true;
  }
}

/**
 * Empties the views of a memory that the glue keeps; it looks again when one is empty, and would
 * otherwise write into the old memory. Growing by nothing gives a memory a new buffer, as any
 * growth does (WebAssembly JavaScript Interface §5.3).
 */
function detach(memory: WebAssembly.Memory): void {
  const { buffer } = memory;
  memory.grow(0);
  if (buffer.byteLength > 0) throw new CoreError('the memory of an instance that trapped cannot be let go');
}

/**
 * The glue frees an object when it is collected, by its address and in the instance that runs
 * then, which may be another than the object's. So its finalizers (their second argument is 1) do
 * nothing here; `Resident` frees what it knows to be of this instance.
 */
function withoutFinalizers(exports: WebAssembly.Exports): WebAssembly.Exports {
  const own: Record<string, WebAssembly.ExportValue> = { ...exports };
  for (const [name, free] of Object.entries(exports)) {
    if (!/^__wbg_.*_free$/.test(name)) continue;
    own[name] = (pointer: number, finalizing: number) => {
      if (finalizing === 0) (free as (pointer: number, finalizing: number) => void)(pointer, 0);
    };
  }
  return own;
}
