// What was revoked. Signed lists are handed over one after the other (`revocations`); a step with
// `error` is refused there with that code, and one with `changed` says whether tokens may be
// judged otherwise afterwards.
import { headOf, list, nameOf } from './revocation-list.mjs';
import {
  AUDIENCE,
  accept,
  claims,
  collection,
  encode,
  ISSUER,
  keys,
  misuse,
  NOW,
  pem,
  policy,
  publicJwk,
  refuse,
  spki,
  token,
} from './signing.mjs';

const hashKey = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const otherKey = Buffer.from('f00102030405060708090a0b0c0d0e0f', 'hex');
const name = (claim, value, issuer = ISSUER, key = hashKey) => nameOf(key, claim, issuer, value);

const signer = publicJwk('ed25519', { kid: 'list', alg: 'EdDSA' });
const revocation = { jwks: { keys: [signer] }, maxStalenessSeconds: 60 };
const asked = (more = {}, issuer = {}) => ({
  ...policy(['ES256'], issuer),
  revocation: { ...revocation, ...more },
});

const { add, file: collected } = collection('Own.', {
  default: asked(),
  allow: asked({ whenStale: 'allow' }),
});
export const file = { own: true, ...collected };

const times = { iat: NOW - 5, not_after: NOW + 3600 };
const snapshot = (more = {}) => list({ hashKey, ...times, ...more });
const delta = (before, more = {}) => list({ hashKey, ...times, previous: headOf(before), ...more });
const taken = (document, more = {}) => ({ document, now: NOW, ...more });
const refusedAs = (error, document, more = {}) => ({ document, now: NOW, error: `update-${error}`, ...more });

const full = claims({ jti: 'token-1', sid: 'session-1', client_id: 'client-1' });
const mine = token({ payload: full });
const one = (id, klass, comment, revocations, expect, more = {}) =>
  add(id, klass, comment, { token: mine, revocations, ...more }, expect);

// One by one
const empty = snapshot();
const first = { version: 2, tokens: [name('jti', 'token-1')] };
const revoked = refuse('token-revoked', { claim: 'jti' });
one('accepts-what-no-list-names', 53, 'The near miss of all that follows.', [taken(empty)], accept());
one('refuses-a-jti-that-is-listed', 53, 'By (iss, jti).', [taken(snapshot(first))], revoked);
one(
  'refuses-a-sid-that-is-listed',
  53,
  'By (iss, sid): every token of the session.',
  [taken(snapshot({ tokens: [name('sid', 'session-1')] }))],
  refuse('token-revoked', { claim: 'sid' }),
);
for (const [what, tokens] of Object.entries({
  'the-jti-of-another-token': [name('jti', 'token-2')],
  'the-jti-of-another-issuer': [name('jti', 'token-1', 'https://other.example')],
  'that-text-as-a-sid': [name('sid', 'token-1')],
  'that-jti-under-another-key': [name('jti', 'token-1', ISSUER, otherKey)],
  'hashes-beside-it': [name('jti', 'token-1') - 1n, name('jti', 'token-1') + 1n],
})) {
  one(`accepts-when-the-list-names-${what}`, 53, 'Another name.', [taken(snapshot({ tokens }))], accept());
}
const some = Array.from({ length: 300 }, (_, index) => name('jti', `other-${index}`));
one(
  'refuses-a-jti-among-many',
  53,
  'Found by where its hash should lie.',
  [taken(snapshot({ tokens: [...some, name('jti', 'token-1')] }))],
  revoked,
);
one('accepts-beside-many', 53, 'And not found.', [taken(snapshot({ tokens: some }))], accept());
add(
  'refuses-a-listed-token-whose-signature-was-altered',
  19,
  'A list by token text would be evaded by (r, n−s) of the same signature, which holds as well.',
  { token: malleated(mine), revocations: [taken(snapshot(first))] },
  revoked,
);
add(
  'accepts-such-a-signature-where-nothing-is-listed',
  19,
  'It does hold.',
  { token: malleated(mine), revocations: [taken(empty)] },
  accept(),
);
for (const claim of ['jti', 'sid']) {
  add(
    `accepts-a-token-without-${claim}`,
    53,
    `requiredClaims asks for it, where it must be there.`,
    { token: token({ payload: { ...full, [claim]: undefined } }), revocations: [taken(empty)] },
    accept(),
  );
}
for (const claim of ['sid']) {
  add(
    `refuses-a-${claim}-that-cannot-be-looked-up`,
    53,
    'A number is no name: it would never be found.',
    { token: token({ payload: { ...full, [claim]: 1 } }), revocations: [taken(empty)] },
    refuse('claim-malformed', { claim }),
  );
}

