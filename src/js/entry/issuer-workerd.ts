import { lazily } from '../face.js';
import { bindIssuerFace } from '../issuer-face.js';
import module from '../wasm/portcullis_issuer.wasm';
import * as glue from '../wasm/portcullis_issuer_bg.js';

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
} = /* @__PURE__ */ bindIssuerFace(/* @__PURE__ */ lazily(glue, 'portcullis_issuer', () => module));
