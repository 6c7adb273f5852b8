import type { Bytes, Request, Response, URL, WasmModule } from '../shared/web.js';

export * from '../verifier/index.js';

/**
 * Loads the wasm: from a URL, a response, its bytes, or a module that is compiled already. Await
 * it once, before anything else.
 * @example
 * ```ts
 * import { createVerifier, init } from 'portcullis/slim';
 *
 * await init(new URL('/portcullis.wasm', location.href));
 * const verifier = createVerifier(policy);
 * ```
 */
export declare function init(
  source: string | URL | Request | Response | Promise<Response> | Bytes | WasmModule,
): Promise<void>;
