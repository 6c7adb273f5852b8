// Sections `gate` of a policy, good and bad: what the published schema says of them and what the
// gate's reader does.

const requirement = {
  scopes: ['a', 'b'],
  anyScope: ['x', 'y'],
  claims: [{ path: ['realm_access', 'roles'], allOf: ['r'], anyOf: ['s', 't'] }],
  acr: ['urn:example:mfa'],
  maxAgeSeconds: 300,
  networks: ['office', '10.0.0.0/8'],
  networkClaim: 'cnet',
  types: ['at+jwt'],
  binding: 'dpop',
  anonymous: true,
};
const networks = { office: ['192.0.2.0/24', '2001:db8::/32'] };
const route = { path: '/admin/:id/*', methods: ['POST'], requirement: { scopes: ['admin'] } };

const good = {
  nothing: {},
  'a realm': { realm: 'api' },
  'a cookie': { credentials: { cookie: 'session' } },
  'a header of its own': { credentials: { header: 'cf-access-jwt-assertion' } },
  'a scheme': { credentials: { header: 'x-token', scheme: 'Token' } },
  'every requirement': { requirement, networks },
  'binding by certificate': { requirement: { binding: 'mtls' } },
  'any binding': { requirement: { binding: 'any' } },
  'routes in order': {
    routes: [{ path: '/health', requirement: 'public' }, route, { path: '/*', requirement: {} }],
  },
  'all methods': { routes: [{ path: '/', requirement: { anonymous: false } }] },
  forwarding: { forward: { claims: { sub: 'x-user-id', 'realm_access.roles': 'x-roles' }, token: 'keep' } },
  'a stripped token': { forward: { token: 'strip' } },
  networks: { networks },
  proxies: { proxies: { trusted: ['10.0.0.0/8', '::1'], header: 'x-forwarded-for' } },
  'proxies by default header': { proxies: { trusted: ['10.0.0.0/8'] } },
  'every word about proofs': {
    dpop: { iatWindowSeconds: 60, nonce: true, nonceSeconds: 60, algorithms: ['ES256', 'EdDSA', 'RS256'] },
  },
  origins: { origins: ['https://api.example', 'http://localhost:*'] },
  'a list of origins for scripts': {
    cors: {
      origins: ['https://app.example'],
      methods: ['GET'],
      headers: ['x-trace'],
      exposeHeaders: ['x-trace'],
      credentials: true,
      maxAgeSeconds: 0,
    },
  },
  'any origin for scripts': { cors: { origins: 'any' } },
  'preflights for the handler': { preflight: 'pass' },
  'preflights for the gate': { preflight: 'answer' },
  'private hosts': { privateHosts: ['keys.corp', '10.0.0.7'] },
};

const bad = {
  'an unknown member': { realms: 'api' },
  'an empty realm': { realm: '' },
  'a realm as a number': { realm: 1 },
  'credentials as text': { credentials: 'cookie' },
  'a token in the query': { credentials: { query: 'access_token' } },
  'a cookie without a name': { credentials: { cookie: '' } },
  'a requirement as text': { requirement: 'public' },
  'an unknown requirement': { requirement: { scope: ['a'] } },
  'scopes as text': { requirement: { scopes: 'a b' } },
  'no scopes': { requirement: { scopes: [] } },
  'an empty scope': { requirement: { scopes: [''] } },
  'claims as an object': { requirement: { claims: { roles: ['a'] } } },
  'a claim without path': { requirement: { claims: [{ allOf: ['a'] }] } },
  'a claim with an empty path': { requirement: { claims: [{ path: [], allOf: ['a'] }] } },
  'a claim with nothing asked': { requirement: { claims: [{ path: ['roles'] }] } },
  'a claim with values as text': { requirement: { claims: [{ path: ['roles'], allOf: 'a' }] } },
  'a negative age': { requirement: { maxAgeSeconds: -1 } },
  'an age in fractions': { requirement: { maxAgeSeconds: 0.5 } },
  'an age as text': { requirement: { maxAgeSeconds: '300' } },
  'another binding': { requirement: { binding: 'token' } },
  'anonymous as text': { requirement: { anonymous: 'yes' } },
  'routes as an object': { routes: { '/': 'public' } },
  'no routes': { routes: [] },
  'a route without path': { routes: [{ requirement: 'public' }] },
  'a route without requirement': { routes: [{ path: '/' }] },
  'a route with another word': { routes: [{ path: '/', requirement: 'private' }] },
  'a route with an unknown member': { routes: [{ ...route, method: 'GET' }] },
  'no methods': { routes: [{ ...route, methods: [] }] },
  'methods as text': { routes: [{ ...route, methods: 'GET' }] },
  'a bad requirement within a route': { routes: [{ path: '/', requirement: { scopes: [1] } }] },
  'forwarding to no header': { forward: { claims: { sub: '' } } },
  'forwarding a list': { forward: { claims: ['sub'] } },
  'another word for the token': { forward: { token: 'forward' } },
  'networks as a list': { networks: ['10.0.0.0/8'] },
  'a network without ranges': { networks: { office: [] } },
  'proxies without addresses': { proxies: { header: 'x-forwarded-for' } },
  'proxies as a list': { proxies: ['10.0.0.0/8'] },
  'no window': { dpop: { iatWindowSeconds: 0 } },
  'a window of an hour': { dpop: { iatWindowSeconds: 3600 } },
  'a nonce as text': { dpop: { nonce: 'yes' } },
  'another algorithm of proofs': { dpop: { algorithms: ['HS256'] } },
  'no algorithm of proofs': { dpop: { algorithms: [] } },
  'nonces of a second': { dpop: { nonceSeconds: 1 } },
  'an unknown word about proofs': { dpop: { jti: true } },
  'an origin as text': { origins: 'https://api.example' },
  'no origins': { origins: [] },
  'cors without origins': { cors: {} },
  'cors for another word': { cors: { origins: 'all' } },
  'cors for no origins': { cors: { origins: [] } },
  'cors for a day and more': { cors: { origins: 'any', maxAgeSeconds: 86_401 } },
  'an unknown word about cors': { cors: { origins: 'any', reflect: true } },
  'another word about preflights': { preflight: 'ignore' },
  'private hosts as text': { privateHosts: 'keys.corp' },
};

/** Bad, but not in a way that a schema can say. */
const beyond = {
  'an address that is none': { networks: { office: ['300.0.0.1'] } },
  'a range that is too narrow': { networks: { office: ['10.0.0.0/33'] } },
  'a network that is not named': { requirement: { networks: ['office'] } },
  'a path that is no pattern': { routes: [{ path: '/{', requirement: 'public' }] },
  'a header that is none': { forward: { claims: { sub: 'x user' } } },
  'an origin with a path': { origins: ['https://api.example/v1'] },
  'an origin by plain HTTP': { origins: ['http://api.example'] },
  'a star for scripts': { cors: { origins: ['*'] } },
  'any origin with credentials': { cors: { origins: 'any', credentials: true } },
  'every header for scripts': { cors: { origins: 'any', headers: ['*'] } },
  'a private host with a port': { privateHosts: ['keys.corp:8443'] },
};

const listed = (documents, good) => Object.entries(documents).map(([name, gate]) => ({ name, gate, good }));

export const GATES = [...listed(good, true), ...listed(bad, false), ...listed(beyond, false)];
export const READER_ALONE = Object.keys(beyond);
