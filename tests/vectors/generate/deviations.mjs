// What an issuer does differently, where its policy says so (`deviations`): accepted there,
// refused by default, and of no other issuer.
import { list, nameOf } from './revocation-list.mjs';
import {
  AUDIENCE,
  accept,
  claims,
  collection,
  encode,
  ISSUER,
  KEY_OF,
  keys,
  misuse,
  NOW,
  publicJwk,
  refuse,
  signature,
  token,
} from './signing.mjs';

const OTHER = 'https://other.example';
const issuer = (name, alg, more = {}) => ({
  issuer: name,
  audience: AUDIENCE,
  jwks: { keys: [publicJwk(KEY_OF[alg], { kid: alg, alg })] },
  ...more,
});
const deviating = (...deviations) => ({
  issuers: [issuer(ISSUER, 'ES256', deviations.length > 0 ? { deviations } : {})],
});
/** One issuer that deviates, and one that does not, with a key of its own. */
const beside = (...deviations) => ({
  issuers: [issuer(ISSUER, 'ES256', { deviations }), issuer(OTHER, 'EdDSA')],
});
/** The same, but they share a key. */
const shared = (own, others = {}) => ({
  issuers: [issuer(ISSUER, 'ES256', own), issuer(OTHER, 'ES256', others)],
});
const ALL = ['missing-iss', 'missing-aud', 'numeric-ids', 'null-claims', 'base64url-padding'];
const hashKey = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const listed = (...deviations) => ({
  ...deviating(...deviations),
  revocation: {
    jwks: { keys: [publicJwk('ed25519', { kid: 'list', alg: 'EdDSA' })] },
    maxStalenessSeconds: 60,
  },
});

const { add, file: collected } = collection('Own.', {
  iss: deviating('missing-iss'),
  aud: deviating('missing-aud'),
  ids: deviating('numeric-ids'),
  nulls: deviating('null-claims'),
  padding: deviating('base64url-padding'),
  all: deviating(...ALL),
  besideAll: beside(...ALL),
  default: { issuers: [issuer(ISSUER, 'ES256')] },
});
export const file = { own: true, ...collected };

const of = (more, rest = {}) => token({ payload: claims(more), ...rest });
const ofOther = (more) => of({ iss: OTHER, ...more }, { alg: 'EdDSA' });
const missing = (claim) => refuse('claim-missing', { claim, stage: 'claims' });
const malformed = (claim, found) => refuse('claim-malformed', { claim, found });

/**
 * One deviation: what is accepted by it, refused without it, and refused of the issuer beside it.
 */
function deviation(name, policy, klass, { id, comment, more, told, refusal, neighbour }) {
  add(`deviation-accepts-${id}`, klass, comment, { policy, token: of(more) }, accept({ claims: told }));
  add(`deviation-refuses-${id}-by-default`, klass, `Without ${name}.`, { token: of(more) }, refusal);
  const others = ALL.filter((other) => other !== name);
  add(
    `deviation-refuses-${id}-by-all-others`,
    klass,
    'One deviation is not another.',
    { policy: deviating(...others), token: of(more) },
    refusal,
  );
  add(
    `deviation-refuses-${id}-of-the-issuer-beside`,
    klass,
    'What is said of one issuer is said of no other.',
    { policy: 'besideAll', token: ofOther(neighbour ?? more) },
    refusal,
  );
}

