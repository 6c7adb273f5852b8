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
  if (typeof source === 'string' || source instanceof URL || source instanceof Request) {
    source = await fetch(source);
  }
  const loaded = await source;
  // Compiled from bytes, so that a server which does not know `application/wasm` serves as well.
  return 'arrayBuffer' in loaded ? WebAssembly.compile(await loaded.arrayBuffer()) : loaded;
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
