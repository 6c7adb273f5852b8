// Whose list it is, and of which history: `iss`, `epoch`, `cursor`, and deltas over several
// versions (src/revocation/snapshot.rs).
import { headOf, list, nameOf } from './revocation-list.mjs';
import {
  accept,
  claims,
  collection,
  encode,
  ISSUER,
  misuse,
  NOW,
  policy,
  publicJwk,
  refuse,
  token,
} from './signing.mjs';

const OTHER = 'https://other.example';
const hashKey = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const otherKey = Buffer.from('f00102030405060708090a0b0c0d0e0f', 'hex');
const name = (value, key = hashKey) => nameOf(key, 'jti', ISSUER, value);
const signer = publicJwk('ed25519', { kid: 'list', alg: 'EdDSA' });
const revocation = { jwks: { keys: [signer] }, maxStalenessSeconds: 60 };
const two = (more) => {
  const { issuers } = policy(['ES256']);
  const other = {
    ...issuers[0],
    issuer: OTHER,
    jwks: { keys: [publicJwk('es256Other', { kid: 'o', alg: 'ES256' })] },
  };
  return { issuers: [...issuers, other], revocation: { ...revocation, ...more } };
};

const { add, file: collected } = collection('Own.', { default: { ...policy(['ES256']), revocation } });
export const file = { own: true, ...collected };

const times = { iat: NOW - 5, not_after: NOW + 3600 };
const snapshot = (more = {}) => list({ hashKey, ...times, ...more });
const taken = (document, more = {}) => ({ document, now: NOW, ...more });
const refusedAs = (error, document) => ({ document, now: NOW, error: `update-${error}` });
const mine = token({ payload: claims({ jti: 'token-1', sid: 'session-1' }) });
const one = (id, comment, revocations, expect, more = {}) =>
  add(id, 53, comment, { token: mine, revocations, ...more }, expect);
const revoked = refuse('token-revoked', { claim: 'jti' });
const first = { version: 2, tokens: [name('token-1')] };

// Whose list it is
one(
  'keeps-a-revocation-when-another-issuers-list-comes-under-the-same-key',
  'Two issuers may share a feed key; the one says nothing of the tokens of the other.',
  [taken(snapshot(first)), refusedAs('issuer', snapshot({ version: 3, iss: OTHER }))],
  revoked,
);
one(
  'refuses-while-only-another-issuers-list-has-come',
  'It fails closed.',
  [refusedAs('issuer', snapshot({ iss: OTHER }))],
  refuse('revocation-stale', { staleSince: null }),
);
one(
  'compares-the-issuer-of-a-list-byte-for-byte',
  'A near miss.',
  [refusedAs('issuer', snapshot({ iss: `${ISSUER}/` })), taken(snapshot(first))],
  revoked,
);
for (const [what, iss] of Object.entries({ out: undefined, ' as a number': 1, ' as an array': [ISSUER] })) {
  one(
    `keeps-a-revocation-after-a-list-whose-issuer-is-${what === 'out' ? 'left-out' : what.trim().replaceAll(' ', '-')}`,
    'It does not say whose it is.',
    [taken(snapshot(first)), refusedAs('malformed', snapshot({ version: 3, iss }))],
    revoked,
  );
}
one(
  'keeps-a-revocation-when-the-list-of-another-issuer-of-the-policy-comes',
  'Both would do, and the first that came stays the one.',
  [taken(snapshot(first)), refusedAs('issuer', snapshot({ version: 3, iss: OTHER }))],
  revoked,
  { policy: two() },
);
one(
  'takes-the-list-of-the-issuer-that-the-policy-names-alone',
  'Of several issuers.',
  [refusedAs('issuer', snapshot({ iss: OTHER })), taken(snapshot(first))],
  revoked,
  { policy: two({ issuer: ISSUER }) },
);
add(
  'refuses-a-policy-that-takes-the-list-of-an-issuer-it-has-not',
  11,
  'It would never be of use.',
  { kind: 'policy', policy: { ...policy(['ES256']), revocation: { ...revocation, issuer: OTHER } } },
  misuse('/revocation/issuer'),
);

