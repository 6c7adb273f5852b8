// The path that is judged is the path that is served: readings of a path, what no route can allow
// and what one may, and request-targets.
import { gated, request, requests } from './gate-parts.mjs';
import { accept, misuse, refuse, token } from './signing.mjs';

const good = token();
const admin = { scopes: ['admin'] };
const routes = [
  { path: '/health', requirement: 'public' },
  { path: '/docs/', requirement: 'public' },
  { path: '/public/*', requirement: 'public' },
  { path: '/admin/login', requirement: 'public' },
  { path: '/admin/*', requirement: admin },
  { path: '/files/public', requirement: 'public' },
  { path: '/files/:name', requirement: { scopes: ['files'] } },
  { path: '/task/*', requirement: { scopes: ['task'] } },
  { path: '/@me/*', requirement: { scopes: ['me'] } },
  { path: '/maybe', requirement: { anonymous: true } },
  { path: '/maybe/*', requirement: { anonymous: true, scopes: ['files'] } },
  { path: '/step-up', requirement: { acr: ['gold'] } },
  { path: '/step-up/*', requirement: { acr: ['gold'], binding: 'dpop' } },
  { path: '/read', methods: ['HEAD'], requirement: 'public' },
  { path: '/read', methods: ['GET'], requirement: admin },
  { path: '/lists/*', requirement: 'public' },
  { path: '/caf%C3%A9', requirement: 'public' },
  { path: '/lis:t', requirement: admin },
  { path: '/write', methods: ['POST'], requirement: admin },
];
const allowing = [
  { path: '/packages/admin/*', requirement: admin },
  { path: '/packages/*', allowInPath: ['%2F', '%25'], requirement: 'public' },
  { path: '/matrix/*', allowInPath: [';'], requirement: 'public' },
  { path: '/scoped/:name', allowInPath: ['%2F'], requirement: 'public' },
  { path: '/scoped/:scope/:name', requirement: admin },
  { path: '/search/secret', allowInPath: ['%23', '%25', '%3F', ';'], requirement: admin },
  { path: '/search/closed', requirement: admin },
  { path: '/search/:what', allowInPath: ['%23', '%25', '%3F', '%5C', ';'], requirement: 'public' },
];
const { add, file } = requests('Own; RFC 3986 sections 3.3 and 6.2.2, RFC 9110, RFC 9112 section 3.2.', {
  routes: gated({ routes, requirement: {} }),
  lax: gated({ routes: [{ path: '/admin/*', requirement: admin }], requirement: { anonymous: true } }),
  allowing: gated({ routes: allowing, requirement: admin }),
});

export { file };

const at = (url, more = {}, policy = 'routes') => ({
  policy,
  request: request({ url: `https://api.example${url}`, token: good, ...more }),
});
const anonymously = { token: undefined };
const isPublic = accept({ fields: { step: 'public' } });
const scope = (name) => refuse('scope-insufficient', { scopes: [name] });
const missing = refuse('authorization-missing');

// What some server serves under a route
for (const [name, url, more, expect] of [
  ['a-slash-at-the-end', '/admin/login/', {}, scope('admin')],
  ['a-slash-at-the-end-of-a-public-path', '/health/', anonymously, missing],
  ['a-slash-that-is-missing', '/docs', anonymously, missing],
  ['the-prefix-of-a-wildcard', '/admin', {}, scope('admin')],
  ['the-prefix-of-a-wildcard-in-another-case', '/ADMIN', {}, scope('admin')],
  ['another-case', '/Admin/users', {}, scope('admin')],
  ['another-case-of-a-public-path', '/HEALTH', anonymously, missing],
  ['a-letter-that-folds-to-another', '/tas%E2%84%AA/1', {}, scope('task')],
  ['an-escape-that-needs-none', '/%61dmin/users', {}, scope('admin')],
  ['an-escape-that-a-name-takes', '/files/%70ublic', {}, scope('files')],
  ['an-escape-that-a-name-takes-without-a-token', '/files/%70ublic', anonymously, missing],
  ['an-escaped-reserved-character', '/%40me/x', {}, scope('me')],
  ['all-of-it', '/%41DMIN', {}, scope('admin')],
  // A router that takes the slash for nothing finds the name.
  ['the-end-of-a-wildcard-that-a-name-takes', '/lists/', anonymously, missing],
  // One router finds a name that stands for nothing.
  ['a-name-of-nothing', '/files/', {}, scope('files')],
  ['hexadecimal-digits-in-another-case', '/caf%c3%a9', anonymously, missing],
  ['a-method-that-has-a-handler-of-another', '/read', { method: 'HEAD' }, scope('admin')],
  ['a-method-in-another-case', '/write', { method: 'post' }, scope('admin')],
]) {
  add(`gate-covers-${name}`, 46, 'The stricter requirement of all readings holds.', at(url, more), expect);
}
for (const [name, url, more, expect] of [
  ['a-literal', '/health', anonymously, isPublic],
  ['a-literal-before-a-wildcard', '/admin/login', anonymously, isPublic],
  ['a-wildcard-of-nothing', '/public/', anonymously, isPublic],
  ['an-escape-that-is-needed', '/public/a%20b', anonymously, isPublic],
  ['an-escape-below-a-wildcard', '/public/%61', anonymously, isPublic],
  ['escapes-beyond-ascii', '/public/caf%c3%a9', anonymously, isPublic],
  ['no-route', '/other', {}, accept()],
  ['a-query-with-everything', '/health?a=%2F..//;%00', anonymously, isPublic],
]) {
  add(`gate-has-one-reading-of-${name}`, 46, 'No server reads it otherwise.', at(url, more), expect);
}
add(
  'gate-covers-where-the-default-is-weaker',
  46,
  'A path that falls out of its route falls into the default.',
  at('/admin', anonymously, 'lax'),
  missing,
);
add(
  'gate-joins-anonymous-requirements',
  46,
  'Anonymous only where each reading is.',
  at('/maybe/', anonymously),
  accept({ fields: { step: 'anonymous' } }),
);
add(
  'gate-joins-requirements-of-a-token',
  46,
  'What a token is asked for is asked by each reading.',
  at('/maybe/'),
  scope('files'),
);
add(
  'gate-joins-requirements-of-binding',
  46,
  'The stricter binding holds.',
  at('/step-up/', anonymously),
  refuse('authorization-missing', { challenges: ['DPoP realm="api", algs="ES256 EdDSA RS256"'] }),
);

