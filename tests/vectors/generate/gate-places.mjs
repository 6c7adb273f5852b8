// Several places for a token, the subprotocol of a WebSocket, and cookies that another site's page
// has sent.
import { gated, request, requests } from './gate-parts.mjs';
import { accept, claims, misuse, refuse, token } from './signing.mjs';

const good = token();
const other = token({ payload: claims({ sub: 'other' }) });
const both = { header: 'authorization', cookie: 'session' };
const forward = { claims: { sub: 'x-user' } };
const { add, file } = requests(
  'Own; RFC 6455 section 4.1, RFC 9110 section 9.2.1, Fetch Metadata, RFC 6454.',
  {
    default: gated({ credentials: both }),
    header: gated({ credentials: { ...both, precedence: ['header', 'cookie'] } }),
    cookie: gated({ credentials: { ...both, precedence: ['cookie', 'header'] } }),
    socket: gated({
      forward,
      credentials: { header: 'authorization', subprotocol: 'bearer' },
      routes: [{ path: '/health', requirement: 'public' }],
    }),
    keeps: gated({ forward: { ...forward, token: 'keep' }, credentials: { subprotocol: 'bearer' } }),
    bare: gated({ credentials: { subprotocol: 'bearer' } }),
    cookies: gated({ origins: ['https://api.example'], credentials: { cookie: 'session' } }),
    trusting: gated({
      credentials: { cookie: 'session', csrf: { methods: 'all', origins: ['https://app.example'] } },
    }),
    off: gated({ credentials: { cookie: 'session', csrf: 'off' } }),
  },
);

export { file };

const ambiguous = refuse('authorization-ambiguous', { status: 400 });
const subject = (sub) => accept({ claims: { sub } });
const cookie = (value) => ['cookie', `session=${value}`];

// Header and cookie
for (const [id, policy, input, expect] of [
  ['without-precedence', 'default', { token: good, headers: [cookie(other)] }, ambiguous],
  ['header-first', 'header', { token: other, headers: [cookie(good)] }, subject('other')],
  ['cookie-first', 'cookie', { token: good, headers: [cookie(other)] }, subject('other')],
  ['header-first-and-a-cookie-alone', 'header', { headers: [cookie(other)] }, subject('other')],
  ['cookie-first-and-a-header-alone', 'cookie', { token: other }, subject('other')],
  [
    'header-first-and-a-cookie-of-no-token',
    'header',
    { token: other, headers: [cookie('a b')] },
    subject('other'),
  ],
  // What is preferred is judged alone: a bad token does not fall back to a good one.
  [
    'header-first-and-bad',
    'header',
    { token: 'a.b.c', headers: [cookie(good)] },
    refuse('segment-not-base64url'),
  ],
  [
    'header-first-of-another-scheme',
    'header',
    { token: 'YTpi', scheme: 'Basic', headers: [cookie(good)] },
    refuse('authorization-scheme'),
  ],
  [
    'header-first-and-twice',
    'header',
    { token: good, headers: [['Authorization', `Bearer ${good}`], cookie(good)] },
    ambiguous,
  ],
  ['cookie-first-and-deleted', 'cookie', { token: other, headers: [cookie('')] }, subject('other')],
]) {
  add(
    `gate-places-${id}`,
    46,
    'The policy says which counts; without, a request with two tokens has two readings.',
    { policy, request: request(input) },
    expect,
  );
}
for (const [id, credentials, pointer] of [
  [
    'a-precedence-of-what-it-does-not-name',
    { cookie: 'session', precedence: ['cookie', 'header'] },
    '/gate/credentials/precedence/1',
  ],
  ['a-precedence-of-nothing', { ...both, precedence: [] }, '/gate/credentials/precedence'],
  ['an-unknown-precedence', { ...both, precedence: ['query'] }, '/gate/credentials/precedence/0'],
  ['a-rule-for-cookies-and-none', { csrf: 'off' }, '/gate/credentials/csrf'],
  ['a-rule-for-cookies-of-another-word', { cookie: 'session', csrf: 'lax' }, '/gate/credentials/csrf'],
  [
    'an-origin-of-cookies-with-a-path',
    { cookie: 'session', csrf: { origins: ['https://app.example/'] } },
    '/gate/credentials/csrf/origins/0',
  ],
  ['a-subprotocol-of-two-words', { subprotocol: 'bearer, token' }, '/gate/credentials/subprotocol'],
  ['a-scheme-for-a-subprotocol', { subprotocol: 'bearer', scheme: 'Bearer' }, '/gate/credentials/scheme'],
]) {
  add(
    `gate-policy-with-${id}`,
    33,
    'The member is named.',
    { policy: gated({ credentials }), request: request() },
    misuse(pointer),
  );
}

