// Where a request is for and where it comes from: the host that a client may write, the
// connection, and what holds without a token.
import { gated, proof, request, requests, thumbprint, URL_HERE } from './gate-parts.mjs';
import { accept, claims, misuse, refuse, token } from './signing.mjs';

const good = token();
const listed = ['https://api.example', 'http://localhost:3000', 'http://127.0.0.1:*'];
const forward = { claims: { sub: 'x-user' } };
const { add, file } = requests('Own; RFC 9449 section 4.3, RFC 9110 section 7.2 and 15.5.20, RFC 6454.', {
  default: gated({ origins: listed }),
  unlisted: gated({ routes: [{ path: '/health', requirement: 'public' }] }),
  proxied: gated({ origins: ['https://api.example'], proxies: { trusted: ['10.0.0.0/8', '127.0.0.1'] } }),
  office: gated({
    networks: { office: ['192.0.2.0/24'] },
    requirement: { anonymous: true, networks: ['office'] },
  }),
  claimed: gated({ requirement: { anonymous: true, networkClaim: 'cnet' } }),
  passing: gated({ preflight: 'pass', requirement: { networks: ['192.0.2.0/24'] } }),
  strips: gated({
    forward,
    credentials: { header: 'x-token', cookie: 'session' },
    requirement: { anonymous: true },
    routes: [{ path: '/health', requirement: 'public' }],
  }),
  keeps: gated({ forward: { ...forward, token: 'keep' }, routes: [{ path: '/*', requirement: 'public' }] }),
});

export { file };

// The host
for (const [name, url] of Object.entries({
  'as-listed': 'https://api.example/orders/7',
  'with-the-schemes-port': 'https://api.example:443/orders/7',
  'in-capitals': 'HTTPS://API.EXAMPLE/orders/7',
  'on-a-loopback-port': 'http://localhost:3000/',
  'on-any-loopback-port': 'http://127.0.0.1:54321/',
})) {
  add(
    `gate-origin-${name}-is-ours`,
    46,
    'The policy lists it. Where the connection is not known, that is what says where plain HTTP is on loopback.',
    { request: request({ url, token: good }) },
    accept(),
  );
}
const misdirected = refuse('request-misdirected', { status: 421, stage: 'request', challenges: [] });
for (const [name, url] of Object.entries({
  'another-host': 'https://attacker.example/orders/7',
  'a-longer-host': 'https://api.example.attacker.example/orders/7',
  'a-host-below': 'https://a.api.example/orders/7',
  'a-dot-behind-the-host': 'https://api.example./orders/7',
  'another-port': 'https://api.example:8443/orders/7',
  'a-loopback-name-by-https': 'https://localhost:3000/orders/7',
})) {
  add(
    `gate-origin-refuses-${name}`,
    46,
    'A client writes `Host` as it likes.',
    { request: request({ url, token: good }) },
    misdirected,
  );
}
add(
  'gate-origin-refuses-another-host-of-a-platform-too',
  46,
  'What the policy lists is all there is.',
  { request: request({ url: 'https://other.example/', token: good, urlVouched: true }) },
  misdirected,
);
add(
  'gate-origin-is-that-which-the-proxy-saw',
  46,
  'A proxy of ours that ends TLS.',
  {
    policy: 'proxied',
    request: request({
      url: 'http://api.example/',
      token: good,
      clientAddress: '10.0.0.1',
      headers: [['x-forwarded-proto', 'https']],
    }),
  },
  accept(),
);
for (const [name, origins, pointer] of [
  ['no-scheme', ['api.example'], '/gate/origins/0'],
  ['a-path', ['https://api.example', 'https://api.example/v1'], '/gate/origins/1'],
  ['plain-http', ['http://api.example'], '/gate/origins/0'],
  ['a-wildcard', ['https://*.example'], '/gate/origins/0'],
  ['any-port-of-a-public-name', ['http://api.example:*'], '/gate/origins/0'],
]) {
  add(
    `gate-policy-with-an-origin-of-${name}`,
    33,
    'An origin is scheme, host and port.',
    { policy: gated({ origins }), request: request() },
    misuse(pointer),
  );
}

for (const [name, headers] of [
  [
    'two-lines',
    [
      ['Host', 'api.example'],
      ['host', 'attacker.example'],
    ],
  ],
  [
    'two-lines-that-agree',
    [
      ['Host', 'api.example'],
      ['Host', 'api.example'],
    ],
  ],
  ['a-list', [['host', 'api.example, attacker.example']]],
]) {
  add(
    `gate-refuses-a-host-of-${name}`,
    46,
    'RFC 9112 section 3.2: a server answers 400, since whoever is behind it may read the other one.',
    { request: request({ token: good, headers }) },
    refuse('request-malformed', { status: 400, member: 'host' }),
  );
}

// Proofs of possession
const jkt = thumbprint('es256Other');
const bound = token({ payload: claims({ cnf: { jkt } }) });
const proven = (url, htu, more = {}) => ({
  request: request({
    url,
    token: bound,
    scheme: 'DPoP',
    headers: [['dpop', proof({ of: bound, claims: { htu } })]],
    ...more,
  }),
  evidence: { replay: 'first' },
});
const elsewhere = 'https://attacker.example/orders/7';
add(
  'gate-dpop-refuses-a-proof-for-another-host-that-the-client-names',
  55,
  'It was made for the attacker’s server, who sends it on with `Host: attacker.example`.',
  proven(elsewhere, elsewhere),
  misdirected,
);
add(
  'gate-dpop-needs-to-know-its-url',
  55,
  'Here nobody but the client says which host that is. The operator has to mend it, so no proof is asked for.',
  { policy: 'unlisted', ...proven(URL_HERE, URL_HERE) },
  refuse('dpop-origin-unknown', { status: 500, stage: 'binding', challenges: [] }),
);
add(
  'gate-dpop-believes-a-platform-that-vouches-for-the-url',
  55,
  'It takes no request for a host that is not ours.',
  { policy: 'unlisted', ...proven(URL_HERE, URL_HERE, { urlVouched: true }) },
  accept({ fields: { binding: 'dpop' } }),
);

