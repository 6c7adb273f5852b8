// Request-targets: paths of a table, and what clients and attackers make of them.

const WORDS = [
  'health',
  'admin',
  'login',
  'docs',
  'files',
  'public',
  'Users',
  'me',
  'posts',
  'api',
  'v1',
  'items',
  'task',
  'notes',
  'x',
  'a b',
  'café',
  '@me',
];
const TAILS = [
  '',
  '',
  '',
  '',
  '/',
  '?a=b',
  '?/admin',
  '/?x',
  '#/admin',
  '%',
  '%00',
  '%2F',
  ';',
  ';x=1',
  '/.',
  '/..',
  '\\',
  '%20',
  '//',
  '.',
];
const JOINTS = [
  '/',
  '/',
  '/',
  '/',
  '/',
  '/',
  '/',
  '/',
  '//',
  '/./',
  '/../',
  '/%2e%2e/',
  '%2F',
  '%2f',
  '%5C',
  '\\',
  ';/',
  ';a=b/',
  '/..;/',
  '%252F',
  '/;/',
  '%c0%af',
  '%09/',
];

const encoded = (text) => encodeURIComponent(text).replaceAll('%40', '@');

/** One target. */
export function targetOf(next, { entries }, authority) {
  const path = next(3) === 0 ? invented(next) : likely(next, entries[next(entries.length)]?.path ?? '/');
  const spelled = respelled(next, path) + (next(3) === 0 ? TAILS[next(TAILS.length)] : '');
  switch (next(14)) {
    case 0:
      return `http://${authority}${spelled}`;
    case 1:
      return [
        `http://${authority}?${spelled}`,
        `http://x?${spelled}`,
        `http://x${spelled}`,
        `http://${authority}#${spelled}`,
      ][next(4)];
    case 2:
      return [
        '*',
        authority,
        spelled.slice(1),
        `?${spelled}`,
        `//${authority}${spelled}`,
        `http:${spelled}`,
        `HTTP://${authority}${spelled}`,
        `https://${authority}${spelled}`,
      ][next(8)];
    default:
      return spelled;
  }
}

/** A path that a pattern matches. */
function likely(next, pattern) {
  const value = () => encoded(WORDS[next(WORDS.length)]);
  return pattern.replace(/:\w+/g, value).replace(/\*/, () => ['', value(), `${value()}/${value()}`][next(3)]);
}

function invented(next) {
  const count = 1 + next(3);
  let path = '/';
  for (let at = 0; at < count; at++) {
    path += encoded(WORDS[next(WORDS.length)]) + (at + 1 < count ? JOINTS[next(JOINTS.length)] : '');
  }
  return path;
}

/** The same for some server. */
function respelled(next, path) {
  if (next(2) === 0 || path === '/') return path;
  const at = 1 + next(path.length - 1);
  const [before, one, after] = [path.slice(0, at), path[at] ?? '', path.slice(at + 1)];
  const inEscape = /%.?$/.test(before);
  const escaped = (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  switch (next(9)) {
    case 0:
      return path.toUpperCase();
    case 1:
      return path.toLowerCase();
    case 2:
      return inEscape ? path : before + escaped(one) + after;
    case 3:
      return inEscape ? path : before + escaped(escaped(one)[0]) + escaped(one).slice(1) + after;
    case 4:
      return path.replace('k', '%E2%84%AA').replace('s', '%C5%BF');
    case 5:
      return path.endsWith('/') ? path.slice(0, -1) : `${path}/`;
    case 6:
      return before + (one === one.toUpperCase() ? one.toLowerCase() : one.toUpperCase()) + after;
    case 7:
      return path.replace('/', ['//', '/./', '/x/../', '/%2e/', '/;a/', '\\'][next(6)]);
    default:
      return path.replace(/\/([^/]+)$/, (_, last) => ['%2F', '%5C', ';/', '%252F', '/.%2e/'][next(5)] + last);
  }
}
