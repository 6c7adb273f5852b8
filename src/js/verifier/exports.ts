export { PolicyError } from '../shared/errors.js';
export { definePolicy } from './define-policy.js';