// Plain HTTP
const plain = (url, more) => ({ policy: 'unlisted', request: request({ url, token: good, ...more }) });
for (const [name, url, more] of [
  ['from-elsewhere', 'http://localhost/', { clientAddress: '203.0.113.9' }],
  ['from-elsewhere-to-an-address', 'http://127.0.0.1:3000/', { clientAddress: '203.0.113.9' }],
  ['from-elsewhere-to-v6', 'http://[::1]/', { clientAddress: '2001:db8::1' }],
  ['from-nobody-knows-where', 'http://localhost/', {}],
  ['from-what-is-no-address', 'http://localhost/', { clientAddress: 'localhost' }],
  ['from-elsewhere-to-a-public-route', 'http://localhost/health', { clientAddress: '203.0.113.9' }],
  ['from-here-to-a-public-name', 'http://api.example/', { clientAddress: '127.0.0.1' }],
]) {
  add(
    `gate-refuses-plain-http-${name}`,
    46,
    'Loopback is where the connection begins. `Host` is what the client wrote.',
    plain(url, more),
    refuse('transport-insecure', { status: 403, stage: 'transport' }),
  );
}
add(
  'gate-refuses-plain-http-from-elsewhere-to-a-listed-loopback-origin',
  46,
  'The list says what is served, and the connection who asks.',
  { request: request({ url: 'http://localhost:3000/', token: good, clientAddress: '203.0.113.9' }) },
  refuse('transport-insecure'),
);
add(
  'gate-accepts-plain-http-of-loopback-mapped-into-v6',
  46,
  'RFC 4291 section 2.5.5.2: sockets of both families show it so.',
  plain('http://localhost/', { clientAddress: '::ffff:127.0.0.1' }),
  accept(),
);
for (const [name, headers, expect] of [
  ['that-says-nothing', [], refuse('transport-insecure')],
  ['of-somebody-elsewhere', [['x-forwarded-for', '203.0.113.9']], refuse('transport-insecure')],
]) {
  add(
    `gate-refuses-plain-http-by-a-proxy-on-this-machine-${name}`,
    46,
    'It speaks for clients from anywhere.',
    {
      policy: 'proxied',
      request: request({ url: 'http://localhost/', token: good, clientAddress: '127.0.0.1', headers }),
    },
    expect,
  );
}

// What is asked of every request holds without a token
const from = (clientAddress, more = {}) => ({
  policy: 'office',
  request: request({ clientAddress, ...more }),
});
add(
  'gate-network-of-an-anonymous-request',
  46,
  'It is in the office.',
  from('192.0.2.7'),
  accept({ fields: { step: 'anonymous' } }),
);
add(
  'gate-network-refuses-an-anonymous-request-from-elsewhere',
  46,
  '`anonymous` lets in who has no token, and not who is anywhere.',
  from('203.0.113.9'),
  refuse('network-denied', { status: 403, stage: 'requirement' }),
);
add(
  'gate-network-refuses-an-anonymous-request-from-nobody-knows-where',
  46,
  'As it does one with a token.',
  from(undefined),
  refuse('address-unknown', { status: 403 }),
);
add(
  'gate-network-in-a-claim-is-asked-of-a-token',
  46,
  'Who has none has no such claim either.',
  { policy: 'claimed', request: request() },
  accept({ fields: { step: 'anonymous' } }),
);
const marks = [
  ['Origin', 'https://app.example'],
  ['Access-Control-Request-Method', 'PUT'],
];
add(
  'gate-network-refuses-a-preflight-that-would-reach-the-handler',
  46,
  'Whatever reaches it comes from one of the networks.',
  {
    policy: 'passing',
    request: request({ method: 'OPTIONS', headers: marks, clientAddress: '203.0.113.9' }),
  },
  refuse('network-denied'),
);

// What is stripped
const stripped = { set: {}, strip: ['x-user', 'x-token'], stripCookie: 'session' };
const forged = {
  headers: [
    ['x-user', 'admin'],
    ['X.User', 'admin'],
  ],
};
add(
  'gate-strips-on-a-public-route-what-it-strips-elsewhere',
  46,
  'An origin behind the gate would take a forged credential for a verified one.',
  { policy: 'strips', request: request({ url: 'https://api.example/health', ...forged }) },
  accept({ fields: { step: 'public', forward: stripped } }),
);
add(
  'gate-strips-of-an-anonymous-request-what-it-strips-elsewhere',
  46,
  'Its credentials were not looked at.',
  { policy: 'strips', request: request(forged) },
  accept({ fields: { step: 'anonymous', forward: stripped } }),
);
add(
  'gate-strips-of-a-refused-request-what-it-strips-elsewhere',
  46,
  'Should somebody let it pass all the same.',
  { policy: 'strips', request: request({ headers: [['x-token', 'a.b.c']] }) },
  { ok: false, code: 'segment-not-base64url', fields: { forward: stripped } },
);
add(
  'gate-keeps-on-a-public-route-what-it-keeps-elsewhere',
  46,
  'The policy says so.',
  { policy: 'keeps', request: request({ token: good }) },
  accept({ fields: { step: 'public', forward: { set: {}, strip: ['x-user'] } } }),
);
