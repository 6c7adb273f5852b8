// Token exchange (RFC 8693): tokens of an upstream issuer, whose keys are built in or fetched, for
// ours.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';

import { basic, claimsOf, clients, SECRET, serveIssuer } from './serve.mjs';

const insecure = { [oauth.allowInsecureRequests]: true };
const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const asBasic = { authorization: basic('basic:client', SECRET) };

/** An upstream issuer: its keys, on loopback, and its tokens. */
async function upstream(test) {
  const pairs = new Map();
  let asked = 0;
  const server = createServer(async (_, response) => {
    asked += 1;
    const keys = await Promise.all(
      Array.from(pairs, async ([kid, { publicKey }]) => ({
        ...(await exportJWK(publicKey)),
        kid,
        alg: 'RS256',
      })),
    );
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => server.close());
  test.after(() => server.closeAllConnections());
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const addKey = async (kid) => void pairs.set(kid, await generateKeyPair('RS256', { extractable: true }));
  const token = (kid, claims = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const usual = {
      iss: issuer,
      aud: 'our-client-there',
      sub: 'alice',
      scope: 'notes:read notes:write',
      iat: now,
      exp: now + 120,
    };
    return new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
      .sign(pairs.get(kid).privateKey);
  };
  await addKey('first');
  const jwks = { keys: [{ ...(await exportJWK(pairs.get('first').publicKey)), kid: 'first', alg: 'RS256' }] };
  return { issuer, jwks, addKey, token, server, asked: () => asked };
}

const exchange = (subject_token, more = {}) => ({
  grant_type: GRANT,
  subject_token,
  subject_token_type: ACCESS_TOKEN,
  ...more,
});

test('a token of an issuer whose keys are built in is exchanged by oauth4webapi', async (t) => {
  const { issuer, jwks, token } = await upstream(t);
  const config = {
    clients: clients(),
    upstream: [{ issuer, audience: 'our-client-there', types: ['JWT'], jwks }],
  };
  const { url, post } = await serveIssuer(t, { config });
  const as = await oauth.processDiscoveryResponse(
    new URL(url),
    await oauth.discoveryRequest(new URL(url), { algorithm: 'oauth2', ...insecure }),
  );
  assert.equal(as.grant_types_supported.includes(GRANT), true);
  const client = { client_id: 'basic:client' };
  const wish = new URLSearchParams({
    subject_token: await token('first'),
    subject_token_type: ACCESS_TOKEN,
    scope: 'notes:read',
  });
  const response = await oauth.genericTokenEndpointRequest(
    as,
    client,
    oauth.ClientSecretBasic(SECRET),
    GRANT,
    wish,
    insecure,
  );
  const answer = await oauth.processGenericTokenEndpointResponse(as, client, response);
  assert.equal(answer.issued_token_type, ACCESS_TOKEN);
  const { sub, client_id, scope, sid } = claimsOf(answer.access_token);
  // Two issuers may each have an alice.
  assert.deepEqual(
    { sub, client_id, scope, sid },
    { sub: `${issuer}#alice`, client_id: 'basic:client', scope: 'notes:read', sid: undefined },
  );
  assert.equal(answer.refresh_token, undefined);
  assert.equal(answer.expires_in <= 120, true, 'it lives no longer than what was shown');

  const refused = async (subject_token, more) => {
    const { status, json } = await post('/token', exchange(subject_token, more), asBasic);
    return [status, json.error, json.error_description];
  };
  const good = await token('first');
  for (const [text, more, error, description] of [
    [`${good.slice(0, -4)}AAAA`, {}, 'invalid_request', 'subject_token: signature-invalid'],
    [await token('first', { exp: 1 }), {}, 'invalid_request', 'subject_token: expired'],
    [await token('first', { aud: 'another' }), {}, 'invalid_request', 'subject_token: audience-mismatch'],
    [await token('first', { sub: '' }), {}, 'invalid_request', 'subject_token: has no sub'],
    [
      good,
      { actor_token: 'x' },
      'invalid_request',
      'actor_token: is not supported: this issuer supports impersonation, not delegation. Leave it out',
    ],
    [
      good,
      { requested_token_type: 'urn:x' },
      'invalid_request',
      `requested_token_type: must be ${ACCESS_TOKEN}`,
    ],
    [
      good,
      { audience: 'https://other.example' },
      'invalid_target',
      "audience: must be the audience of this client's tokens",
    ],
    [good, { scope: 'admin' }, 'invalid_scope', "scope: must be within this client's scope"],
  ])
    assert.deepEqual(await refused(text, more), [400, error, description]);
  assert.equal((await refused(good, { subject_token_type: 'urn:x' }))[1], 'invalid_request');
  // A token of our own is none of theirs.
  assert.equal((await refused(answer.access_token))[1], 'invalid_request');
});

test('keys that are published are fetched, once for a key that nobody has', async (t) => {
  const there = await upstream(t);
  const remote = { jwksUri: `${there.issuer}/jwks` };
  const config = {
    clients: clients(),
    upstream: [{ issuer: there.issuer, audience: 'our-client-there', types: ['JWT'], remote }],
    upstreamSubjects: 'verbatim',
  };
  const { post, advance } = await serveIssuer(t, { config });
  const use = async (token) => post('/token', exchange(token), asBasic);
  const first = await use(await there.token('first'));
  assert.equal(first.status, 200);
  assert.equal(claimsOf(first.json.access_token).sub, 'alice');
  assert.equal((await use(await there.token('first'))).status, 200);
  assert.equal(there.asked(), 1);

  await there.addKey('second');
  advance(61);
  assert.equal(
    (await use(await there.token('second', { exp: Math.floor(Date.now() / 1000) + 300 }))).status,
    200,
    'a key that is new there',
  );
  const asked = there.asked();
  const forged = (await there.token('second')).split('.');
  const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: 'nobody', typ: 'JWT' })).toString(
    'base64url',
  );
  for (let attempt = 0; attempt < 5; attempt++)
    assert.equal((await use([header, forged[1], forged[2]].join('.'))).status, 400);
  assert.equal(there.asked() - asked <= 1, true, 'a forger makes nobody fetch');
});

