// What kind of token an authorization server's answer is about: it vouches for refresh tokens as
// well.
import { request, requests, thumbprint } from './gate-parts.mjs';
import { AUDIENCE, accept, ISSUER, NOW, refuse } from './signing.mjs';

const introspection = {
  endpoint: 'https://issuer.example/introspect',
  clientId: 'api',
  authentication: 'client_secret_basic',
};
const policy = (more = {}) => ({ issuers: [{ issuer: ISSUER, audience: AUDIENCE, introspection, ...more }] });
const { add, file } = requests(
  'Own; RFC 7662 section 2.2, RFC 6749 section 7.1, RFC 8693 section 3, RFC 9449 section 6.2.',
  {
    default: policy(),
    named: policy({ claims: { token_use: 'api' } }),
    dpop: policy({ claims: { token_type: 'DPoP' } }),
  },
);

export { file };

const answer = (more) => ({
  request: request({ token: 'opaque-token-1' }),
  evidence: {
    introspection: JSON.stringify({ active: true, aud: AUDIENCE, exp: NOW + 600, sub: 's', ...more }),
  },
});
for (const [name, more] of Object.entries({
  nothing: {},
  bearer: { token_type: 'Bearer' },
  'bearer-in-lower-case': { token_type: 'bearer' },
  'access-token': { token_type: 'access_token' },
  'an-access-token-with-a-hyphen': { token_type: 'access-token' },
  'the-urn-of-an-access-token': { token_type: 'urn:ietf:params:oauth:token-type:access_token' },
  'its-grant': { token_type: 'client_credentials' },
  'the-use-access': { token_use: 'access', token_type: 'Bearer' },
  'the-use-access-token': { token_use: 'access_token' },
  'the-typ-bearer': { typ: 'Bearer' },
  'the-typ-of-rfc-9068': { typ: 'at+jwt' },
})) {
  add(
    `gate-introspection-of-an-access-token-says-${name}`,
    38,
    'As servers name it.',
    answer(more),
    accept({ fields: { source: 'introspection' } }),
  );
}
for (const [name, member, value] of [
  ['refresh-token', 'token_type', 'refresh_token'],
  ['refresh', 'token_type', 'Refresh'],
  ['refresh-in-capitals', 'token_type', 'REFRESH_TOKEN'],
  ['refresh-with-a-hyphen', 'token_type', 'refresh-token'],
  ['the-urn-of-a-refresh-token', 'token_type', 'urn:ietf:params:oauth:token-type:refresh_token'],
  ['the-urn-of-an-id-token', 'token_type', 'urn:ietf:params:oauth:token-type:id_token'],
  ['not-applicable', 'token_type', 'N_A'],
  ['a-type-that-nobody-knows', 'token_type', 'mac'],
  ['a-list-of-types', 'token_type', ['Bearer', 'refresh_token']],
  ['no-type', 'token_type', null],
  ['the-use-refresh', 'token_use', 'refresh'],
  ['the-use-refresh-token', 'token_use', 'refresh_token'],
  ['the-use-id', 'token_use', 'id'],
  ['the-typ-refresh', 'typ', 'Refresh'],
  ['the-typ-offline', 'typ', 'Offline'],
  ['the-typ-id', 'typ', 'ID'],
  ['the-typ-logout', 'typ', 'logout+jwt'],
]) {
  add(
    `gate-introspection-of-another-token-says-${name}`,
    38,
    'It is active, and no access token: Keycloak, Hydra, Cognito, node-oidc-provider and others vouch for these.',
    answer({ token_use: 'access', [member]: value }),
    refuse('token-kind-refused', { status: 401, stage: 'introspection', member }),
  );
}
for (const [name, more] of Object.entries({
  nothing: {},
  'no-key': { cnf: {} },
  'a-certificate-alone': { cnf: { 'x5t#S256': 'A'.repeat(43) } },
})) {
  for (const member of ['token_type', 'typ']) {
    add(
      `gate-introspection-of-the-${member.replace('_', '-')}-dpop-is-bound-to-${name}`,
      55,
      'It would pass for a bearer token.',
      answer({ [member]: 'DPoP', ...more }),
      refuse('binding-required', { status: 401, expected: 'dpop' }),
    );
  }
}
add(
  'gate-introspection-of-the-type-dpop-asks-for-its-proof',
  55,
  'RFC 9449 section 7.1.',
  answer({ token_type: 'DPoP', cnf: { jkt: thumbprint('es256Other') } }),
  refuse('dpop-scheme-required'),
);
for (const [name, more, expect] of [
  ['nothing', {}, refuse('binding-required', { status: 401, expected: 'dpop' })],
  ['no-key', { cnf: {} }, refuse('binding-required', { status: 401, expected: 'dpop' })],
  ['a-key', { cnf: { jkt: thumbprint('es256Other') } }, refuse('dpop-scheme-required')],
]) {
  add(
    `gate-introspection-of-the-type-dpop-that-the-policy-asks-for-is-bound-to-${name}`,
    55,
    'The policy chooses the kind; it does not waive the proof.',
    { policy: 'dpop', ...answer({ token_type: 'DPoP', ...more }) },
    expect,
  );
}
add(
  'gate-introspection-of-a-kind-that-the-policy-asks-for',
  38,
  'Its `claims` have the last word.',
  { policy: 'named', ...answer({ token_use: 'api' }) },
  accept(),
);
add(
  'gate-introspection-of-another-kind-than-the-policy-asks-for',
  38,
  'Exactly that one.',
  { policy: 'named', ...answer({ token_use: 'refresh' }) },
  refuse('claim-mismatch'),
);
