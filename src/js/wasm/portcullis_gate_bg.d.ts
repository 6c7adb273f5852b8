import type { GateGlue } from './glue.js';

export declare const __wbg_set_wasm: GateGlue['__wbg_set_wasm'];
export declare const RawGate: GateGlue['RawGate'];
export declare const RawVerifier: GateGlue['RawVerifier'];
export declare const verifyJws: GateGlue['verifyJws'];
export declare const inspect: GateGlue['inspect'];
export declare const keyLifetime: GateGlue['keyLifetime'];
export declare const keyPlan: GateGlue['keyPlan'];
