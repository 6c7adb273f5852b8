// Requests before any token is looked at: how they came, what they say, where their token is.
import { gated, request, requests } from './gate-parts.mjs';
import { accept, misuse, refuse, token } from './signing.mjs';

const good = token();
const routes = [
  { path: '/health', requirement: 'public' },
  { path: '/static/*', methods: ['GET'], requirement: 'public' },
  { path: '/users/:id{/posts}?', requirement: { scopes: ['users'] } },
  { path: '/admin/login', requirement: 'public' },
  { path: '/admin/*', requirement: { scopes: ['admin'] } },
];
const { add, file } = requests(
  'Own; RFC 6750, RFC 9110, RFC 9700 section 4.3.2, Fetch section 3.3, WHATWG URL Pattern.',
  {
    default: gated({ forward: { claims: { sub: 'x-user' }, token: 'keep' } }),
    routes: gated({ routes, requirement: {}, forward: { claims: { sub: 'x-user' } } }),
    header: gated({ credentials: { header: 'Cf-Access-Jwt-Assertion' } }),
    scheme: gated({ credentials: { header: 'x-token', scheme: 'Token' } }),
    cookie: gated({ credentials: { cookie: 'session' } }),
    either: gated({ credentials: { header: 'authorization', cookie: 'session' }, forward: { claims: {} } }),
    proxied: gated({ proxies: { trusted: ['10.0.0.0/8'] } }),
    realm: gated({ realm: 'a "quoted\\realm"' }),
    anonymous: gated({ requirement: { anonymous: true } }),
  },
);

export { file };

const bare = ['Bearer realm="api"'];

// Transport
add(
  'gate-accepts-https',
  46,
  'TLS, as RFC 6750 section 5.3 asks.',
  { request: request({ token: good }) },
  accept({ fields: { step: 'allowed' } }),
);
for (const [name, url] of Object.entries({
  localhost: 'http://localhost:3000/orders',
  'a-name-below-localhost': 'http://app.localhost/',
  v4: 'http://127.0.0.1:8080/',
  v6: 'http://[::1]/',
})) {
  add(
    `gate-accepts-plain-http-of-loopback-${name}`,
    46,
    'Nothing leaves the machine: the name says so, and the other end of the connection.',
    { request: request({ url, token: good, clientAddress: name === 'v6' ? '::1' : '127.0.0.1' }) },
    accept(),
  );
}
for (const [name, url] of Object.entries({
  host: 'http://api.example/',
  'a-longer-name': 'http://localhost.attacker.example/',
  'a-similar-address': 'http://127.0.0.1.attacker.example/',
  port: 'http://api.example:443/',
})) {
  add(
    `gate-refuses-plain-http-of-another-${name}`,
    46,
    'A token that went over plain HTTP is everybody’s.',
    { request: request({ url, token: good }) },
    refuse('transport-insecure', { status: 403, stage: 'transport', challenges: [] }),
  );
}
const forwarded = (proto, clientAddress) => ({
  policy: 'proxied',
  request: request({
    url: 'http://api.example/',
    token: good,
    headers: [['X-Forwarded-Proto', proto]],
    clientAddress,
  }),
});
add(
  'gate-believes-a-proxy-of-ours-about-tls',
  46,
  'The policy names it.',
  forwarded('https', '10.1.2.3'),
  accept(),
);
add(
  'gate-believes-a-proxy-of-ours-about-plain-http',
  46,
  'In either direction.',
  {
    ...forwarded('http', '10.1.2.3'),
    request: { ...forwarded('http', '10.1.2.3').request, url: 'https://api.example/' },
  },
  refuse('transport-insecure'),
);
add(
  'gate-does-not-believe-a-client-about-tls',
  46,
  'Anyone can write the header.',
  forwarded('https', '192.0.2.1'),
  refuse('transport-insecure'),
);
add(
  'gate-does-not-believe-nobody-about-tls',
  46,
  'Without an address there is no proxy.',
  forwarded('https', undefined),
  refuse('transport-insecure'),
);
add(
  'gate-takes-no-list-for-a-scheme',
  46,
  'Two hops, joined by a comma.',
  forwarded('https, http', '10.1.2.3'),
  refuse('transport-insecure'),
);

// The request itself
for (const [name, more, member] of [
  ['a-relative-url', { url: '/orders' }, 'url'],
  ['user-information', { url: 'https://user@api.example/' }, 'url'],
  ['a-backslash', { url: 'https://api.example/a\\b' }, 'url'],
  ['no-host', { url: 'https:///orders' }, 'url'],
  ['another-scheme', { url: 'ftp://api.example/' }, 'url'],
  ['a-method-with-a-space', { method: 'GET /' }, 'method'],
]) {
  add(
    `gate-refuses-a-request-with-${name}`,
    46,
    'Two parsers would read two requests.',
    { request: request({ token: good, ...more }) },
    refuse('request-malformed', { status: 400, member }),
  );
}