// What no route can allow
for (const [name, path] of Object.entries({
  'an-escaped-slash': '/admin%2Fusers',
  'an-escaped-slash-in-small-digits': '/admin%2fusers',
  'an-escaped-backslash': '/admin%5Cusers',
  'a-parameter': '/admin;x=1/users',
  'an-empty-parameter': '/admin;/users',
  'an-escaped-semicolon': '/admin%3Bx/users',
  'dots-before-a-parameter': '/public/..;/admin/users',
  'a-dot-before-a-parameter': '/public/.;a=b/x',
  'escaped-dots-before-a-parameter': '/public/%2e%2e;/admin',
  'nothing-before-a-parameter': '/;x/admin',
  'an-escape-of-an-escape': '/admin%252Fusers',
  'an-escaped-percent': '/public/100%25',
  'three-layers': '/public/%25252e%25252e/admin',
  'dots-in-two-layers': '/public/%252e%252e/admin',
  'an-escaped-question-mark': '/admin%3F/x',
  'an-escaped-number-sign': '/admin%23/x',
  'an-escaped-line-feed': '/public/a%0Ab',
  'an-escaped-tab': '/public/a%09b',
  'an-escaped-delete': '/public/a%7F',
  'an-escaped-c1-control': '/public/a%C2%85',
  'an-overlong-slash': '/public/%C0%AF',
  'overlong-dots': '/public/%C0%AE%C0%AE/admin',
  'an-overlong-slash-of-three': '/public/%E0%80%AF',
  'latin-1': '/public/caf%E9',
  'a-surrogate': '/public/%ED%A0%80',
  'a-percent-u': '/public/%u002e',
  'half-an-escape': '/public/%2',
  'a-dot-segment': '/public/../admin',
  'a-dot-segment-in-escapes': '/public/%2E%2e/admin',
  'a-single-dot': '/public/./a',
  'dots-at-the-end': '/public/..',
  'an-empty-segment': '/public//admin',
  'an-empty-segment-at-the-end': '/admin//',
})) {
  add(
    `gate-refuses-${name}-in-a-path`,
    46,
    'Servers read it in two ways.',
    at(path),
    refuse('path-ambiguous', { status: 400, stage: 'request' }),
  );
}

// What one may allow
const allowed = (name, path, expect, more = {}) =>
  add(
    `gate-allows-${name}`,
    46,
    'By `allowInPath` of each route that covers it.',
    at(path, more, 'allowing'),
    expect,
  );
const ambiguous = refuse('path-ambiguous');
allowed('an-escaped-slash', '/packages/@scope%2Fname', isPublic, anonymously);
allowed('an-escaped-slash-in-small-digits', '/packages/@scope%2fname', isPublic, anonymously);
allowed('an-escaped-percent', '/packages/100%25', isPublic, anonymously);
allowed('an-escape-of-an-escaped-slash', '/packages/@scope%252Fname', isPublic, anonymously);
allowed('a-parameter', '/matrix/a;x=1/b', isPublic, anonymously);
allowed('an-escaped-semicolon', '/matrix/a%3Bb', isPublic, anonymously);
allowed('a-question-mark-and-a-number-sign', '/search/what%3F%23', isPublic, anonymously);
allowed('no-other', '/packages/a;x=1', ambiguous);
allowed('nothing-by-default', '/other/@scope%2Fname', ambiguous);
allowed('nothing-of-another-route', '/packages/admin%2Fusers', ambiguous);
allowed('no-dots-behind-it', '/packages/..%2Fadmin', ambiguous);
allowed('no-dots-before-it', '/packages/x%2F..', ambiguous);
allowed('no-dots-in-two-layers', '/packages/%252e%252e%252fadmin', ambiguous);
allowed('no-empty-segment', '/packages/a%2F%2Fb', ambiguous);
allowed('no-dots-before-a-parameter', '/matrix/..;/b', ambiguous);
allowed('no-parameter-alone', '/matrix/;x=1/b', ambiguous);
allowed('no-control', '/packages/a%2500', ambiguous);
allowed('a-byte-in-a-name', '/search/a%5Cb', isPublic, anonymously);
allowed('nothing-of-what-another-route-asks', '/scoped/a%2Fb', scope('admin'));
allowed('a-byte-that-no-other-route-asks-about', '/scoped/a%2Fb%2Fc', isPublic, anonymously);