// Cutoffs
const from = (claim, value, before = NOW - 9) => taken(snapshot({ cutoffs: [[name(claim, value), before]] }));
for (const [claim, value] of Object.entries({
  iss: '',
  client_id: 'client-1',
  sub: 'user-1',
  sid: 'session-1',
  kid: 'ES256',
})) {
  const fields = { claim, cutoff: NOW - 9, issuedAt: NOW - 10 };
  one(
    `refuses-what-was-issued-before-the-cutoff-of-its-${claim}`,
    53,
    'Nothing issued before it is accepted.',
    [from(claim, value)],
    refuse('issued-before-cutoff', fields),
  );
  one(
    `accepts-what-was-issued-at-the-cutoff-of-its-${claim}`,
    53,
    'What came afterwards is.',
    [from(claim, value, NOW - 10)],
    accept(),
  );
  one(`accepts-beside-the-cutoff-of-another-${claim}`, 53, 'Another name.', [from(claim, 'other')], accept());
  add(
    `refuses-a-token-without-iat-under-a-cutoff-of-its-${claim}`,
    53,
    'It cannot show when it was issued.',
    { token: token({ payload: { ...full, iat: undefined } }), revocations: [from(claim, value)] },
    refuse('issued-before-cutoff', { issuedAt: null }),
  );
}
one(
  'refuses-a-key-that-was-withdrawn',
  53,
  'Keys that are built in cannot be taken away; a cutoff at the end of time does, whatever iat a thief writes.',
  [from('kid', 'ES256', 253_402_300_799)],
  refuse('issued-before-cutoff', { claim: 'kid' }),
);
add(
  'refuses-a-withdrawn-key-whose-kid-the-token-leaves-out',
  53,
  'A thief of the key leaves out what would give it away: the name of the key counts under which the signature holds.',
  {
    token: token({ payload: full, header: { kid: undefined } }),
    revocations: [from('kid', 'ES256', 253_402_300_799)],
  },
  refuse('issued-before-cutoff', { claim: 'kid' }),
);

// Deltas
const second = delta(empty, {
  version: 2,
  previous: encode(Buffer.alloc(32, 1)),
  tokens: [name('jti', 'x')],
});
const third = delta(second, { version: 3, tokens: [name('jti', 'token-1')] });
const quiet = delta(second, { version: 3, iat: NOW - 1 });
one(
  'refuses-what-a-delta-brought',
  53,
  'A delta adds to what is held.',
  [
    taken(empty, { changed: true }),
    taken(second, { changed: true }),
    taken(third, { changed: true }),
    taken(third, { changed: false }),
  ],
  revoked,
);
one(
  'accepts-after-a-delta-of-nothing',
  53,
  'It says that nothing happened, and changes nothing.',
  [taken(empty), taken(second), taken(quiet, { changed: false })],
  accept(),
);
one(
  'keeps-what-is-held-when-the-same-snapshot-comes-again',
  53,
  'And nothing that is remembered has to be forgotten.',
  [taken(snapshot(first), { changed: true }), taken(snapshot(first), { changed: false })],
  revoked,
);
one(
  'keeps-a-revocation-when-a-delta-was-lost',
  53,
  'What does not continue is not taken; a snapshot is needed.',
  [taken(snapshot({ tokens: first.tokens })), refusedAs('gap', third)],
  revoked,
);
one(
  'keeps-a-revocation-when-a-delta-comes-first',
  53,
  'To nothing, nothing can be added.',
  [refusedAs('gap', second), taken(snapshot(first))],
  revoked,
);
one(
  'keeps-a-revocation-when-an-older-snapshot-comes',
  53,
  'CVE-2026-9802: versions never go back.',
  [taken(snapshot(first)), refusedAs('older', empty)],
  revoked,
);
one(
  'keeps-a-revocation-when-the-same-version-made-earlier-comes',
  53,
  'Nor do times.',
  [taken(snapshot(first)), refusedAs('older', snapshot({ version: 2, iat: NOW - 6 }))],
  revoked,
);
one(
  'keeps-a-revocation-when-an-older-delta-comes',
  53,
  'Nor by a delta.',
  [taken(empty), taken(second), taken(third), refusedAs('older', second)],
  revoked,
);
one(
  'keeps-a-revocation-when-another-history-is-told',
  53,
  'Two documents of one version.',
  [taken(snapshot(first)), refusedAs('forked', snapshot({ version: 2, head: encode(Buffer.alloc(32, 2)) }))],
  revoked,
);
one(
  'keeps-a-revocation-when-a-delta-continues-another-history',
  53,
  'It names another head than the one that is held.',
  [taken(snapshot(first)), refusedAs('forked', delta(second, { version: 3 }))],
  revoked,
);
one(
  'keeps-a-revocation-when-another-delta-of-that-version-comes',
  53,
  'The issuer, or a thief of its key, tells two stories.',
  [taken(empty), taken(second), taken(third), refusedAs('forked', quiet)],
  revoked,
);
one(
  'keeps-a-revocation-when-a-delta-has-another-key',
  53,
  'Its hashes would be names of nothing.',
  [
    taken(snapshot(first)),
    refusedAs('gap', delta(empty, { version: 3, previous: encode(Buffer.alloc(32, 1)), hashKey: otherKey })),
  ],
  revoked,
);
one(
  'accepts-once-a-later-snapshot-has-dropped-it',
  53,
  'What has expired need not be listed.',
  [taken(snapshot(first)), taken(snapshot({ version: 3 }), { changed: true })],
  accept(),
);

