/** What we ask of wasm-bindgen's glue, whatever it exports. */
export interface Glue {
  __wbg_set_wasm(exports: WebAssembly.Exports): void;
}

/** A module that runs: its functions and its memory. */
export interface Core<G extends Glue> {
  glue: G;
  memory: WebAssembly.Memory;
}

/**
 * Instantiates a module with its glue (wasm-bindgen, bundler target).
 *
 * This is done here and not by wasm-bindgen's `--target web`, which asks `instanceof WebAssembly.Module`: on some edges the module
 * comes from another realm.
 */
export function instantiate(glue: Glue, name: string, module: WebAssembly.Module): WebAssembly.Memory {
  // The glue's namespace object is the import object: wasm names its functions.
  const imports = glue as unknown as WebAssembly.ModuleImports;
  const { exports } = new WebAssembly.Instance(module, { [`./${name}_bg.js`]: imports });
  glue.__wbg_set_wasm(exports);
  (exports.__wbindgen_start as () => void)();
  return exports.memory as WebAssembly.Memory;
}

/** Decodes the inlined module. A plain loop: `Uint8Array.from` with a function is thirty times slower. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const native = (Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }).fromBase64;
  if (native) return native.call(Uint8Array, text);
  // Node 20 to 24 have no fromBase64; their Buffer takes a tenth of the time of the loop below.
  const { Buffer } = globalThis as {
    Buffer?: { from(text: string, encoding: 'base64'): Uint8Array<ArrayBuffer> };
  };
  if (Buffer) return Buffer.from(text, 'base64');
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
