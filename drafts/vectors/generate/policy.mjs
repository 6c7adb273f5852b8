// The policy: a mistake is told at once, by the field; there is no switch that skips a check.
import { AUDIENCE, accept, collection, ISSUER, misuse, policy, publicJwk, token } from './signing.mjs';

const { add, file } = collection('Own.');

export { file };

const base = policy(['ES256']);
const [issuer] = base.issuers;
const refused = (id, klass, comment, value, pointer) =>
  add(id, klass, comment, { kind: 'policy', policy: value }, misuse(pointer));
const at = (more) => ({ issuers: [{ ...issuer, ...more }] });

// Skipping (row 49): the names other libraries use, and a few that sound plausible
for (const name of [
  'skipSignature',
  'verify',
  'verify_signature',
  'ignoreExpiration',
  'ignoreNotBefore',
  'insecure',
  'algorithms',
  'clockTolerance',
  'allowNone',
  'complete',
]) {
  refused(
    `refuses-the-policy-member-${name}`,
    49,
    'Unknown members are refused: nothing can be switched off by a name we do not know.',
    { ...base, [name]: true },
    `/${name}`,
  );
}
for (const name of [
  'skipSignature',
  'ignoreExpiration',
  'allowInvalidAsymmetricKeyTypes',
  'secret',
  'jwksUri',
  'Audience',
  'audiences',
  'type',
]) {
  refused(
    `refuses-the-issuer-member-${name}`,
    49,
    'The same within an issuer.',
    at({ [name]: true }),
    `/issuers/0/${name}`,
  );
}
add(
  'accepts-the-policy-without-them',
  49,
  'What is left is a policy.',
  { policy: base, token: token() },
  accept(),
);
refused(
  'refuses-unknown-limits',
  49,
  'And within limits.',
  { ...base, limits: { token: 1 } },
  '/limits/token',
);
refused(
  'refuses-unknown-members-of-a-key',
  49,
  'And within a key.',
  at({ keys: [{ alg: 'ES256', pem: 'x', trusted: true }] }),
  '/issuers/0/keys/0/trusted',
);

// Options that are no integers in range (row 33)
for (const [name, value] of Object.entries({
  'as-text': '5',
  'as-a-fraction': 0.5,
  negative: -1,
  'past-the-cap': 301,
  huge: 1e21,
  'as-null': null,
  'as-true': true,
  'as-an-array': [5],
})) {
  refused(
    `refuses-leeway-${name}`,
    33,
    'Whole seconds from 0 to 300; NaN and Infinity reach JSON as null.',
    { ...base, leewaySeconds: value },
    '/leewaySeconds',
  );
}
for (const [member, cap] of [
  ['tokenBytes', 16384],
  ['headerBytes', 4096],
  ['depth', 32],
  ['members', 1024],
]) {
  for (const [name, value] of [
    ['zero', 0],
    ['past-the-cap', cap + 1],
    ['as-text', String(cap)],
    ['as-a-fraction', 1.5],
    ['as-null', null],
  ]) {
    refused(
      `refuses-limit-${member}-${name}`,
      33,
      'Limits go down freely and up to a hard cap.',
      { ...base, limits: { [member]: value } },
      `/limits/${member}`,
    );
  }
  add(
    `accepts-limit-${member}-at-its-cap`,
    33,
    'At the cap.',
    { kind: 'policy', policy: { ...base, limits: { [member]: cap } } },
    accept(),
  );
}
for (const value of [0, 300]) {
  add(
    `accepts-leeway-${value}`,
    33,
    'Within the range.',
    { kind: 'policy', policy: { ...base, leewaySeconds: value } },
    accept(),
  );
}

