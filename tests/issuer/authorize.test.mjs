// Signing in over HTTP, by clients of others: an application on loopback has a login page, and
// oauth4webapi and openid-client go through it as a browser does.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { getRequestListener } from '@hono/node-server';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { createIssuer, generateSigningKey, IssuerUnavailableError } from 'portcullis/issuer';
import { memoryStore } from 'portcullis/stores';

import { clients, SECRET, withoutExchange } from './serve.mjs';

const BACK = 'https://app.example/back';
const insecure = { [oauth.allowInsecureRequests]: true };

/** The issuer and the application's own login page, on one origin. */
async function application(t, { store = memoryStore(), config = {} } = {}) {
  let issuer;
  const page = async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/authorize') {
      const authorization = await issuer.authorize(request);
      if (authorization.outcome === 'response') return authorization.response;
      const { sealed, cookie, headers, prompt } = authorization;
      if (prompt.includes('none')) return issuer.decline(sealed, { cookie, error: 'login_required' });
      return new Response(sealed, { headers: { ...headers, 'set-cookie': cookie } });
    }
    if (pathname === '/login') {
      const form = new URLSearchParams(await request.clone().text());
      if (form.get('answer') === 'no')
        return issuer.decline(form.get('sealed'), { request, error: 'access_denied' });
      return issuer.complete(form.get('sealed'), { request, subject: 'alice' });
    }
    return issuer.fetch(request);
  };
  const server = createServer(getRequestListener(page, { overrideGlobalObjects: false }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  t.after(() => server.closeAllConnections());
  const origin = `http://127.0.0.1:${server.address().port}`;
  issuer = createIssuer({
    config: {
      issuer: origin,
      audience: 'https://api.example',
      clients: clients().map(withoutExchange),
      ...config,
    },
    signingKeys: [{ jwk: generateSigningKey('ES256').privateJwk() }],
    rootKeys: [{ secret: new Uint8Array(32).fill(7) }],
    store,
  });
  return { issuer, origin };
}

/** A user who logs in, or does not: where the browser is sent back to. */
async function goThrough(url, answer = 'yes') {
  const page = await fetch(url, { redirect: 'manual' });
  if (page.status === 303) return new URL(page.headers.get('location'));
  assert.equal(page.status, 200, await page.clone().text());
  assert.equal(page.headers.get('x-frame-options'), 'DENY', 'RFC 9700 §4.16');
  const cookie = page.headers.get('set-cookie');
  assert.match(cookie, /^portcullis-authorization=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/);
  const response = await fetch(new URL('/login', url), {
    method: 'POST',
    headers: { cookie: cookie.split(';')[0] },
    body: new URLSearchParams({ sealed: await page.text(), answer }),
    redirect: 'manual',
  });
  assert.equal(response.status, 303, await response.clone().text());
  return new URL(response.headers.get('location'));
}

async function prepared(origin) {
  const response = await oauth.discoveryRequest(new URL(origin), { algorithm: 'oauth2', ...insecure });
  const server = await oauth.processDiscoveryResponse(new URL(origin), response);
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const parameters = {
    client_id: 'page',
    response_type: 'code',
    redirect_uri: BACK,
    scope: 'notes:read',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  };
  return { server, verifier, state, parameters };
}

const urlOf = (server, parameters) =>
  `${server.authorization_endpoint}?${new URLSearchParams(parameters).toString()}`;

test('oauth4webapi signs in, and validates state and iss', async (t) => {
  const { origin } = await application(t);
  const { server, verifier, state, parameters } = await prepared(origin);
  assert.equal(server.authorization_endpoint, `${origin}/authorize`);
  assert.equal(server.authorization_response_iss_parameter_supported, true);
  const back = await goThrough(urlOf(server, parameters));
  const client = { client_id: 'page' };
  const answer = oauth.validateAuthResponse(server, client, back, state);
  const redeem = () =>
    oauth.authorizationCodeGrantRequest(server, client, oauth.None(), answer, BACK, verifier, insecure);
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, await redeem());
  assert.equal(tokens.scope, 'notes:read');
  // RFC 6749 §4.1.2, RFC 9700 §4.5: used twice, it ends the session.
  assert.equal((await redeem()).status, 400);
  const late = await oauth.refreshTokenGrantRequest(
    server,
    client,
    oauth.None(),
    tokens.refresh_token,
    insecure,
  );
  assert.equal(late.status, 400);
});

