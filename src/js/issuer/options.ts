import { orPolicyError, PolicyError } from '../shared/errors.js';
import { membersOf } from '../shared/to-json.js';
import type { FromBrowser } from './authorization.js';
import type { IssuerOptions, RequestContext } from './index.js';

/**
 * The object of a command for the core, which refuses members that it does not know. What is fixed
 * stands last, and an option never stands in for it.
 * @throws PolicyError for an option that is an argument of its own, or an object that is not
 * plain. What has no JSON, `toJson` refuses.
 */
export function commandOf(fixed: Record<string, unknown>, options: object | undefined): object {
  return { ...membersOf(options, fixed), ...fixed };
}

/** The browser's `Cookie` header in place of its request. */
export function fromBrowser(options: FromBrowser): object {
  const { request, ...rest } = options;
  return request === undefined ? rest : { ...rest, browser: request.headers.get('cookie') ?? '' };
}

/**
 * Refuses members that nobody would look at: a misspelt one would be left out without a word.
 * @throws PolicyError that names the first.
 */
export function refuseUnknown(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new PolicyError(`/${unknown}`, `is unknown; expected one of ${known.join(', ')}`);
}

/**
 * What the core calls by their own names; all other members that it names are the configuration's.
 */
const BESIDE_CONFIG = /^\/(?:signingKeys|rootKeys|feedKey)(?:\/|$)/;

/** Makes an issuer's core; a mistake is named by its place in the options. */
export function inOptions<T>(make: () => T): T {
  try {
    return orPolicyError(make);
  } catch (error) {
    if (!(error instanceof PolicyError) || BESIDE_CONFIG.test(error.pointer)) throw error;
    throw new PolicyError(`/config${error.pointer}`, error.reason);
  }
}

const STORE = ['read', 'swap', 'sweep'] as const;

const FUNCTIONS = ['onEvent', 'now', 'fetch'] as const;

/**
 * Looks at the shape of what an issuer is given as objects with methods, and as functions: a
 * mistake is found when the issuer is made, and not by its first client.
 * @throws PolicyError that names the first member that is not there, or is none.
 */
export function checkShapes(options: IssuerOptions): void {
  const { store, counter } = options;
  checkMethods('/store', store, STORE, 'Write memoryStore(), or another one of portcullis/stores');
  if (store.readMany !== undefined) checkMethods('/store', store, ['readMany'], 'Leave it out, or write it');
  if (counter !== undefined)
    checkMethods('/counter', counter, ['count'], 'Write memoryCounter(), or leave it out');
  for (const name of FUNCTIONS)
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw new PolicyError(
        `/${name}`,
        `must be a function; found ${kindOf(options[name])}. Leave it out for none`,
      );
}

/**
 * What `with` binds an issuer to.
 * @throws PolicyError when it is no context: its work would be cut off without a word.
 */
export function contextOf(context: RequestContext): RequestContext {
  checkMethods('/context', context, [], "Write the runtime's context of the request");
  if (context.waitUntil !== undefined)
    checkMethods('/context', context, ['waitUntil'], "Write the runtime's context of the request");
  return context;
}

function checkMethods(pointer: string, value: unknown, names: readonly string[], advice: string): void {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  if (!isObject || value instanceof Promise) {
    const methods = names.map((name) => `${name}()`).join(', ');
    const expected = methods === '' ? 'an object' : `an object with ${methods}`;
    throw new PolicyError(pointer, `must be ${expected}; found ${kindOf(value)}. ${advice}`);
  }
  for (const name of names) {
    const method: unknown = (value as Record<string, unknown>)[name];
    if (typeof method !== 'function')
      throw new PolicyError(
        `${pointer}/${name}`,
        `must be a method of the ${pointer.slice(1)}; found ${kindOf(method)}. ${advice}`,
      );
  }
}

/** What kind of value it is, and nothing of the value: it may be a secret. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Promise) return 'a promise, which has to be awaited first';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