// No `iss`
deviation('missing-iss', 'iss', 37, {
  id: 'a-token-without-iss',
  comment: 'The issuer is the one whose key has signed; handlers see its name.',
  more: { iss: undefined },
  told: { iss: ISSUER, sub: 'user-1' },
  refusal: missing('iss'),
});
for (const [id, iss, expect] of [
  ['another', OTHER, refuse('issuer-mismatch', { expected: [ISSUER], actual: OTHER })],
  ['a-longer', `${ISSUER}/`, refuse('issuer-mismatch', { expected: [ISSUER] })],
  ['an-empty', '', refuse('issuer-mismatch', { expected: [ISSUER], actual: '' })],
  ['a-numeric', 1, malformed('iss', 'a number')],
  ['a-listed', [ISSUER], malformed('iss', 'an array')],
  ['a-null', null, malformed('iss', 'null')],
]) {
  add(
    `deviation-refuses-${id}-iss-where-it-may-be-missing`,
    37,
    'Missing is accepted, and nothing else: one that is there is compared.',
    { policy: 'iss', token: of({ iss }) },
    expect,
  );
}
add(
  'deviation-accepts-iss-where-it-may-be-missing',
  37,
  'It may also be there.',
  { policy: 'iss', token: of() },
  accept({ claims: { iss: ISSUER } }),
);
add(
  'deviation-refuses-a-token-without-iss-by-another-key',
  25,
  'A key of the issuer beside says nothing for this one.',
  { policy: 'besideAll', token: of({ iss: undefined }, { alg: 'EdDSA' }) },
  missing('iss'),
);
for (const [id, own, others, expect] of [
  [
    'one-of-two-issuers-with-the-key',
    { deviations: ['missing-iss'] },
    {},
    accept({ claims: { iss: ISSUER } }),
  ],
  [
    'the-later-of-two-issuers-with-the-key',
    {},
    { deviations: ['missing-iss'] },
    accept({ claims: { iss: OTHER } }),
  ],
  [
    'two-issuers-with-the-key',
    { deviations: ['missing-iss'] },
    { deviations: ['missing-iss'] },
    missing('iss'),
  ],
]) {
  add(
    `deviation-${expect.ok ? 'accepts' : 'refuses'}-a-token-without-iss-of-${id}`,
    13,
    'It speaks for the only issuer whose tokens may lack it; among two nothing tells which.',
    { policy: shared(own, others), token: of({ iss: undefined }) },
    expect,
  );
}
const secret = Buffer.from(keys.hs256.k, 'base64url');
const many = (count, chosen) => ({
  issuers: Array.from({ length: count }, (_, index) => ({
    issuer: `https://${index}.example`,
    audience: AUDIENCE,
    keys: [
      {
        alg: 'HS256',
        secret: {
          hex: index === chosen ? secret.toString('hex') : Buffer.alloc(32, index + 1).toString('hex'),
        },
      },
    ],
    ...(index === chosen ? { deviations: ['missing-iss', 'missing-aud'] } : {}),
  })),
});
const unnamed = of({ iss: undefined, aud: undefined }, { alg: 'HS256', header: { kid: undefined } });
add(
  'deviation-accepts-a-token-without-iss-beside-thirty-secrets',
  25,
  'The only issuer whose tokens may lack it is the one that is tried.',
  { policy: many(30, 17), token: unnamed },
  accept({ claims: { iss: 'https://17.example' } }),
);
add(
  'deviation-refuses-a-token-without-iss-beside-thirty-secrets-by-another',
  25,
  'Its own key does not hold, and no other is tried.',
  {
    policy: many(30, 17),
    token: token({
      alg: 'HS256',
      key: 'hs512',
      payload: claims({ iss: undefined }),
      header: { kid: undefined },
    }),
  },
  refuse('signature-invalid'),
);

// No `aud`
deviation('missing-aud', 'aud', 36, {
  id: 'a-token-without-aud',
  comment: 'What most code around jsonwebtoken writes.',
  more: { aud: undefined },
  told: { sub: 'user-1' },
  refusal: missing('aud'),
});
for (const [id, aud, expect] of [
  ['another', OTHER, refuse('audience-mismatch', { expected: [AUDIENCE], actual: [OTHER] })],
  ['a-shorter', AUDIENCE.slice(0, -1), refuse('audience-mismatch')],
  ['an-empty', '', malformed('aud', 'a string')],
  ['an-empty-list-of', [], malformed('aud', 'an array')],
  ['a-null', null, malformed('aud', 'null')],
  ['a-numeric', 0, malformed('aud', 'a number')],
]) {
  add(
    `deviation-refuses-${id}-aud-where-it-may-be-missing`,
    36,
    'Missing is accepted, and nothing else: one that is there is compared.',
    { policy: 'aud', token: of({ aud }) },
    expect,
  );
}
add(
  'deviation-accepts-aud-where-it-may-be-missing',
  36,
  'It may also be there.',
  { policy: 'aud', token: of({ aud: ['x', AUDIENCE] }) },
  accept(),
);
add(
  'deviation-refuses-missing-aud-beside-another-audience-claim',
  36,
  'The claim that stands for the audience must be there: the two fields would contradict each other.',
  {
    kind: 'policy',
    policy: {
      issuers: [issuer(ISSUER, 'ES256', { audienceClaim: 'client_id', deviations: ['missing-aud'] })],
    },
  },
  misuse('/issuers/0/audienceClaim'),
);

