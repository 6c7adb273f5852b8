// Plain HTTP, the networks and probes that may use it, and what proxies say of a request.
import { gated, proof, request, requests, thumbprint } from './gate-parts.mjs';
import { accept, claims, misuse, refuse, token } from './signing.mjs';

const good = token();
const { add, file } = requests('Own; RFC 7239, RFC 6750 section 5.3, RFC 9449 section 4.3.', {
  default: gated({
    plainHttpFrom: ['10.0.0.0/8', 'cluster'],
    networks: { cluster: ['fd00::/8'] },
    routes: [{ path: '/health', requirement: 'public' }],
  }),
  strict: gated({
    origins: ['https://api.example'],
    credentials: { header: 'x-token', cookie: 'session' },
    routes: [
      { path: '/health', requirement: 'public' },
      { path: '/admin/health', requirement: { scopes: ['admin'] } },
    ],
  }),
  behind: gated({
    proxies: { trusted: ['10.0.0.0/8'] },
    plainHttpFrom: ['10.0.0.0/8'],
    networks: { office: ['192.0.2.0/24'] },
  }),
  extensions: gated({
    origins: ['https://api.example'],
    proxies: { trusted: ['10.0.0.0/8'], host: true, prefix: true },
  }),
  silent: gated({ origins: ['https://api.example'], proxies: { trusted: ['10.0.0.0/8'] } }),
  forwarded: gated({
    origins: ['https://api.example'],
    proxies: { trusted: ['10.0.0.0/8', '2001:db8:1::/48'], header: 'Forwarded', host: true },
  }),
  loopback: gated({}),
  listed: gated({ origins: ['http://localhost:*'] }),
});

export { file };

const insecure = refuse('transport-insecure', { status: 403, stage: 'transport' });
const misdirected = refuse('request-misdirected', { status: 421 });
const malformed = (member) => refuse('request-malformed', { status: 400, member });

// Networks from which plain HTTP is accepted
for (const [id, url, clientAddress, expect] of [
  ['from-a-network-of-the-policy', 'http://api:3000/orders', '10.1.2.3', accept()],
  ['from-a-named-network', 'http://api:3000/orders', 'fd00::7', accept()],
  ['from-a-network-mapped-into-v6', 'http://api:3000/orders', '::ffff:10.1.2.3', accept()],
  ['from-a-neighbour-network', 'http://api:3000/orders', '11.0.0.1', insecure],
  ['from-nobody-knows-where-although-networks-are-named', 'http://api:3000/orders', undefined, insecure],
]) {
  add(
    `gate-plain-http-${id}`,
    46,
    'The connection says where it begins.',
    { request: request({ url, token: good, clientAddress }) },
    expect,
  );
}
add(
  'gate-plain-http-from-a-network-is-not-by-a-header',
  46,
  'Nobody trusts who wrote it.',
  {
    request: request({
      url: 'http://api:3000/orders',
      token: good,
      clientAddress: '203.0.113.9',
      headers: [
        ['x-forwarded-for', '10.1.2.3'],
        ['x-forwarded-proto', 'https'],
        ['forwarded', 'for=10.1.2.3;proto=https'],
      ],
    }),
  },
  insecure,
);
for (const [id, headers, expect] of [
  ['directly', [], accept()],
  ['for-a-client-in-it', [['x-forwarded-for', '10.9.9.9']], accept()],
  ['for-a-client-elsewhere', [['x-forwarded-for', '203.0.113.9']], insecure],
  ['for-nobody-it-names', [['x-forwarded-proto', 'http']], insecure],
  ['for-a-client-that-wrote-another', [['x-forwarded-for', '10.9.9.9, 203.0.113.9']], insecure],
]) {
  add(
    `gate-plain-http-by-a-proxy-in-the-network-${id}`,
    46,
    'The whole way has to be in the network.',
    {
      policy: 'behind',
      request: request({ url: 'http://api:3000/', token: good, clientAddress: '10.0.0.1', headers }),
    },
    expect,
  );
}
for (const [id, plainHttpFrom, pointer] of [
  ['everybody', ['0.0.0.0/0'], '/gate/plainHttpFrom/0'],
  ['everybody-by-v6', ['10.0.0.0/8', '::/0'], '/gate/plainHttpFrom/1'],
  ['a-network-nobody-named', ['cluster'], '/gate/plainHttpFrom/0'],
  ['nobody', [], '/gate/plainHttpFrom'],
]) {
  add(
    `gate-policy-with-plain-http-from-${id}`,
    33,
    'The entry is named.',
    { policy: gated({ plainHttpFrom }), request: request() },
    misuse(pointer),
  );
}

