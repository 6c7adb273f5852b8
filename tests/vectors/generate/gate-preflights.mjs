// CORS preflights: what is one, and what it is answered.
import { gated, request, requests } from './gate-parts.mjs';
import { accept, misuse, refuse, token } from './signing.mjs';

const good = token();
const cors = { origins: ['https://app.example'], headers: ['X-Trace'], maxAgeSeconds: 60 };
const { add, file } = requests('Own; Fetch section 3.3 and 4.8, RFC 6454.', {
  default: gated({ cors }),
  none: gated({}),
  any: gated({ cors: { origins: 'any', methods: ['GET', 'PUT'] } }),
  cookies: gated({
    cors: { origins: ['https://app.example'], credentials: true },
    credentials: { cookie: 'session' },
  }),
  header: gated({ cors, credentials: { header: 'x-token' } }),
  passing: gated({
    preflight: 'pass',
    forward: { claims: { sub: 'x-user' } },
    routes: [{ path: '/admin/*', requirement: { scopes: ['admin'] } }],
  }),
  public: gated({ cors, routes: [{ path: '/*', requirement: 'public' }] }),
});

export { file };

const marks = (origin = 'https://app.example', method = 'PUT') => [
  ['Origin', origin],
  ['Access-Control-Request-Method', method],
];
const preflight = (more = [], rest = {}) =>
  request({ method: 'OPTIONS', headers: [...marks(), ...more], ...rest });
const vary = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';
const told = (headers) => accept({ fields: { step: 'preflight', answer: { status: 204, headers } } });
const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE';

add(
  'gate-preflight-of-a-listed-origin',
  46,
  'It is told what it may send: the gate’s own headers always.',
  { request: preflight([['Access-Control-Request-Headers', 'authorization']]) },
  told({
    'access-control-allow-origin': 'https://app.example',
    'access-control-allow-methods': methods,
    'access-control-allow-headers': 'authorization, dpop, content-type, x-trace',
    'access-control-max-age': '60',
    vary,
  }),
);
for (const [name, origin] of Object.entries({
  'another-origin': 'https://attacker.example',
  'an-origin-below': 'https://a.app.example',
  'a-longer-origin': 'https://app.example.attacker.example',
  'another-scheme': 'http://app.example',
  'another-port': 'https://app.example:8443',
  'an-origin-in-capitals': 'https://APP.example',
  nobody: 'null',
  'two-in-one': 'https://app.example, https://attacker.example',
})) {
  add(
    `gate-preflight-of-${name}-is-allowed-nothing`,
    46,
    'No origin is reflected that is not listed.',
    { request: request({ method: 'OPTIONS', headers: marks(origin) }) },
    told({ vary }),
  );
}
add(
  'gate-preflight-without-a-policy-for-it-is-allowed-nothing',
  46,
  'A browser then sends no request.',
  { policy: 'none', request: preflight() },
  told({}),
);
add(
  'gate-preflight-of-any-origin',
  46,
  'Spelled out in the policy, and never with credentials.',
  { policy: 'any', request: request({ method: 'OPTIONS', headers: marks('https://anywhere.example') }) },
  told({
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, PUT',
    'access-control-allow-headers': 'authorization, dpop, content-type',
    'access-control-max-age': '600',
    vary,
  }),
);
add(
  'gate-preflight-with-cookies-to-come',
  46,
  'Fetch section 3.3.5: the origin is named then.',
  { policy: 'cookies', request: preflight() },
  told({
    'access-control-allow-origin': 'https://app.example',
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': methods,
    'access-control-allow-headers': 'content-type',
    'access-control-max-age': '600',
    vary,
  }),
);
add(
  'gate-preflight-to-a-public-route',
  46,
  'Is answered as any other.',
  { policy: 'public', request: preflight() },
  accept({ fields: { step: 'preflight' } }),
);

