// The compact serialization: sizes, segments, base64url, JSON.
import { accept, claims, collection, encode, policy, refuse, token } from './signing.mjs';

const { add, file } = collection('Own.', {
  small: { ...policy(['ES256']), limits: { tokenBytes: 200 } },
  large: { ...policy(['ES256']), limits: { tokenBytes: 16384, headerBytes: 4096, depth: 32, members: 1024 } },
});

export { file };

const good = token();
const [head, body, tail] = good.split('.');
const raw = (payload) => token({ payload });

// Parts
add('refuses-the-empty-text', 28, 'No token at all.', { token: '' }, refuse('token-missing'));
for (const [name, text, actual] of [
  ['one', head, 1],
  ['two', `${head}.${body}`, 2],
  ['four', `${good}.${tail}`, 4],
  ['six', `${good}...`, 6],
]) {
  add(
    `refuses-${name}-segments`,
    28,
    'A JWS has exactly two dots (CVE-2023-51774).',
    { token: text },
    refuse('segment-count', { expected: 3, actual }),
  );
}
add('accepts-three-segments', 28, 'Three segments are a JWS.', { token: good }, accept());
const jwe = [encode({ alg: 'RSA-OAEP', enc: 'A256GCM', zip: 'DEF' }), 'AA', 'AA', 'AA', 'AA'].join('.');
add(
  'refuses-a-jwe',
  27,
  'Five segments are an encrypted token, and nothing here decrypts (CVE-2024-28176).',
  { token: jwe },
  refuse('segment-count', { actual: 5 }),
);
add(
  'refuses-zip-in-a-jws',
  27,
  'zip belongs to JWE: nothing is inflated.',
  { token: token({ header: { zip: 'DEF' } }) },
  refuse('header-member-unsupported', { member: 'zip' }),
);
add(
  'refuses-enc-in-a-jws',
  27,
  'So does enc.',
  { token: token({ header: { enc: 'A256GCM' } }) },
  refuse('header-member-unsupported', { member: 'enc' }),
);
add(
  'refuses-pbes2-parameters-as-an-algorithm',
  26,
  'CVE-2022-36083: a huge p2c costs nothing where no JWE is read.',
  { token: token({ header: { alg: 'PBES2-HS256+A128KW', p2c: 2147483647 } }) },
  refuse('alg-unknown'),
);

// JSON serializations (RFC 7515 section 7.2)
const general = JSON.stringify({ payload: body, signatures: [{ protected: head, signature: tail }] });
const flattened = JSON.stringify({ payload: body, protected: head, signature: tail });
add(
  'refuses-the-general-json-serialization',
  29,
  'CVE-2016-9122: the compact form alone is read.',
  { token: general },
  refuse('segment-count', { actual: 1 }),
);
add(
  'refuses-the-flattened-json-serialization',
  29,
  'The same, flattened.',
  { token: flattened },
  refuse('segment-count', { actual: 1 }),
);
add(
  'refuses-json-around-a-compact-token',
  29,
  'A JSON string that holds a token is no token.',
  { token: JSON.stringify(good) },
  refuse('segment-not-base64url', { segment: 'header' }),
);
add(
  'accepts-the-compact-serialization',
  29,
  'The compact form of the same token.',
  { token: good },
  accept(),
);
const polyglot = `{"a":".${body}.${tail}"}`;
add(
  'refuses-a-polyglot',
  30,
  'CVE-2022-39227: JSON to one parser, a token to another.',
  { token: polyglot },
  refuse('segment-not-base64url', { segment: 'header' }),
);
add(
  'refuses-two-tokens-in-one-text',
  30,
  'Two tokens that share a segment.',
  { token: `${good} ${good}` },
  refuse('segment-count', { actual: 5 }),
);
add(
  'refuses-a-token-with-trailing-text',
  30,
  'Nothing stands after a token.',
  { token: `${good}\u0000x` },
  refuse('segment-not-base64url', { segment: 'signature' }),
);
add(
  'accepts-the-bytes-that-were-signed',
  30,
  'White space inside the JSON was signed and stays.',
  { token: token({ header: '{ "alg":"ES256",\r\n "typ":"at+jwt","kid":"ES256" }' }) },
  accept(),
);

// base64url
const spoil = (segment, change) =>
  good
    .split('.')
    .map((text, index) => (index === segment ? change(text) : text))
    .join('.');
