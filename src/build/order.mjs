// The order of a module's functions. gzip sees a repetition when both places are less than 32 KB
// apart, and code is full of them: a generic function is compiled once a type. So each function is
// followed by the one most like it and those before it.
import { readFileSync, writeFileSync } from 'node:fs';

import { leb, reader, sectionsOf } from './wasm-bytes.mjs';

/** Bytes that are compared at once. */
const SHINGLE = 5;
/** How many functions before it a function is compared with. */
const WINDOW = 40;

/**
 * Names the functions in the module of that file by their rank, for wasm-opt to order them by
 * name.
 */
export function rankFunctions(file) {
  const module = readFileSync(file);
  const { imports, bodies, rest } = functionsOf(module);
  const names = ranksOf(bodies).map((rank) => `f${String(rank).padStart(6, '0')}`);
  const entries = names.flatMap((name, index) => [leb(imports + index), text(name)]);
  const map = Buffer.concat([leb(names.length), ...entries]);
  const section = Buffer.concat([text('name'), Buffer.from([1]), leb(map.length), map]);
  writeFileSync(file, Buffer.concat([...rest, Buffer.from([0]), leb(section.length), section]));
}

/** For each body the place where it goes. */
export function ranksOf(bodies) {
  const shingles = bodies.map(shinglesOf);
  const holders = new Map();
  shingles.forEach((own, index) => {
    for (const shingle of own) {
      const known = holders.get(shingle);
      if (known) known.push(index);
      else holders.set(shingle, [index]);
    }
  });
  const ranks = new Int32Array(bodies.length).fill(-1);
  const recent = [];
  let next = bodies.reduce((most, body, index) => (body.length > bodies[most].length ? index : most), 0);
  for (let rank = 0; rank < bodies.length; rank++) {
    ranks[next] = rank;
    const shared = new Float64Array(bodies.length);
    for (const shingle of shingles[next]) for (const holder of holders.get(shingle)) shared[holder]++;
    recent.push(shared);
    if (recent.length > WINDOW) recent.shift();
    let best = -1;
    shingles.forEach((own, index) => {
      if (ranks[index] >= 0) return;
      const score = Math.max(...recent.map((shared) => shared[index])) / Math.sqrt(own.size + 8);
      if (score > best) [best, next] = [score, index];
    });
  }
  return [...ranks];
}

function shinglesOf(body) {
  const found = new Set();
  for (let place = 0; place + SHINGLE <= body.length; place++) found.add(body.readUIntBE(place, SHINGLE));
  return found;
}

/**
 * How many functions are imported, the bodies of the others, and the module without its names
 * (WebAssembly Core §5.5).
 */
function functionsOf(module) {
  const found = { imports: 0, bodies: [], rest: [module.subarray(0, 8)] };
  for (const { id, content, whole } of sectionsOf(module)) {
    const read = reader(content);
    if (id !== 0 || read.text() !== 'name') found.rest.push(whole);
    if (id === 2) {
      for (let left = read.number(); left > 0; left--) {
        read.text();
        read.text();
        if (read.byte() !== 0) throw new Error('an import that is no function: src/build/order.mjs');
        read.number();
        found.imports++;
      }
    }
    if (id === 10) for (let left = read.number(); left > 0; left--) found.bodies.push(read.bytes());
  }
  return found;
}

function text(value) {
  return Buffer.concat([leb(value.length), Buffer.from(value)]);
}
