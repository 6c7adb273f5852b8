// One issuer of many tenants: a name with holes, and the values that may stand there (classes 11,
// 13, 25).
import { request } from './gate-parts.mjs';
import { API, signed, TENANT, times } from './provider.mjs';
import { accept, collection, KEY_OF, misuse, NOW, publicJwk, refuse } from './signing.mjs';

const SECOND = '11111111-2222-3333-4444-666666666666';
const STRANGER = '11111111-2222-3333-4444-777777777777';
const name = (tenant) => `https://login.microsoftonline.com/${tenant}/v2.0`;
const place = 'https://login.microsoftonline.com/{tid}/discovery/v2.0/keys';
const spelled = {
  issuer: name('{tid}'),
  audience: API,
  types: ['JWT'],
  remote: { jwksUri: place },
};
const policies = {
  spelled: { issuers: [{ ...spelled, tenants: [TENANT, SECOND] }] },
  'by-name': { issuers: [{ ...spelled, tenants: { tid: [TENANT, SECOND] } }] },
  preset: {
    issuers: [{ preset: 'entra-v2', tenants: [TENANT, SECOND], audience: API }],
  },
  pools: {
    issuers: [
      { preset: 'cognito-id', region: 'eu-west-1', tenants: ['eu-west-1_A', 'eu-west-1_B'], audience: 'c' },
    ],
  },
};
const { add, file } = collection('Own: one policy for the tenants of an issuer, and for no other.', policies);

export { file };

/** What every tenant publishes: the same key. */
const jwks = { keys: [publicJwk(KEY_OF.RS256, { kid: 'k1', use: 'sig', alg: 'RS256' })] };
const published = (...tenants) => tenants.map((tenant) => ({ issuer: name(tenant), jwks }));
const by = (tenant, more = {}) =>
  signed(
    { typ: 'JWT' },
    { iss: name(tenant), ...times, aud: API, tid: tenant, ver: '2.0', azp: 'client1', ...more },
  );

for (const policy of ['spelled', 'by-name', 'preset']) {
  for (const [which, tenant] of Object.entries({ first: TENANT, second: SECOND })) {
    add(
      `tenants-accepts-the-${which}-${policy}`,
      25,
      'A tenant that is listed, with the keys that it publishes.',
      { policy, remoteKeys: published(TENANT, SECOND), token: by(tenant) },
      accept({ claims: { iss: name(tenant), tid: tenant } }),
    );
  }
  add(
    `tenants-refuses-a-claim-of-its-neighbour-${policy}`,
    13,
    'The name and the claim say the same tenant, or neither is believed.',
    { policy, remoteKeys: published(TENANT, SECOND), token: by(TENANT, { tid: SECOND }) },
    refuse('claim-mismatch', { claim: 'tid', expected: TENANT }),
  );
  add(
    `tenants-refuses-a-token-without-the-claim-${policy}`,
    13,
    'A hole is bound to the claim of its name.',
    { policy, remoteKeys: published(TENANT, SECOND), token: by(TENANT, { tid: undefined }) },
    refuse('claim-missing', { claim: 'tid' }),
  );
  add(
    `tenants-refuses-a-stranger-under-the-same-key-${policy}`,
    13,
    'All tenants of this issuer publish the same key: only those that are listed count.',
    { policy, remoteKeys: published(TENANT, SECOND), token: by(STRANGER) },
    refuse('issuer-mismatch', { actual: name(STRANGER) }),
  );
  add(
    `tenants-gate-asks-for-the-keys-of-a-tenant-that-is-listed-${policy}`,
    25,
    'Of that tenant, when a token of its comes.',
    {
      kind: 'gate-step',
      now: NOW,
      policy,
      remoteKeys: published(TENANT),
      request: request({ token: by(SECOND) }),
    },
    { fields: { step: 'keys', issuer: name(SECOND), kid: 'k1' } },
  );
  for (const [what, tenant] of Object.entries({
    'a-stranger': STRANGER,
    'the-hole': '{tid}',
    nothing: '',
    'a-path': `${TENANT}/../${SECOND}`,
    'upper-case': 'AAAAAAAA-2222-3333-4444-555555555555',
    common: 'common',
  })) {
    add(
      `tenants-gate-asks-nobody-for-${what}-${policy}`,
      11,
      'Nothing is fetched for a tenant that has not passed, and no URL is made of what a token says.',
      { kind: 'gate-step', now: NOW, policy, request: request({ token: by(tenant) }) },
      refuse('issuer-unknown', { step: 'refused', expected: [name(TENANT), name(SECOND)] }),
    );
  }
}