// Which history
const later = { epoch: 2, version: 1 };
one(
  'takes-over-a-later-epoch-by-a-snapshot-whatever-its-version',
  'A store was restored, and counts on from less.',
  [taken(snapshot({ version: 9 })), taken(snapshot({ ...later, tokens: first.tokens }), { changed: true })],
  revoked,
);
one(
  'keeps-what-was-revoked-before-a-later-epoch-whose-store-has-forgotten-it',
  'The hashes have one key: nothing that was taken back passes for a loss of the store.',
  [taken(snapshot(first)), taken(snapshot(later))],
  revoked,
);
one(
  'accepts-when-the-next-snapshot-of-that-epoch-does-not-name-it',
  'The merge is for the way from one epoch to the next.',
  [taken(snapshot(first)), taken(snapshot(later)), taken(snapshot({ ...later, version: 2, iat: NOW }))],
  accept(),
);
one(
  'accepts-after-a-later-epoch-under-another-key-of-hashes',
  'What was held would be names of nothing.',
  [taken(snapshot(first)), taken(list({ hashKey: otherKey, ...times, ...later }))],
  accept(),
);
one(
  'keeps-a-revocation-when-a-list-of-an-earlier-epoch-comes',
  'Once taken over, there is no way back.',
  [taken(snapshot({ ...first, epoch: 2 })), refusedAs('older', snapshot({ epoch: 1, version: 9 }))],
  revoked,
);
for (const [what, link] of Object.entries({
  delta: { since: 2, previous: encode(Buffer.alloc(32, 1)), version: 3 },
  renewal: { current: encode(Buffer.alloc(32, 1)), version: 2 },
})) {
  one(
    `keeps-a-revocation-when-a-${what}-of-a-later-epoch-comes`,
    'It goes on from another history.',
    [taken(snapshot(first)), refusedAs('gap', list({ hashKey, ...times, epoch: 2, ...link }))],
    revoked,
  );
  one(
    `keeps-a-revocation-when-a-${what}-of-an-earlier-epoch-comes`,
    'Nor does it go back by a smaller step.',
    [
      taken(snapshot({ ...first, epoch: 2 })),
      refusedAs('older', list({ hashKey, ...times, epoch: 1, ...link })),
    ],
    revoked,
  );
}
one(
  'goes-on-from-epoch-0-by-a-delta',
  'It is before anything was revoked, and every history goes on from there.',
  [
    taken(snapshot({ epoch: 0, version: 0, head: encode(Buffer.alloc(32)) })),
    taken(
      list({
        hashKey,
        ...times,
        epoch: 7,
        version: 4,
        since: 0,
        previous: encode(Buffer.alloc(32)),
        tokens: first.tokens,
      }),
    ),
    refusedAs('older', snapshot({ epoch: 6, version: 9 })),
  ],
  revoked,
);
one(
  'keeps-a-revocation-after-a-list-without-an-epoch',
  'It does not say which history it tells.',
  [taken(snapshot(first)), refusedAs('malformed', snapshot({ version: 3, epoch: undefined }))],
  revoked,
);

// Over several versions
const held = snapshot({ version: 2, tokens: [name('other')] });
const span = (more) =>
  list({ hashKey, ...times, version: 7, since: 2, previous: headOf(held), tokens: first.tokens, ...more });
one(
  'refuses-what-one-delta-over-several-versions-brought',
  'One document, however much came.',
  [taken(held), taken(span())],
  revoked,
);
one(
  'keeps-what-is-held-when-a-delta-goes-on-from-an-earlier-version',
  'It may say all that is needed, and nobody can tell.',
  [taken(snapshot(first)), refusedAs('gap', span({ since: 1 }))],
  revoked,
);
one(
  'keeps-what-is-held-when-a-delta-over-several-versions-goes-on-from-another-head',
  'Two histories.',
  [taken(snapshot(first)), refusedAs('forked', span({ previous: encode(Buffer.alloc(32, 9)) }))],
  revoked,
);
one(
  'keeps-a-revocation-after-a-delta-that-does-not-say-from-where',
  'It has no since.',
  [taken(snapshot(first)), refusedAs('malformed', span({ since: undefined }))],
  revoked,
);

// What the feed is to be asked with
one(
  'takes-a-list-with-a-cursor',
  'It is handed back as it came.',
  [taken(snapshot({ ...first, cursor: 'aZ09-_' }))],
  revoked,
);
for (const [what, cursor] of Object.entries({
  'that-is-no-base64url': 'a&b=c',
  'that-is-too-long': 'x'.repeat(129),
  'that-is-no-text': 7,
})) {
  one(
    `keeps-a-revocation-after-a-list-with-a-cursor-${what}`,
    'It becomes a part of a URL.',
    [taken(snapshot(first)), refusedAs('malformed', snapshot({ version: 3, cursor }))],
    revoked,
  );
}
