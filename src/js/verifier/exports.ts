export { PolicyError } from '../shared/errors.js';