const names = ['header', 'payload', 'signature'];
for (const [index, segment] of names.entries()) {
  add(
    `refuses-padding-in-the-${segment}`,
    15,
    'base64url of a JWS has no padding (RFC 7515 section 2).',
    { token: spoil(index, (text) => `${text}=`) },
    refuse('segment-not-base64url', { segment }),
  );
  add(
    `refuses-a-space-in-the-${segment}`,
    30,
    'White space is not skipped.',
    { token: spoil(index, (text) => `${text.slice(0, 4)} ${text.slice(4)}`) },
    refuse('segment-not-base64url', { segment }),
  );
  add(
    `refuses-the-standard-alphabet-in-the-${segment}`,
    30,
    'Plus and slash are of another alphabet.',
    { token: spoil(index, (text) => `+/${text.slice(2)}`) },
    refuse('segment-not-base64url', { segment }),
  );
}
add(
  'refuses-non-zero-trailing-bits',
  30,
  'A second text for the same signature (RFC 4648 section 3.5).',
  {
    token: spoil(2, (text) => text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1)),
  },
  refuse('segment-not-base64url', { segment: 'signature' }),
);
add(
  'refuses-letters-beyond-ascii',
  30,
  'A letter that looks like another.',
  { token: spoil(1, (text) => `е${text.slice(1)}`) },
  refuse('segment-not-base64url', { segment: 'payload' }),
);

// Sizes: by length alone, before anything is copied
add(
  'refuses-a-megabyte-of-dots',
  44,
  'CVE-2025-30204, CVE-2025-27144: no list of a million segments is made.',
  { token: [{ repeat: '.', count: 1_000_000 }] },
  refuse('token-too-large', { limit: 8192, actual: 1_000_000 }),
);
add(
  'refuses-dots-below-the-limit',
  44,
  'Below the limit dots are counted.',
  { token: [{ repeat: '.', count: 8000 }] },
  refuse('segment-count', { actual: 8001 }),
);
add(
  'refuses-a-token-past-the-limit',
  44,
  'A valid token that is one byte too long, by a lowered limit.',
  { policy: 'small', token: good },
  refuse('token-too-large', { limit: 200, actual: good.length }),
);
const filler = (length) => raw(claims({ filler: 'x'.repeat(length) }));
add(
  'accepts-a-token-below-the-limit',
  44,
  'Six kilobytes are within the default.',
  { token: filler(4500) },
  accept(),
);
add('refuses-nine-kilobytes', 44, 'Nine are not.', { token: filler(7000) }, refuse('token-too-large'));
add(
  'accepts-nine-kilobytes-by-a-raised-limit',
  44,
  'The limit can be raised to 16 KiB.',
  { policy: 'large', token: filler(7000) },
  accept(),
);
add(
  'refuses-seventeen-kilobytes-whatever-the-policy',
  44,
  'And no further.',
  { policy: 'large', token: filler(13000) },
  refuse('token-too-large', { limit: 16384 }),
);
add(
  'refuses-a-long-header',
  44,
  'A header past 1 KiB.',
  { token: token({ header: { filler: 'x'.repeat(1100) } }) },
  refuse('header-too-large', { limit: 1024 }),
);
add(
  'accepts-a-long-header-by-a-raised-limit',
  44,
  'That limit can be raised too.',
  { policy: 'large', token: token({ header: { filler: 'x'.repeat(1100) } }) },
  accept(),
);

// Depth and counts
const nested = (depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const deepClaims = (depth) => JSON.stringify(claims()).replace(/}$/, `,"deep":${nested(depth - 1)}}`);
add('accepts-sixteen-levels', 45, 'At the limit.', { token: raw(deepClaims(16)) }, accept());
add(
  'refuses-seventeen-levels',
  45,
  'One past it.',
  { token: raw(deepClaims(17)) },
  refuse('json-too-deep', { part: 'payload', limit: 16, stage: 'claims' }),
);
add(
  'accepts-seventeen-levels-by-a-raised-limit',
  45,
  'The limit can be raised to 32.',
  { policy: 'large', token: raw(deepClaims(17)) },
  accept(),
);
add(
  'refuses-a-thousand-arrays-in-the-header',
  45,
  'CVE-2024-58264: depth is counted while reading, not by the stack.',
  { policy: 'large', token: token({ header: `{"alg":${'['.repeat(2000)}` }) },
  refuse('json-too-deep', { part: 'header', limit: 32, stage: 'jws' }),
);
const wide = (members) => Object.fromEntries(Array.from({ length: members }, (_, index) => [`m${index}`, 0]));
add(
  'accepts-128-members',
  45,
  'At the limit, all levels together.',
  { token: raw(claims({ wide: wide(122) })) },
  accept(),
);
add(
  'refuses-129-members',
  45,
  'One past it.',
  { token: raw(claims({ wide: wide(123) })) },
  refuse('json-too-many-members', { part: 'payload', limit: 128 }),
);
add(
  'refuses-129-members-in-the-header',
  45,
  'The header is counted by itself.',
  { policy: { ...policy(['ES256']), limits: { headerBytes: 4096 } }, token: token({ header: wide(126) }) },
  refuse('json-too-many-members', { part: 'header' }),
);

