// What the members of headers and payloads mean, in plain words, and where it is written.

/** name: [what it is, the document it is from] */
export const HEADER_MEMBERS = {
  alg: [
    'The algorithm the token says it was signed with. A verifier compares it with its key’s and never obeys it.',
    'RFC 7515 §4.1.1',
  ],
  typ: ['What kind of token this is: “at+jwt” for an access token.', 'RFC 7515 §4.1.9'],
  kid: ['Which of the issuer’s keys signed it. Only a name: it proves nothing.', 'RFC 7515 §4.1.4'],
  cty: ['What the payload is. “JWT” means another token inside this one.', 'RFC 7515 §4.1.10'],
  crit: ['Extensions that must be understood, or the token be refused.', 'RFC 7515 §4.1.11'],
  jku: ['An address where the sender says its keys are.', 'RFC 7515 §4.1.2'],
  jwk: ['A public key that came with the token.', 'RFC 7515 §4.1.3'],
  x5u: ['An address where the sender says its certificate is.', 'RFC 7515 §4.1.5'],
  x5c: ['A certificate chain that came with the token.', 'RFC 7515 §4.1.6'],
  x5t: ['The SHA-1 thumbprint of a certificate.', 'RFC 7515 §4.1.7'],
  'x5t#S256': ['The SHA-256 thumbprint of a certificate.', 'RFC 7515 §4.1.8'],
  b64: ['Whether the payload is base64url. “false” changes what is signed.', 'RFC 7797 §3'],
  enc: ['How the content is encrypted.', 'RFC 7516 §4.1.2'],
  zip: ['How the content was compressed before it was encrypted.', 'RFC 7516 §4.1.3'],
};

export const CLAIMS = {
  iss: ['Who issued the token.', 'RFC 7519 §4.1.1'],
  sub: ['Whom the token is about: a user, or a client itself.', 'RFC 7519 §4.1.2'],
  aud: ['Whom the token is for. Anybody else has to refuse it.', 'RFC 7519 §4.1.3'],
  exp: ['From this instant on the token is no longer valid.', 'RFC 7519 §4.1.4'],
  nbf: ['Before this instant the token is not yet valid.', 'RFC 7519 §4.1.5'],
  iat: ['When the token was issued.', 'RFC 7519 §4.1.6'],
  jti: ['The token’s own identifier, by which it can be revoked.', 'RFC 7519 §4.1.7'],
  scope: ['What the client may do, as words with spaces between.', 'RFC 8693 §4.2'],
  scp: ['What the client may do, as Microsoft Entra and Okta write it.', ''],
  client_id: ['The client the token was issued to.', 'RFC 8693 §4.3'],
  azp: ['The client the token was issued to.', 'OIDC Core §2'],
  appid: ['The client the token was issued to, as Microsoft Entra v1 writes it.', ''],
  cid: ['The client the token was issued to, as Okta writes it.', ''],
  auth_time: ['When the user last signed in.', 'OIDC Core §2'],
  acr: ['How strongly the user was authenticated, as a class.', 'OIDC Core §2'],
  amr: ['By which means the user was authenticated: password, one-time code, …', 'RFC 8176'],
  nonce: ['Ties an ID token to the sign-in it came from.', 'OIDC Core §2'],
  at_hash: ['Half a hash of the access token that came along.', 'OIDC Core §3.1.3.6'],
  sid: ['The session at the issuer, by which it can be ended.', 'OIDC Front-Channel Logout §3'],
  cnf: [
    'The key the sender has to prove to have; without the proof a stolen token is of no use.',
    'RFC 7800 §3.1',
  ],
  events: ['What has happened: a security event, such as a logout.', 'RFC 8417 §2.2'],
  htm: ['The method of the request that a DPoP proof is for.', 'RFC 9449 §4.2'],
  htu: ['The address of the request that a DPoP proof is for.', 'RFC 9449 §4.2'],
  ath: ['A hash of the access token that a DPoP proof goes with.', 'RFC 9449 §4.2'],
  authorization_details: ['What exactly the client may do.', 'RFC 9396 §2'],
  groups: ['Groups the subject is in.', 'RFC 9068 §2.2.3.1'],
  roles: ['Roles the subject has.', 'RFC 9068 §2.2.3.1'],
  status: ['Where it is published whether the token is revoked.', 'Token Status List §6'],
  vct: ['What kind of credential this is.', 'SD-JWT VC §3.2.2'],
  _sd: ['Hashes of claims that may be disclosed one by one.', 'RFC 9901'],
  name: ['The user’s name.', 'OIDC Core §5.1'],
  given_name: ['The user’s given name.', 'OIDC Core §5.1'],
  family_name: ['The user’s family name.', 'OIDC Core §5.1'],
  preferred_username: [
    'A name the user likes to be called by. It may change and is no identifier.',
    'OIDC Core §5.1',
  ],
  email: ['An address of the user. Whether it is proven, email_verified says.', 'OIDC Core §5.1'],
  email_verified: ['Whether the issuer has proven the address.', 'OIDC Core §5.1'],
  updated_at: ['When the user’s data last changed.', 'OIDC Core §5.1'],
  tid: ['The tenant of Microsoft Entra.', ''],
  oid: ['The user’s object in Microsoft Entra: stable across applications.', ''],
  upn: ['The user’s name in the directory. It may change and is no identifier.', ''],
  token_use: ['“access” or “id”, as Amazon Cognito says it.', ''],
  'cognito:groups': ['Groups of the user pool the user is in.', ''],
  realm_access: ['Roles in the realm, as Keycloak writes them.', ''],
  resource_access: ['Roles by client, as Keycloak writes them.', ''],
  firebase: ['How the user signed in to Firebase.', ''],
  repository: ['The repository whose workflow asked for the token.', ''],
  'kubernetes.io': ['The pod and service account the token belongs to.', ''],
};