one(
  'accepts-what-was-revoked-under-another-key-of-hashes-when-the-first-delta-brings-a-key',
  53,
  'An empty list has no hashes that another key could make meaningless.',
  [
    taken(snapshot()),
    taken(delta(empty, { version: 2, previous: encode(Buffer.alloc(32, 1)), hashKey: otherKey })),
  ],
  accept(),
);
one(
  'refuses-what-a-delta-brought-whose-clock-was-behind',
  53,
  'A renewal came from another machine a second before: what was known then is known still.',
  [
    taken(snapshot({ iat: NOW - 2 })),
    taken(
      delta(empty, { version: 2, previous: encode(Buffer.alloc(32, 1)), tokens: [name('jti', 'token-1')] }),
    ),
  ],
  revoked,
);

// Renewals
const start = encode(Buffer.alloc(32, 1));
const renewal = (version, current, more = {}) => list({ hashKey, ...times, version, current, ...more });
const old = snapshot({ iat: NOW - 70 });
one(
  'accepts-when-a-renewal-says-that-nothing-came-anew',
  53,
  'A list on which nothing happens must not grow stale.',
  [taken(old, { now: NOW - 70 }), taken(renewal(1, start), { changed: true })],
  accept({ stale: false }),
);
one(
  'refuses-what-is-listed-after-a-renewal',
  53,
  'It has nothing in it and takes nothing away.',
  [taken(snapshot(first)), taken(renewal(2, start, { iat: NOW }), { changed: false })],
  revoked,
);
one(
  'takes-deltas-and-a-renewal-at-once',
  53,
  'Each on a line of its own.',
  [
    taken(empty),
    taken([second, third, renewal(3, headOf(third), { iat: NOW })].join('\n'), { changed: true }),
  ],
  revoked,
);
one(
  'keeps-what-stood-before-the-line-that-is-refused',
  53,
  'What was taken stays taken.',
  [taken(empty), refusedAs('forked', [second, third, renewal(3, start)].join('\n'))],
  revoked,
);
one(
  'stays-stale-when-a-renewal-was-made-earlier',
  53,
  'It takes no time back, and gives none.',
  [taken(old, { now: NOW - 70 }), taken(renewal(1, start, { iat: NOW - 60 }))],
  refuse('revocation-stale', { staleSince: NOW }),
);
for (const [what, error, document] of [
  ['of-a-later-version', 'gap', renewal(2, start)],
  ['of-an-earlier-version', 'older', renewal(0, start)],
  ['of-another-history', 'forked', renewal(1, encode(Buffer.alloc(32, 2)))],
  ['with-something-in-it', 'malformed', renewal(1, start, { tokens: [1n] })],
  [
    'that-counts-what-is-not-there',
    'malformed',
    renewal(1, start, {
      cutoffs: { length: 1, [Symbol.iterator]: [][Symbol.iterator] },
      body: Buffer.alloc(0),
    }),
  ],
  ['with-a-head-besides', 'malformed', renewal(1, start, { head: start })],
  ['with-a-previous-besides', 'malformed', renewal(1, start, { previous: start })],
  ['that-is-over', 'over', renewal(1, start, { not_after: NOW - 5 })],
]) {
  one(
    `stays-stale-after-a-renewal-${what}`,
    53,
    'Freshness is nothing that a bad document brings.',
    [taken(old, { now: NOW - 70 }), refusedAs(error, document)],
    refuse('revocation-stale', { staleSince: NOW - 10 }),
  );
}
one(
  'keeps-a-revocation-when-a-renewal-comes-first',
  53,
  'To nothing, nothing can be added.',
  [refusedAs('gap', renewal(1, start)), taken(snapshot(first))],
  revoked,
);

