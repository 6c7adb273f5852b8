import { decodeBase64 } from '../boot.js';
import { lazily } from '../face.js';
import { bindIssuerFace } from '../issuer-face.js';
import * as glue from '../wasm/portcullis_issuer_bg.js';
import { base64 } from '../wasm/portcullis_issuer_inline.js';

export { PolicyError } from '../errors.js';
export { memoryCounter } from '../issuer/counter.js';
export { IssuerUnavailableError } from '../issuer/index.js';
export const {
  createVerifier,
  verifyJws,
  inspect,
  generateSigningKey,
  importSigningKey,
  createIssuer,
  hashClientSecret,
} = /* @__PURE__ */ bindIssuerFace(
  /* @__PURE__ */ lazily(glue, 'portcullis_issuer', () => new WebAssembly.Module(decodeBase64(base64))),
);
