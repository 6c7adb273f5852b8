// Real clients against the running issuer: they find it, obtain tokens, refresh, introspect and
// revoke.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';

import { AUDIENCE, BACK, clients, refresh, SECRET, serveIssuer, withoutExchange } from './serve.mjs';

const insecure = { [oauth.allowInsecureRequests]: true };
const challengeOf = (verifier) => createHash('sha256').update(verifier).digest('base64url');

/** A client's signing key, and the configuration that knows it. */
async function withSigner() {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const jwk = {
    ...(await crypto.subtle.exportKey('jwk', pair.publicKey)),
    kid: 'of-the-client',
    alg: 'ES256',
  };
  delete jwk.key_ops;
  delete jwk.ext;
  const assertionJwks = { keys: [jwk] };
  return {
    privateKey: pair.privateKey,
    config: { clients: clients({ assertionJwks }).map(withoutExchange) },
  };
}

for (const path of ['', '/tenant/one']) {
  test(`oauth4webapi finds the issuer at ${path || 'its root'} and is served by every grant`, async (t) => {
    const { privateKey, config } = await withSigner();
    const { issuer, url } = await serveIssuer(t, { config, path });
    const found = await oauth.discoveryRequest(new URL(url), { algorithm: 'oauth2', ...insecure });
    const as = await oauth.processDiscoveryResponse(new URL(url), found);
    assert.equal(as.token_endpoint, `${url}/token`);
    assert.deepEqual(as.code_challenge_methods_supported, ['S256']);

    // authorization_code with PKCE, for a public client
    const page = { client_id: 'page' };
    const verifier = oauth.generateRandomCodeVerifier();
    const code = await issuer.mintCode('alice', {
      clientId: 'page',
      redirectUri: BACK,
      codeChallenge: await oauth.calculatePKCECodeChallenge(verifier),
      codeChallengeMethod: 'S256',
      scope: 'notes:read',
    });
    // RFC 9207: who redirects after `mintCode` says who the issuer is.
    const back = new URL(`${BACK}?${new URLSearchParams({ code, state: 's', iss: url })}`);
    const returned = oauth.validateAuthResponse(as, page, back, 's');
    const redeemed = await oauth.authorizationCodeGrantRequest(
      as,
      page,
      oauth.None(),
      returned,
      BACK,
      verifier,
      insecure,
    );
    const first = await oauth.processAuthorizationCodeResponse(as, page, redeemed);
    assert.equal(first.token_type, 'bearer');
    assert.equal(first.scope, 'notes:read');

    // refresh
    const answered = await oauth.refreshTokenGrantRequest(
      as,
      page,
      oauth.None(),
      first.refresh_token,
      insecure,
    );
    const second = await oauth.processRefreshTokenResponse(as, page, answered);
    assert.notEqual(second.refresh_token, first.refresh_token);

    // introspection, by a client with a secret in the header
    const server = { client_id: 'basic:client' };
    const bySecret = oauth.ClientSecretBasic(SECRET);
    const ask = async (token) => {
      const response = await oauth.introspectionRequest(as, server, bySecret, token, insecure);
      return oauth.processIntrospectionResponse(as, server, response);
    };
    const told = await ask(second.access_token);
    assert.deepEqual(
      [told.active, told.sub, told.client_id, told.scope, told.aud],
      [true, 'alice', 'page', 'notes:read', AUDIENCE],
    );

    // revocation
    const revoked = await oauth.revocationRequest(as, page, oauth.None(), second.refresh_token, insecure);
    await oauth.processRevocationResponse(revoked);
    assert.deepEqual(await ask(second.access_token), { active: false });
    await assert.rejects(
      async () =>
        oauth.processRefreshTokenResponse(
          as,
          page,
          await oauth.refreshTokenGrantRequest(as, page, oauth.None(), second.refresh_token, insecure),
        ),
      (error) =>
        error.error === 'invalid_grant' && error.error_description === 'refresh_token: session-revoked',
    );

    // client_credentials, by every way a client can show who it is
    for (const [id, authentication] of [
      ['basic:client', bySecret],
      ['post', oauth.ClientSecretPost(SECRET)],
      ['signer', oauth.PrivateKeyJwt({ key: privateKey, kid: 'of-the-client' })],
    ]) {
      const client = { client_id: id };
      const wish = new URLSearchParams({ scope: 'notes:write' });
      const response = await oauth.clientCredentialsGrantRequest(as, client, authentication, wish, insecure);
      const tokens = await oauth.processClientCredentialsResponse(as, client, response);
      assert.equal(tokens.scope, 'notes:write', id);
      assert.equal(tokens.refresh_token, undefined, id);
    }
  });

  test(`openid-client discovers the issuer at ${path || 'its root'} and is served by it`, async (t) => {
    const { privateKey, config } = await withSigner();
    const { issuer, url } = await serveIssuer(t, { config, path });
    const discover = (id, metadata, authentication) =>
      openid.discovery(new URL(url), id, metadata, authentication, {
        algorithm: 'oauth2',
        execute: [openid.allowInsecureRequests],
      });
    const page = await discover('page', undefined, openid.None());
    assert.equal(page.serverMetadata().issuer, url);

    const verifier = openid.randomPKCECodeVerifier();
    const code = await issuer.mintCode('bob', {
      clientId: 'page',
      redirectUri: BACK,
      codeChallenge: challengeOf(verifier),
    });
    // RFC 9207: who redirects after `mintCode` says who the issuer is.
    const back = new URL(`${BACK}?${new URLSearchParams({ code, iss: url })}`);
    const first = await openid.authorizationCodeGrant(page, back, {
      pkceCodeVerifier: verifier,
    });
    const second = await openid.refreshTokenGrant(page, first.refresh_token, { scope: 'notes:read' });
    assert.equal(second.scope, 'notes:read');

    const server = await discover('basic:client', undefined, openid.ClientSecretBasic(SECRET));
    assert.equal((await openid.tokenIntrospection(server, second.access_token)).sub, 'bob');
    await openid.tokenRevocation(page, second.refresh_token);
    assert.equal((await openid.tokenIntrospection(server, second.access_token)).active, false);

    for (const client of [
      server,
      await discover('post', undefined, openid.ClientSecretPost(SECRET)),
      await discover('signer', undefined, openid.PrivateKeyJwt({ key: privateKey, kid: 'of-the-client' })),
    ]) {
      const tokens = await openid.clientCredentialsGrant(client, { scope: 'notes:read' });
      assert.equal(tokens.scope, 'notes:read');
      await openid.tokenRevocation(client, tokens.access_token);
    }
    await assert.rejects(openid.clientCredentialsGrant(server, { scope: 'admin' }), {
      error: 'invalid_scope',
    });
  });
}

