// The requests that every adapter is shown, through its framework and over HTTP, and what must
// come of each.
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { createServer, request } from 'node:http';

import { generateSigningKey } from 'portcullis/issuer';

import { signed } from '../support/server.mjs';

const ISSUER = 'https://issuer.example';
const AUDIENCE = 'https://api.example';

export const key = generateSigningKey('ES256');

/** Claims go on as headers, so that what was stripped and what was set shows. */
export const policy = {
  issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: key.jwks() }],
  gate: {
    realm: 'notes',
    forward: { claims: { sub: 'x-user' } },
    // Next and workerd do not say where a connection begins.
    origins: ['https://api.example', 'http://127.0.0.1:*', 'http://localhost:*'],
  },
};

export const REQUIREMENT = { scopes: ['notes:read'] };

const now = () => Math.floor(Date.now() / 1000);

export function mint({ scope = 'notes:read', secondsAgo = 0, ...more } = {}) {
  const claims = { issuer: ISSUER, audience: AUDIENCE, subject: 'ada', clientId: 'tests', scope };
  return key.mintAccessToken({ ...claims, lifetimeSeconds: 300, ...more }, { now: now() - secondsAgo });
}

/** The same as a plain JWT. */
export function mintJwt() {
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'ada',
    scope: 'notes:read',
    iat: now(),
    exp: now() + 300,
  };
  const privateKey = createPrivateKey({ key: key.privateJwk(), format: 'jwk' });
  return signed({ alg: 'ES256', typ: 'JWT', kid: key.kid }, claims, privateKey);
}

const good = () => `Bearer ${mint()}`;
const flipped = (token) => token.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'));

/**
 * `headers` go out as they stand, one line each. `/notes` answers `{ sub, user, authorization }`:
 * the claims, and the headers that the handler sees; `/maybe` is the same and lets pass who is
 * anonymous.
 */
export const CASES = [
  { name: 'a good token', headers: () => [['Authorization', good()]], status: 200 },
  { name: 'the scheme in another case', headers: () => [['authorization', `bearer ${mint()}`]], status: 200 },
  { name: 'no credentials', headers: () => [], status: 401, challenge: 'Bearer realm="notes"' },
  {
    name: 'two Authorization lines',
    lines: 2,
    headers: () => [
      ['Authorization', good()],
      ['Authorization', good()],
    ],
    status: 400,
    code: 'authorization-ambiguous',
  },
  {
    name: 'a good line and one of another scheme',
    lines: 2,
    headers: () => [
      ['Authorization', good()],
      ['authorization', 'Basic eDp5'],
    ],
    status: 400,
    code: 'authorization-ambiguous',
  },
  {
    name: 'two tokens in a line',
    headers: () => [['Authorization', `${good()}, ${good()}`]],
    status: 400,
    code: 'authorization-ambiguous',
  },
  {
    name: 'a word behind the token',
    headers: () => [['Authorization', `${good()} x`]],
    status: 400,
    code: 'authorization-malformed',
  },
  { name: 'no JWT', headers: () => [['Authorization', 'Bearer abc']], status: 401, code: 'segment-count' },
  {
    name: 'a token with another signature',
    headers: () => [['Authorization', `Bearer ${flipped(mint())}`]],
    status: 401,
    error: 'invalid_token',
  },
  {
    name: 'a token that has expired',
    headers: () => [['Authorization', `Bearer ${mint({ secondsAgo: 900 })}`]],
    status: 401,
    code: 'expired',
    error: 'invalid_token',
  },
  {
    name: 'a token for somebody else',
    headers: () => [['Authorization', `Bearer ${mint({ audience: 'https://other.example' })}`]],
    status: 401,
    code: 'audience-mismatch',
  },
  {
    name: 'a token without the scope',
    headers: () => [['Authorization', `Bearer ${mint({ scope: 'notes:write' })}`]],
    status: 403,
    error: 'insufficient_scope',
    challenge: /scope="notes:read"/,
  },
  {
    name: 'a header that only the gate may set',
    headers: () => [
      ['Authorization', good()],
      ['X-User', 'mallory'],
      ['x_user', 'mallory'],
      ['x.user', 'mallory'],
    ],
    status: 200,
  },
];

