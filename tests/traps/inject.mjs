// A core that traps when it is told to. Import it before anything of the package.

const { Instance } = WebAssembly;

/** The instances that were made, the last one last, without keeping them. */
export const made = { count: 0, memory: undefined };

/** Which call of which export traps next; `after` lets the call be carried out first. */
let planned;

/** What a trap is in this runtime. */
class Trap extends WebAssembly.RuntimeError {}

/** The names of the exports that were called since the last look. */
export const called = new Set();

/**
 * Lets the `skip`-th next call of an export trap, and `times - 1` calls after it. Before it traps
 * it writes over the instance's memory, so that whoever looks there again gets garbage.
 */
export function plan({ name, after = false, times = 1, skip = 0 }) {
  planned = { name, after, times, skip };
}

/** Whether what was planned has happened, and nothing is planned any more. */
export function happened() {
  const left = planned;
  planned = undefined;
  return left === undefined || left.times === 0;
}

WebAssembly.Instance = class extends Instance {
  constructor(module, imports) {
    super(module, imports);
    const own = super.exports;
    const memory = own.memory;
    made.count += 1;
    made.memory = memory;
    const exports = { ...own };
    for (const [name, value] of Object.entries(own)) {
      if (typeof value !== 'function') continue;
      exports[name] = (...args) => {
        called.add(name);
        if (planned === undefined || planned.name !== name || planned.times === 0) return value(...args);
        if (planned.skip > 0) {
          planned.skip -= 1;
          return value(...args);
        }
        planned.times -= 1;
        if (planned.after) value(...args);
        new Uint8Array(memory.buffer).fill(0xa5);
        throw new Trap('unreachable');
      };
    }
    Object.defineProperty(this, 'exports', { value: exports });
  }
};
