// Presets of platforms whose tokens are for everybody who asks for one: what tells ours from a
// stranger's.
import { API, KID, mismatch, missing, otherAudience, presets, provider, signed, times } from './provider.mjs';
import { accept, NOW, publicJwk, refuse } from './signing.mjs';

const { add, file } = presets();

export { file };

provider(add, 'google', {
  parameters: {},
  issuer: 'https://accounts.google.com',
  audience: '1-a.apps.googleusercontent.com',
  header: { typ: 'JWT' },
  payload: {
    azp: '1-a.apps.googleusercontent.com',
    aud: '1-a.apps.googleusercontent.com',
    sub: '110169484474386276334',
    email: 'a@b.example',
    email_verified: true,
    hd: 'b.example',
  },
  others: {
    'refuses-another-client': [
      'A token that was made for somebody else.',
      { payload: { aud: '2-b.apps.googleusercontent.com' } },
      otherAudience(['2-b.apps.googleusercontent.com']),
      36,
    ],
    'refuses-another-type': ['They are plain JWTs.', { header: { typ: 'at+jwt' } }, refuse('type-mismatch')],
  },
});

provider(add, 'firebase', {
  parameters: { project: 'project-1' },
  issuer: 'https://securetoken.google.com/project-1',
  header: { typ: 'JWT' },
  payload: {
    aud: 'project-1',
    sub: 'uid1',
    user_id: 'uid1',
    auth_time: NOW - 60,
    firebase: { identities: {}, sign_in_provider: 'password' },
  },
  others: {
    'refuses-another-project': [
      'All projects share one set of keys.',
      { payload: { iss: 'https://securetoken.google.com/project-2', aud: 'project-2' } },
      refuse('issuer-mismatch'),
      13,
    ],
    'refuses-another-audience': [
      'The project is the audience.',
      { payload: { aud: 'project-2' } },
      otherAudience(['project-2']),
      36,
    ],
    'refuses-a-token-without-subject': [
      'It has to say who.',
      { payload: { sub: undefined } },
      missing('sub'),
    ],
    'refuses-a-session-cookie': [
      'Session cookies have another issuer.',
      { payload: { iss: 'https://session.firebase.google.com/project-1' } },
      refuse('issuer-mismatch'),
    ],
  },
});

provider(add, 'cloudflare-access', {
  parameters: { team: 'team1' },
  issuer: 'https://team1.cloudflareaccess.com',
  audience: 'aud-tag-1',
  header: { typ: 'JWT' },
  payload: {
    aud: ['aud-tag-1'],
    email: 'a@b.example',
    nbf: NOW - 60,
    type: 'app',
    identity_nonce: 'n',
    sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    country: 'NL',
  },
  others: {
    'accepts-a-service-token': [
      'Machines have a name in place of a subject.',
      { payload: { sub: '', email: undefined, identity_nonce: undefined, common_name: 'id.access' } },
      accept(),
    ],
    'refuses-the-session-of-the-team': [
      'Not of this application.',
      { payload: { type: 'org' } },
      mismatch('type', 'app'),
    ],
    'refuses-another-application': [
      'Another tag.',
      { payload: { aud: ['aud-tag-2'] } },
      otherAudience(['aud-tag-2']),
      36,
    ],
  },
});

provider(add, 'github-actions', {
  parameters: { owner: 'octo-org' },
  issuer: 'https://token.actions.githubusercontent.com',
  audience: API,
  header: { typ: 'JWT', x5t: 'thumbprint' },
  payload: {
    jti: 'j',
    sub: 'repo:octo-org/octo-repo:ref:refs/heads/main',
    aud: API,
    ref: 'refs/heads/main',
    repository: 'octo-org/octo-repo',
    repository_owner: 'octo-org',
    nbf: NOW - 60,
    event_name: 'push',
  },
  others: {
    "refuses-somebody-else's-repository": [
      'Every repository can ask for a token with our audience.',
      {
        payload: {
          repository: 'evil/repo',
          repository_owner: 'evil',
          sub: 'repo:evil/repo:ref:refs/heads/main',
        },
      },
      mismatch('repository_owner', 'octo-org'),
      13,
    ],
    'refuses-an-owner-whose-name-ours-begins-with': [
      'The whole name.',
      { payload: { repository_owner: 'octo' } },
      mismatch('repository_owner', 'octo-org'),
      37,
    ],
  },
});
const pinned = {
  preset: 'github-actions',
  owner: 'octo-org',
  audience: API,
  claims: { ref: 'refs/heads/main' },
};
for (const [id, more, expect] of [
  ['accepts-the-branch-asked-for', {}, accept()],
  ['refuses-another-branch', { ref: 'refs/heads/x' }, mismatch('ref', 'refs/heads/main')],
  ['still-asks-for-the-owner', { repository_owner: 'evil' }, mismatch('repository_owner', 'octo-org')],
]) {
  add(
    `github-actions-${id}`,
    38,
    'Claims of the policy come besides those of the preset.',
    {
      policy: { issuers: [pinned] },
      remoteKeys: [
        {
          issuer: 'https://token.actions.githubusercontent.com',
          jwks: { keys: [publicJwk('rsa', { kid: KID, alg: 'RS256' })] },
        },
      ],
      token: signed(
        { typ: 'JWT' },
        {
          iss: 'https://token.actions.githubusercontent.com',
          aud: API,
          repository_owner: 'octo-org',
          ref: 'refs/heads/main',
          ...times,
          ...more,
        },
      ),
    },
    expect,
  );
}

provider(add, 'apple', {
  parameters: {},
  issuer: 'https://appleid.apple.com',
  audience: 'com.example.service',
  payload: {
    aud: 'com.example.service',
    sub: '001234.abcdef.0001',
    email: 'x@privaterelay.appleid.com',
    email_verified: 'true',
    is_private_email: 'true',
    auth_time: NOW - 60,
    nonce_supported: true,
  },
  others: {
    'refuses-another-app': [
      'Another client.',
      { payload: { aud: 'com.example.other' } },
      otherAudience(['com.example.other']),
      36,
    ],
  },
});

provider(add, 'kubernetes', {
  parameters: { issuer: 'https://oidc.example/id/0123456789ABCDEF' },
  issuer: 'https://oidc.example/id/0123456789ABCDEF',
  audience: 'things',
  payload: {
    aud: ['things'],
    nbf: NOW - 60,
    sub: 'system:serviceaccount:default:api',
    'kubernetes.io': {
      namespace: 'default',
      pod: { name: 'api-1', uid: 'u1' },
      serviceaccount: { name: 'api', uid: 'u2' },
    },
  },
  others: {
    "refuses-a-token-for-the-cluster's-own-api": [
      'What a pod holds by default is for the API server.',
      { payload: { aud: ['https://kubernetes.default.svc'] } },
      otherAudience(['https://kubernetes.default.svc']),
      36,
    ],
    'refuses-a-legacy-token': [
      'Tokens out of secrets never expire.',
      { payload: { iss: 'kubernetes/serviceaccount', exp: undefined, aud: undefined } },
      missing('exp'),
      35,
    ],
    'refuses-what-is-no-service-account': [
      'It has to say of which.',
      { payload: { 'kubernetes.io': undefined } },
      missing('kubernetes.io'),
    ],
  },
});
