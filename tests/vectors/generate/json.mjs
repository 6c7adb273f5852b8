// JSON where parsers differ (RFC 8259): spellings of one text, bytes that are no UTF-8, names that
// are alike and names that are the same.
import { accept, claims, collection, policy, refuse, token } from './signing.mjs';

const { add, file } = collection(
  'Own; each outcome is held against JSON.parse over a fatal UTF-8 decoder, which knows no duplicates.',
  {
    es256: policy(['ES256']),
  },
);

export { file };

const TEXT = JSON.stringify(claims());
const HEAD = '{"alg":"ES256","typ":"at+jwt","kid":"ES256"}';
const join = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const beside = (text, member) => join(text.slice(0, -1), ',', member, '}');

function parses(bytes) {
  try {
    return (
      typeof JSON.parse(
        new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes)),
      ) === 'object'
    );
  } catch {
    return false;
  }
}
function payload(id, klass, comment, bytes, expect) {
  if (parses(bytes) !== (expect.code !== 'json-malformed'))
    throw new Error(`${id}: JSON.parse says otherwise`);
  add(
    `json-${id}`,
    klass,
    comment,
    { policy: 'es256', token: token({ payload: Buffer.from(bytes) }) },
    expect,
  );
}
function header(id, klass, comment, bytes, expect) {
  if (parses(bytes) !== (expect.code !== 'json-malformed'))
    throw new Error(`${id}: JSON.parse says otherwise`);
  add(
    `json-header-${id}`,
    klass,
    comment,
    { policy: 'es256', token: token({ header: Buffer.from(bytes) }) },
    expect,
  );
}
const malformed = (part) => refuse('json-malformed', { part, stage: part === 'header' ? 'jws' : 'claims' });
const twice = (part) =>
  refuse('json-duplicate-member', { part, stage: part === 'header' ? 'jws' : 'claims' });

// Duplicates (row 31), in payload and header alike
const duplicates = {
  'of-an-unknown-member': '"x":1,"x":1',
  'of-a-null': '"x":null,"x":null',
  'with-another-between': '"x":1,"y":2,"x":3',
  'of-the-empty-name': '"":1,"":2',
  'of-a-prototype': '"__proto__":{},"__proto__":{}',
  'by-an-escaped-letter': '"admin":false,"\\u0061dmin":true',
  'by-an-escape-in-other-digits': '"\\u00e9":1,"\\u00E9":2',
  'by-an-escape-and-its-letter': '"é":1,"\\u00e9":2',
  'by-a-pair-of-surrogates': '"😀":1,"\\ud83d\\ude00":2',
  'by-an-escaped-slash': '"a/b":1,"a\\/b":2',
  'in-an-array-of-objects': '"x":[{"a":1},{"b":1,"b":2}]',
  'eight-levels-down': `"x":${'{"y":'.repeat(7)}{"a":1,"a":1}${'}'.repeat(7)}`,
};
const distinct = {
  'in-another-case': '"sub2":1,"Sub2":2',
  'with-a-space': '"x":1,"x ":2',
  'composed-and-decomposed': '"é":1,"e\\u0301":2',
  'with-a-look-alike': '"x":1,"х":2',
  'at-two-depths': '"x":{"x":{"x":1}}',
  'in-two-elements': '"x":[{"a":1},{"a":2}]',
  'with-a-nul-behind': '"x":1,"x\\u0000":2',
};
for (const [id, members] of Object.entries(duplicates)) {
  payload(
    `twice-${id}`,
    31,
    'CVE-2017-12635: which of the two counts is for no reader to choose.',
    beside(TEXT, members),
    twice('payload'),
  );
  header(`twice-${id}`, 31, 'The same in the header.', beside(HEAD, members), twice('header'));
}
for (const [id, members] of Object.entries(distinct)) {
  payload(
    `once-${id}`,
    31,
    'Names differ when their code points do (RFC 8259 section 8.3): no duplicates.',
    beside(TEXT, members),
    accept({ claims: { sub: 'user-1' } }),
  );
  header(`once-${id}`, 31, 'The same in the header.', beside(HEAD, members), accept());
}
for (const member of ['"alg":"ES256"', '"typ":"at+jwt"', '"kid":"ES256"']) {
  header(
    `twice-${member.slice(1, 4)}`,
    31,
    'Even with the same value.',
    beside(HEAD, member),
    twice('header'),
  );
}
for (const [name, value] of Object.entries({
  iss: '"https://issuer.example"',
  aud: '"https://api.example"',
  exp: '1700000290',
})) {
  payload(
    `twice-${name}`,
    31,
    'Even with the same value.',
    beside(TEXT, `"${name}":${value}`),
    twice('payload'),
  );
}