// Documents that are none
const late = { ...first, iat: NOW + 6 };
const jws = snapshot(first).split('~')[0];
const bad = {
  'signed-by-a-token-key': ['foreign', list({ hashKey, ...times, version: 3, alg: 'ES256' })],
  'signed-by-a-stranger': ['foreign', snapshot({ version: 3, key: 'ed25519Other' })],
  'whose-typ-is-a-token': ['type', snapshot({ version: 3, header: { typ: 'at+jwt' } })],
  'without-typ': ['type', snapshot({ version: 3, header: { typ: undefined } })],
  'made-in-the-future': ['from-future', snapshot({ ...late, version: 3 })],
  'that-is-over': ['over', snapshot({ version: 3, not_after: NOW - 5 })],
  'that-is-no-text-of-it': ['malformed', '<!doctype html>'],
  'that-is-empty': ['malformed', ''],
  'without-a-body': ['malformed', jws],
  'whose-body-was-cut': ['malformed', `${jws}~`],
  'whose-body-is-anothers': ['malformed', `${jws}~${encode(Buffer.alloc(8, 7))}`],
  'whose-body-is-no-base64url': ['malformed', `${jws}~=`],
  'that-counts-more-than-it-has': [
    'malformed',
    snapshot({ version: 3, tokens: [1n, 2n], body: Buffer.alloc(8) }),
  ],
  'that-counts-less-than-it-has': ['malformed', snapshot({ version: 3, body: Buffer.alloc(16) })],
  'that-counts-beyond-any-number': ['malformed', snapshotOf({ tokens: 2 ** 61, body: Buffer.alloc(8) })],
  'whose-hashes-do-not-ascend': ['malformed', snapshot({ version: 3, tokens: [2n, 1n], sort: false })],
  'that-names-a-hash-twice': ['malformed', snapshot({ version: 3, tokens: [2n, 2n] })],
  'with-a-cutoff-past-all-time': ['malformed', snapshot({ version: 3, cutoffs: [[1n, 253_402_300_800]] })],
  'without-a-version': ['malformed', snapshot({ version: undefined })],
  'without-an-iat': ['malformed', snapshot({ version: 3, iat: undefined })],
  'without-an-end': ['malformed', snapshot({ version: 3, not_after: undefined })],
  'with-a-short-key': ['malformed', list({ ...times, version: 3, hashKey: Buffer.alloc(15) })],
  'without-a-head': ['malformed', snapshot({ version: 3, head: undefined })],
  'with-both-head-and-previous': [
    'malformed',
    snapshot({ version: 3, head: empty, previous: headOf(empty) }),
  ],
};
for (const [what, [error, document]] of Object.entries(bad)) {
  one(
    `keeps-a-revocation-after-a-list-${what}`,
    53,
    'A bad document never replaces a good one.',
    [taken(snapshot(first)), refusedAs(error, document)],
    revoked,
  );
}

// Stale
const stale = (since) => refuse('revocation-stale', { now: NOW, staleSince: since });
one('refuses-while-no-list-has-come', 53, 'It fails closed.', [], stale(null));
one(
  'refuses-when-the-list-is-as-old-as-it-may-be',
  53,
  'From the moment it was made, and not from when it came: an old one that is held back gains nothing.',
  [taken(snapshot({ iat: NOW - 60 }))],
  stale(NOW),
);
one('accepts-a-second-before', 53, 'A near miss.', [taken(snapshot({ iat: NOW - 59 }))], accept());
one(
  'refuses-when-the-list-says-that-it-is-over',
  53,
  'Its own word ends it earlier.',
  [taken(snapshot({ not_after: NOW }))],
  stale(NOW),
);
one(
  'refuses-a-listed-token-when-the-list-is-stale',
  53,
  'What it says holds however old it is.',
  [taken(snapshot({ ...first, iat: NOW - 60 }))],
  revoked,
  { policy: 'allow' },
);
one('accepts-while-no-list-has-come-where-that-is-allowed', 53, 'And says so.', [], accept({ stale: true }), {
  policy: 'allow',
});
one(
  'accepts-when-the-list-is-stale-where-that-is-allowed',
  53,
  'And says so.',
  [taken(snapshot({ iat: NOW - 60 }))],
  accept({ stale: true }),
  { policy: 'allow' },
);
one(
  'accepts-by-a-fresh-list-where-a-stale-one-is-allowed',
  53,
  'And says nothing.',
  [taken(empty)],
  accept({ stale: false }),
  { policy: 'allow' },
);
const introspection = { endpoint: `${ISSUER}/introspect`, clientId: 'api' };
one(
  'refuses-when-the-list-is-stale-and-nobody-can-be-asked',
  53,
  'A verifier asks nobody; a gate does.',
  [],
  stale(null),
  { policy: asked({ whenStale: 'introspect' }, { introspection }) },
);

