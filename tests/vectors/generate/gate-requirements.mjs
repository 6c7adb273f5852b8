// What a request requires besides a good token, what its client is told, and what its origin is
// told.
import { gated, request, requests } from './gate-parts.mjs';
import { accept, claims, NOW, refuse, token } from './signing.mjs';

const { add, file } = requests(
  'Own; RFC 6750 section 3, RFC 9457, RFC 9470, RFC 8693 section 4.2, RFC 4632.',
  {
    default: gated({
      networks: { office: ['192.0.2.0/24', '2001:db8::/32'] },
      forward: {
        claims: {
          sub: 'x-user',
          'realm_access.roles': 'x-roles',
          'https://api.example/tenant': 'x-tenant',
          level: 'x-level',
        },
        token: 'keep',
      },
    }),
    any: gated({}, {}, { types: 'any' }),
    proxied: gated({ proxies: { trusted: ['10.0.0.0/8', '::1'], header: 'X-Forwarded-For' } }),
    nothing: gated(undefined),
  },
);

export { file };

const asked = (requirement, more, rest = {}) => ({
  requirement,
  request: request({ token: token({ payload: claims(more) }), ...rest.request }),
  ...(rest.policy && { policy: rest.policy }),
});

// Scopes
const both = { scopes: ['read', 'write'], anyScope: ['x', 'y'] };
for (const [name, more] of Object.entries({
  'a-scope-string': { scope: 'read write x' },
  'an-scp-array': { scp: ['y', 'write', 'read'] },
  'an-scp-string': { scp: 'read write y' },
  'a-scope-array': { scope: ['read', 'write', 'x'] },
  'a-scope-array-and-scp': { scope: ['read', 'write'], scp: 'x' },
  'scope-and-scp': { scope: 'read', scp: ['write', 'x'] },
})) {
  add(`gate-accepts-scopes-in-${name}`, 36, 'As issuers write them.', asked(both, more), accept());
}
for (const [name, more] of Object.entries({
  none: {},
  'one-too-few': { scope: 'read x' },
  'none-of-any': { scope: 'read write' },
  'another-case': { scope: 'Read write x' },
  'a-longer-one': { scope: 'reader write x' },
  'a-scope-array-one-too-few': { scope: ['read', 'x'] },
  'a-list-in-an-element-of-scope': { scope: ['read write', 'x'] },
  'an-empty-scope-array': { scope: [] },
  'a-list-in-an-element': { scp: ['read write', 'x'] },
  'another-separator': { scope: 'read,write,x' },
})) {
  add(
    `gate-refuses-scopes-${name}`,
    36,
    'Each scope is compared whole; the challenge names them (RFC 6750 section 3).',
    asked(both, more),
    refuse('scope-insufficient', {
      status: 403,
      stage: 'requirement',
      scopes: ['read', 'write', 'x', 'y'],
      challenges: [
        'Bearer realm="api", error="insufficient_scope", error_description="The token lacks a scope that this resource requires. Request a token with the scope of the challenge.", scope="read write x y"',
      ],
    }),
  );
}
add(
  'gate-refuses-scp-as-an-object',
  32,
  'Present but malformed refuses.',
  asked({ scopes: ['a'] }, { scp: { a: true } }),
  refuse('claim-malformed', { claim: 'scp', status: 401 }),
);

// Roles by exact path
const roles = { claims: [{ path: ['realm_access', 'roles'], allOf: ['a'], anyOf: ['x', 'y'] }] };
add(
  'gate-accepts-roles-by-path',
  37,
  'Keycloak’s.',
  asked(roles, { realm_access: { roles: ['y', 'a'] } }),
  accept(),
);
for (const [name, more] of Object.entries({
  'one-too-few': { realm_access: { roles: ['x'] } },
  'none-of-any': { realm_access: { roles: ['a'] } },
  'a-prefix': { realm_access: { roles: ['a', 'xx'] } },
  'a-dotted-name': { 'realm_access.roles': ['a', 'x'] },
  'another-level': { roles: ['a', 'x'] },
  'a-number-among-them': { realm_access: { roles: ['a', 'x', 1] } },
  'an-object': { realm_access: { roles: { a: 1, x: 1 } } },
  nothing: {},
})) {
  add(
    `gate-refuses-roles-${name}`,
    37,
    'The exact path, the exact strings.',
    asked(roles, more),
    refuse('claim-insufficient', { status: 403, path: ['realm_access', 'roles'] }),
  );
}
for (const name of ['__proto__', 'constructor', 'toString']) {
  const required = { claims: [{ path: [name], anyOf: ['x'] }] };
  const payload = (value) => JSON.stringify(claims()).replace('{', `{${JSON.stringify(name)}:${value},`);
  const ask = (text) => ({ requirement: required, request: request({ token: token({ payload: text }) }) });
  add(`gate-finds-the-claim-${name}`, 40, 'A name like any other.', ask(payload('"x"')), accept());
  add(
    `gate-finds-no-claim-${name}-where-there-is-none`,
    40,
    'Nothing is inherited.',
    ask(JSON.stringify(claims())),
    refuse('claim-insufficient'),
  );
}

