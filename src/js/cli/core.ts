// The core as the main entry has it, for the texts of policies: a parsed policy no longer shows a
// member that was named twice.
import { readFile } from 'node:fs/promises';

import { decodeBase64 } from '../instance/boot.js';
import type { Instance } from '../instance/instance.js';
import { ask } from '../instance/resident.js';
import { orPolicyError } from '../shared/errors.js';
import { bindFunctions, lazily } from '../verifier/functions.js';
import type { Verifier } from '../verifier/index.js';
import { makeVerifier } from '../verifier/verifier.js';
import type { GateGlue, ValidatorGlue } from '../wasm/glue.js';

/** A module of wasm-pack.toml, which the compiler of these sources has not made yet. */
export async function load<G extends ValidatorGlue>(name: string): Promise<() => Instance<G>> {
  const glue = (await import(`../wasm/${name}_bg.js`)) as G;
  const { base64 } = (await import(`../wasm/${name}_inline.js`)) as { base64: string };
  return lazily(glue, name, () => new WebAssembly.Module(decodeBase64(base64)));
}

const core = await load<ValidatorGlue>('portcullis');

export const { createVerifier, inspect } = bindFunctions(core);

/** A verifier by a policy's text. */
export function verifierOf(policy: string): Verifier {
  return makeVerifier(core(), policy);
}

/** The gate's core; `undefined` in a build that has none. */
export async function loadGate(): Promise<Instance<GateGlue> | undefined> {
  try {
    return (await load<GateGlue>('portcullis_gate'))();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Whether the gate has read its section of a policy: it is not in every build. */
export async function checkGate(policy: string): Promise<boolean> {
  const gate = await loadGate();
  if (gate === undefined) return false;
  orPolicyError(() => ask(gate, () => new gate.glue.RawGate(policy, undefined, true).free()));
  return true;
}

/** The version of the package that this file is in. */
export async function ownVersion(): Promise<string> {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