for (const [name, policy, named] of [
  ['a-header-of-the-gate', 'default', 'X-User'],
  ['it-by-another-separator', 'default', 'close, x_user'],
  ['the-authorization', 'default', 'keep-alive,\tAUTHORIZATION'],
  ['the-proof', 'default', 'dpop'],
  ['the-cookie', 'cookie', 'Cookie'],
  ['the-header-of-the-token', 'header', 'cf-access-jwt-assertion'],
  ['it-after-a-space', 'default', 'close x-user'],
  ['it-after-a-tab', 'default', 'keep-alive\tx-user'],
  ['it-after-a-semicolon', 'default', 'close;x-user'],
  ['it-in-quotes', 'default', '"x-user"'],
  ['it-beside-what-is-no-token', 'default', 'é, x-other'],
]) {
  const headers = [['Connection', named]];
  add(
    `gate-refuses-a-connection-that-names-${name}`,
    46,
    'RFC 9110 section 7.6.1: the next proxy would drop it.',
    { policy, request: request({ headers }) },
    refuse('request-malformed', { status: 400, member: 'connection' }),
  );
}
add(
  'gate-takes-a-connection-that-names-others',
  46,
  'RFC 9110 section 7.6.1.',
  { request: request({ token: good, headers: [['Connection', 'keep-alive, , TE,\tx-users ,']] }) },
  accept({ fields: { step: 'allowed' } }),
);

// Preflights
const cors = [
  ['Origin', 'https://app.example'],
  ['Access-Control-Request-Method', 'PUT'],
];
add(
  'gate-knows-a-preflight',
  46,
  'Fetch section 3.3: browsers send it without credentials. Without the policy’s `cors` nothing is allowed.',
  { request: request({ method: 'OPTIONS', headers: [...cors, ['X-User', 'admin']] }) },
  accept({
    fields: {
      step: 'preflight',
      forward: { set: {}, strip: ['x-user'] },
      answer: { status: 204, headers: {} },
    },
  }),
);
add(
  'gate-takes-options-without-its-marks-for-a-request',
  46,
  'OPTIONS alone is no preflight.',
  { request: request({ method: 'OPTIONS', headers: cors.slice(0, 1) }) },
  refuse('authorization-missing'),
);
add(
  'gate-takes-get-with-the-marks-for-a-request',
  46,
  'Nor are the headers alone.',
  { request: request({ headers: cors }) },
  refuse('authorization-missing'),
);

// One Authorization header
add(
  'gate-tells-whoever-sent-nothing-nothing-more',
  46,
  'RFC 6750 section 3.1.',
  { request: request() },
  refuse('authorization-missing', { status: 401, challenges: bare }),
);
add(
  'gate-tells-whoever-sent-another-scheme-nothing-more',
  46,
  'An unsupported scheme is as good as none.',
  { request: request({ headers: [['authorization', 'Basic YTpi']] }) },
  refuse('authorization-scheme', { status: 401, challenges: bare }),
);
for (const [name, headers] of Object.entries({
  'two-headers': [
    ['Authorization', `Bearer ${good}`],
    ['authorization', `Bearer ${good}`],
  ],
  'two-joined': [['authorization', `Bearer ${good}, Bearer ${good}`]],
  'two-schemes': [['authorization', `Basic YTpi, Bearer ${good}`]],
})) {
  add(
    `gate-refuses-${name}`,
    46,
    'A proxy might take the one, we the other.',
    { request: request({ headers }) },
    refuse('authorization-ambiguous', {
      status: 400,
      challenges: [
        'Bearer realm="api", error="invalid_request", error_description="The request carries more than one credential; send one Authorization header with one token."',
      ],
    }),
  );
}
add(
  'gate-refuses-a-folded-header',
  46,
  'RFC 9112 section 5.2: folding is over.',
  { request: request({ headers: [['authorization', `Bearer ${good}\r\n x`]] }) },
  refuse('authorization-malformed', { status: 400 }),
);
add(
  'gate-escapes-the-realm',
  46,
  'RFC 9110 section 5.6.4: a quoted-string stays one.',
  { policy: 'realm', request: request() },
  refuse('authorization-missing', { challenges: ['Bearer realm="a \\"quoted\\\\realm\\""'] }),
);
for (const [name, query] of Object.entries({
  plain: `access_token=${good}`,
  empty: 'access_token=',
  'percent-encoded': 'acces%73_token=x',
  'among-others': 'a=b&access_token=x&c=d',
})) {
  add(
    `gate-refuses-a-token-in-the-query-${name}`,
    46,
    'RFC 6750 section 2.3 allowed it, RFC 9700 section 4.3.2 forbids it: logs, histories and referrers keep it.',
    { request: request({ token: good, url: `https://api.example/?${query}` }) },
    refuse('token-in-query', { status: 400, stage: 'bearer' }),
  );
}
add(
  'gate-accepts-another-query',
  46,
  'The name is compared whole.',
  { request: request({ token: good, url: 'https://api.example/?a=access_token&access_token_hint=x' }) },
  accept(),
);

