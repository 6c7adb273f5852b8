import { bindFace, lazily } from '../face.js';
import module from '../wasm/portcullis.wasm?module';
import * as glue from '../wasm/portcullis_bg.js';

export { PolicyError } from '../errors.js';
export const { createVerifier, verifyJws, inspect } = /* @__PURE__ */ bindFace(
  /* @__PURE__ */ lazily(glue, 'portcullis', () => module),
);