// Bytes that are no UTF-8 (row 30): each has readers that take it
const bytes = (...values) => Buffer.from(values);
for (const [id, middle] of Object.entries({
  'an-overlong-nul': bytes(0xc0, 0x80),
  'an-overlong-slash': bytes(0xe0, 0x80, 0xaf),
  'a-surrogate-in-three-bytes': bytes(0xed, 0xa0, 0x80),
  'a-pair-in-six-bytes': bytes(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80),
  'past-the-last-code-point': bytes(0xf4, 0x90, 0x80, 0x80),
  'a-lone-continuation': bytes(0x80),
  'a-truncated-letter': bytes(0xe2, 0x82),
  'latin-1': bytes(0xe9),
})) {
  payload(
    `bytes-${id}`,
    30,
    'Not UTF-8 (RFC 3629 section 3).',
    join(TEXT.slice(0, -1), ',"x":"', middle, '"}'),
    malformed('payload'),
  );
  header(
    `bytes-${id}`,
    30,
    'The same in the header.',
    join(HEAD.slice(0, -1), ',"x":"', middle, '"}'),
    malformed('header'),
  );
}
payload(
  'utf-16',
  30,
  'JSON between systems is UTF-8 (RFC 8259 section 8.1).',
  Buffer.from(TEXT, 'utf16le'),
  malformed('payload'),
);
header('utf-16', 30, 'The same in the header.', Buffer.from(HEAD, 'utf16le'), malformed('header'));
header(
  'byte-order-mark',
  30,
  'No byte order mark (RFC 8259 section 8.1).',
  `\ufeff${HEAD}`,
  malformed('header'),
);

// Spellings
const refusals = {
  'a-raw-tab': '"x":"\t"',
  'a-raw-nul': '"x":"\u0000"',
  'a-lone-high-surrogate': '"x":"\\ud800"',
  'a-lone-low-surrogate': '"x":"\\udc00"',
  'surrogates-in-the-wrong-order': '"x":"\\ude00\\ud83d"',
  'an-unknown-escape': '"x":"\\x41"',
  'a-short-escape': '"x":"\\u41"',
  'a-name-without-quotes': 'x:1',
  'a-plus-sign': '"x":+1',
  'a-point-in-front': '"x":.5',
  'a-point-behind': '"x":1.',
  'an-empty-exponent': '"x":1e',
  'a-hexadecimal-number': '"x":0x10',
  'a-leading-zero': '"x":010',
  infinity: '"x":Infinity',
  'minus-alone': '"x":-',
  'True-in-another-case': '"x":True',
  undefined: '"x":undefined',
  'no-value': '"x":',
  'no-colon': '"x" 1',
  'two-commas': ',"x":1',
  'a-line-comment': '"x":1//\n',
  'a-no-break-space': '"x":\u00a01',
  'a-form-feed': '"x":\f1',
  'a-string-in-backticks': '"x":`a`',
};
// JSON.parse takes lone surrogates in escapes, which are no Unicode text; we refuse them.
const LAX = ['a-lone-high-surrogate', 'a-lone-low-surrogate', 'surrogates-in-the-wrong-order'];
for (const [id, member] of Object.entries(refusals)) {
  const text = beside(TEXT, member);
  if (LAX.includes(id))
    add(
      `json-${id}`,
      30,
      'STRICTER than RFC 8259 section 8.2: an escape for half a letter is no text, and readers replace it differently.',
      { policy: 'es256', token: token({ payload: text }) },
      malformed('payload'),
    );
  else payload(id, 30, 'Not the grammar of RFC 8259.', text, malformed('payload'));
}
const spellings = {
  'escapes-of-every-kind': '"x":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9"',
  'a-pair-of-surrogates': '"x":"\\ud83d\\ude00"',
  'a-delete-character': '"x":"\u007f"',
  'line-separators': '"x":"\u2028\u2029"',
  'a-noncharacter': '"x":"\uffff"',
  'numbers-of-every-form': '"x":[0,-0,-1,1.5,1e3,1E-3,-1.5e+3]',
  'an-integer-past-2-64': '"x":123456789012345678901234567890',
  'a-tiny-number': '"x":1e-400',
  'empty-containers': '"x":{},"y":[],"z":""',
};
for (const [id, member] of Object.entries(spellings)) {
  payload(
    `takes-${id}`,
    30,
    'The grammar of RFC 8259, in a claim that nobody asks for.',
    beside(TEXT, member),
    accept({ claims: { sub: 'user-1' } }),
  );
}
payload(
  'takes-white-space',
  30,
  'The four kinds of white space, in front, between and behind.',
  ` \t\r\n${TEXT.replaceAll(',', ' ,\t')}\n`,
  accept(),
);
header(
  'takes-white-space',
  30,
  'The same in the header.',
  ` \t\r\n${HEAD.replaceAll(':', ' :\n')}\n`,
  accept(),
);
payload(
  'takes-claims-spelled-with-escapes',
  30,
  'Escapes are spelling: iss is iss.',
  TEXT.replace('"iss"', '"\\u0069ss"').replace('"exp"', '"e\\u0078p"'),
  accept({ claims: { iss: claims().iss, exp: claims().exp } }),
);
header(
  'a-raw-newline',
  30,
  'A control character in a string.',
  HEAD.replace('at+jwt', 'at+\njwt'),
  malformed('header'),
);
header('a-trailing-comma', 30, 'Not the grammar.', HEAD.replace('}', ',}'), malformed('header'));
header('two-objects', 30, 'One object.', `${HEAD}${HEAD}`, malformed('header'));
header('nothing', 30, 'No text.', '', malformed('header'));
for (const text of ['null', '1', '"ES256"', 'true']) {
  add(
    `json-header-${text.replaceAll('"', '')}`,
    30,
    'A header is an object.',
    { policy: 'es256', token: token({ header: text }) },
    malformed('header'),
  );
}