// Probes
const probe = (url, more = {}) => ({ policy: 'strict', request: request({ url, ...more }) });
const answered = accept({ fields: { step: 'public' } });
for (const [id, input, expect] of [
  ['of-a-kubelet', probe('http://10.1.2.3:8080/health', { clientAddress: '10.1.2.1' }), answered],
  ['by-v6', probe('http://[2001:db8::7]:8080/health', { clientAddress: '2001:db8::1' }), answered],
  ['of-a-load-balancer-over-tls', probe('https://10.1.2.3:8443/health'), answered],
  ['by-a-name-of-the-network', probe('http://api:3000/health'), answered],
  ['by-our-own-name', probe('http://api.example/health'), answered],
  ['by-head', probe('http://10.1.2.3:8080/health', { method: 'HEAD' }), answered],
  ['by-somebody-elses-name', probe('http://attacker.example/health'), insecure],
  ['by-somebody-elses-name-over-tls', probe('https://attacker.example/health'), misdirected],
  ['that-changes-something', probe('http://10.1.2.3:8080/health', { method: 'POST' }), insecure],
  ['with-a-token', probe('http://10.1.2.3:8080/health', { token: good }), insecure],
  ['with-a-cookie', probe('http://10.1.2.3:8080/health', { headers: [['cookie', 'a=b']] }), insecure],
  [
    'with-the-header-of-the-policy',
    probe('http://10.1.2.3/health', { headers: [['x-token', 'a']] }),
    insecure,
  ],
  ['of-what-is-not-public', probe('http://10.1.2.3:8080/orders'), insecure],
  ['of-what-some-servers-take-for-another-route', probe('http://10.1.2.3:8080/admin/health'), insecure],
  ['of-an-ambiguous-path', probe('http://10.1.2.3:8080//health'), insecure],
]) {
  add(
    `gate-probe-${id}`,
    46,
    'What is public asks for no token, so that none is lost; anything else does.',
    input,
    expect,
  );
}
add(
  'gate-probe-beside-a-requirement-of-its-handler',
  46,
  'The route says that it is public, and the handler that it is not.',
  {
    policy: 'strict',
    request: request({ url: 'http://10.1.2.3:8080/health' }),
    requirement: { scopes: ['read'] },
  },
  insecure,
);

// Not this machine
for (const [id, headers, expect] of [
  ['that-asks-for-somebody-elsewhere', [['X-Forwarded-For', '203.0.113.9']], insecure],
  ['that-asks-for-somebody-elsewhere-by-forwarded', [['Forwarded', 'for=203.0.113.9']], insecure],
  ['that-asks-for-nobody-knows-whom', [['x-forwarded-for', 'unknown']], insecure],
  ['that-asks-for-this-machine', [['x-forwarded-for', '127.0.0.1, ::1']], accept()],
]) {
  add(
    `gate-plain-http-by-an-unnamed-proxy-on-this-machine-${id}`,
    46,
    'Its client wrote `Host: localhost`.',
    {
      policy: 'loopback',
      request: request({ url: 'http://localhost:3000/', token: good, clientAddress: '127.0.0.1', headers }),
    },
    expect,
  );
}

add(
  'gate-plain-http-by-an-unnamed-proxy-to-a-listed-loopback-origin',
  46,
  'The policy says that it is reached so, and the header of nobody says nothing.',
  {
    policy: 'listed',
    request: request({
      url: 'http://localhost:3000/',
      token: good,
      clientAddress: '127.0.0.1',
      headers: [['x-forwarded-for', '203.0.113.9']],
    }),
  },
  accept(),
);

