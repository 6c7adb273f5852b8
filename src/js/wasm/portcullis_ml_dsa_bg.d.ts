import type { ValidatorGlue } from './glue.js';

export declare const __wbg_set_wasm: ValidatorGlue['__wbg_set_wasm'];
export declare const RawVerifier: ValidatorGlue['RawVerifier'];
export declare const verifyJws: ValidatorGlue['verifyJws'];
export declare const inspect: ValidatorGlue['inspect'];