// Numbers for ids
for (const claim of ['sub', 'jti', 'client_id']) {
  deviation('numeric-ids', 'ids', 32, {
    id: `a-number-for-${claim}`,
    comment: 'Django and Odoo write the key of a row; handlers see its text.',
    more: { [claim]: 42 },
    told: { [claim]: '42' },
    refusal: malformed(claim, 'a number'),
  });
  for (const [id, text] of [
    ['a-fraction', '1.5'],
    ['a-whole-fraction', '42.0'],
    ['an-exponent', '4e1'],
    ['a-negative-number', '-42'],
    ['a-number-past-2-64', '18446744073709551616'],
    ['true', 'true'],
    ['an-array', '[42]'],
    ['null', 'null'],
  ]) {
    add(
      `deviation-refuses-${id}-for-${claim}`,
      32,
      'Whole numbers in the one form that has one text.',
      {
        policy: 'ids',
        token: token({
          payload: JSON.stringify(claims({ [claim]: 4242424242 })).replace('4242424242', text),
        }),
      },
      refuse('claim-malformed', { claim }),
    );
  }
}
add(
  'deviation-keeps-a-number-past-2-53',
  32,
  'As a number it would be another one in JavaScript.',
  {
    policy: 'ids',
    token: token({
      payload: JSON.stringify(claims({ sub: 1 })).replace('"sub":1', '"sub":18446744073709551615'),
    }),
  },
  accept({ claims: { sub: '18446744073709551615' } }),
);
for (const claim of ['iss', 'aud', 'scope', 'exp']) {
  const value = claim === 'exp' ? String(NOW + 290) : 42;
  add(
    `deviation-refuses-another-type-for-${claim}`,
    32,
    'It is about sub, jti and client_id alone.',
    { policy: 'all', token: of({ [claim]: value }) },
    refuse('claim-malformed', { claim }),
  );
}
add(
  'deviation-keeps-other-numbers',
  32,
  'What is no registered id stays what it is, to the last digit.',
  {
    policy: 'ids',
    token: token({
      payload: JSON.stringify(claims({ sub: 1, n: 2 })).replace('"n":2', '"n":[1.50,-0,{"é\\n":1e3}]'),
    }),
  },
  accept({
    payloadUtf8: JSON.stringify(claims({ sub: '1', n: 2 })).replace('"n":2', '"n":[1.50,-0,{"é\\n":1e3}]'),
  }),
);

// Null for absent
for (const claim of ['sub', 'nbf', 'iat', 'jti', 'client_id', 'scope']) {
  deviation('null-claims', 'nulls', 32, {
    id: `null-for-${claim}`,
    comment: 'It counts as absent; handlers do not see it.',
    more: { [claim]: null },
    told: { [claim]: undefined },
    refusal: malformed(claim, 'null'),
  });
}
for (const [claim, policy, expect] of [
  ['iss', 'nulls', missing('iss')],
  ['aud', 'nulls', missing('aud')],
  ['exp', 'nulls', missing('exp')],
  ['exp', 'all', missing('exp')],
  ['cnf', 'nulls', malformed('cnf', 'null')],
  ['cnf', 'all', malformed('cnf', 'null')],
  ['iss', 'all', accept({ claims: { iss: ISSUER } })],
  ['aud', 'all', accept({ claims: { aud: undefined } })],
]) {
  add(
    `deviation-${expect.ok ? 'accepts' : 'refuses'}-null-for-${claim}-by-${policy}`,
    32,
    'Absent is what it counts as, and no more; a lost binding is not taken for none.',
    { policy, token: of({ [claim]: null }) },
    expect,
  );
}
add(
  'deviation-refuses-null-for-a-required-claim',
  35,
  'What must be there is not.',
  {
    policy: {
      issuers: [issuer(ISSUER, 'ES256', { deviations: ['null-claims'], requiredClaims: ['tenant'] })],
    },
    token: of({ tenant: null }),
  },
  missing('tenant'),
);
add(
  'accepts-null-for-a-required-claim-by-default',
  35,
  'Where null is a value, the claim is there.',
  {
    policy: { issuers: [issuer(ISSUER, 'ES256', { requiredClaims: ['tenant'] })] },
    token: of({ tenant: null }),
  },
  accept(),
);
add(
  'deviation-keeps-null-deeper-down',
  32,
  'It is about claims, and not about members of their values.',
  { policy: 'nulls', token: of({ a: { b: null }, c: [null], d: null }) },
  accept({ claims: { a: { b: null }, c: [null], d: undefined } }),
);