const ANONYMOUS = [
  { name: 'nobody', headers: () => [], status: 200, anonymous: true },
  {
    name: 'nobody who says who he is',
    headers: () => [
      ['X-User', 'mallory'],
      ['X.User', 'mallory'],
    ],
    status: 200,
    anonymous: true,
  },
  { name: 'somebody', headers: () => [['Authorization', good()]], status: 200 },
  {
    name: 'a bad token',
    headers: () => [['Authorization', `Bearer ${flipped(mint())}`]],
    status: 401,
    error: 'invalid_token',
  },
];

/**
 * Shows an app every case; `register(name, run)` is `test` of node:test, or whatever runs them.
 * With `firstLine`, the framework hands on the first of two lines alone, to the gate and to the
 * app behind it.
 */
export function showAll(register, origin, { firstLine = false } = {}) {
  for (const one of CASES) {
    const expected = firstLine && one.lines === 2 ? { ...one, status: 200 } : one;
    register(one.name, () => show(origin(), '/notes', expected));
  }
  for (const one of ANONYMOUS)
    register(`where nobody must sign in: ${one.name}`, () => show(origin(), '/maybe', one));
}

async function show(origin, path, { headers, status, code, error, challenge, anonymous }) {
  const answer = await send(origin + path, { headers: headers() });
  assert.equal(answer.status, status, answer.body);
  const challenges = answer.headers['www-authenticate'];
  if (status === 200) {
    assert.equal(challenges, undefined);
    const expected = anonymous ? { sub: null, user: null } : { sub: 'ada', user: 'ada' };
    assert.deepEqual(JSON.parse(answer.body), { ...expected, authorization: null });
    return;
  }
  assert.match(answer.headers['content-type'], /^application\/problem\+json/);
  const problem = JSON.parse(answer.body);
  assert.equal(problem.status, status);
  if (code) assert.equal(problem.code, code);
  if (error) assert.ok(challenges.includes(`error="${error}"`), challenges);
  if (challenge instanceof RegExp) assert.match(challenges, challenge);
  else if (challenge) assert.equal(challenges, challenge);
  assert.ok(
    !answer.body.includes('eyJ') && !String(challenges).includes('eyJ'),
    'it shows a piece of a token',
  );
}

/** One request whose lines go out as given: `fetch` would join two of a name. */
export function send(url, { method = 'GET', headers = [], target, host, body } = {}) {
  const { hostname, port, host: own, pathname, search } = new URL(url);
  const lines = ['Host', host ?? own, ...headers.flat()];
  if (body !== undefined) lines.push('Content-Length', String(Buffer.byteLength(body)));
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        hostname,
        port,
        path: target ?? pathname + search,
        method,
        headers: lines,
        timeout: 10_000,
        agent: false,
      },
      async (response) => {
        try {
          let text = '';
          for await (const chunk of response.setEncoding('utf8')) text += chunk;
          resolve({ status: response.statusCode, headers: response.headers, body: text });
        } catch (error) {
          reject(error);
        }
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 10 s')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Listens on a free port of loopback: `{ origin, stop }`. */
export async function listen(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.closeAllConnections?.();
    return new Promise((resolve) => server.close(resolve));
  };
  const scheme = 'setSecureContext' in server ? 'https' : 'http';
  return { origin: `${scheme}://127.0.0.1:${server.address().port}`, stop };
}

/** An address on loopback that nobody listens on, for servers that cannot say which they took. */
export async function freeOrigin() {
  const { origin, stop } = await listen(createServer());
  await stop();
  return origin;
}
