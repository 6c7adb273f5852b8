// An issuer on loopback, over real sockets, on a store in memory; and what its tests share.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import { getRequestListener } from '@hono/node-server';
import { createIssuer, generateSigningKey, hashClientSecret } from 'portcullis/issuer';
import { memoryStore } from 'portcullis/stores';

export const AUDIENCE = 'https://api.example';
export const SECRET = 'a+secret/with:every%character&a=form&has to escape';
export const PAGE = 'https://app.example';
export const BACK = `${PAGE}/back`;

/** The clients of the tests: one of each kind. */
export function clients({ assertionJwks } = {}) {
  const scope = 'notes:read notes:write';
  return [
    {
      clientId: 'page',
      authentication: 'none',
      grants: ['refresh_token', 'authorization_code'],
      scope,
      redirectUris: [BACK],
    },
    {
      clientId: 'basic:client',
      authentication: 'client_secret_basic',
      secretHash: [hashClientSecret('x'.repeat(40)), hashClientSecret(SECRET)],
      grants: [
        'client_credentials',
        'refresh_token',
        'authorization_code',
        'urn:ietf:params:oauth:grant-type:token-exchange',
      ],
      redirectUris: [BACK],
      scope,
      introspects: true,
      feed: true,
    },
    {
      clientId: 'post',
      authentication: 'client_secret_post',
      secretHash: hashClientSecret(SECRET),
      grants: ['client_credentials'],
      scope,
      administers: true,
    },
    ...(assertionJwks
      ? [
          {
            clientId: 'signer',
            authentication: 'private_key_jwt',
            jwks: assertionJwks,
            grants: ['client_credentials'],
            scope,
          },
        ]
      : []),
  ];
}

/**
 * Serves an issuer until the test ends. Times are the clock's own, moved on by `advance`.
 * @param {import('node:test').TestContext | { after(work: () => unknown): void }} test
 */
export async function serveIssuer(test, { config = {}, options = {}, path = '' } = {}) {
  let issuer;
  const listener = getRequestListener((request) => issuer.fetch(request), { overrideGlobalObjects: false });
  const server = createServer(listener);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => new Promise((resolve) => server.close(resolve)));
  test.after(() => server.closeAllConnections());
  const origin = `http://127.0.0.1:${server.address().port}`;
  let moved = 0;
  const events = [];
  const store = options.store ?? memoryStore();
  const upstream = config.upstream ? {} : { clients: clients().map(withoutExchange) };
  issuer = createIssuer({
    config: { issuer: `${origin}${path}`, audience: AUDIENCE, ...upstream, ...config },
    signingKeys: [{ jwk: generateSigningKey('ES256').privateJwk() }],
    rootKeys: [{ secret: new Uint8Array(randomBytes(32)) }],
    feedKey: generateSigningKey('EdDSA').privateJwk(),
    onEvent: (event) => events.push(event),
    now: () => Math.floor(Date.now() / 1000) + moved,
    ...options,
    store,
  });
  return {
    issuer,
    origin,
    url: `${origin}${path}`,
    store,
    events,
    advance: (seconds) => {
      moved += seconds;
    },
    post: (place, parameters, headers = {}) => post(`${origin}${path}${place}`, parameters, headers),
  };
}

/** Only an issuer with upstream issuers exchanges tokens. */
export function withoutExchange(client) {
  return { ...client, grants: client.grants.filter((grant) => !grant.startsWith('urn:')) };
}

/** A form. Parameters that are pairs may repeat; a text is sent as it is. */
export async function post(url, parameters, headers = {}) {
  const body = typeof parameters === 'string' ? parameters : new URLSearchParams(parameters).toString();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body,
    redirect: 'error',
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: text.startsWith('{') ? JSON.parse(text) : undefined,
  };
}

export function basic(id, secret) {
  const encode = (value) => new URLSearchParams({ v: value }).toString().slice(2);
  return `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`;
}

export const refresh = (token, more = {}) => ({
  grant_type: 'refresh_token',
  client_id: 'page',
  refresh_token: token,
  ...more,
});

/** Claims of a token, unverified. */
export function claimsOf(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
}
