// Many issuers whose keys fit one header: the iss that a token names, unverified, chooses between
// those that are configured (class 25).
import crypto from 'node:crypto';

import { request } from './gate-parts.mjs';
import {
  AUDIENCE,
  accept,
  claims,
  collection,
  encode,
  NOW,
  publicJwk,
  refuse,
  token,
  without,
} from './signing.mjs';

const name = (index) => `https://${index}.example`;
const secret = (index) => crypto.createHash('sha256').update(`issuer ${index}`).digest();
/** HS256 keys, one an issuer: they are derived, so that none has to be kept. */
const many = (count, key) => ({
  issuers: Array.from({ length: count }, (_, index) => ({
    issuer: name(index),
    audience: AUDIENCE,
    keys: [{ alg: 'HS256', secret: { base64url: encode(secret(index)) }, ...key }],
  })),
});
const shared = { kid: 'k' };
const policies = {
  two: many(2, shared),
  four: many(4, shared),
  five: many(5, shared),
  fifty: many(50, shared),
  'five-unnamed': many(5),
  'fifty-unnamed': many(50),
  // The last one has a name of its own for its key, and every other key fits it as well.
  crowded: { issuers: [...many(50).issuers.slice(0, 49), many(50, shared).issuers[49]] },
  'four-of-one': {
    issuers: [
      ...many(5).issuers.slice(0, 4),
      {
        ...many(5).issuers[4],
        keys: [0, 1, 2, 4].map((index) => ({ alg: 'HS256', secret: { base64url: encode(secret(index)) } })),
      },
    ],
  },
  'five-of-one': {
    issuers: [
      ...many(5).issuers.slice(0, 4),
      {
        ...many(5).issuers[4],
        keys: [0, 1, 2, 3, 4].map((index) => ({
          alg: 'HS256',
          secret: { base64url: encode(secret(index)) },
        })),
      },
    ],
  },
};

const { add, file } = collection(
  'Own: what one issuer publishes decides nothing about the tokens of another.',
  policies,
);

export { file };

const own = (index, more = {}) => claims({ iss: name(index), ...more });
/** A token under the key of one issuer, with any header and payload. */
function by(index, payload = own(index), header = {}) {
  const head = { alg: 'HS256', typ: 'at+jwt', kid: 'k', ...header };
  const input = `${encode(head)}.${encode(payload)}`;
  return `${input}.${crypto.createHmac('sha256', secret(index)).update(input).digest('base64url')}`;
}
const unnamed = (index, payload = own(index)) => by(index, payload, without('kid'));

// One kid, or none, of as many issuers as there are
for (const [policy, count] of Object.entries({ two: 2, four: 4, five: 5, fifty: 50 })) {
  for (const index of [0, count - 1]) {
    add(
      `issuers-accepts-${index}-of-${policy}-under-one-kid`,
      25,
      'A kid belongs to its issuer, and no other one can shut it out.',
      { policy, token: by(index) },
      accept({ claims: { iss: name(index) } }),
    );
  }
}
for (const [policy, count] of Object.entries({ 'five-unnamed': 5, 'fifty-unnamed': 50 })) {
  for (const index of [0, count - 1]) {
    for (const [how, make] of Object.entries({ without: unnamed, with: by })) {
      add(
        `issuers-accepts-${index}-of-${policy}-${how}-a-kid`,
        25,
        'Keys without a kid fit every token of their algorithm, and one token names one issuer.',
        { policy, token: make(index) },
        accept({ claims: { iss: name(index) } }),
      );
    }
  }
}
add(
  'issuers-accepts-a-named-key-beside-fifty-without',
  25,
  'Two keys without a kid of two issuers drowned it once.',
  { policy: 'crowded', token: by(49) },
  accept({ claims: { iss: name(49) } }),
);
add(
  'issuers-accepts-by-the-fourth-key-of-one',
  25,
  'Four keys of one issuer are tried, whatever the others have.',
  { policy: 'four-of-one', token: unnamed(4) },
  accept(),
);
add(
  'issuers-refuses-five-keys-of-one',
  42,
  'Work is bounded for each issuer.',
  { policy: 'five-of-one', token: unnamed(4) },
  refuse('kid-required', { limit: 4, candidates: 5 }),
);

