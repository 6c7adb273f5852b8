// Runs a Rust test program that was built for WASI: cargo's runner for the tests of the engines in
// WebAssembly, in V8.
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const [, , program, ...rest] = process.argv;
const wasi = new WASI({ version: 'preview1', args: [program, ...rest], env: process.env });
const module = new WebAssembly.Module(readFileSync(program));
const instance = new WebAssembly.Instance(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