test('without any key of the upstream issuer the answer is 503, and nothing is said against the token', async (t) => {
  const there = await upstream(t);
  const remote = { jwksUri: `${there.issuer}/jwks` };
  const config = {
    clients: clients(),
    upstream: [{ issuer: there.issuer, audience: 'our-client-there', types: ['JWT'], remote }],
  };
  const options = { fetch: () => Promise.reject(new TypeError('no network')) };
  const { post } = await serveIssuer(t, { config, options });
  const answer = await post('/token', exchange(await there.token('first')), asBasic);
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '1']);
});

test('a token that is bound is exchanged for its key, and what comes of it is bound to the same', async (t) => {
  const there = await upstream(t);
  const config = {
    clients: clients(),
    upstream: [{ issuer: there.issuer, audience: 'our-client-there', types: ['JWT'], jwks: there.jwks }],
  };
  const { url, post } = await serveIssuer(t, { config });
  const pair = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(pair.publicKey);
  const jkt = await calculateJwkThumbprint(jwk);
  const proof = (key = pair.privateKey, own = jwk) =>
    new SignJWT({ htm: 'POST', htu: `${url}/token`, jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: own })
      .setIssuedAt()
      .sign(key);
  const bound = await there.token('first', { cnf: { jkt } });
  const use = async (dpop) => post('/token', exchange(bound), { ...asBasic, ...(dpop ? { dpop } : {}) });
  const without = await use();
  assert.deepEqual([without.status, without.json.error], [400, 'invalid_dpop_proof']);
  const stranger = await generateKeyPair('ES256', { extractable: true });
  const stolen = await use(await proof(stranger.privateKey, await exportJWK(stranger.publicKey)));
  assert.deepEqual([stolen.status, stolen.json.error], [400, 'invalid_request']);
  const answer = await use(await proof());
  assert.deepEqual([answer.status, answer.json.token_type], [200, 'DPoP']);
  assert.deepEqual(claimsOf(answer.json.access_token).cnf, { jkt });
});
