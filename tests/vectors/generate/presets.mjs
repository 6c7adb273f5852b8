// Presets of identity providers: tokens in the shape that each documents, with identifiers of our
// own, and near misses of its other tokens and other customers.
import {
  API,
  KID,
  mismatch,
  missing,
  otherAudience,
  presets,
  provider,
  signed,
  TENANT,
  times,
} from './provider.mjs';
import { accept, misuse, NOW, publicJwk, refuse } from './signing.mjs';

const { add, file } = presets();

export { file };

provider(add, 'auth0', {
  parameters: { domain: 'tenant.eu.auth0.com' },
  issuer: 'https://tenant.eu.auth0.com/',
  audience: API,
  header: { typ: 'JWT' },
  payload: {
    sub: 'auth0|0123456789abcdef',
    aud: [API, 'https://tenant.eu.auth0.com/userinfo'],
    azp: 'client1',
    scope: 'openid profile read:things',
    permissions: ['read:things'],
  },
  others: {
    'accepts-the-rfc-9068-profile': [
      'A tenant can choose the profile of RFC 9068.',
      { header: { typ: 'at+jwt' }, payload: { client_id: 'client1', jti: 'j' } },
      accept(),
    ],
    'refuses-an-id-token': [
      'Its audience is the client.',
      { payload: { aud: 'client1', nonce: 'n', scope: undefined, permissions: undefined } },
      otherAudience(['client1']),
    ],
    'refuses-another-tenant': [
      'Another issuer under the same key, were there one.',
      { payload: { iss: 'https://other.eu.auth0.com/' } },
      refuse('issuer-mismatch'),
      13,
    ],
  },
});

const OTHER_TENANT = '99999999-2222-3333-4444-555555555555';
const entra = {
  oid: '00000000-0000-0000-0000-00000000000a',
  sub: 'pairwise',
  tid: TENANT,
  scp: 'access_as_user',
  uti: 'u',
  rh: '0.A',
  nbf: NOW - 60,
};
provider(add, 'entra-v1', {
  parameters: { tenant: TENANT },
  issuer: `https://sts.windows.net/${TENANT}/`,
  audience: 'api://things',
  jwk: { alg: undefined, x5t: KID, issuer: undefined },
  header: { typ: 'JWT', x5t: KID },
  payload: { ...entra, aud: 'api://things', ver: '1.0', appid: 'client1', appidacr: '1', upn: 'a@b.example' },
  others: {
    'refuses-an-id-token': [
      'Only access tokens have appid.',
      { payload: { appid: undefined } },
      missing('appid'),
    ],
    'refuses-a-v2-token': ['The other version.', { payload: { ver: '2.0' } }, mismatch('ver', '1.0')],
    'refuses-another-tenant': [
      'The tenant is in the issuer and in tid.',
      { payload: { tid: OTHER_TENANT } },
      mismatch('tid', TENANT),
      13,
    ],
  },
});
provider(add, 'entra-v2', {
  parameters: { tenant: TENANT },
  issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`,
  audience: '00000000-0000-0000-0000-0000000000b1',
  jwk: { alg: undefined, x5t: KID },
  header: { typ: 'JWT' },
  payload: {
    ...entra,
    aud: '00000000-0000-0000-0000-0000000000b1',
    ver: '2.0',
    azp: 'client1',
    azpacr: '1',
    preferred_username: 'a@b.example',
  },
  others: {
    'refuses-an-id-token': ['Only access tokens have azp.', { payload: { azp: undefined } }, missing('azp')],
    'refuses-a-v1-token': ['The other version.', { payload: { ver: '1.0' } }, mismatch('ver', '2.0')],
    'refuses-the-v1-issuer': [
      'Which has another issuer as well.',
      { payload: { iss: `https://sts.windows.net/${TENANT}/` } },
      refuse('issuer-mismatch'),
    ],
    'refuses-another-tenant': [
      'All tenants share one set of keys: the issuer is what tells them apart.',
      { payload: { iss: `https://login.microsoftonline.com/${OTHER_TENANT}/v2.0`, tid: OTHER_TENANT } },
      refuse('issuer-mismatch'),
      13,
    ],
  },
});
for (const tenant of ['common', 'organizations', 'contoso.onmicrosoft.com']) {
  add(
    `entra-v2-refuses-the-tenant-${tenant}`,
    13,
    "Tokens name the tenant's id; a policy for every tenant would trust every tenant.",
    { kind: 'policy', policy: { issuers: [{ preset: 'entra-v2', tenant, audience: API }] } },
    misuse('/issuers/0/tenant'),
  );
}

const okta = {
  parameters: { domain: 'dev-1.okta.com' },
  issuer: 'https://dev-1.okta.com/oauth2/default',
  audience: 'api://default',
  payload: {
    ver: 1,
    jti: 'AT.1',
    sub: 'user@b.example',
    aud: 'api://default',
    cid: 'client1',
    uid: '00u1',
    scp: ['openid', 'read'],
    auth_time: NOW - 60,
  },
};
provider(add, 'okta', {
  ...okta,
  others: {
    'refuses-an-id-token': [
      'Only access tokens have cid.',
      { payload: { jti: 'ID.1', cid: undefined, uid: undefined, scp: undefined } },
      missing('cid'),
    ],
    'refuses-an-id-token-by-its-audience': [
      'And its audience is the client.',
      { payload: { aud: 'client1', cid: undefined } },
      otherAudience(['client1']),
    ],
    'refuses-another-authorization-server': [
      'Each is an issuer of its own.',
      { payload: { iss: 'https://dev-1.okta.com/oauth2/aus1' } },
      refuse('issuer-mismatch'),
      13,
    ],
  },
});
add(
  'okta-accepts-a-named-authorization-server',
  38,
  'Its id is part of the issuer.',
  {
    policy: {
      issuers: [
        { preset: 'okta', ...okta.parameters, authorizationServer: 'aus1', audience: 'api://default' },
      ],
    },
    remoteKeys: [
      {
        issuer: 'https://dev-1.okta.com/oauth2/aus1',
        jwks: { keys: [publicJwk('rsa', { kid: KID, alg: 'RS256', use: 'sig' })] },
      },
    ],
    token: signed({}, { ...okta.payload, ...times, iss: 'https://dev-1.okta.com/oauth2/aus1' }),
  },
  accept(),
);

