// What the build does to a module of wasm beside wasm-opt (src/build/panics.mjs,
// src/build/order.mjs).
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import binaryen from 'binaryen';

import { rankFunctions, ranksOf } from '../../src/build/order.mjs';
import { withoutPanicTexts } from '../../src/build/panics.mjs';

/** What `work` makes of the module of that text, as text. */
async function after(wat, work) {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-wasm-'));
  try {
    const [from, to] = [join(folder, 'from.wasm'), join(folder, 'to.wasm')];
    binaryen.setDebugInfo(true);
    writeFileSync(from, binaryen.parseText(wat).emitBinary());
    await work(from, to);
    return readFileSync(to);
  } finally {
    binaryen.setDebugInfo(false);
    rmSync(folder, { recursive: true, force: true });
  }
}

const constants = (bytes) =>
  [
    ...binaryen
      .readBinary(bytes)
      .emitText()
      .matchAll(/i32\.const (\d+)/g),
  ].map(([, value]) => Number(value));

/**
 * A panic (1), a formatter that only the table names (2), a function that formats when `formats`
 * (3) and one that does not (4).
 */
const module = (formats) => `(module
  (memory 1)
  (data (i32.const 1024) "before src/engine/limbs.rs after\\07\\04\\00\\00\\13\\00\\00\\00\\09\\00\\00\\00\\05\\00\\00\\00.")
  (table 1 funcref)
  (elem (i32.const 0) $"<u8 as core::fmt::Display>::fmt")
  (func $core::panicking::panic (export "a") (result i32) (i32.const 1))
  (func $"<u8 as core::fmt::Display>::fmt" (result i32) (i32.const 2))
  (func $core::fmt::write (result i32) (i32.const 3))
  (func $portcullis::told (export "b") (result i32)
    ${formats ? '(drop (call $core::fmt::write))' : ''} (i32.const 4)))`;

test('a panic is a trap, and what formats its message goes where nothing else formats', async () => {
  const silent = await after(module(false), withoutPanicTexts);
  assert.deepEqual(
    constants(silent).filter((value) => value > 0 && value < 5),
    [4],
  );
});

test('a module that formats keeps its formatters', async () => {
  const silent = await after(module(true), withoutPanicTexts);
  assert.deepEqual(
    constants(silent).filter((value) => value > 0 && value < 5),
    [2, 3, 4],
  );
});

test('the source file of a panic and its line are blanked, and nothing beside them', async () => {
  const bytes = (await after(module(false), withoutPanicTexts)).toString('latin1');
  assert.ok(bytes.includes(`before ${'\0'.repeat(19)} after${'\0'.repeat(16)}.`));
});

test('a module without a panic function is refused, since names were lost before', async () => {
  await assert.rejects(after('(module (func $a))', withoutPanicTexts), /names no panic function/);
});

test('every function has one rank, and those that are alike follow each other', () => {
  const like = (seed, last) => Buffer.from([...Array(60).keys()].map((i) => (i * seed) % 251).concat(last));
  const ranks = ranksOf([like(7, 1), like(31, 1), like(113, 1), like(7, 2), like(113, 2), like(31, 2)]);
  assert.deepEqual([...ranks].sort(), [0, 1, 2, 3, 4, 5]);
  for (const [one, other] of [
    [0, 3],
    [1, 5],
    [2, 4],
  ])
    assert.equal(Math.abs(ranks[one] - ranks[other]), 1);
});

test('ranks are names alone: the module stays what it was', async () => {
  const file = new URL('../../dist/wasm/portcullis.wasm', import.meta.url);
  const before = new WebAssembly.Module(readFileSync(file));
  const ranked = await after('(module)', (_, to) => {
    writeFileSync(to, readFileSync(file));
    rankFunctions(to);
  });
  const module = new WebAssembly.Module(ranked);
  assert.deepEqual(WebAssembly.Module.exports(module), WebAssembly.Module.exports(before));
  assert.deepEqual(WebAssembly.Module.imports(module), WebAssembly.Module.imports(before));
  assert.equal(WebAssembly.Module.customSections(module, 'name').length, 1);
});
