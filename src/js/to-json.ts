import { base64url } from './base64url.js';
import { PolicyError } from './errors.js';

/** Deeper is no document of ours. */
const DEEPEST = 64;

/**
 * JSON text of a policy, a requirement, a key or a request to mint. Bytes become base64url.
 *
 * STRICTER than `JSON.stringify`, which leaves out what JSON has no word for, and flattens a Map to `{}`: a rule that was meant would be gone.
 * Every value is read once, and what was read is what is written, whatever a getter answers the next time.
 * @throws PolicyError with the pointer of the first value that JSON cannot hold as it is.
 */
export function toJson(value: unknown, pointer = ''): string {
  return write(value, pointer, []);
}

/**
 * The members of an object that a caller gives where they are to stand beside others.
 * @throws PolicyError when it is no plain object, or names one of the others.
 */
export function membersOf(value: object | undefined, others: object): object {
  if (value === undefined || value === null) return {};
  const taken = namesOf(value, '').find((name) => Object.hasOwn(others, name));
  if (taken !== undefined)
    throw new PolicyError(`/${taken}`, 'must not be an option: it is fixed by the call. Leave it out');
  return value;
}

function write(value: unknown, pointer: string, within: readonly object[]): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value !== 'object') throw unwritable(value, pointer);
  if (ArrayBuffer.isView(value)) return JSON.stringify(base64url(value));
  if (within.includes(value))
    throw new PolicyError(pointer, 'must be a JSON value; found an object that holds itself');
  if (within.length === DEEPEST)
    throw new PolicyError(pointer, `must not nest deeper than ${DEEPEST} levels`);
  const path = [...within, value];
  if (Array.isArray(value)) return writeArray(value, pointer, path);
  const members = namesOf(value, pointer).map((name) => {
    const member = (value as Record<string, unknown>)[name];
    return `${JSON.stringify(name)}:${write(member, below(pointer, name), path)}`;
  });
  return `{${members.join()}}`;
}

function writeArray(array: readonly unknown[], pointer: string, path: readonly object[]): string {
  const { length } = array;
  const items: string[] = [];
  for (let index = 0; index < length; index++) {
    const at = below(pointer, String(index));
    if (!Object.hasOwn(array, index))
      throw new PolicyError(at, 'must be a JSON value; found a hole in the array');
    items.push(write(array[index], at, path));
  }
  const others = Reflect.ownKeys(array).filter((name) => name !== 'length' && !isIndex(name, length));
  if (others[0] !== undefined)
    throw new PolicyError(below(pointer, String(others[0])), 'must not be there: an array has items alone');
  return `[${items.join()}]`;
}

/** The names of a plain object's members: one of its own kind, with nothing that JSON would leave out. */
function namesOf(value: object, pointer: string): string[] {
  if (!isPlain(value)) {
    throw new PolicyError(pointer, `must be a plain object or another JSON value; found ${kindOf(value)}`);
  }
  const names = Object.keys(value);
  const all = Reflect.ownKeys(value);
  if (all.length === names.length) return names;
  const hidden = all.find((name) => typeof name === 'symbol' || !names.includes(name));
  throw new PolicyError(
    below(pointer, String(hidden)),
    'must be an enumerable member with a string for a name; JSON would leave it out',
  );
}

/** An object literal's own, of this realm or another, or one without a prototype. */
function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  // The `Object.prototype` of another realm.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

function isIndex(name: string | symbol, length: number): boolean {
  return typeof name === 'string' && String(Number(name)) === name && Number(name) < length;
}

function unwritable(value: unknown, pointer: string): PolicyError {
  if (value === undefined)
    return new PolicyError(
      pointer,
      'must be a JSON value; found undefined. Give it a value, or leave the member out',
    );
  const found =
    typeof value === 'number' ? String(value) : typeof value === 'bigint' ? 'a BigInt' : `a ${typeof value}`;
  return new PolicyError(pointer, `must be a JSON value; found ${found}`);
}

function kindOf(value: object): string {
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === 'string' && /^\w{1,40}$/.test(name) && name !== 'Object'
    ? `an instance of ${name}`
    : 'an object with a prototype of its own';
}

function below(pointer: string, name: string): string {
  return `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
