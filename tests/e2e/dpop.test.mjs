// From a client's first request to a gated API's answer, by real parts: oauth4webapi obtains
// DPoP-bound tokens (RFC 9449) and calls an API in workerd, whose gate finds the server's keys by
// discovery.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import * as oauth from 'oauth4webapi';

import { ROOT } from '../../src/build/steps.mjs';
import { CLIENT, signed, startAuthorizationServer } from '../support/server.mjs';
import { startWorker } from '../support/workerd.mjs';

const AUDIENCE = 'https://api.example';
const LOOPBACK = { [oauth.allowInsecureRequests]: true };

let authorizationServer;
let api;
let metadata;
const client = { client_id: CLIENT.id };

before(async () => {
  authorizationServer = await startAuthorizationServer({ audience: AUDIENCE });
  const { issuer } = authorizationServer;
  const policy = {
    issuers: [{ issuer, audience: AUDIENCE, remote: { discovery: 'oauth' } }],
    gate: {
      realm: 'api',
      requirement: { scopes: ['notes:read'], binding: 'dpop' },
      routes: [{ path: '/bearer', requirement: {} }],
      dpop: { nonce: true },
      origins: ['http://127.0.0.1:*'],
    },
  };
  const bindings = { POLICY: policy, NONCE_SECRET: crypto.randomBytes(32).toString('base64url') };
  api = await startWorker(join(ROOT, 'tests', 'e2e', 'worker.mjs'), { bindings });
  const response = await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...LOOPBACK });
  metadata = await oauth.processDiscoveryResponse(new URL(issuer), response);
});

after(async () => {
  authorizationServer?.stop();
  await api?.stop();
});

/** A client with a key of its own, an access token, and the proofs it has sent. */
async function signedIn({ alg = 'ES256', scope = 'notes:read', bound = true } = {}) {
  const keys = await oauth.generateKeyPair(alg, { extractable: true });
  const DPoP = bound ? oauth.DPoP(client, keys) : undefined;
  const ask = async () => {
    const parameters = new URLSearchParams({ scope });
    const authentication = oauth.ClientSecretBasic(CLIENT.secret);
    const response = await oauth.clientCredentialsGrantRequest(metadata, client, authentication, parameters, {
      DPoP,
      ...LOOPBACK,
    });
    return oauth.processClientCredentialsResponse(metadata, client, response);
  };
  const { access_token: token, token_type: type } = await onceMoreWithNonce(ask);
  const sent = [];
  const call = (path = '/notes') =>
    oauth.protectedResourceRequest(token, 'GET', new URL(path, api.origin), undefined, null, {
      DPoP,
      ...LOOPBACK,
      [oauth.customFetch]: (url, init) => {
        sent.push({ url, headers: Object.fromEntries(new Headers(init.headers)) });
        return fetch(url, init);
      },
    });
  return { keys, token, type, sent, call };
}

/** What every DPoP client does: a nonce that is asked for is in the next try. */
async function onceMoreWithNonce(ask) {
  try {
    return await ask();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return ask();
  }
}

/** A proof made by hand, to be wrong in one place. */
async function proofWith({ keys, token, nonce }, change = {}) {
  const jwk = await crypto.subtle.exportKey('jwk', keys.publicKey);
  const { kty, crv, x, y } = jwk;
  const claims = {
    jti: crypto.randomUUID(),
    htm: 'GET',
    htu: `${api.origin}/notes`,
    iat: Math.floor(Date.now() / 1000),
    ath: crypto.createHash('sha256').update(token).digest('base64url'),
    nonce,
    ...change,
  };
  const privateKey = crypto.createPrivateKey({
    key: await crypto.subtle.exportKey('jwk', keys.privateKey),
    format: 'jwk',
  });
  return signed({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } }, claims, privateKey);
}

async function send({ authorization, dpop, path = '/notes' }) {
  const headers = { ...(authorization && { authorization }), ...(dpop && { dpop }) };
  const response = await fetch(new URL(path, api.origin), { headers });
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    body: await response.json(),
    response,
  };
}

/** A client that has called once, and the server's nonce that its next proof carries. */
async function warm(options) {
  const who = await signedIn(options);
  const response = await onceMoreWithNonce(() => who.call());
  assert.equal(response.status, 200);
  const last = who.sent.at(-1).headers;
  const { nonce } = JSON.parse(Buffer.from(last.dpop.split('.')[1], 'base64url').toString());
  return { ...who, nonce, last };
}