const cognito = {
  parameters: { region: 'eu-west-1', userPool: 'eu-west-1_AbCdEf123' },
  issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123',
  audience: 'app-client-1',
};
const user = {
  sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
  'cognito:groups': ['g'],
  auth_time: NOW - 60,
  jti: 'j',
};
const cognitoAccess = {
  ...user,
  token_use: 'access',
  client_id: 'app-client-1',
  scope: 'openid',
  username: 'u',
  version: 2,
};
const cognitoId = {
  ...user,
  token_use: 'id',
  aud: 'app-client-1',
  'cognito:username': 'u',
  email: 'a@b.example',
};
provider(add, 'cognito-access', {
  ...cognito,
  payload: cognitoAccess,
  others: {
    'refuses-an-id-token': [
      'It has aud and no client_id.',
      { payload: { ...cognitoId, client_id: undefined } },
      missing('client_id'),
    ],
    'refuses-another-use': [
      'What it is for is said by token_use.',
      { payload: { token_use: 'id' } },
      mismatch('token_use', 'access'),
    ],
    'refuses-another-client': [
      'Another app of the same pool.',
      { payload: { client_id: 'app-client-2' } },
      otherAudience(['app-client-2']),
      36,
    ],
    'refuses-another-pool': [
      'Another issuer.',
      { payload: { iss: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other' } },
      refuse('issuer-mismatch'),
      13,
    ],
  },
});
provider(add, 'cognito-id', {
  ...cognito,
  payload: cognitoId,
  others: {
    'refuses-an-access-token': [
      'It has no aud.',
      { payload: { ...cognitoAccess, aud: undefined } },
      missing('aud'),
    ],
    'refuses-another-use': [
      'Nor one that had.',
      { payload: { token_use: 'access' } },
      mismatch('token_use', 'id'),
    ],
  },
});

provider(add, 'keycloak', {
  parameters: { url: 'https://id.example', realm: 'realm1' },
  issuer: 'https://id.example/realms/realm1',
  audience: 'account',
  header: { typ: 'JWT' },
  payload: {
    jti: 'j',
    aud: ['account', 'other'],
    sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    typ: 'Bearer',
    azp: 'client1',
    sid: 's',
    acr: '1',
    realm_access: { roles: ['user'] },
    resource_access: { account: { roles: ['view-profile'] } },
    scope: 'openid email',
  },
  others: {
    'refuses-an-id-token': [
      "The payload's typ says what it is.",
      { payload: { typ: 'ID' } },
      mismatch('typ', 'Bearer'),
    ],
    'refuses-an-offline-token': [
      'Nor is that a bearer token.',
      { payload: { typ: 'Offline' } },
      mismatch('typ', 'Bearer'),
    ],
    'refuses-another-realm': [
      'Realms are issuers.',
      { payload: { iss: 'https://id.example/realms/master' } },
      refuse('issuer-mismatch'),
      13,
    ],
  },
});

// The preset itself
const auth0 = { preset: 'auth0', domain: 'tenant.eu.auth0.com', audience: API };
for (const [id, issuer, pointer] of [
  ['an-unknown-preset', { ...auth0, preset: 'auth1' }, '/preset'],
  ['a-preset-in-another-case', { ...auth0, preset: 'Auth0' }, '/preset'],
  ['a-preset-as-a-list', { ...auth0, preset: ['auth0'] }, '/preset'],
  ['a-preset-without-audience', { ...auth0, audience: undefined }, '/audience'],
  ['the-parameter-of-another-preset', { ...auth0, tenant: TENANT }, '/tenant'],
  ['a-parameter-without-preset', { ...auth0, preset: undefined }, '/domain'],
  ['an-unknown-member-beside-a-preset', { ...auth0, jwksUri: 'https://x.example' }, '/jwksUri'],
  ['a-url-for-a-host-name', { ...auth0, domain: 'https://tenant.eu.auth0.com' }, '/domain'],
]) {
  add(
    `refuses-${id}`,
    33,
    'The field is named.',
    { kind: 'policy', policy: { issuers: [issuer] } },
    misuse(`/issuers/0${pointer}`),
  );
}
add(
  'a-field-of-the-policy-wins-over-its-preset',
  38,
  'A tenant with a type of its own.',
  {
    policy: { issuers: [{ ...auth0, types: ['x+jwt'] }] },
    remoteKeys: [
      {
        issuer: 'https://tenant.eu.auth0.com/',
        jwks: { keys: [publicJwk('rsa', { kid: KID, alg: 'RS256' })] },
      },
    ],
    token: signed({ typ: 'JWT' }, { iss: 'https://tenant.eu.auth0.com/', aud: API, ...times }),
  },
  refuse('type-mismatch', { expected: ['x+jwt'], actual: 'JWT' }),
);