// Duplicates
const text = JSON.stringify(claims());
const twice = (member) => raw(text.replace(/}$/, `,${member}}`));
add(
  'refuses-a-duplicate-claim',
  31,
  'Parsers differ in which of the two they keep (CVE-2017-12635).',
  { token: twice('"sub":"admin"') },
  refuse('json-duplicate-member', { part: 'payload' }),
);
add(
  'refuses-a-duplicate-through-an-escape',
  31,
  'The same name spelled with an escape.',
  { token: twice('"\\u0073ub":"admin"') },
  refuse('json-duplicate-member', { part: 'payload' }),
);
add(
  'refuses-a-duplicate-deep-inside',
  31,
  'At every depth.',
  { token: twice('"a":[{"b":{"c":1,"d":2,"c":3}}]') },
  refuse('json-duplicate-member', { part: 'payload' }),
);
add(
  'refuses-a-duplicate-in-the-header',
  31,
  'In the header too.',
  { token: token({ header: '{"alg":"ES256","kid":"ES256","typ":"at+jwt","alg":"none"}' }) },
  refuse('json-duplicate-member', { part: 'header' }),
);
add(
  'accepts-one-name-in-two-objects',
  31,
  'The same name in different objects is no duplicate.',
  { token: twice('"a":{"sub":"x"},"b":{"sub":"y"}') },
  accept(),
);

// What is JSON
const bytes = (prefix, middle) => Buffer.concat([Buffer.from(prefix), middle, Buffer.from('"}')]);
for (const [id, payload] of Object.entries({
  'an-array': '[]',
  'a-string': '"text"',
  null: 'null',
  nothing: '',
  'a-byte-order-mark': `\ufeff${text}`,
  'trailing-text': `${text}x`,
  'two-objects': `${text}${text}`,
  'a-trailing-comma': text.replace(/}$/, ',}'),
  'a-comment': `/* */${text}`,
  'single-quotes': "{'iss':'x'}",
  'a-lone-surrogate': text.replace('user-1', '\\ud800'),
  'a-raw-newline-in-a-string': text.replace('user-1', 'user\n1'),
  NaN: text.replace(/"exp":\d+/, '"exp":NaN'),
  'bytes-that-are-no-utf8': bytes('{"sub":"', Buffer.from([0xff, 0xfe])),
})) {
  add(
    `refuses-a-payload-that-is-${id}`,
    30,
    'Not a JSON object in UTF-8 (RFC 7519 section 7.2).',
    { token: raw(payload) },
    refuse('json-malformed', { part: 'payload', stage: 'claims' }),
  );
}
add(
  'refuses-a-header-that-is-an-array',
  30,
  'The header is an object.',
  { token: token({ header: '[]' }) },
  refuse('json-malformed', { part: 'header', stage: 'jws' }),
);

// Looking without verifying
add(
  'inspects-a-token',
  49,
  'Decoding says nothing of who wrote it; the result says that it was not verified.',
  { kind: 'inspect', token: good },
  accept({ claims: { sub: 'user-1' } }),
);
add(
  'inspects-alg-none',
  49,
  'What could never be accepted can be looked at.',
  { kind: 'inspect', token: token({ header: { alg: 'none' }, bytes: Buffer.alloc(0) }) },
  accept({ claims: { sub: 'user-1' } }),
);
add('inspects-nothing', 49, 'Nothing is nothing.', { kind: 'inspect', token: '' }, refuse('token-missing'));
add(
  'inspects-no-duplicates',
  31,
  'The reader is the same strict one.',
  { kind: 'inspect', token: twice('"sub":"admin"') },
  refuse('json-duplicate-member', { part: 'payload' }),
);