// Padding
/** A token whose segments are padded as `pad` says, signed as it stands. */
function padded({ pad = [pad64, pad64, pad64], alg = 'ES256', payload = claims(), key = KEY_OF[alg] } = {}) {
  const [header, body] = [{ alg, typ: 'at+jwt', kid: alg }, payload].map((part, index) =>
    pad[index](encode(part)),
  );
  const input = `${header}.${body}`;
  return `${input}.${pad[2](encode(signature(alg, key, input)))}`;
}
const pad64 = (text) => text.padEnd(Math.ceil(text.length / 4) * 4, '=');
const bare = (text) => text;
// Payloads of every length modulo three, so that every number of padding characters occurs.
for (const more of ['', 'x', 'xx']) {
  add(
    `deviation-accepts-padding-of-${more.length}`,
    30,
    'An AWS load balancer pads its segments, and signs them padded.',
    { policy: 'padding', token: padded({ payload: claims({ more }) }) },
    accept({ claims: { more } }),
  );
}
add(
  'deviation-accepts-no-padding-where-there-may-be-some',
  30,
  'It may also be missing.',
  { policy: 'padding', token: of() },
  accept(),
);
const asPadded = (segment) => refuse('segment-not-base64url', { segment, found: 'padding', stage: 'jws' });
add(
  'deviation-refuses-padding-by-default',
  30,
  'RFC 7515 section 2 has none.',
  { token: padded() },
  refuse('segment-not-base64url', { found: 'padding' }),
);
add(
  'deviation-refuses-padding-of-the-issuer-beside',
  30,
  'What is said of one issuer is said of no other, and the signature does not change that.',
  {
    policy: 'besideAll',
    token: padded({ alg: 'EdDSA', payload: claims({ iss: OTHER }), pad: [bare, bare, pad64] }),
  },
  asPadded('signature'),
);
for (const [id, pad] of Object.entries({
  'one-too-few': [bare, bare, (text) => `${text}=`],
  'one-too-many': [bare, bare, (text) => `${text}===`],
  'none-needed': [bare, bare, (text) => `${text}====`],
  'in-front': [bare, bare, (text) => `==${text}`],
  'of-another-alphabet': [bare, bare, (text) => `${text}%3D%3D`],
  'a-line-break': [bare, bare, (text) => `${text}\n==`],
})) {
  add(
    `deviation-refuses-padding-with-${id}`,
    30,
    'One padding for each length, and only at the end.',
    { policy: 'padding', token: padded({ pad }) },
    refuse('segment-not-base64url', { segment: 'signature' }),
  );
}
add(
  'deviation-refuses-padding-that-was-added',
  15,
  'What was signed is the text, padding and all.',
  { policy: 'padding', token: of({ more: 'x' }).split('.').map(pad64).join('.') },
  refuse('signature-invalid'),
);
add(
  'deviation-refuses-left-over-bits-before-padding',
  15,
  'The digits themselves stay canonical.',
  { policy: 'padding', token: `${of().split('.').slice(0, 2).join('.')}.${'A'.repeat(85)}B==` },
  refuse('segment-not-base64url', { segment: 'signature' }),
);

