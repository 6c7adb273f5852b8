import type { IssuerGlue } from './glue.js';

export declare const __wbg_set_wasm: IssuerGlue['__wbg_set_wasm'];
export declare const RawVerifier: IssuerGlue['RawVerifier'];
export declare const RawSigningKey: IssuerGlue['RawSigningKey'];
export declare const RawIssuer: IssuerGlue['RawIssuer'];
export declare const hashClientSecret: IssuerGlue['hashClientSecret'];
export declare const verifyJws: IssuerGlue['verifyJws'];
export declare const inspect: IssuerGlue['inspect'];
export declare const keyLifetime: IssuerGlue['keyLifetime'];
export declare const keyPlan: IssuerGlue['keyPlan'];
