// Looking at a token without verifying it: one set of answers for the core (src/jws/compact.rs)
// and for the decoder that pages load without WebAssembly (src/js/session/inspect.ts).
import { accept, collection, encode, refuse } from './signing.mjs';

const { add, file } = collection('Own; RFC 7515 section 7.1, RFC 4648 section 3.5, RFC 8259, RFC 3629.');

export { file };

const HEAD = '{"alg":"none"}';
const looking = (id, klass, comment, text, expect) =>
  add(`look-${id}`, klass, comment, { kind: 'inspect', token: text }, expect);
const of = (payload, header = HEAD, signature = '') => `${encode(header)}.${encode(payload)}.${signature}`;
const malformed = (part, stage) => refuse('json-malformed', { part, stage });
const payload = (id, klass, comment, text, expect = malformed('payload', 'claims')) =>
  looking(id, klass, comment, of(text), expect);

// Size, segments, base64url
looking('nothing', 28, 'No token at all.', '', refuse('token-missing', { stage: 'jws' }));
const padded = (length) => {
  const token = of(`{"a":"${'x'.repeat(6000)}"}`);
  return token + 'A'.repeat(length - token.length);
};
looking('8192-bytes', 44, 'The limit itself.', padded(8192), accept());
looking(
  '8193-bytes',
  44,
  'One more.',
  padded(8193),
  refuse('token-too-large', { limit: 8192, actual: 8193, stage: 'jws' }),
);
looking(
  'bytes-not-characters',
  44,
  'Bytes of UTF-8 are counted.',
  'é'.repeat(4097),
  refuse('token-too-large', { limit: 8192, actual: 8194, stage: 'jws' }),
);
for (const [name, token, actual] of [
  ['one', 'e30', 1],
  ['two', 'e30.e30', 2],
  ['four', 'e30.e30..', 4],
  ['dots', '...', 4],
])
  looking(
    `${name}-segments`,
    28,
    'A JWS has exactly two dots.',
    token,
    refuse('segment-count', { expected: 3, actual, stage: 'jws' }),
  );
looking(
  'empty-segments',
  28,
  'Two dots and nothing else: the header is no JSON.',
  '..',
  malformed('header', 'jws'),
);
const notBase64url = (segment) => refuse('segment-not-base64url', { segment, stage: 'jws' });
for (const [name, text] of [
  ['padding', 'e30='],
  ['white-space', 'e 30'],
  ['a-line-feed', 'e30\n'],
  ['plus-and-slash', 'ab+/'],
  ['left-over-bits', 'e31'],
  ['one-digit', 'A'],
  ['an-accent', 'eé0'],
  ['half-a-pair', 'e30\ud800'],
]) {
  // JSON writes no half of a pair.
  if (!text.isWellFormed()) continue;
  looking(
    `${name}-in-the-header`,
    30,
    'One text for each sequence of bytes.',
    `${text}.e30.`,
    notBase64url('header'),
  );
  looking(
    `${name}-in-the-payload`,
    30,
    'One text for each sequence of bytes.',
    `e30.${text}.`,
    notBase64url('payload'),
  );
  looking(
    `${name}-in-the-signature`,
    30,
    'One text for each sequence of bytes.',
    `e30.e30.${text}`,
    notBase64url('signature'),
  );
}
looking(
  'the-signature-first',
  30,
  'The signature is decoded before the header is read.',
  'W10.e31.e31',
  notBase64url('signature'),
);
looking(
  'the-header-before-the-payload',
  30,
  'The header is read before the payload is decoded.',
  'W10.e31.',
  malformed('header', 'jws'),
);

// What is no JSON object in UTF-8
payload('an-array', 32, 'Claims are an object.', '[]');
payload('a-string', 32, 'Claims are an object.', '"a"');
payload('null', 32, 'Claims are an object.', 'null');
payload('nothing-in-it', 32, 'An empty text is no JSON.', '');
payload('a-second-text', 30, 'Nothing follows the object.', '{}{}');
payload('an-end-missing', 30, 'The object has an end.', '{"a":1');
payload('a-trailing-comma', 30, 'RFC 8259 section 4.', '{"a":1,}');
payload('a-leading-comma', 30, 'RFC 8259 section 4.', '{,"a":1}');
payload('single-quotes', 30, 'RFC 8259 section 7.', "{'a':1}");
payload('a-comment', 30, 'RFC 8259 has none.', '{/**/}');
payload('a-byte-order-mark', 30, 'RFC 8259 section 8.1.', '\ufeff{}');
payload('a-no-break-space', 30, 'RFC 8259 section 2 names four kinds of white space.', '{\u00a0}');
payload('white-space', 30, 'All four kinds.', ' \t\r\n{ \t\r\n"a" : [ 1 , 2 ] } ', accept());
payload('a-raw-line-feed', 30, 'Control characters are escaped in strings.', '{"a":"\n"}');
payload('delete', 30, 'U+007F is none of those.', '{"a":"\u007f"}', accept());
payload('line-separators', 30, 'U+2028 needs no escape.', '{"a":"\u2028"}', accept());
payload(
  'every-escape',
  30,
  'RFC 8259 section 7.',
  String.raw`{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}`,
  accept({ claims: { a: '"\\/\b\f\n\r\té😀' } }),
);
payload('an-unknown-escape', 30, 'RFC 8259 section 7.', String.raw`{"a":"\x41"}`);
payload('an-escape-cut-short', 30, 'Four digits.', String.raw`{"a":"\u00e"}`);
payload('a-high-half-alone', 30, 'Half of a pair is no character.', String.raw`{"a":"\ud83d"}`);
payload('a-low-half-alone', 30, 'Half of a pair is no character.', String.raw`{"a":"\ude00"}`);
payload('halves-in-the-wrong-order', 30, 'Half of a pair is no character.', String.raw`{"a":"\ude00\ud83d"}`);
payload('half-a-pair-in-a-name', 30, 'Names are strings.', String.raw`{"\ud83d":1}`);
for (const [name, text] of [
  ['ff', [0xff]],
  ['an-overlong-slash', [0xc0, 0xaf]],
  ['an-encoded-half', [0xed, 0xa0, 0x80]],
  ['a-character-cut-short', [0xe2, 0x82]],
  ['above-10ffff', [0xf4, 0x90, 0x80, 0x80]],
])
  payload(
    `utf8-${name}`,
    30,
    'RFC 3629.',
    Buffer.from([...Buffer.from('{"a":"'), ...text, ...Buffer.from('"}')]),
  );
