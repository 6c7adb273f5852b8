// Presets of further identity providers and proxies. Of each the page is named that says what its
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
import { accept, NOW, refuse } from './signing.mjs';

const PAGES = {
  supabase: 'https://supabase.com/docs/guides/auth/jwt-fields',
  clerk: 'https://clerk.com/docs/guides/sessions/manual-jwt-verification',
  workos: 'https://workos.com/docs/reference/authkit/session-tokens',
  betterAuth: 'https://better-auth.com/docs/plugins/jwt',
  zitadel: 'https://zitadel.com/docs/apis/openidoauth/claims',
  logto: 'https://docs.logto.io/authorization/validate-access-tokens',
  fusionauth: 'https://fusionauth.io/docs/lifecycle/authenticate-users/oauth/tokens',
};

const { add, file } = presets(Object.values(PAGES));

export { file };

const supabase = {
  aud: 'authenticated',
  sub: USER,
  role: 'authenticated',
  aal: 'aal1',
  session_id: '11111111-0000-0000-0000-000000000001',
  email: 'a@b.example',
  phone: '',
  is_anonymous: false,
  app_metadata: { provider: 'email', providers: ['email'] },
  user_metadata: {},
  amr: [{ method: 'password', timestamp: NOW - 60 }],
};
provider(add, 'supabase', {
  parameters: { project: 'abcdefghijklmnopqrst' },
  issuer: 'https://abcdefghijklmnopqrst.supabase.co/auth/v1',
  alg: 'ES256',
  header: { typ: 'JWT' },
  payload: supabase,
  others: {
    'refuses-the-service-role': [
      'It is the key of servers, and no user.',
      { payload: { role: 'service_role' } },
      mismatch('role', 'authenticated'),
    ],
    'refuses-the-anonymous-key': [
      'The API key of the project is a token too, of another issuer and without a session.',
      { payload: { iss: 'supabase', aud: 'authenticated', role: 'anon', session_id: undefined } },
      refuse('issuer-mismatch'),
    ],
    'refuses-a-token-without-session': [
      'Only sessions have one.',
      { payload: { session_id: undefined } },
      missing('session_id'),
    ],
    'refuses-another-project': neighbour(
      'The neighbour has an issuer of its own.',
      'https://zyxwvutsrqponmlkjihg.supabase.co/auth/v1',
    ),
    'refuses-another-audience': [
      'Users are the audience.',
      { payload: { aud: 'anon' } },
      otherAudience(['anon']),
      36,
    ],
  },
});

provider(add, 'clerk', {
  parameters: { domain: 'clerk.app.example' },
  issuer: 'https://clerk.app.example',
  audience: 'https://app.example',
  header: { typ: 'JWT', cat: 'cl_B7d4PD111AAA' },
  payload: {
    azp: 'https://app.example',
    sub: 'user_1',
    sid: 'sess_1',
    jti: 'j',
    nbf: NOW - 60,
    v: 2,
    fva: [0, -1],
    sts: 'active',
  },
  others: {
    'refuses-a-token-of-another-page': [
      'A page of another subdomain has the cookie as well.',
      { payload: { azp: 'https://other.app.example' } },
      otherAudience(['https://other.app.example']),
      36,
    ],
    'refuses-a-token-of-nobody-knows-which-page': [
      '`azp` is the audience.',
      { payload: { azp: undefined } },
      missing('azp'),
    ],
    'refuses-a-token-of-a-template': [
      'It was made for somebody else, by the same keys, and has no session.',
      { payload: { sid: undefined } },
      missing('sid'),
    ],
    'refuses-another-instance': neighbour('Each has a host of its own.', 'https://clerk.other.example'),
  },
});

provider(add, 'workos', {
  parameters: { client: 'client_01HXYZ' },
  issuer: 'https://api.workos.com',
  payload: {
    sub: 'user_01HBEQKA6K4QJAS93VPE39W1JT',
    sid: 'session_01HQSXZGF8FHF7A9ZZFCW4387R',
    jti: '01HQSXZXPPFPKMDD32RKTFY6PV',
    org_id: 'org_01HRDMC6CM357W30QMHMQ96Q0S',
    role: 'member',
    roles: ['member'],
    permissions: ['posts:read', 'posts:write'],
    entitlements: ['audit-logs'],
  },
  others: {
    'accepts-an-impersonated-session': [
      'It says by whom.',
      { payload: { act: { sub: 'admin@b.example' } } },
      accept(),
    ],
    'refuses-a-token-without-session': [
      'Machines have none.',
      { payload: { sid: undefined } },
      missing('sid'),
    ],
    'refuses-a-token-of-an-authkit-domain': neighbour(
      'Those are for applications of others.',
      'https://acme.authkit.app',
      { aud: 'client_2' },
    ),
  },
});

