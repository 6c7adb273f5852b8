import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';

import { PolicyError } from '../shared/errors.js';
import { seal } from '../verifier/sealed.js';
import { checkGate, createVerifier, verifierOf } from './core.js';
import { Misuse, readText } from './input.js';
import type { Call } from './main.js';
import { lineOf, mistakeOf } from './policy-mistake.js';

const VALIDATOR = new URL('../wasm/portcullis.wasm', import.meta.url);
const GATE = new URL('../wasm/portcullis_gate.wasm', import.meta.url);

/** `portcullis seal` */
export async function sealPolicy({
  operands: [path],
  options: { output },
  terminal,
}: Call): Promise<boolean> {
  if (output === undefined) throw new Misuse('seal requires --output; write the name of the file to make');
  const policy = await readText(path, 'a policy');
  const problem = await problemOf(policy);
  if (problem) {
    const mistake = mistakeOf(problem, policy);
    if (terminal.json) terminal.answer({ ok: false, ...mistake });
    else terminal.bad(`${path} is no policy\n  ${lineOf(mistake)}`);
    return false;
  }
  const { gate } = JSON.parse(policy) as { gate?: object };
  const wasm = await readFile(gate && existsSync(GATE) ? GATE : VALIDATOR);
  const sealed = seal(wasm, policy);
  // What was written can be read.
  createVerifier.fromSealed(sealed);
  await write(output, sealed);
  const sha256 = createHash('sha256').update(sealed).digest('hex');
  if (terminal.json) terminal.answer({ ok: true, output, bytes: sealed.length, sha256 });
  else {
    terminal.good(`${output} holds ${path}`);
    terminal.table([
      ['bytes', String(sealed.length)],
      ['sha256', sha256],
    ]);
  }
  return true;
}

async function problemOf(policy: string): Promise<PolicyError | undefined> {
  try {
    verifierOf(policy);
    await checkGate(policy);
    return undefined;
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes);
  } catch (error) {
    throw new Misuse(
      `${path} cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
    );
  }
}