test('a session that is bound to a key is used with it alone, and does not rotate by itself', async (t) => {
  const { issuer, url, advance } = await serveIssuer(t);
  const as = await oauth.processDiscoveryResponse(
    new URL(url),
    await oauth.discoveryRequest(new URL(url), { algorithm: 'oauth2', ...insecure }),
  );
  const page = { client_id: 'page' };
  const keys = await oauth.generateKeyPair('ES256');
  const jkt = await oauth.DPoP(page, keys).calculateThumbprint();
  const { refresh_token, access_token } = await issuer.startSession('alice', { clientId: 'page', jkt });
  const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
  assert.deepEqual(claims(access_token).cnf, { jkt });

  // The issuer's clock is moved on, and the client has to know.
  let moved = 0;
  const use = async (pair) => {
    const page = { client_id: 'page', [oauth.clockSkew]: moved };
    const options = { ...insecure, ...(pair ? { DPoP: oauth.DPoP(page, pair) } : {}) };
    const response = await oauth.refreshTokenGrantRequest(as, page, oauth.None(), refresh_token, options);
    return oauth.processRefreshTokenResponse(as, page, response);
  };
  for (let round = 0; round < 3; round++) {
    const tokens = await use(keys);
    assert.equal(tokens.token_type, 'dpop');
    assert.equal(tokens.refresh_token, undefined);
    assert.deepEqual(claims(tokens.access_token).cnf, { jkt });
    advance(1000);
    moved += 1000;
  }
  await assert.rejects(use(undefined), {
    error: 'invalid_grant',
    error_description: 'refresh_token: binding-mismatch',
  });
  await assert.rejects(use(await oauth.generateKeyPair('ES256')), { error: 'invalid_grant' });
});

test('a proof is good for one request, for this place and for now', async (t) => {
  const { issuer, url, post } = await serveIssuer(t);
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const { refresh_token } = await issuer.startSession('alice', {
    clientId: 'page',
    jkt: await calculateJwkThumbprint(jwk),
  });
  const proof = (claims = {}) =>
    new SignJWT({ htm: 'POST', htu: `${url}/token`, jti: randomUUID(), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt(claims.iat)
      .sign(privateKey);
  const use = async (dpop) => {
    const { status, json } = await post('/token', refresh(refresh_token), { dpop });
    return status === 200 ? json.token_type : json.error;
  };
  const once = await proof();
  assert.equal(await use(once), 'DPoP');
  const now = Math.floor(Date.now() / 1000);
  for (const bad of [
    once,
    await proof({ htu: `${url}/revoke` }),
    await proof({ htm: 'GET' }),
    await proof({ iat: now - 120 }),
    await proof({ jti: '' }),
    'x',
  ])
    assert.equal(await use(bad), 'invalid_dpop_proof');
});