looking(
  'utf8-in-the-header',
  30,
  'RFC 3629.',
  of('{}', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
  malformed('header', 'jws'),
);

// Numbers
for (const text of [
  '01',
  '+1',
  '.5',
  '1.',
  '1e',
  '1e+',
  '-',
  '0x1',
  'NaN',
  'Infinity',
  '1_0',
  '1e308',
  '-1e400',
  `${'9'.repeat(309)}`,
  '0.001e311',
])
  payload(
    `number-${text.slice(0, 9)}`,
    33,
    'RFC 8259 section 6, and no number that a double takes for infinite.',
    `{"a":${text}}`,
  );
for (const text of [
  '0',
  '-0',
  '0.0e999999999999',
  '1e-999999999999',
  '9.99999999999999999999e307',
  `${'9'.repeat(308)}`,
  '0.001e310',
  '18446744073709551616',
])
  payload(`taken-number-${text.slice(0, 20)}`, 33, 'RFC 8259 section 6.', `{"a":${text}}`, accept());
for (const text of ['tru', 'True', 'nul', 'undefined', 'falsee'])
  payload(`literal-${text}`, 30, 'RFC 8259 section 3.', `{"a":${text}}`);
payload('literals', 30, 'RFC 8259 section 3.', '{"a":[true,false,null]}', accept());

// Duplicates, depth and counts, and which of several faults is found first
const duplicate = refuse('json-duplicate-member', { part: 'payload', stage: 'claims' });
const deep = refuse('json-too-deep', { part: 'payload', limit: 16, stage: 'claims' });
const wide = refuse('json-too-many-members', { part: 'payload', limit: 128, stage: 'claims' });
const members = (count) => Array.from({ length: count }, (_, n) => `"${n}":0`).join(',');
payload('a-duplicate', 31, 'Two parsers would read two tokens.', '{"exp":1,"exp":2}', duplicate);
payload(
  'a-duplicate-by-escape',
  31,
  'Names are compared as what they stand for.',
  String.raw`{"a":1,"\u0061":2}`,
  duplicate,
);
payload('a-duplicate-below', 31, 'At every depth.', '{"a":[{"b":{"c":1,"c":1}}]}', duplicate);
payload(
  'a-duplicate-prototype',
  40,
  '__proto__ is a name like others.',
  '{"__proto__":1,"__proto__":1}',
  duplicate,
);
payload(
  'one-prototype',
  40,
  '__proto__ is a name like others.',
  '{"__proto__":{"a":1},"constructor":1}',
  accept(),
);
payload(
  'the-same-name-elsewhere',
  31,
  'Two objects may share a name.',
  '{"a":{"a":1},"b":{"a":1}}',
  accept(),
);
looking(
  'a-duplicate-in-the-header',
  31,
  'Two parsers would read two headers.',
  of('{}', '{"alg":"none","alg":"HS256"}'),
  refuse('json-duplicate-member', { part: 'header', stage: 'jws' }),
);
payload('depth-16', 45, 'The limit itself.', `${'{"a":'.repeat(16)}1${'}'.repeat(16)}`, accept());
payload('depth-17', 45, 'One more.', `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`, deep);
payload('depth-16-in-arrays', 45, 'Arrays count.', `{"a":${'['.repeat(15)}${']'.repeat(15)}}`, accept());
payload('depth-17-in-arrays', 45, 'Arrays count.', `{"a":${'['.repeat(16)}${']'.repeat(16)}}`, deep);
payload('members-128', 45, 'The limit itself.', `{${members(128)}}`, accept());
payload('members-129', 45, 'One more.', `{${members(129)}}`, wide);
payload(
  'members-of-all-levels',
  45,
  'All levels together.',
  `{"a":{${members(100)}},"b":{${members(27)}}}`,
  wide,
);
payload('a-duplicate-before-the-end-is-missing', 31, 'The first fault counts.', '{"a":1,"a":2', duplicate);
payload('a-fault-before-a-duplicate', 31, 'The first fault counts.', '{"a":tru,"a":2}');
payload('depth-before-a-fault', 45, 'The first fault counts.', `{"a":${'['.repeat(3000)}`, deep);
payload(
  'the-129th-member-is-a-duplicate',
  45,
  'Members are counted before they are compared.',
  `{${members(128)},"0":1}`,
  wide,
);
payload(
  'a-long-string',
  44,
  'No engine runs out of stack.',
  `{"a":"${String.raw`\n`.repeat(2900)}"}`,
  accept(),
);