// Other places
const assertion = (value) => ({
  policy: 'header',
  request: request({ headers: [['Cf-Access-Jwt-Assertion', value]] }),
});
add(
  'gate-reads-a-header-of-the-policys-choice',
  46,
  'The token alone, as Cloudflare Access sends it.',
  assertion(good),
  accept(),
);
add(
  'gate-reads-no-scheme-where-there-is-none',
  46,
  'Then the scheme is part of no token.',
  assertion(`Bearer ${good}`),
  refuse('authorization-malformed'),
);
add(
  'gate-does-not-read-authorization-besides',
  46,
  'It may be the origin’s own.',
  { policy: 'header', request: request({ token: good }) },
  refuse('authorization-missing'),
);
add(
  'gate-reads-another-scheme',
  46,
  'Where the policy names one; it is told back.',
  { policy: 'scheme', request: request({ headers: [['x-token', `Token ${good}`]] }) },
  accept(),
);
add(
  'gate-names-another-scheme',
  46,
  'In its challenge.',
  { policy: 'scheme', request: request() },
  refuse('authorization-missing', { challenges: ['Token realm="api"'] }),
);
const cookies = (cookie, more = {}) => ({
  policy: 'cookie',
  request: request({ headers: [['Cookie', cookie]] }),
  ...more,
});
add('gate-reads-a-cookie', 46, 'Where the policy names one.', cookies(`a=b; session=${good}; c=d`), accept());
add('gate-reads-a-quoted-cookie', 46, 'RFC 6265 section 4.1.1.', cookies(`session="${good}"`), accept());
add(
  'gate-refuses-a-cookie-twice',
  46,
  'Nothing says which is meant.',
  cookies(`session=${good}; session=${good}`),
  refuse('authorization-ambiguous'),
);
add(
  'gate-reads-no-cookie-with-a-longer-name',
  46,
  'Names are compared whole.',
  cookies(`xsession=${good}; session2=${good}`),
  refuse('authorization-missing'),
);
add(
  'gate-reads-either-place',
  46,
  'And tells the origin of neither.',
  { policy: 'either', request: request({ headers: [['cookie', `session=${good}`]] }) },
  accept({ fields: { forward: { set: {}, strip: ['authorization', 'dpop'], stripCookie: 'session' } } }),
);
add(
  'gate-refuses-both-places',
  46,
  'Not even when they agree.',
  { policy: 'either', request: request({ token: good, headers: [['cookie', `session=${good}`]] }) },
  refuse('authorization-ambiguous'),
);

// Anonymous requests
const anonymous = (more) => ({ policy: 'anonymous', request: request(more) });
add(
  'gate-passes-an-anonymous-request',
  46,
  'Where the policy lets it.',
  anonymous(),
  accept({ fields: { step: 'anonymous' } }),
);
add(
  'gate-verifies-what-an-anonymous-request-brings',
  46,
  'Good credentials count.',
  anonymous({ token: good }),
  accept({ fields: { step: 'allowed' } }),
);
add(
  'gate-refuses-bad-credentials-of-an-anonymous-request',
  46,
  'Bad ones never pass.',
  anonymous({ token: `${good.slice(0, -4)}AAAA` }),
  refuse('signature-invalid', { status: 401 }),
);
add(
  'gate-refuses-another-scheme-of-an-anonymous-request',
  46,
  'Nor does what cannot be read.',
  anonymous({ headers: [['authorization', 'Basic YTpi']] }),
  refuse('authorization-scheme'),
);