for (const alg of ['ES256', 'EdDSA', 'RS256']) {
  test(`a client with a key for ${alg} is let in with the nonce it was asked for`, async () => {
    const { call, sent, type } = await signedIn({ alg });
    assert.equal(type, 'dpop');
    await assert.rejects(call, (error) => oauth.isDPoPNonceError(error));
    const response = await call();
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { sub: CLIENT.id, scope: 'notes:read', binding: 'dpop' });
    assert.equal(sent.length, 2);
    assert.match(sent[1].headers.authorization, /^DPoP /);
    const again = await call();
    assert.equal(again.status, 200);
  });
}

test('the gate found the keys by discovery, once', () => {
  assert.equal(authorizationServer.requests['/jwks'], 1);
});

test('a proof that was used is refused the second time', async () => {
  const { last } = await warm();
  const { status, challenge } = await send(last);
  assert.equal(status, 401);
  assert.match(challenge, /^DPoP .*error="invalid_dpop_proof"/);
});

test('a stolen token is refused without its key: as a bearer token, without a proof, with another key', async () => {
  const { token, nonce } = await warm();
  for (const path of ['/notes', '/bearer']) {
    assert.equal((await send({ authorization: `Bearer ${token}`, path })).status, 401, path);
    assert.equal((await send({ authorization: `DPoP ${token}`, path })).status, 401, path);
  }
  const thief = await warm();
  const dpop = await proofWith({ keys: thief.keys, token, nonce });
  assert.equal((await send({ authorization: `DPoP ${token}`, dpop })).status, 401);
});

test('a proof holds for one address, method, token, time and nonce', async () => {
  const who = await warm();
  const authorization = `DPoP ${who.token}`;
  const other = await warm();
  const now = Math.floor(Date.now() / 1000);
  const wrong = {
    'another path': { htu: `${api.origin}/other` },
    'another host': { htu: 'https://api.example/notes' },
    'another method': { htm: 'POST' },
    'another token': { ath: crypto.createHash('sha256').update(other.token).digest('base64url') },
    'no token': { ath: undefined },
    'a time long ago': { iat: now - 600 },
    'a time to come': { iat: now + 600 },
    'a nonce of its own': { nonce: 'mine' },
    'no nonce': { nonce: undefined },
    'no identifier': { jti: undefined },
  };
  for (const [name, change] of Object.entries(wrong)) {
    const { status, challenge } = await send({ authorization, dpop: await proofWith(who, change) });
    assert.equal(status, 401, name);
    const error =
      name.endsWith('nonce') || name.endsWith('its own') ? 'use_dpop_nonce' : 'invalid_dpop_proof';
    assert.ok(challenge.includes(`error="${error}"`), `${name}: ${challenge}`);
  }
  // What was changed was the reason: the same made whole is let in, also with a query, which htu
  // leaves out.
  assert.equal((await send({ authorization, dpop: await proofWith(who) })).status, 200);
  assert.equal(
    (await send({ authorization, dpop: await proofWith(who), path: '/notes?page=2' })).status,
    200,
  );
});

test('a bearer token is refused where a proof is asked for, and let in where none is', async () => {
  const { token, type } = await signedIn({ bound: false });
  assert.equal(type, 'bearer');
  assert.equal((await send({ authorization: `Bearer ${token}` })).status, 401);
  assert.equal((await send({ authorization: `Bearer ${token}`, path: '/bearer' })).status, 200);
});

test('a scope that is lacking is told as such', async () => {
  const { call } = await signedIn({ scope: 'notes:write' });
  const error = await onceMoreWithNonce(call).then(
    () => assert.fail('it was let in'),
    (error) => error,
  );
  assert.ok(error instanceof oauth.WWWAuthenticateChallengeError);
  assert.equal(error.status, 403);
  const [{ scheme, parameters }] = error.cause;
  assert.equal(scheme, 'dpop');
  assert.equal(parameters.error, 'insufficient_scope');
  assert.equal(parameters.scope, 'notes:read');
});

test('who sends nothing is told how to come', async () => {
  const { status, challenge } = await send({});
  assert.equal(status, 401);
  assert.match(challenge, /DPoP /);
  assert.doesNotMatch(challenge, /error/);
});
