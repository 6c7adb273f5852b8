export * from '../verifier/index.js';

/**
 * Loads the wasm: from a URL, a response, its bytes, or a module that is compiled already. Await it once, before anything else.
 */
export declare function init(
  source: string | URL | Request | Response | Promise<Response> | BufferSource | WebAssembly.Module,
): Promise<void>;