provider(add, 'better-auth', {
  parameters: { url: 'https://app.example' },
  issuer: 'https://app.example',
  alg: 'EdDSA',
  jwk: { use: undefined },
  payload: {
    aud: 'https://app.example',
    sub: 'user1',
    id: 'user1',
    email: 'a@b.example',
    emailVerified: true,
    name: 'A',
    createdAt: '2026-01-01T00:00:00.000Z',
  },
  others: {
    'refuses-another-audience': [
      'Made for another service.',
      { payload: { aud: 'https://other.example' } },
      otherAudience(['https://other.example']),
      36,
    ],
    'refuses-another-server': neighbour('Each is an issuer of its own.', 'https://other.example'),
    'refuses-a-token-of-nobody': ['It has to say who.', { payload: { sub: undefined } }, missing('sub')],
  },
});

provider(add, 'zitadel', {
  parameters: { domain: 'org-1.zitadel.cloud' },
  issuer: 'https://org-1.zitadel.cloud',
  audience: '69234237810729019',
  payload: {
    aud: ['client1@project1', '69234237810729019'],
    sub: '77776025198584418',
    jti: '1234',
    client_id: 'client1@project1',
    nbf: NOW - 60,
    'urn:zitadel:iam:org:project:roles': { user: { 1: 'org1.example' } },
  },
  others: {
    'refuses-an-id-token': [
      'It is for the same project, and has no jti.',
      {
        payload: { jti: undefined, azp: 'client1@project1', at_hash: 'h', auth_time: NOW - 60, amr: ['pwd'] },
      },
      missing('jti'),
    ],
    'refuses-another-project': [
      'All projects of an instance share its keys.',
      { payload: { aud: ['client2@project2', '99934237810729019'] } },
      otherAudience(['client2@project2', '99934237810729019']),
      36,
    ],
    'refuses-another-instance': neighbour('Each has a host of its own.', 'https://org-2.zitadel.cloud'),
  },
});

provider(add, 'logto', {
  parameters: { domain: 'tenant1.logto.app' },
  issuer: 'https://tenant1.logto.app/oidc',
  audience: API,
  alg: 'ES384',
  header: { typ: 'at+jwt' },
  payload: { aud: API, sub: 'user1', jti: 'j', client_id: 'client1', scope: 'read write' },
  others: {
    'accepts-a-token-of-an-organization': [
      'It says which one, besides.',
      { payload: { organization_id: 'org1' } },
      accept(),
    ],
    'refuses-an-id-token': [
      'It is no access token by its type.',
      { header: { typ: 'JWT' }, payload: { aud: 'client1', client_id: undefined, at_hash: 'h' } },
      refuse('type-mismatch'),
    ],
    'refuses-another-resource': [
      'Another API of the same tenant.',
      { payload: { aud: 'https://other.example' } },
      otherAudience(['https://other.example']),
      36,
    ],
    'refuses-another-tenant': neighbour('Each has a host of its own.', 'https://tenant2.logto.app/oidc'),
  },
});

provider(add, 'fusionauth', {
  parameters: { url: 'https://auth.example', tenant: TENANT },
  issuer: 'auth.example',
  audience: '10000000-0000-0002-0000-000000000001',
  more: { issuer: 'auth.example' },
  header: { typ: 'JWT', gty: ['authorization_code'] },
  payload: {
    aud: '10000000-0000-0002-0000-000000000001',
    applicationId: '10000000-0000-0002-0000-000000000001',
    sub: USER,
    tid: TENANT,
    jti: USER,
    scope: 'openid offline_access',
    authenticationType: 'PASSWORD',
    auth_time: NOW - 60,
    roles: ['admin'],
    sid: USER,
  },
  others: {
    'refuses-an-id-token': [
      'It has the same audience, and no scope.',
      { payload: { scope: undefined, at_hash: 'h', nonce: 'n' } },
      missing('scope'),
    ],
    'refuses-another-tenant': [
      'Tenants may have one issuer and one key.',
      { payload: { tid: '99999999-2222-3333-4444-555555555555' } },
      mismatch('tid', TENANT),
      13,
    ],
    'refuses-a-user-who-is-not-registered': [
      'The application is named for those who are.',
      { payload: { applicationId: undefined, roles: undefined } },
      missing('applicationId'),
    ],
    'refuses-another-application': [
      'Another client.',
      { payload: { aud: '20000000-0000-0002-0000-000000000002' } },
      otherAudience(['20000000-0000-0002-0000-000000000002']),
      36,
    ],
  },
});