const pool = (id) => `https://cognito-idp.eu-west-1.amazonaws.com/${id}`;
const ofPool = (id) => signed({ typ: undefined }, { iss: pool(id), ...times, aud: 'c', token_use: 'id' });
const ofPools = ['eu-west-1_A', 'eu-west-1_B'].map((id) => ({ issuer: pool(id), jwks }));
add(
  'tenants-accepts-a-pool-whose-tokens-have-no-claim-of-it',
  25,
  'The issuer’s name alone tells the pool.',
  { policy: 'pools', remoteKeys: ofPools, token: ofPool('eu-west-1_B') },
  accept({ claims: { iss: pool('eu-west-1_B') } }),
);
add(
  'tenants-refuses-a-pool-that-is-not-listed',
  13,
  'The near miss.',
  { policy: 'pools', remoteKeys: ofPools, token: ofPool('eu-west-1_C') },
  refuse('issuer-mismatch'),
);

// The policy
const faulty = (id, comment, issuer, pointer) =>
  add(
    `tenants-refuses-${id}`,
    11,
    comment,
    { kind: 'policy', policy: { issuers: [issuer] } },
    misuse(pointer),
  );
const text = (value) => ({ ...spelled, ...value });
faulty('an-open-hole', 'A hole has its values, always.', spelled, '/issuers/0/issuer');
faulty('no-tenants', 'Nor is an empty list one.', text({ tenants: [] }), '/issuers/0/tenants');
faulty(
  'tokens-that-do-not-name-their-tenant',
  'Nothing else would tell whose such a token is.',
  text({ tenants: [TENANT], deviations: ['missing-iss'] }),
  '/issuers/0/deviations',
);
faulty(
  'opaque-tokens-of-tenants-that-are-asked-about',
  'An opaque token names no tenant: the first that was admitted would answer for all.',
  text({
    tenants: 'resolver',
    introspection: { endpoint: 'https://issuer.example/introspect', clientId: 'gate' },
  }),
  '/issuers/0/introspection',
);
faulty('every-tenant', 'There is no word for all of them.', text({ tenants: '*' }), '/issuers/0/tenants');
for (const [what, value] of Object.entries({
  'a-path': 'a/b',
  'a-dot-segment': '..',
  'an-escape': '%2e%2e',
  'a-query': 'a?b',
  'a-fragment': 'a#b',
  'a-space': 'a b',
  'a-hole': '{tid}',
  nothing: '',
})) {
  const pointer = value === '' ? '/issuers/0/tenants' : '/issuers/0/tenants/0';
  faulty(`${what}-as-a-tenant`, 'It would lead to another path.', text({ tenants: [value] }), pointer);
}
const inHost = (tenant) => ({
  issuer: 'https://{t}.example',
  audience: API,
  remote: { discovery: 'oidc' },
  tenants: [tenant],
});
for (const [what, value] of Object.entries({
  'a-host': 'evil.example',
  'a-port': 'a:80',
  'a-userinfo': 'u@a',
  'an-underscore-and-slash': '_/a',
})) {
  faulty(`${what}-in-a-label`, 'It would lead to another host.', inHost(value), '/issuers/0/tenants/0');
}
faulty(
  'a-hole-of-the-keys-alone',
  'The keys would be one tenant’s for all.',
  { ...spelled, issuer: 'https://login.example', tenants: ['a'] },
  '/issuers/0/remote/jwksUri',
);
faulty(
  'a-tenant-of-a-preset-in-another-form',
  'A preset knows how its tenants are written.',
  { preset: 'entra-v2', tenants: ['contoso.onmicrosoft.com'], audience: API },
  '/issuers/0/tenants/0',
);
faulty(
  'keys-that-are-built-in-for-all-tenants',
  'Each has its own.',
  text({ tenants: ['a'], jwks }),
  '/issuers/0/tenants',
);
faulty('a-tenant-twice', 'As an issuer twice.', text({ tenants: ['a', 'a'] }), '/issuers/0/issuer');

// Tenants that somebody is asked about: here nobody is
const asked = { issuers: [{ ...spelled, tenants: 'resolver' }] };
add(
  'tenants-refuses-everyone-where-nobody-answers-for-them',
  13,
  'Without a resolver no tenant is ours.',
  { policy: asked, token: by(TENANT) },
  refuse('issuer-unknown', { expected: [spelled.issuer] }),
);
add(
  'tenants-gate-asks-for-no-keys-where-nobody-answers-for-them',
  11,
  'Nothing is fetched for a tenant that has not passed.',
  { kind: 'gate-step', now: NOW, policy: asked, request: request({ token: by(TENANT) }) },
  refuse('issuer-unknown', { step: 'refused' }),
);
faulty(
  'a-resolver-without-a-hole',
  'There is nothing to ask about.',
  text({ issuer: 'https://login.example', tenants: 'resolver', remote: { discovery: 'oidc' } }),
  '/issuers/0/tenants',
);
faulty(
  'a-hole-without-an-end',
  'What stands behind it could be a part of it.',
  text({ issuer: 'https://{a}-{b}.example', tenants: 'resolver', remote: { discovery: 'oidc' } }),
  '/issuers/0/issuer',
);
faulty(
  'a-resolver-for-keys-that-are-built-in',
  'Each tenant has its own.',
  text({ tenants: 'resolver', jwks }),
  '/issuers/0/tenants',
);
