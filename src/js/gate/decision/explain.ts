import { PolicyError } from '../../shared/errors.js';
import type { GateOptions } from '../types.js';
import { type DecisionEvent, METHODS } from './observer.js';

/**
 * Who is told of decisions: `onDecision`, and before it the console, where refusals are explained.
 * @throws PolicyError when `explain` is neither true nor false.
 */
export function listenerOf(options: GateOptions<unknown>): ((event: DecisionEvent) => unknown) | undefined {
  const { explain = false, onDecision } = options;
  if (typeof explain !== 'boolean')
    throw new PolicyError('/explain', 'must be true or false. Leave it out for false');
  if (!explain) return onDecision;
  return (event) => {
    if (!event.ok) console.warn(lineOf(event));
    return onDecision?.call(options, event);
  };
}

/** A refusal in one line: what a client wrote cannot begin another, nor steer a terminal. */
function lineOf({ method, status, code, expected, actual, field }: DecisionEvent): string {
  const facts = [
    ...(expected === undefined ? [] : [`expected ${quoted(expected)}`]),
    ...(actual === undefined ? [] : [`found ${quoted(actual)}`]),
    ...(field === undefined ? [] : [`change ${field} in the policy`]),
  ];
  const what = `${METHODS.includes(method) ? method : 'a request'} refused with ${status} ${code}`;
  return `portcullis: ${facts.length === 0 ? what : `${what}: ${facts.join('; ')}`}`;
}

function quoted(text: string): string {
  const escaped = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    escaped,
  );
}