// What the name is not: proof
for (const [policy, code] of Object.entries({
  two: 'issuer-mismatch',
  four: 'issuer-mismatch',
  five: 'signature-invalid',
  fifty: 'signature-invalid',
})) {
  add(
    `issuers-refuses-a-forged-iss-among-${policy}`,
    25,
    'Signed by the first, it says that it is of the second: the name chooses a key, and the key does not hold.',
    { policy, token: by(0, own(1)) },
    refuse(code, code === 'issuer-mismatch' ? { expected: [name(0)], actual: name(1) } : undefined),
  );
  add(
    `issuers-refuses-a-stranger-under-a-known-name-among-${policy}`,
    25,
    'Nobody’s key.',
    { policy, token: by(99, own(1)) },
    refuse('signature-invalid'),
  );
}
add(
  'issuers-refuses-an-iss-of-nobody-among-four',
  25,
  'All four are tried, as they were.',
  { policy: 'four', token: by(0, own(99)) },
  refuse('issuer-mismatch', { expected: [name(0)], actual: name(99) }),
);
add(
  'issuers-refuses-an-iss-of-nobody-among-five',
  25,
  'None is chosen, and it is the issuer that nobody knows.',
  { policy: 'five', token: by(0, own(99)) },
  refuse('issuer-unknown', { expected: [0, 1, 2, 3, 4].map(name) }),
);
add(
  'issuers-refuses-an-iss-of-nobody-among-five-without-a-kid',
  25,
  'Nor here.',
  { policy: 'five-unnamed', token: unnamed(0, own(99)) },
  refuse('issuer-unknown'),
);
add(
  'issuers-refuses-an-iss-of-nobody-under-a-kid-of-nobody',
  25,
  'Of kid and iss, the iss is what the policy lacks.',
  { policy: 'two', token: by(0, own(99), { kid: 'x' }) },
  refuse('issuer-unknown', { expected: [name(0), name(1)] }),
);
add(
  'issuers-names-eight-of-fifty',
  42,
  'What a refusal shows is bounded.',
  { policy: 'fifty', token: by(0, own(99)) },
  refuse('issuer-unknown', { expected: [0, 1, 2, 3, 4, 5, 6, 7].map(name) }),
);
add(
  'issuers-refuses-a-kid-of-nobody-under-a-known-iss',
  25,
  'The near miss: here it is the kid.',
  { policy: 'two', token: by(0, own(0), { kid: 'x' }) },
  refuse('kid-unknown'),
);
add(
  'issuers-refuses-a-kid-that-the-named-issuer-does-not-have',
  25,
  'Others have it; what they publish is no key of this one.',
  {
    policy: {
      issuers: [
        ...many(5, shared).issuers,
        {
          ...many(6).issuers[5],
          keys: [{ alg: 'HS256', kid: 'own', secret: { base64url: encode(secret(5)) } }],
        },
      ],
    },
    token: by(5),
  },
  refuse('kid-unknown'),
);

