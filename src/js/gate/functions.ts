import type { Instance } from '../instance/instance.js';
import { bindFunctions as bindVerifier, type VerifierFunctions } from '../verifier/functions.js';
import type { GateGlue } from '../wasm/glue.js';
import { makeGate } from './gate.js';
import type { createGate } from './index.js';
import type { GatedPolicy, GateOptions } from './types.js';

/** The functions of the gate's entry. */
export interface GateFunctions extends VerifierFunctions {
  createGate: typeof createGate;
}

/** Makes the functions of the gate's entry from a way to get at the core. */
export function bindFunctions(core: () => Instance<GateGlue>): GateFunctions {
  return {
    ...bindVerifier(core),
    createGate: ((policy: GatedPolicy, options?: GateOptions) =>
      makeGate(core(), policy, options)) as GateFunctions['createGate'],
  };
}