// Routes
const at = (url, more = {}) => ({
  policy: 'routes',
  request: request({ url: `https://api.example${url}`, ...more }),
});
const isPublic = accept({
  fields: { step: 'public', forward: { set: {}, strip: ['x-user', 'authorization', 'dpop'] } },
});
for (const [name, url, more, expect] of [
  ['a-literal', '/health', {}, isPublic],
  ['a-literal-with-a-query', '/health?a=b', {}, isPublic],
  // Express looks for a handler by the escape, and the default holds for whatever it finds.
  ['an-escaped-literal', '/%68ealth', {}, refuse('authorization-missing')],
  ['a-wildcard', '/static/a/b.css', {}, isPublic],
  ['a-wildcard-of-nothing', '/static/', {}, isPublic],
  ['head-as-get', '/static/a', { method: 'HEAD' }, isPublic],
  ['another-method', '/static/a', { method: 'POST' }, refuse('authorization-missing')],
  ['another-case', '/Health', {}, refuse('authorization-missing')],
  ['a-longer-literal', '/healthy', {}, refuse('authorization-missing')],
  ['a-slash-behind-a-literal', '/health/', {}, refuse('authorization-missing')],
  ['a-wildcard-without-its-slash', '/static', {}, refuse('authorization-missing')],
  ['a-name', '/users/7', { token: good }, refuse('scope-insufficient', { scopes: ['users'] })],
  [
    'a-name-with-a-group',
    '/users/7/posts',
    { token: good },
    refuse('scope-insufficient', { scopes: ['users'] }),
  ],
  ['a-name-over-a-slash', '/users/7/x', { token: good }, accept()],
  ['the-first-of-two-that-match', '/admin/login', {}, isPublic],
  ['the-second-where-the-first-does-not', '/admin/logins', {}, refuse('authorization-missing')],
  ['the-first-of-several', '/admin/x', { token: good }, refuse('scope-insufficient', { scopes: ['admin'] })],
  ['an-escaped-rule', '/%61dmin/x', { token: good }, refuse('scope-insufficient', { scopes: ['admin'] })],
  ['none', '/other', { token: good }, accept()],
]) {
  add(
    `gate-routes-${name}`,
    46,
    'WHATWG URL Pattern, over every reading of the path.',
    at(url, more),
    expect,
  );
}
for (const [name, url] of Object.entries({
  'an-empty-segment': '//admin/x',
  'dots-behind-an-escaped-slash': '/static/..%2fadmin/x',
  'escaped-dots': '/static/%2e%2e%2fadmin',
  'an-escaped-backslash': '/static/..%5cadmin',
  'an-escaped-nul': '/health%00',
  'a-stray-percent': '/health%',
  // Which a client removes before it sends.
  dots: '/x/../health',
})) {
  add(
    `gate-refuses-a-path-with-${name}`,
    46,
    'An origin may read it as another path than the one whose rule was applied.',
    at(url, { token: good }),
    refuse('path-ambiguous', { status: 400, stage: 'request' }),
  );
}
add(
  'gate-lets-a-caller-require-besides-the-routes',
  46,
  'What is passed to the check counts alone.',
  { ...at('/health'), requirement: { scopes: ['a'] } },
  refuse('authorization-missing'),
);

// Mistakes in the policy
for (const [name, gate, pointer] of [
  ['an-unknown-member', { route: [] }, '/gate/route'],
  ['a-regular-expression', { routes: [{ path: '/a/(.*)', requirement: 'public' }] }, '/gate/routes/0/path'],
  ['a-relative-path', { routes: [{ path: 'a', requirement: 'public' }] }, '/gate/routes/0/path'],
  ['a-route-without-requirement', { routes: [{ path: '/a' }] }, '/gate/routes/0/requirement'],
  ['a-private-route', { routes: [{ path: '/a', requirement: 'private' }] }, '/gate/routes/0/requirement'],
  ['an-unknown-network', { requirement: { networks: ['office'] } }, '/gate/requirement/networks/0'],
  ['a-network-with-host-bits', { networks: { office: ['10.0.0.1/8'] } }, '/gate/networks/office/0'],
  ['a-proxy-by-name', { proxies: { trusted: ['proxy'] } }, '/gate/proxies/trusted/0'],
  ['a-claim-in-authorization', { forward: { claims: { sub: 'Authorization' } } }, '/gate/forward/claims/sub'],
  ['a-header-with-a-colon', { credentials: { header: 'x-token:' } }, '/gate/credentials/header'],
  ['a-scheme-for-a-cookie', { credentials: { cookie: 'a', scheme: 'Bearer' } }, '/gate/credentials/scheme'],
  ['a-nonce-without-its-secret', { dpop: { nonce: true } }, '/gate/dpop/nonce'],
  ['a-secret-algorithm', { dpop: { algorithms: ['HS256'] } }, '/gate/dpop/algorithms/0'],
  ['a-realm-with-a-line-feed', { realm: 'a\nb' }, '/gate/realm'],
]) {
  add(
    `gate-policy-with-${name}`,
    49,
    'A mistake is told at once, by JSON pointer.',
    { policy: gated(gate), request: request() },
    misuse(pointer),
  );
}
add(
  'gate-requirement-with-an-unknown-member',
  49,
  'In a requirement, too.',
  { request: request(), requirement: { scope: ['a'] } },
  misuse('/scope'),
);
