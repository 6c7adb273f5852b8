export { PolicyError } from '../shared/errors.js';
export { definePolicy } from '../verifier/define-policy.js';
export { memoryCounter } from './counter.js';
export { IssuerUnavailableError } from './index.js';
