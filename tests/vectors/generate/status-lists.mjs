// Token Status Lists (draft-ietf-oauth-status-list-17), JWT form. Lists are handed over as
// `revocations` with their `uri`.
import zlib from 'node:zlib';

import { list } from './revocation-list.mjs';
import {
  accept,
  claims,
  collection,
  encode,
  ISSUER,
  KEY_OF,
  misuse,
  NOW,
  policy,
  publicJwk,
  refuse,
  signature,
  token,
} from './signing.mjs';

const uri = `${ISSUER}/statuslists/1`;
const signer = publicJwk('ed25519', { kid: 'status', alg: 'EdDSA' });
const trusted = { uri, jwks: { keys: [signer] } };
const asked = (statusLists = [trusted], more = {}) => ({
  ...policy(['ES256']),
  revocation: { maxStalenessSeconds: 60, statusLists, ...more },
});

const { add, file: collected } = collection('draft-ietf-oauth-status-list-17.', {
  default: asked(),
  allow: asked([trusted], { whenStale: 'allow' }),
});
export const file = { own: true, ...collected };

const zlibbed = (bytes) => encode(zlib.deflateSync(Buffer.from(bytes), { level: 9 }));

/** A status list token (§5.1). */
export function statusList({
  bits = 1,
  bytes = [0xb9, 0xa3],
  lst = zlibbed(bytes),
  header,
  key = KEY_OF.EdDSA,
  ...more
} = {}) {
  const payload = { sub: uri, iat: NOW - 5, status_list: { bits, lst }, ...more };
  const input = `${encode({ alg: 'EdDSA', kid: 'status', typ: 'statuslist+jwt', ...header })}.${encode(payload)}`;
  return `${input}.${encode(signature('EdDSA', key, input))}`;
}

const taken = (document, more = {}) => ({ uri, document, now: NOW, ...more });
const refusedAs = (error, document) => ({ uri, document, now: NOW, error: `update-${error}` });
const at = (idx, of = uri) => token({ payload: claims({ status: { status_list: { idx, uri: of } } }) });
const one = (id, klass, comment, idx, revocations, expect, more = {}) =>
  add(id, klass, comment, { token: typeof idx === 'number' ? at(idx) : idx, revocations, ...more }, expect);

// The examples of §4.1
const EXAMPLES = {
  1: [
    [0xb9, 0xa3],
    [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1],
  ],
  2: [
    [0xc9, 0x44, 0xf9],
    [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3],
  ],
  4: [
    [0x21, 0x0f],
    [1, 2, 15, 0],
  ],
  8: [
    [7, 0, 255],
    [7, 0, 255],
  ],
};
for (const [bits, [bytes, statuses]] of Object.entries(EXAMPLES)) {
  const held = [taken(statusList({ bits: Number(bits), bytes }))];
  for (const [index, status] of statuses.entries()) {
    const expect = status === 0 ? accept() : refuse('status-not-valid', { index, statusValue: status });
    one(
      `${status === 0 ? 'accepts' : 'refuses'}-place-${index}-of-a-list-of-${bits}-bits`,
      53,
      `§4.1: its status is ${status}.`,
      index,
      held,
      expect,
    );
  }
  one(
    `refuses-a-place-past-the-end-of-a-list-of-${bits}-bits`,
    53,
    '§8.3: out of range rejects.',
    statuses.length,
    held,
    refuse('status-out-of-range', { index: statuses.length, entries: statuses.length }),
  );
}
one(
  'refuses-a-place-beyond-any-list',
  53,
  'No number leads around the end.',
  Number.MAX_SAFE_INTEGER,
  [taken(statusList())],
  refuse('status-out-of-range', { entries: 16 }),
);

// The token's own word
const good = [taken(statusList({ bytes: [0] }))];
one('accepts-a-token-without-a-status', 53, 'It refers to no list.', token(), good, accept());
one(
  'accepts-a-token-with-another-mechanism',
  53,
  '§6.1: there may be others, of which nothing is known here.',
  token({ payload: claims({ status: { other: {} } }) }),
  good,
  accept(),
);
for (const [what, status] of Object.entries({
  'that-is-no-object': 0,
  'whose-list-is-no-object': { status_list: [uri] },
  'without-idx': { status_list: { uri } },
  'with-a-negative-idx': { status_list: { idx: -1, uri } },
  'with-a-fractional-idx': { status_list: { idx: 0.5, uri } },
  'with-idx-as-text': { status_list: { idx: '0', uri } },
  'without-uri': { status_list: { idx: 0 } },
  'with-a-uri-that-is-no-text': { status_list: { idx: 0, uri: 1 } },
})) {
  one(
    `refuses-a-status-${what}`,
    32,
    'Present but malformed: it could not be looked up.',
    token({ payload: claims({ status }) }),
    good,
    refuse('claim-malformed', { claim: 'status' }),
  );
}
const stale = (since) => refuse('revocation-stale', { now: NOW, staleSince: since });
one('refuses-while-its-list-has-not-come', 53, 'It fails closed.', 0, [], stale(null));
one(
  'refuses-a-list-that-the-policy-does-not-name',
  11,
  'A token chooses among lists that are trusted, and nothing is fetched because it says so.',
  at(0, `${uri}0`),
  good,
  stale(null),
);
one(
  'accepts-while-its-list-has-not-come-where-that-is-allowed',
  53,
  'And says so.',
  0,
  [],
  accept({ stale: true }),
  {
    policy: 'allow',
  },
);
one(
  'refuses-a-list-that-is-stale',
  53,
  'From when it was made.',
  1,
  [taken(statusList({ iat: NOW - 60 }))],
  stale(NOW),
);
one(
  'accepts-by-a-list-a-second-before',
  53,
  'A near miss.',
  1,
  [taken(statusList({ iat: NOW - 59 }))],
  accept(),
);
one(
  'refuses-by-a-list-that-is-stale-what-it-lists',
  53,
  'What it says holds however old it is.',
  0,
  [taken(statusList({ iat: NOW - 60 }))],
  refuse('status-not-valid', { statusValue: 1 }),
  { policy: 'allow' },
);
one(
  'accepts-by-an-older-list-where-that-list-may-be-older',
  53,
  'Some are made by hand.',
  1,
  [taken(statusList({ iat: NOW - 3600 }))],
  accept({ stale: false }),
  { policy: asked([{ ...trusted, maxStalenessSeconds: 86_400 }]) },
);
one(
  'refuses-when-the-list-has-expired-since',
  53,
  '§5.1: its own exp ends it earlier.',
  1,
  [taken(statusList({ exp: NOW }))],
  stale(NOW),
);