// What is revoked is looked up by the form that handlers see.
const snapshot = (more) => list({ hashKey, iat: NOW - 5, not_after: NOW + 3600, ...more });
const name = (claim, value, from = ISSUER) => nameOf(hashKey, claim, from, value);
for (const [id, policy, payload, more, expect] of [
  [
    'a-number-for-jti',
    listed('numeric-ids'),
    { jti: 7 },
    { tokens: [name('jti', '7')] },
    refuse('token-revoked', { claim: 'jti' }),
  ],
  ['another-number-for-jti', listed('numeric-ids'), { jti: 7 }, { tokens: [name('jti', '8')] }, accept()],
  [
    'a-number-for-sub',
    listed('numeric-ids'),
    { sub: 7 },
    { cutoffs: [[name('sub', '7'), NOW]] },
    refuse('issued-before-cutoff', { claim: 'sub' }),
  ],
  [
    'a-number-for-client-id',
    listed('numeric-ids'),
    { client_id: 7 },
    { cutoffs: [[name('client_id', '7'), NOW]] },
    refuse('issued-before-cutoff', { claim: 'client_id' }),
  ],
  [
    'no-iss',
    listed('missing-iss'),
    { iss: undefined, jti: 'a' },
    { tokens: [name('jti', 'a')] },
    refuse('token-revoked', { claim: 'jti' }),
  ],
  [
    'no-iss-and-a-cutoff',
    listed('missing-iss'),
    { iss: undefined },
    { cutoffs: [[name('iss', ''), NOW]] },
    refuse('issued-before-cutoff', { claim: 'iss' }),
  ],
  [
    'null-for-sid',
    listed('null-claims'),
    { sid: null, jti: 'a' },
    { tokens: [name('jti', 'a')] },
    refuse('token-revoked', { claim: 'jti' }),
  ],
  ['null-for-sid-and-nothing-listed', listed('null-claims'), { sid: null }, {}, accept()],
  [
    'null-for-iat-and-a-cutoff',
    listed('null-claims'),
    { iat: null },
    { cutoffs: [[name('iss', ''), NOW]] },
    refuse('issued-before-cutoff', { issuedAt: null }),
  ],
]) {
  add(
    `deviation-${expect.ok ? 'accepts' : 'revokes'}-by-${id}`,
    53,
    'A token that could not be looked up could not be revoked.',
    { policy, token: of(payload), revocations: [{ document: snapshot(more), now: NOW }] },
    expect,
  );
}
// A cutoff compares exactly: the fraction of a second counts.
for (const [iat, cutoff, revoked] of [
  [`${NOW - 10}.5`, NOW - 9, true],
  [`${NOW - 10}.5`, NOW - 10, false],
  [`${NOW - 10}.0`, NOW - 10, false],
  [`${NOW - 11}.9`, NOW - 10, true],
]) {
  add(
    `${revoked ? 'refuses' : 'accepts'}-iat-of-${iat.replace('.', '-and-')}-by-a-cutoff-at-${cutoff}`,
    34,
    'Issued before the cutoff, to the fraction.',
    {
      policy: listed(),
      token: token({ payload: JSON.stringify(claims({ iat: 1 })).replace('"iat":1', `"iat":${iat}`) }),
      revocations: [{ document: snapshot({ cutoffs: [[name('iss', ''), cutoff]] }), now: NOW }],
    },
    revoked ? refuse('issued-before-cutoff', { cutoff, issuedAt: Math.floor(iat) }) : accept(),
  );
}

// The field itself
for (const [id, deviations, pointer] of [
  ['an-unknown-one', ['missing-exp'], '/issuers/0/deviations/0'],
  ['none', [], '/issuers/0/deviations'],
  ['a-string', 'missing-iss', '/issuers/0/deviations'],
  ['another-case', ['Missing-Iss'], '/issuers/0/deviations/0'],
  ['true', true, '/issuers/0/deviations'],
]) {
  add(
    `refuses-deviations-with-${id}`,
    49,
    'They are spelled out one by one; there is none for expiry or signature.',
    { kind: 'policy', policy: { issuers: [issuer(ISSUER, 'ES256', { deviations })] } },
    misuse(pointer),
  );
}