// How the name is written
const spelled = (text) => JSON.stringify(own(4)).replace(JSON.stringify(name(4)), text);
const prefixed = JSON.stringify(own(4)).slice(1);
for (const [how, payload, few, crowd] of [
  ['is-absent', own(4, { iss: undefined }), refuse('claim-missing', { claim: 'iss' }), refuse('kid-unknown')],
  [
    'is-there-twice',
    `{"iss":${JSON.stringify(name(4))},${prefixed}`,
    refuse('json-duplicate-member'),
    refuse('kid-unknown'),
  ],
  [
    'is-there-twice-in-two-spellings',
    `{"\\u0069ss":${JSON.stringify(name(4))},${prefixed}`,
    refuse('json-duplicate-member'),
    refuse('kid-unknown'),
  ],
  ['is-a-number', own(4, { iss: 4 }), refuse('claim-malformed', { claim: 'iss' }), refuse('kid-unknown')],
  [
    'is-an-array',
    own(4, { iss: [name(4)] }),
    refuse('claim-malformed', { claim: 'iss' }),
    refuse('kid-unknown'),
  ],
  ['is-null', own(4, { iss: null }), refuse('claim-malformed', { claim: 'iss' }), refuse('kid-unknown')],
  [
    'is-inside-another-claim',
    own(4, { iss: undefined, act: { iss: name(4) } }),
    refuse('claim-missing', { claim: 'iss' }),
    refuse('kid-unknown'),
  ],
  [
    'has-a-slash-behind-it',
    own(4, { iss: `${name(4)}/` }),
    refuse('issuer-mismatch'),
    refuse('issuer-unknown'),
  ],
  [
    'is-in-upper-case',
    own(4, { iss: name(4).toUpperCase() }),
    refuse('issuer-mismatch'),
    refuse('issuer-unknown'),
  ],
  [
    'has-a-nul-behind-it',
    own(4, { iss: `${name(4)}\0` }),
    refuse('issuer-mismatch'),
    refuse('issuer-unknown'),
  ],
  ['is-escaped', spelled('"\\u0068ttps:\\/\\/4.example"'), accept(), accept()],
  ['is-named-by-an-escape', JSON.stringify(own(4)).replace('"iss"', '"\\u0069\\u0073s"'), accept(), accept()],
]) {
  const text = 'One name, however JSON writes it; what is no name chooses nobody.';
  const last = { issuers: [...many(3, shared).issuers, many(5, shared).issuers[4]] };
  add(`issuers-of-four-when-iss-${how}`, 25, text, { policy: last, token: by(4, payload) }, few);
  add(`issuers-of-five-when-iss-${how}`, 25, text, { policy: 'five', token: by(4, payload) }, crowd);
}
add(
  'issuers-of-five-when-the-payload-is-no-json',
  30,
  'It names nobody.',
  { policy: 'five', token: by(4, 'iss') },
  refuse('kid-unknown'),
);

// Keys that issuers publish
const remote = (index) => ({
  issuer: name(index),
  audience: AUDIENCE,
  remote: { jwksUri: `${name(index)}/jwks` },
});
const two = (...names) => names.map((key) => publicJwk(key, { alg: 'ES256', kid: undefined }));
const published = {
  policy: { issuers: [0, 1, 2, 3, 4, 5].map(remote) },
  remoteKeys: [
    ...[0, 1, 3, 4, 5].map((index) => ({ issuer: name(index), jwks: { keys: two('es256', 'es256Other') } })),
    { issuer: name(2), jwks: { keys: [publicJwk('es256', { kid: 'own' })] } },
  ],
};
const third = (more = {}) => token({ header: { kid: 'own' }, payload: own(2), ...more });
add(
  'issuers-accepts-a-third-beside-two-that-publish-keys-without-a-kid',
  25,
  'Two keys without a kid each: five keys fit the third one’s header.',
  { ...published, token: third() },
  accept(),
);
add(
  'issuers-refuses-the-third-under-a-key-of-the-others',
  25,
  'They have no say in it.',
  { ...published, token: third({ key: 'es256Other' }) },
  refuse('signature-invalid'),
);
add(
  'issuers-takes-published-keys-whose-kid-is-everybodys',
  13,
  'Four issuers with one kid shut out a fifth once; its set is taken whole.',
  {
    policy: { issuers: [0, 1, 2, 3, 4].map(remote) },
    remoteKeys: [0, 1, 2, 3, 4].map((index) => ({
      issuer: name(index),
      changed: true,
      jwks: { keys: [publicJwk(index === 4 ? 'es256' : 'es256Other', { kid: 'own' })] },
    })),
    token: token({ header: { kid: 'own' }, payload: own(4) }),
  },
  accept(),
);

// At a gate
const gate = (id, comment, input, expect) =>
  add(id, 25, comment, { kind: 'gate', now: NOW, ...input }, expect);
