import { PolicyError } from '../errors.js';
import type { GateOptions } from './index.js';

/**
 * The caller's own check, as the options have it now. One that is named and undefined has got lost.
 * @throws PolicyError when it is no function.
 */
export function narrowOf(options: GateOptions<unknown>): GateOptions<unknown>['narrow'] {
  if (!('narrow' in options)) return undefined;
  const { narrow } = options;
  if (typeof narrow !== 'function')
    throw new PolicyError('/narrow', 'must be a function. Leave it out for no check');
  return (claims, request) => narrow.call(options, claims, request);
}
