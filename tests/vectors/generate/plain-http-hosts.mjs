// The private hosts that a policy has keys, metadata and answers fetched from over plain HTTP.
import { gated, request, requests } from './gate-parts.mjs';
import { accept, misuse } from './signing.mjs';

const { add, file } = requests('Own; RFC 6761, RFC 6890.', { default: gated({}) });

export { file };

const hosts = (url, plainHttpHosts, more = {}) => ({
  kind: 'policy',
  policy: {
    plainHttpHosts,
    issuers: [{ issuer: 'https://issuer.example', audience: 'a', remote: { jwksUri: url }, ...more }],
  },
});
const cluster = ['*.svc.cluster.local', 'keycloak', '10.0.0.7'];
for (const [id, input, expect] of [
  ['by-a-name', hosts('http://keycloak:8080/certs', cluster), accept()],
  ['by-an-address', hosts('http://10.0.0.7/certs', cluster), accept()],
  ['below-a-domain', hosts('http://id.auth.svc.cluster.local:8080/certs', cluster), accept()],
  [
    'of-no-host-that-is-named',
    hosts('http://vault:8080/certs', cluster),
    misuse('/issuers/0/remote/jwksUri'),
  ],
  ['by-a-longer-name', hosts('http://keycloak.evil.example/', cluster), misuse('/issuers/0/remote/jwksUri')],
  ['by-the-domain-itself', hosts('http://svc.cluster.local/', cluster), misuse('/issuers/0/remote/jwksUri')],
  ['by-another-domain', hosts('http://xsvc.cluster.local/', cluster), misuse('/issuers/0/remote/jwksUri')],
  ['without-hosts', hosts('http://keycloak:8080/', undefined), misuse('/issuers/0/remote/jwksUri')],
  ['by-userinfo', hosts('http://keycloak@evil.example/', cluster), misuse('/issuers/0/remote/jwksUri')],
  [
    'by-discovery',
    hosts('', cluster, { issuer: 'http://keycloak:8080/realms/r', remote: { discovery: 'oidc' } }),
    accept(),
  ],
  [
    'by-discovery-of-another-host',
    hosts('', cluster, { issuer: 'http://vault:8080/r', remote: { discovery: 'oidc' } }),
    misuse('/issuers/0/issuer'),
  ],
  [
    'for-introspection',
    hosts('', cluster, {
      remote: undefined,
      introspection: { endpoint: 'http://keycloak:8080/introspect', clientId: 'c' },
    }),
    accept(),
  ],
  [
    'by-a-preset',
    {
      kind: 'policy',
      policy: {
        plainHttpHosts: ['keycloak'],
        issuers: [{ preset: 'keycloak', url: 'http://keycloak:8080', realm: 'r', audience: 'a' }],
      },
    },
    accept(),
  ],
]) {
  add(`policy-with-keys-over-plain-http-${id}`, 11, 'The policy names the host.', input, expect);
}
for (const [id, plainHttpHosts, pointer] of [
  ['a-public-host', ['keycloak', 'issuer.example'], '/plainHttpHosts/1'],
  ['a-public-address', ['8.8.8.8'], '/plainHttpHosts/0'],
  ['a-top-level-domain', ['*.local'], '/plainHttpHosts/0'],
  ['every-host', ['*'], '/plainHttpHosts/0'],
  ['a-port', ['keycloak:8080'], '/plainHttpHosts/0'],
  ['a-url', ['http://keycloak'], '/plainHttpHosts/0'],
  ['capitals', ['Keycloak'], '/plainHttpHosts/0'],
]) {
  add(
    `gate-policy-with-plain-http-hosts-of-${id}`,
    33,
    'Who is on the way to a public host can be that host.',
    { policy: gated({}, { plainHttpHosts }), request: request() },
    misuse(pointer),
  );
}