gate(
  'issuers-gate-accepts-a-third-beside-two-that-publish-keys-without-a-kid',
  'As the verifier does.',
  { ...published, request: request({ token: third() }) },
  accept({ fields: { issuer: name(2) } }),
);
gate(
  'issuers-gate-refuses-a-forged-iss',
  'Signed by a key of another, it says that it is of the third: the key of the one that is named is there and has answered.',
  { ...published, request: request({ token: third({ key: 'es256Other' }) }) },
  refuse('signature-invalid', { status: 401 }),
);
add(
  'issuers-gate-asks-for-the-keys-of-the-issuer-that-is-named',
  25,
  'The others’ keys fit by their kid, and say nothing of it: the configured place is asked, and no URL is made of the name.',
  {
    kind: 'gate-step',
    now: NOW,
    policy: { issuers: [0, 1, 2, 3, 4, 5].map(remote) },
    remoteKeys: [0, 1, 2, 3, 4].map((index) => ({
      issuer: name(index),
      jwks: { keys: [publicJwk('es256Other', { kid: 'own' })] },
    })),
    request: request({ token: token({ header: { kid: 'own' }, payload: own(5) }) }),
  },
  { fields: { step: 'keys', issuer: name(5), kid: 'own' } },
);
add(
  'issuers-gate-asks-nobody-for-an-issuer-of-nobody',
  11,
  'Nothing is fetched for a name that is not configured.',
  {
    kind: 'gate-step',
    now: NOW,
    policy: { issuers: [0, 1, 2, 3, 4, 5].map(remote) },
    remoteKeys: [0, 1, 2, 3, 4].map((index) => ({
      issuer: name(index),
      jwks: { keys: [publicJwk('es256Other', { kid: 'own' })] },
    })),
    request: request({ token: token({ header: { kid: 'own' }, payload: own(99) }) }),
  },
  refuse('issuer-unknown', { step: 'refused' }),
);

// Issuers that publish the very same key under the same kid: every tenant of Entra, every project
// of Firebase
const same = [publicJwk('es256', { kid: 'own' })];
const withKeysOf = (indices, order = [0, 1]) => ({
  now: NOW,
  policy: { issuers: order.map(remote) },
  remoteKeys: indices.map((index) => ({ issuer: name(index), jwks: { keys: same } })),
});
const shares = (index) => request({ token: token({ header: { kid: 'own' }, payload: own(index) }) });
for (const [first, second] of [
  [0, 1],
  [1, 0],
]) {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    add(
      `issuers-gate-asks-for-the-keys-of-${second}-when-${first}-has-the-same-in-the-order-${order.join('-')}`,
      25,
      'The signature holds under the key of another; its own issuer has published nothing yet.',
      { kind: 'gate-step', ...withKeysOf([first], order), request: shares(second) },
      { fields: { step: 'keys', issuer: name(second), kid: 'own' } },
    );
    gate(
      `issuers-gate-accepts-${second}-with-the-key-of-${first}-in-the-order-${order.join('-')}`,
      'Both publish it, and each token speaks for the one that it names.',
      { ...withKeysOf([first, second], order), request: shares(second) },
      accept({ fields: { issuer: name(second) } }),
    );
  }
}
gate(
  'issuers-gate-cannot-say-of-an-issuer-whose-keys-cannot-be-had',
  'That the key of another holds says nothing against the token, nor for it.',
  { ...withKeysOf([0]), request: shares(1), evidence: { keys: 'unchanged' } },
  refuse('keys-unavailable', { status: 503 }),
);
add(
  'issuers-gate-refuses-a-key-that-its-issuer-does-not-publish',
  25,
  'The near miss: the issuer that is named has published, and not this key.',
  {
    kind: 'gate-step',
    now: NOW,
    policy: { issuers: [0, 1].map(remote) },
    remoteKeys: [
      { issuer: name(0), jwks: { keys: same } },
      { issuer: name(1), jwks: { keys: [publicJwk('es256Other', { kid: 'else' })] } },
    ],
    request: shares(1),
    evidence: { keys: 'unchanged' },
  },
  refuse('issuer-mismatch', { status: 401, expected: [name(0)], actual: name(1) }),
);
add(
  'issuers-gate-asks-nobody-for-an-issuer-of-nobody-whose-key-is-known',
  11,
  'Signed by a key that two issuers publish, for a third that is not configured.',
  { kind: 'gate-step', ...withKeysOf([0, 1]), request: shares(2) },
  refuse('issuer-mismatch', { step: 'refused', actual: name(2) }),
);
