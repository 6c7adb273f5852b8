/** Data nests no deeper; what does, or holds itself, is left to whoever made it. */
const DEEPEST = 64;

/** There is no copy. */
const NONE = Symbol('none');

/**
 * What a schema has made of frozen claims: an unchangeable copy when all of it is plain data,
 * which several requests may be handed; and otherwise itself, which is for one.
 *
 * Freezing is not enough: a Set, a Date or an object with private fields changes though it is
 * frozen, an accessor answers as it likes, and a Proxy only says that it is frozen. The copy is
 * made of own data properties alone.
 */
export function ownOf(made: unknown, claims: object): { value: unknown; isData: boolean } {
  if (made === claims) return { value: made, isData: true };
  try {
    const copy = copied(made, 0);
    if (copy !== NONE) return { value: copy, isData: true };
  } catch {
    // A Proxy that does not let itself be looked at.
  }
  return { value: made, isData: false };
}

function copied(value: unknown, depth: number): unknown {
  if (typeof value === 'function') return NONE;
  if (typeof value !== 'object' || value === null) return value;
  if (depth === DEEPEST) return NONE;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isArray = Array.isArray(value);
  if (prototype !== (isArray ? Array.prototype : Object.prototype) && (isArray || prototype !== null))
    return NONE;
  const copy = (isArray ? [] : Object.create(prototype as object | null)) as Record<string, unknown>;
  const length = isArray ? value.length : 0;
  let names = 0;
  for (const name of Reflect.ownKeys(value)) {
    if (isArray && name === 'length') continue;
    const property = Object.getOwnPropertyDescriptor(value, name);
    if (typeof name !== 'string' || property === undefined || !('value' in property) || !property.enumerable)
      return NONE;
    const member = copied(property.value, depth + 1);
    if (member === NONE) return NONE;
    // Not by assignment, which would make `__proto__` the prototype.
    Object.defineProperty(copy, name, { value: member, enumerable: true });
    names += 1;
  }
  // An array with holes, or with members besides its items.
  if (isArray && (names !== length || copy.length !== length)) return NONE;
  return Object.freeze(copy);
}
