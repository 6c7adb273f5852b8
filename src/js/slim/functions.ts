import { bindFunctions as bindVerifier, lazily, type VerifierFunctions } from '../verifier/functions.js';
import type { ValidatorGlue } from '../wasm/glue.js';
import type { init } from './index.js';

type Source = Parameters<typeof init>[0];

/** The functions of the entry whose wasm comes from elsewhere. */
export interface SlimFunctions extends VerifierFunctions {
  init: typeof init;
}

/** Makes them from the glue alone. */
export function bindFunctions(glue: ValidatorGlue, name: string): SlimFunctions {
  let module: WebAssembly.Module | undefined;
  const verifier = bindVerifier(() => {
    const compiled = module;
    if (!compiled) throw new Error('portcullis/slim: await init(urlOrModule) before the first call');
    return lazily(glue, name, () => compiled)();
  });
  const init = async (source: Source) => {
    module = await compile(source);
  };
  return { init, ...verifier };
}

async function compile(source: Source): Promise<WebAssembly.Module> {
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source))
    return WebAssembly.compile(source as BufferSource);
  const given = await source;
  // Told by its tag, since it may come from another realm; and first, since Node loads its HTTP
  // client where `Request` is named.
  if (Object.prototype.toString.call(given) === '[object WebAssembly.Module]')
    return given as WebAssembly.Module;
  const toFetch = typeof given === 'string' || given instanceof URL || given instanceof Request;
  // Compiled from bytes, so that a server which does not know `application/wasm` serves as well.
  return WebAssembly.compile(await (toFetch ? await fetch(given) : (given as Response)).arrayBuffer());
}