// Step-up
const stepUp = { acr: ['gold', 'platinum'], maxAgeSeconds: 300 };
const challenged = (sentence) => [
  `Bearer realm="api", error="insufficient_user_authentication", error_description="${sentence}", acr_values="gold platinum", max_age="300"`,
];
add(
  'gate-accepts-a-recent-authentication',
  35,
  'RFC 9470.',
  asked(stepUp, { acr: 'gold', auth_time: NOW - 299 }),
  accept({ fields: { until: NOW + 7 } }),
);
add(
  'gate-accepts-an-authentication-within-leeway',
  35,
  'Five seconds by default.',
  asked(stepUp, { acr: 'gold', auth_time: NOW - 305 }),
  accept(),
);
for (const [name, more] of Object.entries({
  'too-old': { acr: 'gold', auth_time: NOW - 306 },
  unknown: { acr: 'gold' },
  'in-the-future': { acr: 'gold', auth_time: NOW + 6 },
  'as-a-string': { acr: 'gold', auth_time: String(NOW) },
})) {
  add(
    `gate-steps-up-an-authentication-${name}`,
    35,
    'RFC 9470 section 3: both parameters, so that one more authentication is enough.',
    asked(stepUp, more),
    refuse('authentication-too-old', {
      status: 401,
      maxAge: 300,
      challenges: challenged(
        "The user authenticated too long ago for this resource. Request an authentication within the challenge's max_age.",
      ),
    }),
  );
}
for (const [name, more] of Object.entries({
  another: { acr: 'silver', auth_time: NOW },
  none: { auth_time: NOW },
  'in-an-array': { acr: ['gold'], auth_time: NOW },
})) {
  add(
    `gate-steps-up-a-context-${name}`,
    37,
    'acr is one string, compared whole.',
    asked(stepUp, more),
    refuse('acr-insufficient', {
      status: 401,
      expected: ['gold', 'platinum'],
      challenges: challenged(
        "This resource requires another authentication of the user. Request one of the challenge's acr_values.",
      ),
    }),
  );
}

// Networks
const from = (clientAddress, headers = []) => ({ request: { clientAddress, headers } });
const office = { networks: ['office', '203.0.113.7'] };
for (const [name, address] of Object.entries({
  v4: '192.0.2.255',
  mapped: '::ffff:192.0.2.1',
  v6: '2001:db8:ffff::1',
  alone: '203.0.113.7',
  'with-a-port': '192.0.2.1:4711',
  bracketed: '[2001:db8::1]:443',
})) {
  add(
    `gate-accepts-a-client-by-${name}`,
    53,
    'In the policy’s networks.',
    asked(office, {}, from(address)),
    accept(),
  );
}
for (const [name, address] of Object.entries({
  outside: '192.0.3.0',
  'outside-v6': '2001:db9::1',
  'mapped-outside': '::ffff:192.0.3.1',
  'one-more': '203.0.113.8',
})) {
  add(
    `gate-refuses-a-client-${name}`,
    53,
    'In none of them.',
    asked(office, {}, from(address)),
    refuse('network-denied', { status: 403, challenges: [] }),
  );
}
add(
  'gate-refuses-a-client-nobody-knows',
  53,
  'What is not known is not inside.',
  asked(office, {}),
  refuse('address-unknown', { status: 403 }),
);
add(
  'gate-refuses-a-client-by-its-own-header',
  53,
  'A header is anyone’s to write.',
  asked(office, {}, from(undefined, [['x-forwarded-for', '192.0.2.1']])),
  refuse('address-unknown'),
);
add(
  'gate-refuses-a-client-with-an-odd-address',
  53,
  'What cannot be read is not known.',
  asked(office, {}, from('192.0.2.1, 192.0.2.2')),
  refuse('address-unknown'),
);
const behind = (hops, clientAddress = '10.0.0.1') =>
  asked(
    { networks: ['203.0.113.0/24'] },
    {},
    { policy: 'proxied', ...from(clientAddress, [['x-forwarded-for', hops]]) },
  );
