// Presets of servers of one's own and of clouds. Of each the page is named that says what its
// tokens and keys look like.
import {
  API,
  mismatch,
  missing,
  neighbour,
  otherAudience,
  presets,
  provider,
  TENANT,
  USER,
} from './provider.mjs';
import { accept, NOW } from './signing.mjs';

const PAGES = {
  pingfederate:
    'https://docs.pingidentity.com/pingfederate/latest/administrators_reference_guide/pf_configure_json_token_management.html',
  adfs: 'https://learn.microsoft.com/windows-server/identity/ad-fs/overview/ad-fs-openid-connect-oauth-concepts',
  b2c: 'https://learn.microsoft.com/azure/active-directory-b2c/tokens-overview',
  iap: 'https://docs.cloud.google.com/iap/docs/signed-headers-howto',
  gitlab: 'https://docs.gitlab.com/ci/secrets/id_token_authentication',
};

const { add, file } = presets(Object.values(PAGES));

export { file };

provider(add, 'pingfederate', {
  parameters: { url: 'https://sso.example:9031' },
  issuer: 'https://sso.example:9031',
  audience: API,
  jwk: { alg: undefined },
  header: { 'pi.atm': '1' },
  payload: { aud: API, client_id: 'client1', scope: 'openid read', sub: 'joe', jti: 'j' },
  others: {
    'accepts-the-type-of-its-settings': [
      'An access token manager may write the type of RFC 9068.',
      { header: { typ: 'at+jwt' } },
      accept(),
    ],
    'accepts-scopes-in-an-array': [
      'Where an access token manager does not “Space Delimit Scope Values”.',
      { payload: { scope: ['openid', 'read'] } },
      accept(),
    ],
    'refuses-an-id-token-with-scopes-in-an-array': [
      'The array makes no access token of it.',
      { payload: { client_id: undefined, scope: ['openid', 'read'] } },
      missing('client_id'),
    ],
    'refuses-an-id-token': [
      'It names no client but as its audience.',
      { payload: { client_id: undefined, 'pi.sri': 's' } },
      missing('client_id'),
    ],
    'refuses-another-audience': [
      'Another API.',
      { payload: { aud: 'client1' } },
      otherAudience(['client1']),
      36,
    ],
    'refuses-another-server': neighbour('Each is an issuer of its own.', 'https://sso.other.example:9031'),
  },
});

provider(add, 'adfs', {
  parameters: { domain: 'fs.contoso.example' },
  issuer: 'http://fs.contoso.example/adfs/services/trust',
  audience: 'microsoft:identityserver:https://api.example',
  jwk: { x5t: 'k1' },
  header: { typ: 'JWT', x5t: 'k1' },
  payload: {
    aud: 'microsoft:identityserver:https://api.example',
    apptype: 'Confidential',
    appid: 'client1',
    authmethod: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
    auth_time: '2023-11-14T22:12:20.000Z',
    ver: '1.0',
    scp: 'openid',
    upn: 'a@contoso.example',
  },
  others: {
    'refuses-an-id-token': neighbour(
      'It has the issuer of OpenID Connect.',
      'https://fs.contoso.example/adfs',
      {
        aud: 'client1',
        appid: undefined,
      },
    ),
    'refuses-an-id-token-that-claims-the-other-issuer': [
      'And it names no application.',
      { payload: { appid: undefined, apptype: undefined } },
      missing('appid'),
    ],
    'refuses-the-issuer-by-https': neighbour(
      'It is a name, and compared as one.',
      'https://fs.contoso.example/adfs/services/trust',
    ),
    'refuses-another-relying-party': [
      'All of a farm have one issuer.',
      { payload: { aud: 'microsoft:identityserver:https://other.example' } },
      otherAudience(['microsoft:identityserver:https://other.example']),
      36,
    ],
  },
});