// A WebSocket
const offers = (...values) => values.map((value) => ['Sec-WebSocket-Protocol', value]);
const told = (offered) => ({ 'sec-websocket-protocol': offered, 'x-user': 'other' });
const strip = ['x-user', 'authorization', 'dpop'];
for (const [id, headers, offered] of [
  ['alone', offers(`bearer, ${other}`), 'bearer'],
  ['before-others', offers(`bearer,${other}, graphql-ws`), 'bearer, graphql-ws'],
  ['behind-others', offers(`graphql-ws, bearer, ${other}`), 'graphql-ws, bearer'],
  ['in-two-fields', offers('bearer', other), 'bearer'],
]) {
  add(
    `gate-subprotocol-with-a-token-${id}`,
    46,
    'The origin, which answers with one of them, sees all but the token.',
    { policy: 'socket', request: request({ headers }) },
    accept({ fields: { forward: { set: told(offered), strip } } }),
  );
}
for (const [id, headers, expect] of [
  ['that-is-forged', offers('bearer, a.b.c'), refuse('segment-not-base64url')],
  ['that-is-missing', offers('bearer'), refuse('authorization-malformed', { status: 400 })],
  ['that-is-there-twice', offers(`bearer, ${good}, bearer, ${other}`), ambiguous],
  ['behind-another-word', offers(`Bearer, ${good}`), refuse('authorization-missing', { status: 401 })],
  ['without-its-word', offers(good), refuse('authorization-missing')],
  ['beside-a-header', [...offers(`bearer, ${good}`), ['authorization', `Bearer ${good}`]], ambiguous],
]) {
  add(
    `gate-subprotocol-refuses-a-token-${id}`,
    46,
    'One token in one place.',
    { policy: 'socket', request: request({ headers }) },
    expect,
  );
}
add(
  'gate-subprotocol-of-a-public-route-shows-no-token',
  47,
  'Nobody looked at it, and a server would echo it.',
  {
    policy: 'socket',
    request: request({ url: 'https://api.example/health', headers: offers(`bearer, ${good}, chat`) }),
  },
  accept({
    fields: { step: 'public', forward: { set: { 'sec-websocket-protocol': 'bearer, chat' }, strip } },
  }),
);
add(
  'gate-subprotocol-of-others-stays',
  46,
  'There is no token in it.',
  { policy: 'socket', request: request({ url: 'https://api.example/health', headers: offers('chat') }) },
  accept({ fields: { step: 'public', forward: { set: {}, strip } } }),
);
add(
  'gate-subprotocol-shows-no-token-where-nothing-else-is-stripped',
  47,
  'A policy that says nothing of forwarding passes a request on as it is, and a server would echo the token.',
  { policy: 'bare', request: request({ headers: offers(`bearer, ${good}`) }) },
  accept({ fields: { forward: { set: { 'sec-websocket-protocol': 'bearer' }, strip: [] } } }),
);
add(
  'gate-subprotocol-is-kept-where-the-policy-keeps-tokens',
  46,
  'It says so.',
  { policy: 'keeps', request: request({ headers: offers(`bearer, ${other}`) }) },
  accept({ fields: { forward: { set: { 'x-user': 'other' }, strip: ['x-user'] } } }),
);
add(
  'gate-refuses-a-connection-that-drops-the-subprotocol',
  46,
  'The next proxy would drop what the gate wrote.',
  {
    policy: 'socket',
    request: request({ headers: [...offers(`bearer, ${good}`), ['connection', 'Sec-WebSocket-Protocol']] }),
  },
  refuse('request-malformed', { member: 'connection' }),
);