// Lists that are none
const bomb = zlibbed(Buffer.alloc(4 * 1024 * 1024 + 1));
const truncated = encode(zlib.deflateSync(Buffer.from([0xb9, 0xa3])).subarray(0, -1));
const bad = {
  'signed-by-a-stranger': ['foreign', statusList({ key: 'ed25519Other' })],
  'signed-by-a-token-key': ['foreign', token({ header: { typ: 'statuslist+jwt' } })],
  'whose-typ-is-another': ['type', statusList({ header: { typ: 'JWT' } })],
  'without-typ': ['type', statusList({ header: { typ: undefined } })],
  'for-another-place': ['malformed', statusList({ sub: `${uri}0` })],
  'without-sub': ['malformed', statusList({ sub: undefined })],
  'without-iat': ['malformed', statusList({ iat: undefined })],
  'made-in-the-future': ['from-future', statusList({ iat: NOW + 6 })],
  'that-has-expired': ['over', statusList({ exp: NOW - 5 })],
  'whose-exp-is-text': ['malformed', statusList({ exp: `${NOW + 9}` })],
  'made-earlier': ['older', statusList({ iat: NOW - 6 })],
  'of-three-bits': ['malformed', statusList({ bits: 3 })],
  'of-no-bits': ['malformed', statusList({ bits: 0 })],
  'without-bits': ['malformed', statusList({ status_list: { lst: zlibbed([0]) } })],
  'without-lst': ['malformed', statusList({ status_list: { bits: 1 } })],
  'that-is-no-object': ['malformed', statusList({ status_list: [] })],
  'that-is-no-base64url': ['malformed', statusList({ lst: '=' })],
  'that-is-no-zlib': ['malformed', statusList({ lst: encode(Buffer.from('no zlib')) })],
  'that-was-cut': ['malformed', statusList({ lst: truncated })],
  'that-is-a-bomb': ['malformed', statusList({ lst: bomb })],
  'that-is-no-jws': ['malformed', '<!doctype html>'],
  'of-the-other-kind': ['malformed', list({ hashKey: Buffer.alloc(16), iat: NOW, not_after: NOW + 9 })],
};
for (const [what, [error, document]] of Object.entries(bad)) {
  one(
    `keeps-a-status-after-a-list-${what}`,
    what.includes('bomb') ? 27 : 53,
    'A bad list never replaces a good one.',
    0,
    [taken(statusList({ iat: NOW - 5 }), { changed: true }), refusedAs(error, document)],
    refuse('status-not-valid', { statusValue: 1 }),
  );
}
one(
  'takes-a-later-list-in-its-place',
  53,
  'A suspension may end.',
  0,
  [taken(statusList()), taken(statusList({ iat: NOW - 4, bytes: [0] }), { changed: true })],
  accept(),
);
one(
  'keeps-what-is-remembered-when-the-same-list-comes-again',
  53,
  'It says nothing new.',
  1,
  [taken(statusList()), taken(statusList({ iat: NOW }), { changed: false })],
  accept(),
);
one(
  'accepts-a-typ-with-application',
  53,
  'RFC 7515 §4.1.9.',
  1,
  [taken(statusList({ header: { typ: 'application/statuslist+jwt' } }))],
  accept(),
);

// The policy
const asPolicy = (id, comment, value, expect) =>
  add(id, 11, comment, { kind: 'policy', policy: value }, expect);
for (const [what, value, pointer] of [
  ['without-a-uri', asked([{ jwks: trusted.jwks }]), '/revocation/statusLists/0/uri'],
  ['without-keys', asked([{ uri }]), '/revocation/statusLists/0'],
  [
    'over-plain-http',
    asked([{ ...trusted, uri: 'http://issuer.example/1' }]),
    '/revocation/statusLists/0/uri',
  ],
  ['that-is-there-twice', asked([trusted, trusted]), '/revocation/statusLists/1/uri'],
  [
    'for-ever',
    asked([{ ...trusted, maxStalenessSeconds: 2_678_401 }]),
    '/revocation/statusLists/0/maxStalenessSeconds',
  ],
  ['with-an-unknown-member', asked([{ ...trusted, ttl: 1 }]), '/revocation/statusLists/0/ttl'],
  ['none-of-them', asked([]), '/revocation/statusLists'],
  ['beside-a-feed-without-keys', asked([trusted], { feed: `${ISSUER}/revocations` }), '/revocation/feed'],
  ['pulled-too-seldom', asked([trusted], { pullSeconds: 61 }), '/revocation/pullSeconds'],
]) {
  asPolicy(`refuses-a-status-list-${what}`, 'It would not do what it says.', value, misuse(pointer));
}
asPolicy('accepts-status-lists-alone', 'A near miss.', asked(), accept());