provider(add, 'azure-b2c', {
  parameters: { tenantName: 'contoso', tenant: TENANT, userFlow: 'B2C_1_signupsignin1' },
  issuer: `https://contoso.b2clogin.com/${TENANT}/v2.0/`,
  audience: '00000000-0000-0000-0000-0000000000b1',
  jwk: { alg: undefined, nbf: 1493763266 },
  header: { typ: 'JWT' },
  payload: {
    ver: '1.0',
    aud: '00000000-0000-0000-0000-0000000000b1',
    azp: '00000000-0000-0000-0000-0000000000c1',
    sub: USER,
    oid: USER,
    tfp: 'B2C_1_signupsignin1',
    scp: 'read write',
    nbf: NOW - 60,
  },
  others: {
    'refuses-an-id-token': [
      'Only access tokens say which application asked.',
      { payload: { azp: undefined, scp: undefined } },
      missing('azp'),
    ],
    'refuses-another-user-flow': [
      'All flows of a tenant have one issuer, and mostly one key: by this one users may be other people.',
      { payload: { tfp: 'B2C_1_partners' } },
      mismatch('tfp', 'B2C_1_signupsignin1'),
    ],
    'refuses-another-tenant': neighbour(
      'The id is in the issuer.',
      'https://contoso.b2clogin.com/99999999-2222-3333-4444-555555555555/v2.0/',
    ),
    'refuses-a-token-of-entra': neighbour(
      'Of no customer.',
      `https://login.microsoftonline.com/${TENANT}/v2.0`,
    ),
  },
});

provider(add, 'google-iap', {
  parameters: {},
  issuer: 'https://cloud.google.com/iap',
  audience: '/projects/1234567890/global/backendServices/42',
  alg: 'ES256',
  header: { typ: 'JWT' },
  payload: {
    aud: '/projects/1234567890/global/backendServices/42',
    sub: 'accounts.google.com:110169484474386276334',
    email: 'a@b.example',
    hd: 'b.example',
    google: { access_levels: ['accessPolicies/1/accessLevels/a'] },
  },
  others: {
    'refuses-another-service': [
      'Everybody’s applications have one issuer and one set of keys.',
      { payload: { aud: '/projects/1234567890/global/backendServices/43' } },
      otherAudience(['/projects/1234567890/global/backendServices/43']),
      36,
    ],
    'refuses-another-project': [
      'The number is part of the audience.',
      { payload: { aud: '/projects/9876543210/global/backendServices/42' } },
      otherAudience(['/projects/9876543210/global/backendServices/42']),
      13,
    ],
    'refuses-an-id-token-of-google': neighbour('Nor is that one of IAP.', 'https://accounts.google.com'),
  },
});

const gitlab = {
  parameters: { url: 'https://gitlab.com', namespaceId: '72' },
  issuer: 'https://gitlab.com',
  audience: API,
  header: { typ: 'JWT' },
  payload: {
    namespace_id: '72',
    namespace_path: 'my-group',
    project_id: '20',
    project_path: 'my-group/my-project',
    user_id: '1',
    user_login: 'sample-user',
    pipeline_id: '574',
    pipeline_source: 'push',
    job_id: '302',
    ref: 'main',
    ref_type: 'branch',
    ref_protected: 'true',
    runner_id: 1,
    runner_environment: 'self-hosted',
    sub: 'project_path:my-group/my-project:ref_type:branch:ref:main',
    aud: API,
    jti: 'j',
    nbf: NOW - 65,
  },
};
provider(add, 'gitlab-ci', {
  ...gitlab,
  parameters: { namespaceId: '72' },
  others: {
    'refuses-another-group': [
      'Every project can ask for a token with our audience.',
      { payload: { namespace_id: '73', namespace_path: 'evil', project_path: 'evil/my-project' } },
      mismatch('namespace_id', '72'),
      13,
    ],
    'refuses-a-group-that-took-our-name': [
      'A path that was given up can be taken.',
      { payload: { namespace_id: '74' } },
      mismatch('namespace_id', '72'),
    ],
    'refuses-the-id-as-a-number': [
      'It is a string.',
      { payload: { namespace_id: 72 } },
      mismatch('namespace_id', '72'),
      32,
    ],
    'refuses-the-id-token-of-a-user': [
      'Sign-in with GitLab has the same issuer and keys.',
      {
        payload: { namespace_id: undefined, project_id: undefined, job_id: undefined, aud: API, nonce: 'n' },
      },
      missing('project_id'),
    ],
    'refuses-another-server': neighbour(
      'Self-managed ones are issuers of their own.',
      'https://gitlab.example',
    ),
  },
});