test('oauth4webapi pushes its request, and signs in once by it', async (t) => {
  const { origin } = await application(t, { config: { requirePushedAuthorizationRequests: true } });
  const { server, verifier, state, parameters } = await prepared(origin);
  assert.equal(server.require_pushed_authorization_requests, true);
  const client = { client_id: 'basic:client' };
  const secret = oauth.ClientSecretBasic(SECRET);
  const pushed = await oauth.pushedAuthorizationRequest(
    server,
    client,
    secret,
    { ...parameters, client_id: client.client_id },
    insecure,
  );
  const { request_uri } = await oauth.processPushedAuthorizationResponse(server, client, pushed);
  const url = urlOf(server, { client_id: client.client_id, request_uri });
  const answer = oauth.validateAuthResponse(server, client, await goThrough(url), state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    secret,
    answer,
    BACK,
    verifier,
    insecure,
  );
  assert.equal(response.status, 200);
  assert.equal((await fetch(url, { redirect: 'manual' })).status, 400, 'RFC 9126 §4: used');
  const plain = await goThrough(urlOf(server, parameters));
  assert.equal(plain.searchParams.get('error'), 'invalid_request', 'RFC 9126 §5: not pushed');
});

test('openid-client signs in', async (t) => {
  const { origin } = await application(t);
  const config = await openid.discovery(
    new URL(origin),
    'basic:client',
    undefined,
    openid.ClientSecretBasic(SECRET),
    {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    },
  );
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const expectedState = openid.randomState();
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: BACK,
    scope: 'notes:write',
    state: expectedState,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  const tokens = await openid.authorizationCodeGrant(config, await goThrough(url), {
    pkceCodeVerifier,
    expectedState,
  });
  assert.equal(tokens.scope, 'notes:write');
});

test('a user says no, a silent request needs a login, and a page is posted to', async (t) => {
  const { origin } = await application(t);
  const { server, state, parameters } = await prepared(origin);
  const told = (url) => [
    url.searchParams.get('error'),
    url.searchParams.get('state'),
    url.searchParams.get('iss'),
  ];
  assert.deepEqual(told(await goThrough(urlOf(server, parameters), 'no')), ['access_denied', state, origin]);
  const silent = await goThrough(urlOf(server, { ...parameters, prompt: 'none' }));
  assert.deepEqual(told(silent), ['login_required', state, origin]);
  // OpenID Connect Core §3.1.2.1: POST as well.
  const posted = await fetch(server.authorization_endpoint, {
    method: 'POST',
    body: new URLSearchParams({ ...parameters, scope: 'admin' }),
    redirect: 'manual',
  });
  assert.equal(posted.status, 303, 'RFC 9700 §4.12: never 307');
  assert.deepEqual(told(new URL(posted.headers.get('location'))), ['invalid_scope', state, origin]);
});

test('a store that fails at every Nth call costs a retry, and nobody a session', async (t) => {
  for (let every = 2; every <= 6; every++) {
    const held = memoryStore();
    let [calls, failures] = [0, 0];
    const failing =
      (name) =>
      (...given) => {
        calls += 1;
        if (calls % every !== 0) return held[name](...given);
        failures += 1;
        throw new Error('the store is down');
      };
    const store = { read: failing('read'), swap: failing('swap'), sweep: (...given) => held.sweep(...given) };
    const { issuer, origin } = await application(t, { store });
    const { server, verifier, state, parameters } = await prepared(origin);
    const ask = await issuer.authorize(new Request(urlOf(server, parameters)));
    assert.equal(ask.outcome, 'ask');
    const codes = new Set();
    for (let tries = 0; tries < 6 && codes.size === 0; tries++) {
      try {
        const response = await issuer.complete(ask.sealed, { cookie: ask.cookie, subject: 'alice' });
        codes.add(response.headers.get('location'));
      } catch (error) {
        assert.ok(error instanceof IssuerUnavailableError, error);
      }
    }
    const client = { client_id: 'page' };
    const [back] = [...codes];
    const answer = oauth.validateAuthResponse(server, client, new URL(back), state);
    let tokens;
    for (let tries = 0; tries < 12 && tokens === undefined; tries++) {
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.None(),
        answer,
        BACK,
        verifier,
        insecure,
      );
      assert.ok([200, 503].includes(response.status), `every ${every}: ${await response.clone().text()}`);
      if (response.status === 200) tokens = await response.json();
    }
    assert.ok(tokens, `every ${every}: redeemed`);
    assert.ok(failures > 0, `every ${every}: something failed`);
  }
});
