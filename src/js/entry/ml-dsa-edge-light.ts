import { bindFace, lazily } from '../face.js';
import module from '../wasm/portcullis_ml_dsa.wasm?module';
import * as glue from '../wasm/portcullis_ml_dsa_bg.js';

export { PolicyError } from '../errors.js';
export const { createVerifier, verifyJws, inspect } = /* @__PURE__ */ bindFace(
  /* @__PURE__ */ lazily(glue, 'portcullis_ml_dsa', () => module),
);
