import { decodeBase64 } from '../boot.js';
import { bindFace, lazily } from '../face.js';
import * as glue from '../wasm/portcullis_ml_dsa_bg.js';
import { base64 } from '../wasm/portcullis_ml_dsa_inline.js';

export { PolicyError } from '../errors.js';
export const { createVerifier, verifyJws, inspect } = /* @__PURE__ */ bindFace(
  /* @__PURE__ */ lazily(glue, 'portcullis_ml_dsa', () => new WebAssembly.Module(decodeBase64(base64))),
);