// What must be there
refused('refuses-an-empty-policy', 36, 'Issuers are mandatory.', {}, '/issuers');
refused('refuses-no-issuers', 37, 'At least one.', { issuers: [] }, '/issuers');
refused('refuses-issuers-as-an-object', 37, 'A list of them.', { issuers: issuer }, '/issuers');
refused('refuses-an-issuer-as-text', 37, 'Each an object.', { issuers: [ISSUER] }, '/issuers/0');
refused(
  'refuses-no-issuer-name',
  37,
  'Its name is mandatory.',
  at({ issuer: undefined }),
  '/issuers/0/issuer',
);
refused('refuses-an-empty-issuer-name', 37, 'And not empty.', at({ issuer: '' }), '/issuers/0/issuer');
refused('refuses-issuer-names-in-an-array', 37, 'And one.', at({ issuer: [ISSUER] }), '/issuers/0/issuer');
refused(
  'refuses-an-issuer-named-twice',
  37,
  'Two entries of one name.',
  { issuers: [issuer, issuer] },
  '/issuers/1/issuer',
);
refused(
  'refuses-no-audience-in-the-policy',
  36,
  'An audience is mandatory.',
  at({ audience: undefined }),
  '/issuers/0/audience',
);
refused(
  'refuses-an-empty-audience-in-the-policy',
  36,
  'And not empty.',
  at({ audience: '' }),
  '/issuers/0/audience',
);
refused(
  'refuses-an-empty-list-of-audiences',
  36,
  'Nor an empty list.',
  at({ audience: [] }),
  '/issuers/0/audience',
);
refused(
  'refuses-an-audience-as-a-regular-expression',
  39,
  'CVE-2026-35041: the policy takes literals alone; a RegExp reaches JSON as an object.',
  at({ audience: {} }),
  '/issuers/0/audience',
);
refused(
  'refuses-an-issuer-as-a-regular-expression',
  39,
  'Nor for an issuer.',
  at({ issuer: {} }),
  '/issuers/0/issuer',
);
add(
  'accepts-an-audience-that-looks-like-a-pattern',
  39,
  'Such a text is compared like any other.',
  { kind: 'policy', policy: at({ audience: '^https://.*$' }) },
  accept(),
);
refused(
  'refuses-no-keys',
  3,
  'An issuer without keys can say nothing.',
  at({ jwks: undefined }),
  '/issuers/0',
);
refused(
  'refuses-an-empty-list-of-keys',
  3,
  'Nor with none.',
  at({ jwks: undefined, keys: [] }),
  '/issuers/0/keys',
);
refused('refuses-a-jwks-without-keys', 3, 'A JWK Set has keys.', at({ jwks: {} }), '/issuers/0/jwks/keys');
refused(
  'refuses-a-jwks-as-text',
  6,
  'And is an object, not its text.',
  at({ jwks: JSON.stringify({ keys: [publicJwk('es256')] }) }),
  '/issuers/0/jwks',
);
refused(
  'refuses-unknown-algorithms',
  1,
  'none cannot be written.',
  at({ algorithms: ['ES256', 'none'] }),
  '/issuers/0/algorithms/1',
);
refused(
  'refuses-an-empty-list-of-algorithms',
  1,
  'Nor nothing.',
  at({ algorithms: [] }),
  '/issuers/0/algorithms',
);
refused(
  'refuses-keys-outside-the-algorithms',
  7,
  'A set of which no key is among the algorithms.',
  at({ algorithms: ['RS256'] }),
  '/issuers/0/jwks',
);
refused('refuses-types-as-text', 38, 'A list, or "any".', at({ types: 'JWT' }), '/issuers/0/types');
refused(
  'refuses-an-empty-list-of-types',
  38,
  'An empty list would refuse everything.',
  at({ types: [] }),
  '/issuers/0/types',
);
refused(
  'refuses-required-claims-as-text',
  35,
  'A list of names.',
  at({ requiredClaims: 'sub' }),
  '/issuers/0/requiredClaims',
);
refused('refuses-an-array-as-policy', 36, 'A policy is an object.', [], '');
add(
  'accepts-everything-a-policy-can-say',
  49,
  'All members at once.',
  {
    kind: 'policy',
    policy: {
      issuers: [
        {
          ...issuer,
          audience: [AUDIENCE, 'b'],
          algorithms: ['ES256'],
          types: ['at+jwt', 'JWT'],
          requiredClaims: ['sub'],
        },
      ],
      leewaySeconds: 30,
      limits: { tokenBytes: 4096, headerBytes: 512, depth: 8, members: 64 },
    },
  },
  accept(),
);
