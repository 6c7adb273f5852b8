// A panic in WebAssembly traps at once: its message would be formatted and written to a stderr
// that is not there. What makes that message is taken out of a module before wasm-opt sees it: 5
// KB of the validator's gzip.
import { readFileSync, writeFileSync } from 'node:fs';

import { Plain } from './steps.mjs';
import { reader, sectionsOf } from './wasm-bytes.mjs';

// Where a panic ends up: core's and std's own functions, none of which returns.
const PANICS =
  /panicking|panic_handler|panic_already_|slice_index_fail|slice_error_fail|rust_panic|handle_alloc_error|unwrap_failed|expect_failed|capacity_overflow/;
// What formats. `<u32>::_fmt` and itoa's own `fmt` do not: they write the digits of a number into
// a text.
const FORMATS = /^(?!.*\bitoa::).*(?:\bfmt\b|Formatter|\bwrite_(?:str|char)\b|do_count_chars)/;
// The source files that the compiler names in panics.
const SOURCE = /(?:\/rustc\/|crates\/|src\/|library\/)[\w./+-]+?\.rs/g;

/**
 * Writes the module in the file `from` to the file `to` without what is there for the messages of
 * panics alone.
 */
export async function withoutPanicTexts(from, to) {
  const { default: binaryen } = await import('binaryen');
  const module = binaryen.readBinary(readFileSync(from));
  const stub = (pattern) => {
    let found = 0;
    for (let index = 0; index < module.getNumFunctions(); index++) {
      const reference = module.getFunctionByIndex(index);
      const { name, module: imported } = binaryen.getFunctionInfo(reference);
      if (imported || !pattern.test(name)) continue;
      binaryen.Function(reference).body = module.unreachable();
      found++;
    }
    return found;
  };
  if (stub(PANICS) === 0) throw new Plain('the wasm names no panic function: src/build/panics.mjs, PANICS');
  // The arguments of a panic have their formatters in the table. Nothing else calls them where
  // nothing else formats.
  if (!formats(module.emitText())) stub(FORMATS);
  const bytes = Buffer.from(module.emitBinary());
  blankLocations(bytes);
  writeFileSync(to, bytes);
}

/** Whether a function that is no formatter calls one. */
function formats(text) {
  let inFormatter = false;
  for (const line of text.split('\n')) {
    const [, begun] = /^ \(func \$("[^"]*"|\S+)/.exec(line) ?? [];
    if (begun) inFormatter = FORMATS.test(begun);
    const [, called] = /\((?:return_)?call \$("[^"]*"|\S+)/.exec(line) ?? [];
    if (called && !inFormatter && FORMATS.test(called)) return true;
  }
  return false;
}

/**
 * Overwrites with zeros the names of source files, and where in them a panic is: address and
 * length of the name, line and column.
 */
function blankLocations(bytes) {
  for (const { offset, data } of dataOf(bytes)) {
    for (const { 0: path, index } of data.toString('latin1').matchAll(SOURCE)) {
      data.fill(0, index, index + path.length);
      const location = Buffer.alloc(8);
      location.writeUInt32LE(offset + index, 0);
      location.writeUInt32LE(path.length, 4);
      for (const segment of dataOf(bytes)) {
        let at = segment.data.indexOf(location);
        while (at >= 0) {
          segment.data.fill(0, at, at + 16);
          at = segment.data.indexOf(location, at + 16);
        }
      }
    }
  }
}

/** The data of a module and the addresses where they go. */
function dataOf(module) {
  const found = [];
  for (const { id, content } of sectionsOf(module)) {
    if (id !== 11) continue;
    const read = reader(content);
    for (let left = read.number(); left > 0; left--) {
      // An active segment of memory 0, by a constant.
      if (read.byte() !== 0 || read.byte() !== 0x41)
        throw new Plain('a segment of another kind: src/build/panics.mjs');
      // The number is signed; addresses are below 2³¹ and have no sign to lose.
      const offset = read.number();
      read.byte();
      found.push({ offset, data: read.bytes() });
    }
  }
  return found;
}
