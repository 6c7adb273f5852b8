// The core as the main entry has it, for the texts of policies: a parsed policy no longer shows a member that was named twice.
import { decodeBase64 } from '../boot.js';
import { orPolicyError } from '../errors.js';
import { bindFace, lazily } from '../face.js';
import type { Verifier } from '../index.js';
import { ask } from '../resident.js';
import { makeVerifier } from '../verifier.js';
import type { ValidatorGlue } from '../wasm/glue.js';
import * as glue from '../wasm/portcullis_bg.js';
import { base64 } from '../wasm/portcullis_inline.js';

const core = lazily(glue, 'portcullis', () => new WebAssembly.Module(decodeBase64(base64)));

export const { createVerifier, inspect } = bindFace(core);

/** A verifier by a policy's text. */
export function verifierOf(policy: string): Verifier {
  return makeVerifier(core(), policy);
}

/** Whether the gate has read its section of a policy: it is not in every build. */
export async function checkGate(policy: string): Promise<boolean> {
  const name = 'portcullis_gate';
  try {
    const glue = (await import(`../wasm/${name}_bg.js`)) as ValidatorGlue & {
      RawGate: new (policy: string) => { free(): void };
    };
    const { base64 } = (await import(`../wasm/${name}_inline.js`)) as { base64: string };
    const gate = lazily(glue, name, () => new WebAssembly.Module(decodeBase64(base64)))();
    orPolicyError(() => ask(gate, () => new gate.glue.RawGate(policy).free()));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return false;
    throw error;
  }
}
