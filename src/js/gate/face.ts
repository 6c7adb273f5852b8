import { bindFace, type Face } from '../face.js';
import type { Instance } from '../instance.js';
import type { GateGlue } from '../wasm/glue.js';
import { makeGate } from './gate.js';
import type { createGate } from './index.js';

/** The functions of the gate's entry. */
export interface GateFace extends Face {
  createGate: typeof createGate;
}

/** Makes the functions of the gate's entry from a way to get at the core. */
export function bindGateFace(core: () => Instance<GateGlue>): GateFace {
  return { ...bindFace(core), createGate: (policy, options) => makeGate(core(), policy, options) };
}
