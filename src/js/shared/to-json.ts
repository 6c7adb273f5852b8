import { base64url } from './base64url.js';
import { PolicyError } from './errors.js';

/** Deeper is no document of ours. */
const DEEPEST = 64;

/**
 * JSON text of a policy, a requirement, a key or a request to mint. Bytes become base64url; those
 * of a `secret` say so.
 *
 * STRICTER than `JSON.stringify`, which leaves out what JSON has no word for, and flattens a Map
 * to `{}`: a rule that was meant would be gone. Every value is read once, and what was read is
 * what is written, whatever a getter answers the next time.
 * @throws PolicyError with the pointer of the first value that JSON cannot hold as it is.
 */
export function toJson(value: unknown): string {
  try {
    return write(value, 0);
  } catch (thrown) {
    if (!(thrown instanceof Misfit)) throw thrown;
    throw thrown.isDeep ? tooDeep(value, thrown) : thrown.told();
  }
}

/**
 * The members of an object that a caller gives where they are to stand beside others.
 * @throws PolicyError when it is no plain object, or names one of the others.
 */
export function membersOf(value: object | undefined, others: object): object {
  if (value === undefined || value === null) return {};
  const taken = names(value).find((name) => Object.hasOwn(others, name));
  if (taken !== undefined)
    throw new PolicyError(`/${taken}`, 'must not be an option: it is fixed by the call. Leave it out');
  return value;
}

function names(value: object): string[] {
  try {
    return namesOf(value);
  } catch (thrown) {
    throw thrown instanceof Misfit ? thrown.told() : thrown;
  }
}

/**
 * Why a value has no JSON. Its names, from the outermost inwards, are found on the way out: a
 * pointer that nobody needs costs nothing.
 */
class Misfit {
  readonly names: string[] = [];
  readonly reason: string;
  readonly isDeep: boolean;

  constructor(reason: string, isDeep = false) {
    this.reason = reason;
    this.isDeep = isDeep;
  }

  told(): PolicyError {
    const pointer = this.names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
    return new PolicyError(pointer.join(''), this.reason);
  }
}

function write(value: unknown, depth: number): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value !== 'object') throw new Misfit(whyNot(value));
  if (ArrayBuffer.isView(value)) return quoted(base64url(value));
  if (depth === DEEPEST) throw new Misfit(`must not nest deeper than ${DEEPEST} levels`, true);
  if (Array.isArray(value)) return writeArray(value, depth);
  let text = '{';
  for (const name of namesOf(value)) {
    try {
      const member = writeMember(name, (value as Record<string, unknown>)[name], depth + 1);
      text += `${text === '{' ? '' : ','}${quoted(name)}:${member}`;
    } catch (thrown) {
      throw within(name, thrown);
    }
  }
  return `${text}}`;
}

/** Bytes are base64url, and a secret says that it is (`src/keys/secret.rs`). */
function writeMember(name: string, value: unknown, depth: number): string {
  const text = write(value, depth);
  return name === 'secret' && ArrayBuffer.isView(value) ? `{"base64url":${text}}` : text;
}

function writeArray(array: readonly unknown[], depth: number): string {
  const { length } = array;
  let text = '[';
  for (let index = 0; index < length; index++) {
    try {
      if (!Object.hasOwn(array, index)) throw new Misfit('must be a JSON value; found a hole in the array');
      text += `${index === 0 ? '' : ','}${write(array[index], depth + 1)}`;
    } catch (thrown) {
      throw within(String(index), thrown);
    }
  }
  const names = Reflect.ownKeys(array);
  // The items and `length`.
  if (names.length === length + 1) return `${text}]`;
  const other = names.find((name) => name !== 'length' && !isIndex(name, length));
  throw within(String(other), new Misfit('must not be there: an array has items alone'));
}

/** What needs no escape, and most names and values are. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function within(name: string, thrown: unknown): unknown {
  if (thrown instanceof Misfit) thrown.names.unshift(name);
  return thrown;
}

/** What holds itself is told where it does. */
function tooDeep(value: unknown, misfit: Misfit): PolicyError {
  const path: unknown[] = [value];
  for (const [index, name] of misfit.names.entries()) {
    const next: unknown = (path.at(-1) as Record<string, unknown> | undefined)?.[name];
    if (path.includes(next)) {
      const circular = new Misfit('must be a JSON value; found an object that holds itself');
      circular.names.push(...misfit.names.slice(0, index + 1));
      return circular.told();
    }
    path.push(next);
  }
  return misfit.told();
}

/**
 * The names of a plain object's members: one of its own kind, with nothing that JSON would leave
 * out.
 */
function namesOf(value: object): string[] {
  if (!isPlain(value)) {
    throw new Misfit(`must be a plain object or another JSON value; found ${kindOf(value)}`);
  }
  const names = Object.keys(value);
  const all = Reflect.ownKeys(value);
  if (all.length === names.length) return names;
  const hidden = all.find((name) => typeof name === 'symbol' || !names.includes(name));
  throw within(
    String(hidden),
    new Misfit('must be an enumerable member with a string for a name; JSON would leave it out'),
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

function whyNot(value: unknown): string {
  if (value === undefined)
    return 'must be a JSON value; found undefined. Give it a value, or leave the member out';
  const found =
    typeof value === 'number' ? String(value) : typeof value === 'bigint' ? 'a BigInt' : `a ${typeof value}`;
  return `must be a JSON value; found ${found}`;
}

function kindOf(value: object): string {
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === 'string' && /^\w{1,40}$/.test(name) && name !== 'Object'
    ? `an instance of ${name}`
    : 'an object with a prototype of its own';
}