add(
  'gate-finds-the-client-behind-a-proxy',
  53,
  'The last hop that is none of ours.',
  behind('192.0.2.9, 203.0.113.9, 10.9.9.9'),
  accept(),
);
add(
  'gate-does-not-take-the-first-hop',
  53,
  'The client wrote it itself.',
  behind('203.0.113.9, 192.0.2.9'),
  refuse('network-denied'),
);
add(
  'gate-does-not-take-hops-from-a-stranger',
  53,
  'Who is no proxy of ours speaks for itself.',
  behind('203.0.113.9', '192.0.2.1'),
  refuse('network-denied'),
);
add(
  'gate-does-not-guess-an-unknown-hop',
  53,
  'RFC 7239 section 6 has "unknown".',
  behind('203.0.113.9, unknown'),
  refuse('address-unknown'),
);
const byClaim = { networkClaim: 'cnet' };
add(
  'gate-accepts-a-client-by-claim',
  53,
  'The token says where it may be used.',
  asked(byClaim, { cnet: ['10.0.0.0/8', '192.0.2.0/24'] }, from('192.0.2.1')),
  accept(),
);
add(
  'gate-accepts-a-client-by-a-claim-of-one',
  53,
  'One as a string.',
  asked(byClaim, { cnet: '192.0.2.1' }, from('192.0.2.1')),
  accept(),
);
for (const [name, cnet] of Object.entries({
  outside: '10.0.0.0/8',
  malformed: '192.0.2.0/240',
  'malformed-among-others': ['192.0.2.0/24', 'any'],
  number: 1,
  empty: [],
})) {
  add(
    `gate-refuses-a-client-by-a-claim-${name}`,
    53,
    'What cannot be read allows nothing.',
    asked(byClaim, { cnet }, from('192.0.2.1')),
    refuse('network-denied'),
  );
}
add(
  'gate-refuses-a-token-without-the-claim',
  53,
  'It is asked for.',
  asked(byClaim, {}, from('192.0.2.1')),
  refuse('claim-missing', { claim: 'cnet' }),
);

// Kind
const ofKind = (types, typ) => ({
  policy: 'any',
  requirement: { types },
  request: request({ token: token({ header: { typ } }) }),
});
add(
  'gate-narrows-kinds',
  38,
  'The issuer’s types say any; the route takes one.',
  ofKind(['at+jwt'], 'at+jwt'),
  accept(),
);
add(
  'gate-refuses-another-kind',
  38,
  'An ID token where an access token is asked for.',
  ofKind(['at+jwt'], 'JWT'),
  refuse('type-mismatch', { expected: ['at+jwt'], actual: 'JWT' }),
);
add(
  'gate-refuses-no-kind',
  38,
  'Nor none.',
  ofKind(['at+jwt'], undefined),
  refuse('type-mismatch', { actual: null }),
);

// The token itself
for (const [name, payload, code] of [
  ['an-expired-token', { exp: NOW - 60 }, 'expired'],
  ['another-audience', { aud: 'https://other.example' }, 'audience-mismatch'],
  ['no-expiry', { exp: undefined }, 'claim-missing'],
]) {
  add(
    `gate-refuses-${name}`,
    35,
    'invalid_token, by the verifier’s own code.',
    { request: request({ token: token({ payload: claims(payload) }) }) },
    refuse(code, { status: 401 }),
  );
}
add(
  'gate-tells-an-expired-token',
  47,
  'A challenge and a problem (RFC 9457), and no text of the token in either.',
  { request: request({ token: token({ payload: claims({ exp: NOW - 60 }) }) }) },
  refuse('expired', {
    challenges: ['Bearer realm="api", error="invalid_token", error_description="The token has expired."'],
    problem: {
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      detail: 'The token has expired.',
      code: 'expired',
      stage: 'policy',
    },
  }),
);
add(
  'gate-works-without-its-section',
  35,
  'A good token is enough then.',
  asked(undefined, {}, { policy: 'nothing' }),
  accept({ fields: { forward: { set: {}, strip: [] } } }),
);

// Forwarding
const strip = ['x-level', 'x-roles', 'x-tenant', 'x-user'];
const told = (more, set) => [asked(undefined, more), accept({ fields: { forward: { set, strip } } })];
add(
  'gate-forwards-claims',
  46,
  'By name, by path, and a name with dots; arrays joined by spaces.',
  ...told(
    { realm_access: { roles: ['a', 'b'] }, 'https://api.example/tenant': 't', level: 3 },
    { 'x-user': 'user-1', 'x-roles': 'a b', 'x-tenant': 't', 'x-level': '3' },
  ),
);
for (const [name, level] of Object.entries({
  'line-feeds': 'a\r\nx-user: admin',
  nul: 'a\u0000b',
  'letters-beyond-ascii': 'Łukasz',
  'latin-letters': 'é',
  'white-space-around': ' a',
  objects: { a: 1 },
  fractions: 1.5,
  null: null,
  'elements-with-spaces': ['a b'],
})) {
  add(
    `gate-forwards-no-${name}`,
    46,
    'What no header can hold, or would hold in two ways, is left out; what the client wrote there goes all the same.',
    ...told({ level }, { 'x-user': 'user-1' }),
  );
}

// A check of the caller's own
add(
  'gate-hears-a-check-that-refuses',
  46,
  'It can only narrow.',
  { ...asked(undefined, {}), evidence: { check: 'the account is closed' } },
  refuse('refused-by-check', { status: 403, reason: 'the account is closed', challenges: [] }),
);
add(
  'gate-refuses-a-bad-token-before-a-check',
  46,
  'A check is asked about good tokens alone.',
  { request: request({ token: token({ payload: claims({ exp: NOW - 60 }) }) }), evidence: { check: 'x' } },
  refuse('expired'),
);