// What proxies say
const jkt = thumbprint('es256Other');
const bound = token({ payload: claims({ cnf: { jkt } }) });
const behind = (policy, headers, htu, more = {}) => ({
  policy,
  request: request({
    url: 'http://pod:8080/orders/7',
    token: bound,
    scheme: 'DPoP',
    clientAddress: '10.0.0.1',
    headers: [...headers, ['dpop', proof({ of: bound, claims: { htu } })]],
    ...more,
  }),
  evidence: { replay: 'first' },
});
const proven = accept({ fields: { binding: 'dpop' } });
const [client, https, host, prefix] = [
  ['x-forwarded-for', '203.0.113.9'],
  ['x-forwarded-proto', 'https'],
  ['x-forwarded-host', 'api.example'],
  ['x-forwarded-prefix', '/v1'],
];
const seen = 'https://api.example/v1/orders/7';
for (const [id, headers, htu, expect] of [
  ['host-and-prefix', [client, https, host, prefix], seen, proven],
  ['host-alone', [client, https, host], 'https://api.example/orders/7', proven],
  [
    'host-with-the-schemes-port',
    [client, https, ['x-forwarded-host', 'API.example:443']],
    'https://api.example/orders/7',
    proven,
  ],
  ['prefix-with-a-slash', [client, https, host, ['x-forwarded-prefix', '/v1/']], seen, proven],
  [
    'another-prefix',
    [client, https, host, ['x-forwarded-prefix', '/v2']],
    seen,
    refuse('dpop-url-mismatch', { status: 401, expected: 'https://api.example/v2/orders/7', actual: seen }),
  ],
  ['no-host', [client, https], seen, misdirected],
  ['somebody-elses-host', [client, https, ['x-forwarded-host', 'attacker.example']], seen, misdirected],
  [
    'two-hosts',
    [client, https, ['x-forwarded-host', 'attacker.example, api.example']],
    seen,
    malformed('x-forwarded-host'),
  ],
  ['two-fields-of-hosts', [client, https, host, host], seen, malformed('x-forwarded-host')],
  [
    'a-host-that-is-none',
    [client, https, ['x-forwarded-host', 'api.example/x']],
    seen,
    malformed('x-forwarded-host'),
  ],
  [
    'a-prefix-that-climbs',
    [client, https, host, ['x-forwarded-prefix', '/v1/..']],
    seen,
    malformed('x-forwarded-prefix'),
  ],
  [
    'a-prefix-that-is-a-host',
    [client, https, host, ['x-forwarded-prefix', '//evil.example']],
    seen,
    malformed('x-forwarded-prefix'),
  ],
  [
    'two-prefixes',
    [client, https, host, ['x-forwarded-prefix', '/a, /v1']],
    seen,
    malformed('x-forwarded-prefix'),
  ],
]) {
  add(
    `gate-proxy-says-${id}`,
    46,
    'A client that writes such a header must not choose what is compared.',
    behind('extensions', headers, htu),
    expect,
  );
}
add(
  'gate-proxy-says-a-host-that-the-policy-does-not-ask-it-for',
  46,
  'Many proxies pass on what a client writes there.',
  behind('silent', [client, https, host], 'https://api.example/orders/7'),
  misdirected,
);
add(
  'gate-proxy-that-is-none-of-ours-says-a-host',
  46,
  'Anybody can.',
  behind('extensions', [client, https, host, prefix], seen, { clientAddress: '192.0.2.1' }),
  insecure,
);
for (const [id, value, expect] of [
  ['by-one-hop', 'for=203.0.113.9;proto=https;host=api.example', proven],
  ['in-quotes', 'For="[2001:db8::17]:4711"; Proto="https";Host="api.example"', proven],
  [
    'by-two-hops',
    'for=203.0.113.9;proto=https;host=api.example, for="[2001:db8:1::9]";proto=http;host=pod',
    proven,
  ],
  [
    'behind-what-the-client-wrote',
    'for=1.1.1.1;proto=http;host=attacker.example, for=203.0.113.9;proto=https;host=api.example',
    proven,
  ],
  ['of-the-client-alone', 'for=203.0.113.9;host=api.example', insecure],
  ['with-another-host', 'for=203.0.113.9;proto=https;host=attacker.example', misdirected],
  ['that-does-not-end', 'for="1.1.1.1, for=203.0.113.9;proto=https;host=api.example', malformed('forwarded')],
  [
    'with-two-hosts',
    'for=203.0.113.9;proto=https;host=attacker.example;host=api.example',
    malformed('forwarded'),
  ],
  ['that-is-no-list', 'api.example', malformed('forwarded')],
]) {
  add(
    `gate-forwarded-${id}`,
    46,
    'RFC 7239: one element a hop; that of the outermost proxy of ours counts.',
    behind('forwarded', [['Forwarded', value]], 'https://api.example/orders/7'),
    expect,
  );
}
add(
  'gate-forwarded-in-two-fields',
  46,
  'RFC 9110 section 5.3: they are one list.',
  behind(
    'forwarded',
    [
      ['Forwarded', 'for=1.1.1.1;host=attacker.example'],
      ['forwarded', 'for=203.0.113.9;proto=https;host=api.example'],
    ],
    'https://api.example/orders/7',
  ),
  proven,
);
add(
  'gate-forwarded-beside-what-other-headers-say',
  46,
  'The policy names one way for proxies to speak, and a client may have written the other.',
  behind(
    'forwarded',
    [https, host, ['Forwarded', 'for=203.0.113.9;proto=http;host=api.example']],
    'https://api.example/orders/7',
  ),
  insecure,
);
