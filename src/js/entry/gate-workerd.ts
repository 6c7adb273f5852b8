import { lazily } from '../face.js';
import { bindGateFace } from '../gate/face.js';
import module from '../wasm/portcullis_gate.wasm';
import * as glue from '../wasm/portcullis_gate_bg.js';

export { PolicyError } from '../errors.js';
export { kvReplayStore } from '../gate/replay-kv.js';
export { DpopReplayObject, durableObjectReplayStore } from '../gate/replay-object.js';
export { memoryReplayStore, ReplayStoreFullError } from '../gate/replay-store.js';
export { cacheStore } from '../gate/tiers.js';
export const { createVerifier, verifyJws, inspect, createGate } = /* @__PURE__ */ bindGateFace(
  /* @__PURE__ */ lazily(glue, 'portcullis_gate', () => module),
);