/** Where a document named above is to be read, for those that have an address by a rule. */
export function documentUrl(source) {
  const [, number, section] = source.match(/^RFC (\d+)(?: §([\d.]+))?/) ?? [];
  if (!number) return undefined;
  return `https://www.rfc-editor.org/rfc/rfc${number}${section ? `#section-${section}` : ''}`;
}

/**
 * Providers whose tokens have a preset in the policy: the issuer's name tells. Where it is the
 * customer's own, what else the token says does, and there are no fields without it.
 */
const PROVIDERS = [
  [
    'Microsoft Entra, version 2',
    /^https:\/\/login\.microsoftonline\.com\/([\w-]+)\/v2\.0$/,
    (m) => ({ preset: 'entra-v2', tenant: m[1] }),
  ],
  [
    'Microsoft Entra, version 1',
    /^https:\/\/sts\.windows\.net\/([\w-]+)\/$/,
    (m) => ({ preset: 'entra-v1', tenant: m[1] }),
  ],
  ['Auth0', /^https:\/\/([\w.-]+\.auth0\.com)\/$/, (m) => ({ preset: 'auth0', domain: m[1] })],
  [
    'Okta',
    /^https:\/\/([\w.-]+\.okta\.com)\/oauth2\/([\w-]+)$/,
    (m) => ({ preset: 'okta', domain: m[1], authorizationServer: m[2] }),
  ],
  [
    'Amazon Cognito',
    /^https:\/\/cognito-idp\.([\w-]+)\.amazonaws\.com\/([\w-]+)$/,
    (m, { token_use }) => ({
      preset: token_use === 'id' ? 'cognito-id' : 'cognito-access',
      region: m[1],
      userPool: m[2],
    }),
  ],
  ['Google', /^https:\/\/accounts\.google\.com$/, () => ({ preset: 'google' })],
  ['Apple', /^https:\/\/appleid\.apple\.com$/, () => ({ preset: 'apple' })],
  [
    'Firebase',
    /^https:\/\/securetoken\.google\.com\/([\w-]+)$/,
    (m) => ({ preset: 'firebase', project: m[1] }),
  ],
  ['Keycloak', /^(https:\/\/.+)\/realms\/([\w-]+)$/, (m) => ({ preset: 'keycloak', url: m[1], realm: m[2] })],
  [
    'Cloudflare Access',
    /^https:\/\/([\w-]+)\.cloudflareaccess\.com$/,
    (m) => ({ preset: 'cloudflare-access', team: m[1] }),
  ],
  [
    'GitHub Actions',
    /^https:\/\/token\.actions\.githubusercontent\.com$/,
    (_, { repository_owner }) => ({ preset: 'github-actions', owner: repository_owner ?? 'OWNER' }),
  ],
  [
    'Supabase',
    /^https:\/\/([\w-]+)\.supabase\.co\/auth\/v1$/,
    (m) => ({ preset: 'supabase', project: m[1] }),
  ],
  [
    'Clerk',
    /^https:\/\/((?:clerk\.[\w.-]+)|(?:[\w-]+\.clerk\.accounts\.dev))$/,
    (m) => ({ preset: 'clerk', domain: m[1] }),
  ],
  ['Zitadel', /^https:\/\/([\w-]+\.(?:\w+\.)?zitadel\.cloud)$/, (m) => ({ preset: 'zitadel', domain: m[1] })],
  ['Logto', /^https:\/\/([\w-]+\.logto\.app)\/oidc$/, (m) => ({ preset: 'logto', domain: m[1] })],
  ['AD FS', /^https?:\/\/([\w.-]+)\/adfs(?:\/services\/trust)?$/, (m) => ({ preset: 'adfs', domain: m[1] })],
  [
    'Azure AD B2C',
    /^https:\/\/([\w-]+)\.b2clogin\.com\/([\da-f-]{36})\/v2\.0\/$/,
    (m, { tfp }) => ({ preset: 'azure-b2c', tenantName: m[1], tenant: m[2], userFlow: tfp ?? 'USER_FLOW' }),
  ],
  ['Google IAP', /^https:\/\/cloud\.google\.com\/iap$/, () => ({ preset: 'google-iap' })],
  [
    'GitLab CI',
    /^https:\/\/gitlab\.com$/,
    (_, { namespace_id }) => ({ preset: 'gitlab-ci', namespaceId: namespace_id ?? 'NAMESPACE_ID' }),
  ],
  [
    'WorkOS',
    /^https:\/\/api\.workos\.com$/,
    (m) => ({ preset: 'workos', client: 'CLIENT_ID', audience: m[0] }),
  ],
  [
    'FusionAuth',
    /^(?:https:\/\/)?([\w.-]+)$/,
    (m, { applicationId, tid }) =>
      applicationId && tid && { preset: 'fusionauth', issuer: m[0], url: `https://${m[1]}`, tenant: tid },
  ],
  [
    'PingFederate',
    /^https:\/\/[\w.-]+(?::\d+)?$/,
    (m, { client_id }, header) => client_id && header?.['pi.atm'] && { preset: 'pingfederate', url: m[0] },
  ],
  [
    'Better Auth',
    /^https:\/\/[\w.-]+(?::\d+)?$/,
    (m, { aud, sub, id, emailVerified }) =>
      aud === m[0] && sub === id && emailVerified !== undefined && { preset: 'better-auth', url: m[0] },
  ],
];

/** `{ name, fields }` of the provider that issued a token, where there is a preset for it. */
export function providerOf(claims, header) {
  for (const [name, pattern, fieldsOf] of PROVIDERS) {
    const match = typeof claims?.iss === 'string' && claims.iss.match(pattern);
    const fields = match && fieldsOf(match, claims, header);
    if (fields) return { name, fields };
  }
  return undefined;
}
