// Kinds of token of one issuer, each told apart by its name (class 38).
import { request } from './gate-parts.mjs';
import { KID, signed, times } from './provider.mjs';
import { accept, collection, KEY_OF, misuse, NOW, publicJwk, refuse } from './signing.mjs';

const POOL = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A';
const GITHUB = 'https://token.actions.githubusercontent.com';
const spelled = {
  issuer: POOL,
  audience: 'client1',
  types: 'any',
  remote: { jwksUri: `${POOL}/.well-known/jwks.json` },
  alternatives: [
    { name: 'access', audienceClaim: 'client_id', claims: { token_use: 'access' } },
    { name: 'id', claims: { token_use: 'id' }, requiredClaims: ['email'] },
  ],
};
const policies = {
  spelled: { issuers: [spelled] },
  preset: {
    issuers: [{ preset: 'cognito', region: 'eu-west-1', userPool: 'eu-west-1_A', audience: 'client1' }],
  },
  pools: {
    issuers: [
      {
        preset: 'cognito',
        region: 'eu-west-1',
        tenants: ['eu-west-1_A', 'eu-west-1_B'],
        audience: 'client1',
      },
    ],
  },
  owners: {
    issuers: [
      {
        issuer: GITHUB,
        audience: 'https://api.example',
        types: ['JWT'],
        requiredClaims: ['repository'],
        claims: { environment: 'production' },
        remote: { jwksUri: `${GITHUB}/.well-known/jwks` },
        alternatives: [
          { name: 'ours', claims: { repository_owner: 'ours' } },
          { name: 'theirs', audience: 'https://partner.example', claims: { repository_owner: 'theirs' } },
        ],
      },
    ],
  },
};
const { add, file } = collection(
  'Own; Amazon Cognito, GitHub: one issuer, several kinds of token.',
  policies,
);

export { file };

const jwks = { keys: [publicJwk(KEY_OF.RS256, { kid: KID, use: 'sig', alg: 'RS256' })] };
const remoteKeys = [{ issuer: POOL, jwks }];
const access = (more = {}) =>
  signed({ typ: undefined }, { iss: POOL, ...times, client_id: 'client1', token_use: 'access', ...more });
const id = (more = {}) =>
  signed(
    { typ: undefined },
    { iss: POOL, ...times, aud: 'client1', token_use: 'id', email: 'a@b.example', ...more },
  );

for (const policy of ['spelled', 'preset', 'pools']) {
  for (const [name, token] of Object.entries({ access: access(), id: id() })) {
    add(
      `alternatives-accepts-${name}-${policy}`,
      38,
      'Each kind by its own rules, and the verdict says which it is.',
      { policy, remoteKeys, token },
      accept({ fields: { alternative: name } }),
    );
  }
  for (const [what, token, answer] of [
    ['an-access-token-of-another-client', access({ client_id: 'other' }), refuse('audience-mismatch')],
    ['an-id-token-of-another-client', id({ aud: 'other' }), refuse('audience-mismatch')],
    ['a-third-kind', id({ token_use: 'refresh' }), refuse('claim-mismatch', { claim: 'token_use' })],
    // An ID token's audience does not make an access token of it, nor the other way round.
    [
      'an-access-token-with-the-audience-of-an-id-token-alone',
      access({ client_id: undefined, aud: 'client1', email: 'a@b.example' }),
      refuse('claim-mismatch', { claim: 'token_use', expected: 'id' }),
    ],
    ['one-without-either', access({ client_id: undefined }), refuse('claim-missing')],
    ['one-that-has-expired', access({ exp: NOW - 60 }), refuse('expired')],
  ]) {
    const comment = 'The rejection is that of the kind which it came closest to.';
    add(`alternatives-refuses-${what}-${policy}`, 38, comment, { policy, remoteKeys, token }, answer);
  }
}
add(
  'alternatives-refuses-what-one-of-them-requires',
  38,
  'What an alternative asks for besides is asked for.',
  { policy: 'spelled', remoteKeys, token: id({ email: undefined }) },
  refuse('claim-missing', { claim: 'email' }),
);
add(
  'alternatives-are-told-by-a-gate',
  38,
  'In the decision as in the verdict.',
  { kind: 'gate', now: NOW, policy: 'spelled', remoteKeys, request: request({ token: id() }) },
  accept({ fields: { alternative: 'id', issuer: POOL } }),
);

const owned = (owner, more = {}) =>
  signed(
    { typ: 'JWT' },
    {
      iss: GITHUB,
      ...times,
      aud: 'https://api.example',
      repository_owner: owner,
      repository: `${owner}/app`,
      environment: 'production',
      ...more,
    },
  );
const ofGithub = { policy: 'owners', remoteKeys: [{ issuer: GITHUB, jwks }] };
for (const [what, token, answer] of [
  ['accepts-the-first-owner', owned('ours'), accept({ fields: { alternative: 'ours' } })],
  [
    'accepts-the-second-owner-with-an-audience-of-its-own',
    owned('theirs', { aud: 'https://partner.example' }),
    accept({ fields: { alternative: 'theirs' } }),
  ],
  [
    'refuses-the-second-owner-with-the-audience-of-the-first',
    owned('theirs'),
    refuse('claim-mismatch', { claim: 'repository_owner', expected: 'ours' }),
  ],
  ['refuses-a-stranger', owned('stranger'), refuse('claim-mismatch', { claim: 'repository_owner' })],
  [
    'refuses-without-what-the-issuer-asks-for',
    owned('ours', { environment: 'test' }),
    refuse('claim-mismatch'),
  ],
  [
    'refuses-another-type',
    signed({ typ: 'at+jwt' }, { iss: GITHUB, ...times, aud: 'https://api.example' }),
    refuse('type-mismatch'),
  ],
]) {
  add(
    `alternatives-of-owners-${what}`,
    38,
    'What the issuer asks for is asked of every kind.',
    { ...ofGithub, token },
    answer,
  );
}

for (const [what, alternatives, pointer] of [
  ['none', [], '/issuers/0/alternatives'],
  ['one-without-a-name', [{ claims: { a: 'b' } }], '/issuers/0/alternatives/0/name'],
  ['two-of-one-name', [{ name: 'a' }, { name: 'a', types: 'any' }], '/issuers/0/alternatives/1/name'],
  ['keys-of-its-own', [{ name: 'a', jwks }], '/issuers/0/alternatives/0/jwks'],
  ['no-object', ['access'], '/issuers/0/alternatives/0'],
]) {
  add(
    `alternatives-refuses-a-policy-with-${what}`,
    33,
    'An alternative is a name and what is asked of its tokens.',
    { kind: 'policy', policy: { issuers: [{ ...spelled, alternatives }] } },
    misuse(pointer),
  );
}