// A server that decodes before it splits ends the path there
for (const [name, path, expect] of [
  ['a-question-mark', '/search/secret%3Fx', missing],
  ['a-number-sign', '/search/secret%23x', missing],
  ['a-number-sign-before-a-question-mark', '/search/secret%23x%3Fy', missing],
  ['a-question-mark-with-another-behind-it', '/search/secret%3Fx%3Fy', missing],
  ['a-question-mark-in-another-case', '/search/SECRET%3fx', missing],
  ['a-question-mark-in-two-layers', '/search/secret%253Fx', missing],
  ['a-question-mark-behind-a-slash', '/search/secret/%3Fx', ambiguous],
  ['a-question-mark-in-a-parameter', '/search/secret;a%3Fx', missing],
  ['a-question-mark-that-it-does-not-allow', '/search/closed%3Fx', ambiguous],
  ['dots-before-a-question-mark', '/search/..%3Fx', ambiguous],
  ['a-dot-before-a-number-sign', '/search/.%23x', ambiguous],
]) {
  allowed(`${name}-only-as-another-route-asks`, path, expect, anonymously);
}
allowed('a-question-mark-behind-what-only-begins-alike', '/search/secrets%3Fx', isPublic, anonymously);

// Where else a router serves it
for (const [name, served, expect] of [
  ['a-stricter-path', ['/admin/users'], missing],
  ['an-ambiguous-path', ['/public/%2e%2e/admin'], ambiguous],
  ['a-public-path', ['/health'], isPublic],
  ['what-is-no-path', ['admin'], refuse('request-malformed', { member: 'served' })],
  ['a-path-with-a-query', ['/health?x'], refuse('request-malformed', { member: 'served' })],
]) {
  add(
    `gate-judges-${name}-under-which-it-is-served`,
    46,
    'A path that a router wrote anew counts beside the one that was asked for.',
    at('/public/x', { ...anonymously, served }),
    expect,
  );
}

// Request-targets
const origin = 'https://api.example';
for (const [name, target, path = target] of [
  ['the-origin-form', '/health'],
  ['the-origin-form-with-a-query', '/health?a=b'],
  ['the-absolute-form', `${origin}/health`, '/health'],
  ['the-absolute-form-in-another-case', 'HTTPS://API.Example:443/health', '/health'],
]) {
  add(`gate-accepts-${name}`, 46, 'RFC 9112 section 3.2.', at(path, { ...anonymously, target }), isPublic);
}
for (const [name, target, path = target] of [
  ['nothing', '', '/'],
  ['the-asterisk-form', '*', '/*'],
  ['the-authority-form', 'api.example:443', '/'],
  ['a-query-alone', '?/admin', '/?/admin'],
  ['an-authority-without-a-slash', origin, '/'],
  ['an-authority-before-a-query', `${origin}?/admin`, '/?/admin'],
  ['an-authority-before-a-fragment', `${origin}#/admin`, '/'],
  ['an-authority-before-a-backslash', `${origin}\\/health`, '/health'],
  ['another-authority', 'https://other.example/health', '/health'],
  ['another-port', `${origin}:8443/health`, '/health'],
  ['another-scheme', 'http://api.example/health', '/health'],
  ['a-user', 'https://ada@api.example/health', '/health'],
  ['no-authority', 'https:///health', '/health'],
  ['a-fragment', '/health#/admin', '/health'],
  ['a-backslash', '/public\\..\\admin'],
  ['a-space', '/health /admin'],
  ['dots', '/public/../health'],
  ['escaped-dots', '/public/%2e%2e/health'],
  ['another-path', '/admin', '/health'],
  ['the-end-of-the-path', '/b', '/public/b'],
]) {
  add(
    `gate-refuses-a-target-that-is-${name}`,
    46,
    'RFC 9112 section 3.2: routers mend it in different ways.',
    { ...at(path, { ...anonymously, target }), requirement: { anonymous: true } },
    refuse('request-malformed', { status: 400, member: 'target' }),
  );
}
add(
  'gate-policy-with-another-byte-in-a-path',
  49,
  'A mistake is told at once, by JSON pointer.',
  {
    policy: gated({ routes: [{ path: '/a', allowInPath: ['%00'], requirement: 'public' }] }),
    request: request(),
  },
  misuse('/gate/routes/0/allowInPath/0'),
);