// Whose page sent the cookie
const crossSite = (actual) =>
  refuse('request-cross-site', { status: 403, stage: 'request', expected: ['https://api.example'], actual });
const sent = (method, headers, policy = 'cookies') => ({
  policy,
  request: request({ method, headers: [cookie(good), ...headers] }),
});
const site = (value) => ['Sec-Fetch-Site', value];
const from = (value) => ['Origin', value];
for (const [id, input, expect] of [
  ['get', sent('GET', [site('cross-site')]), accept()],
  ['head', sent('HEAD', [site('cross-site')]), accept()],
  ['post-of-our-own-page', sent('POST', [site('same-origin'), from('https://api.example')]), accept()],
  ['post-of-our-own-page-without-metadata', sent('POST', [from('https://api.example')]), accept()],
  ['post-of-our-own-page-that-hides-its-origin', sent('POST', [site('same-origin'), from('null')]), accept()],
  ['post-by-the-user', sent('POST', [site('none')]), accept()],
  [
    'post-of-another-site',
    sent('POST', [site('cross-site'), from('https://evil.example')]),
    crossSite('https://evil.example'),
  ],
  [
    'post-of-another-site-without-metadata',
    sent('POST', [from('https://evil.example')]),
    crossSite('https://evil.example'),
  ],
  [
    'post-of-a-host-beside-ours',
    sent('POST', [site('same-site'), from('https://app.example')]),
    crossSite('https://app.example'),
  ],
  [
    'post-of-our-host-by-plain-http',
    sent('POST', [from('http://api.example')]),
    crossSite('http://api.example'),
  ],
  ['post-of-nobody', sent('POST', [from('null')]), crossSite('null')],
  ['post-of-who-says-nothing', sent('POST', []), crossSite(null)],
  [
    'post-of-two-origins',
    sent('POST', [from('https://api.example'), from('https://evil.example')]),
    crossSite(null),
  ],
  [
    'post-that-claims-our-origin',
    sent('POST', [site('cross-site'), from('https://api.example')]),
    crossSite('https://api.example'),
  ],
  ['delete', sent('DELETE', [site('cross-site')]), crossSite(null)],
  ['a-method-of-its-own', sent('PURGE', [site('cross-site')]), crossSite(null)],
  [
    'a-websocket',
    sent('GET', [['Upgrade', 'websocket'], from('https://evil.example')]),
    crossSite('https://evil.example'),
  ],
  ['a-websocket-of-ours', sent('GET', [['Upgrade', 'websocket'], from('https://api.example')]), accept()],
  ['post-where-the-policy-has-another-defence', sent('POST', [site('cross-site')], 'off'), accept()],
  [
    'post-of-an-origin-of-the-policy',
    sent('POST', [site('same-site'), from('https://app.example')], 'trusting'),
    accept(),
  ],
  [
    'get-where-the-policy-asks-it-of-all',
    sent('GET', [site('cross-site'), from('https://evil.example')], 'trusting'),
    refuse('request-cross-site', { expected: ['https://api.example', 'https://app.example'] }),
  ],
]) {
  add(
    `gate-csrf-${id}`,
    46,
    'A browser sends the cookie whoever’s page asks; what it says of the page, no page can write.',
    input,
    expect,
  );
}
add(
  'gate-csrf-is-nothing-to-a-token-in-a-header',
  46,
  'No page sets that header for another site without a preflight.',
  { request: request({ method: 'POST', token: good, headers: [site('cross-site')] }) },
  accept(),
);
