export { PolicyError } from '../shared/errors.js';
export { memoryCounter } from './counter.js';
export { IssuerUnavailableError } from './index.js';
