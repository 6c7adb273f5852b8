import type { Instance } from '../instance/instance.js';
import { bindFace as bindVerifier, type Face } from '../verifier/face.js';
import type { GateGlue } from '../wasm/glue.js';
import { makeGate } from './gate.js';
import type { createGate } from './index.js';
import type { GatedPolicy, GateOptions } from './types.js';

/** The functions of the gate's entry. */
export interface GateFace extends Face {
  createGate: typeof createGate;
}

/** Makes the functions of the gate's entry from a way to get at the core. */
export function bindFace(core: () => Instance<GateGlue>): GateFace {
  return {
    ...bindVerifier(core),
    createGate: ((policy: GatedPolicy, options?: GateOptions) =>
      makeGate(core(), policy, options)) as GateFace['createGate'],
  };
}