// The policy
const asPolicy = (id, klass, comment, value, expect) =>
  add(id, klass, comment, { kind: 'policy', policy: value }, expect);
const listed = (more) => ({ ...policy(['ES256']), revocation: { maxStalenessSeconds: 60, ...more } });
const secret = encode(Buffer.from(keys.hs256.k, 'base64url'));
const own = publicJwk('es256', { kid: 'another-name', alg: 'ES256' });
for (const [what, value, pointer] of [
  ['without-keys', listed({}), '/revocation'],
  [
    'without-a-time',
    listed({ jwks: revocation.jwks, maxStalenessSeconds: undefined }),
    '/revocation/maxStalenessSeconds',
  ],
  ['with-no-time', asked({ maxStalenessSeconds: 0 }), '/revocation/maxStalenessSeconds'],
  ['with-another-word-for-stale', asked({ whenStale: 'ignore' }), '/revocation/whenStale'],
  ['that-asks-nobody', asked({ whenStale: 'introspect' }), '/revocation/whenStale'],
  ['with-an-unknown-member', asked({ maxStaleness: 60 }), '/revocation/maxStaleness'],
  ['with-a-private-key', listed({ jwks: { keys: [keys.ed25519] } }), '/revocation/jwks/keys/0/d'],
  ['with-a-secret', listed({ keys: [{ alg: 'HS256', secret: { base64url: secret } }] }), '/revocation/jwks'],
  ['with-a-token-key', listed({ jwks: { keys: [own] } }), '/revocation'],
  ['with-a-token-key-in-pem', listed({ keys: [{ alg: 'ES256', pem: pem('es256') }] }), '/revocation'],
  [
    'with-a-token-key-in-der',
    listed({ keys: [{ alg: 'ES256', spki: encode(spki('es256')) }] }),
    '/revocation',
  ],
  [
    'with-an-rsa-token-key-of-another-algorithm',
    {
      ...policy(['RS256']),
      revocation: { ...revocation, jwks: { keys: [publicJwk('rsa', { alg: 'PS256' })] } },
    },
    '/revocation',
  ],
  ['as-an-array', { ...policy(['ES256']), revocation: [] }, '/revocation'],
]) {
  asPolicy(
    `refuses-a-revocation-policy-${what}`,
    what.includes('token-key') ? 53 : 11,
    'Lists are signed by public keys of their own; everything is said and nothing else.',
    value,
    misuse(pointer),
  );
}
asPolicy('accepts-a-revocation-policy', 11, 'A near miss.', asked(), accept());
asPolicy(
  'accepts-a-revocation-policy-with-keys-in-pem',
  53,
  'Another key than that of tokens.',
  listed({ keys: [{ alg: 'EdDSA', pem: pem('ed25519') }] }),
  accept(),
);
add(
  'leaves-out-a-published-key-that-signs-lists',
  53,
  'Neither may it come to sign tokens afterwards.',
  {
    policy: {
      issuers: [{ issuer: ISSUER, audience: AUDIENCE, remote: { jwksUri: `${ISSUER}/jwks` } }],
      revocation,
    },
    remoteKeys: [
      {
        issuer: ISSUER,
        jwks: { keys: [publicJwk('ed25519', { kid: 'EdDSA' }), publicJwk('es256', { kid: 'k' })] },
      },
    ],
    token: token({ alg: 'EdDSA', payload: full }),
    revocations: [taken(empty)],
  },
  refuse('kid-unknown'),
);
add(
  'refuses-a-list-as-a-token',
  9,
  'A list is no token, whatever typ the policy takes.',
  { token: jws, policy: asked({}, { types: 'any' }), revocations: [taken(empty)] },
  refuse('kid-unknown'),
);
asPolicy(
  'refuses-a-list-that-no-policy-asks-for',
  11,
  'It would be lost.',
  policy(['ES256']),
  misuse('/revocation'),
);
file.vectors.at(-1).revocations = [taken(empty)];

function snapshotOf({ tokens, body }) {
  return list({
    hashKey,
    ...times,
    version: 3,
    body,
    tokens: { length: tokens, [Symbol.iterator]: [][Symbol.iterator] },
  });
}

/** The same token with (r, n−s) in place of (r, s). */
function malleated(text) {
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const [header, payload, signature] = text.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const s = n - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  bytes.write(s.toString(16).padStart(64, '0'), 32, 'hex');
  return `${header}.${payload}.${encode(bytes)}`;
}
