// Tokens nobody should accept, made from good ones by small damage; the same ones in every runtime
// and every run.

const ODD_TEXT = [
  '\u0000',
  '\ud800',
  '\udc00',
  '😀',
  'é',
  ' ',
  '\n',
  '=',
  '+',
  '/',
  '%2e',
  '．',
  '\u200b',
  '...',
  '"',
  '\\u002e',
];
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** `count` damaged copies of the tokens, none equal to one of them. */
export function hostileTokens(tokens, count) {
  const next = numbers(20_261_123);
  return Array.from({ length: count }, (_, index) => {
    const token = tokens[next(tokens.length)];
    return DAMAGE[index % DAMAGE.length](token, next, tokens);
  });
}

const DAMAGE = [
  function changedCharacter(token, next) {
    const at = place(token, next);
    const other = ALPHABET[(ALPHABET.indexOf(token[at]) + 1 + next(63)) % 64];
    return token.slice(0, at) + other + token.slice(at + 1);
  },
  function cut(token, next) {
    return token.slice(0, next(token.length - 1));
  },
  function cutInFront(token, next) {
    return token.slice(1 + next(token.length - 1));
  },
  function oddTextInside(token, next) {
    const at = next(token.length + 1);
    return token.slice(0, at) + ODD_TEXT[next(ODD_TEXT.length)] + token.slice(at);
  },
  function oddTextInstead(token, next) {
    const at = place(token, next);
    return token.slice(0, at) + ODD_TEXT[next(ODD_TEXT.length)] + token.slice(at + 1);
  },
  function anotherDot(token, next) {
    const at = next(token.length + 1);
    return `${token.slice(0, at)}.${token.slice(at)}`;
  },
  function missingDot(token, next) {
    const parts = token.split('.');
    return next(2) ? `${parts[0]}${parts[1]}.${parts[2]}` : `${parts[0]}.${parts[1]}${parts[2]}`;
  },
  function twoCharactersSwapped(token, next) {
    const at = place(token, next);
    const swapped = token.slice(0, at) + (token[at + 1] ?? '') + token[at] + token.slice(at + 2);
    return swapped === token ? `${token}A` : swapped;
  },
  function partsOfTwo(token, next, tokens) {
    const other = tokens[(tokens.indexOf(token) + 1 + next(tokens.length - 1)) % tokens.length].split('.');
    const [header, payload] = token.split('.');
    return `${header}.${payload}.${other[2]}`;
  },
  function doubled(token) {
    return token + token;
  },
  function enormous(token, next) {
    return token + 'A'.repeat(next(100_000) + 8192);
  },
];

/** A place in the token that holds no dot. */
function place(token, next) {
  const at = next(token.length);
  return token[at] === '.' ? at + 1 : at;
}

/**
 * A function giving whole numbers below its argument: xorshift32, so that no run differs from
 * another.
 */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
