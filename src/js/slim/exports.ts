export { PolicyError } from '../shared/errors.js';
export { definePolicy } from '../verifier/define-policy.js';