// What is none
for (const [name, policy, headers, code] of [
  ['authorization', 'default', [['Authorization', 'Bearer forged']], 'segment-count'],
  ['another-scheme', 'default', [['Authorization', 'Basic YTpi']], 'authorization-scheme'],
  ['a-proof', 'default', [['DPoP', 'forged']], 'authorization-missing'],
  ['a-cookie', 'default', [['Cookie', 'a=b']], 'authorization-missing'],
  ['the-cookie-of-the-policy', 'cookies', [['Cookie', 'session=forged']], 'segment-count'],
  ['the-header-of-the-policy', 'header', [['X-Token', 'forged']], 'segment-count'],
  [
    'authorization-besides-the-header-of-the-policy',
    'header',
    [['Authorization', 'Bearer x']],
    'authorization-missing',
  ],
  ['a-length', 'default', [['Content-Length', '4']], 'authorization-missing'],
  [
    'two-lengths',
    'default',
    [
      ['Content-Length', '0'],
      ['content-length', '4'],
    ],
    'authorization-missing',
  ],
  ['a-length-that-is-none', 'default', [['Content-Length', 'x']], 'authorization-missing'],
  ['a-transfer-coding', 'default', [['Transfer-Encoding', 'chunked']], 'authorization-missing'],
  ['a-second-origin', 'default', [['Origin', 'https://app.example']], 'authorization-missing'],
]) {
  add(
    `gate-preflight-with-${name}-is-a-request`,
    46,
    'Fetch section 4.8: a preflight has neither credentials nor a body.',
    { policy, request: preflight(headers) },
    refuse(code),
  );
}
add(
  'gate-preflight-with-a-hidden-body-is-a-request',
  46,
  'HTTP/2 announces none.',
  { request: preflight([], { hasBody: true }) },
  refuse('authorization-missing'),
);
add(
  'gate-preflight-with-a-good-token-is-a-request',
  46,
  'And passes as one.',
  { request: preflight([['Authorization', `Bearer ${good}`]]) },
  accept({ fields: { step: 'allowed' } }),
);
add(
  'gate-preflight-with-a-length-of-nothing',
  46,
  'Some proxies add it.',
  { request: preflight([['Content-Length', '0']]) },
  accept({ fields: { step: 'preflight' } }),
);
for (const [name, url, more] of [
  ['plain-http', 'http://api.example/', {}],
  ['plain-http-to-a-loopback-name', 'http://localhost/', { clientAddress: '203.0.113.9' }],
]) {
  add(
    `gate-preflight-over-${name}`,
    46,
    'TLS is for what is asked before the request as well.',
    { request: preflight([], { url, ...more }) },
    refuse('transport-insecure'),
  );
}
add(
  'gate-preflight-for-another-host',
  46,
  'And so is the host.',
  {
    policy: gated({ cors, origins: ['https://api.example'] }),
    request: preflight([], { url: 'https://b.example/' }),
  },
  refuse('request-misdirected', { status: 421 }),
);

// The handler's own
add(
  'gate-preflight-is-passed-where-the-policy-asks-for-it',
  46,
  'Without a token, and without what a client wrote into our headers.',
  { policy: 'passing', request: preflight([['X-User', 'admin']], { url: 'https://api.example/admin/x' }) },
  accept({ fields: { step: 'preflight', forward: { set: {}, strip: ['x-user', 'authorization', 'dpop'] } } }),
);
add(
  'gate-preflight-is-not-passed-with-credentials',
  46,
  'It is none then.',
  { policy: 'passing', request: preflight([['Authorization', 'Bearer forged']]) },
  refuse('segment-count'),
);

add(
  'gate-preflight-is-not-passed-with-a-token-in-the-query',
  46,
  'Logs keep it.',
  { policy: 'passing', request: preflight([], { url: 'https://api.example/?access_token=x' }) },
  refuse('token-in-query'),
);

// Refusals that a script may read
const refused = (origin, policy = 'default') => ({
  policy,
  request: request({ headers: origin === undefined ? [] : [['Origin', origin]] }),
});
const exposed = 'WWW-Authenticate, DPoP-Nonce, Retry-After';
add(
  'gate-refusal-to-a-listed-origin-can-be-read',
  46,
  'RFC 6750 section 3: the client has to see what it lacks.',
  refused('https://app.example'),
  refuse('authorization-missing', {
    cors: {
      'access-control-allow-origin': 'https://app.example',
      'access-control-expose-headers': exposed,
      vary: 'Origin',
    },
  }),
);
add(
  'gate-refusal-to-another-origin-cannot',
  46,
  'A cache keeps it apart.',
  refused('https://attacker.example'),
  refuse('authorization-missing', { cors: { vary: 'Origin' } }),
);
add(
  'gate-refusal-to-no-origin',
  46,
  'The next request may have one.',
  refused(undefined),
  refuse('authorization-missing', { cors: { vary: 'Origin' } }),
);
add(
  'gate-refusal-to-any-origin',
  46,
  'Where the policy says so.',
  refused('https://anywhere.example', 'any'),
  refuse('authorization-missing', {
    cors: { 'access-control-allow-origin': '*', 'access-control-expose-headers': exposed, vary: 'Origin' },
  }),
);

// The policy
for (const [name, section, pointer] of [
  ['no-origins', { methods: ['GET'] }, '/gate/cors/origins'],
  ['a-star', { origins: ['*'] }, '/gate/cors/origins/0'],
  ['nobody', { origins: ['null'] }, '/gate/cors/origins/0'],
  ['another-word', { origins: 'all' }, '/gate/cors/origins'],
  ['a-path', { origins: ['https://app.example/'] }, '/gate/cors/origins/0'],
  ['any-with-credentials', { origins: 'any', credentials: true }, '/gate/cors/credentials'],
  ['every-header', { origins: 'any', headers: ['*'] }, '/gate/cors/headers/0'],
  ['every-method', { origins: 'any', methods: ['*'] }, '/gate/cors/methods/0'],
  ['a-year', { origins: 'any', maxAgeSeconds: 31_536_000 }, '/gate/cors/maxAgeSeconds'],
]) {
  add(
    `gate-policy-with-cors-of-${name}`,
    33,
    'Exact origins, or "any" spelled out.',
    { policy: gated({ cors: section }), request: request() },
    misuse(pointer),
  );
}