// What is said instead of a code that sends its reader to the wrong place
const segments = of().split('.');
for (const [id, text, expect] of [
  [
    'an-encrypted-token',
    [...segments, 'AA', 'AA'].join('.'),
    refuse('segment-count', {
      expected: 3,
      actual: 5,
      message:
        'The token is encrypted (JWE, five segments), which is not supported; have its issuer sign it without encrypting it.',
    }),
  ],
  [
    'a-token-with-bearer',
    `Bearer ${of()}`,
    refuse('segment-not-base64url', { segment: 'header', found: 'scheme' }),
  ],
  [
    'a-token-with-dpop',
    `dpop ${of()}`,
    refuse('segment-not-base64url', { segment: 'header', found: 'scheme' }),
  ],
  [
    'a-token-with-a-line-break',
    `${of()}\n`,
    refuse('segment-not-base64url', { segment: 'signature', found: 'white-space' }),
  ],
  [
    'a-token-in-base64',
    `${of({ more: '???>>>' }).replace(/.\./, '+.')}`,
    refuse('segment-not-base64url', { found: 'other' }),
  ],
]) {
  add(`explains-${id}`, 28, 'The message says what it is.', { token: text }, expect);
}
for (const [claim, message] of [
  [
    'iss',
    'The token has no claim "iss". If this issuer\'s tokens never have it, add "missing-iss" to its deviations in the policy (issuers[].deviations).',
  ],
  [
    'aud',
    'The token has no claim "aud". If this issuer\'s tokens never have it, add "missing-aud" to its deviations in the policy (issuers[].deviations).',
  ],
  ['exp', 'The token has no claim "exp". Tokens without an expiry are not accepted.'],
]) {
  add(
    `names-the-missing-claim-${claim}`,
    35,
    'By its name, and the field that mends it.',
    { token: of({ [claim]: undefined }) },
    refuse('claim-missing', { claim, message }),
  );
}
add(
  'names-the-missing-claim-of-a-policy',
  35,
  'By its name.',
  { policy: { issuers: [issuer(ISSUER, 'ES256', { requiredClaims: ['tenant'] })] }, token: of() },
  refuse('claim-missing', {
    claim: 'tenant',
    message: 'The token has no claim "tenant", which the policy requires.',
  }),
);
for (const [claim, value, message] of [
  [
    'sub',
    7,
    'The claim "sub" must be a string; found a number. If this issuer\'s ids are whole numbers, add "numeric-ids" to its deviations in the policy (issuers[].deviations).',
  ],
  [
    'nbf',
    null,
    'The claim "nbf" must be a number of seconds since 1970, from 0 to 253402300799; found null. If this issuer writes null for absent claims, add "null-claims" to its deviations in the policy (issuers[].deviations).',
  ],
  ['cnf', null, 'The claim "cnf" must be an object of strings; found null.'],
  ['scope', 7, 'The claim "scope" must be a string, or an array of strings; found a number.'],
]) {
  add(
    `names-the-malformed-claim-${claim}`,
    32,
    'Which, what was expected and what was found, and the field that mends it.',
    { token: of({ [claim]: value }) },
    refuse('claim-malformed', { claim, message }),
  );
}
add(
  'names-the-padding',
  30,
  'And the field that accepts it.',
  { token: padded({ pad: [bare, bare, pad64] }) },
  refuse('segment-not-base64url', {
    segment: 'signature',
    found: 'padding',
    message:
      'A segment of the token is padded with "=". If this issuer pads its tokens, add "base64url-padding" to its deviations in the policy (issuers[].deviations).',
  }),
);

// Scopes
for (const [id, scope] of Object.entries({
  'a-string': 'read write',
  'an-array': ['read', 'write'],
  'an-empty-array': [],
})) {
  add(
    `accepts-scope-as-${id}`,
    32,
    'Spring and IdentityServer write an array.',
    { token: of({ scope }) },
    accept({ claims: { scope } }),
  );
}
