import { bindFace, lazily } from '../face.js';
import type * as documented from '../index.js';
import * as glue from '../wasm/portcullis_bg.js';

export { PolicyError } from '../errors.js';
export type * from '../index.js';

let module: WebAssembly.Module | undefined;

/**
 * Loads the wasm: from a URL, a response, its bytes, or a module that is compiled already. Await it once, before anything else.
 */
export async function init(
  source: string | URL | Request | Response | Promise<Response> | BufferSource | WebAssembly.Module,
): Promise<void> {
  module = await compile(source);
}

async function compile(source: Parameters<typeof init>[0]): Promise<WebAssembly.Module> {
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source))
    return WebAssembly.compile(source as BufferSource);
  const given = await source;
  // Told by its tag, since it may come from another realm; and first, since Node loads its HTTP client where `Request` is named.
  if (Object.prototype.toString.call(given) === '[object WebAssembly.Module]')
    return given as WebAssembly.Module;
  const toFetch = typeof given === 'string' || given instanceof URL || given instanceof Request;
  // Compiled from bytes, so that a server which does not know `application/wasm` serves as well.
  return WebAssembly.compile(await (toFetch ? await fetch(given) : (given as Response)).arrayBuffer());
}

export const {
  createVerifier,
  verifyJws,
  inspect,
}: Pick<typeof documented, 'createVerifier' | 'verifyJws' | 'inspect'> = /* @__PURE__ */ bindFace(() => {
  const compiled = module;
  if (!compiled) throw new Error('portcullis/slim: await init(urlOrModule) before the first call');
  return lazily(glue, 'portcullis', () => compiled)();
});
