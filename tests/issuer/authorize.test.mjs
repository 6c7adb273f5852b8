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

import { createPages } from '../package/examples/authorize.mjs';
import { clients, SECRET, withoutExchange } from './serve.mjs';

const BACK = 'https://app.example/back';
const insecure = { [oauth.allowInsecureRequests]: true };

/** The issuer and the application's own login page, on one origin. */
async function application(t, { store = memoryStore(), config = {}, around } = {}) {
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
  const server = createServer(getRequestListener(around ?? page, { overrideGlobalObjects: false }));
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

test('the key of a pushed request redeems its code, and no other does (RFC 9449 §10.1)', async (t) => {
  const { issuer, origin } = await application(t);
  const { server, verifier, state, parameters } = await prepared(origin);
  const client = { client_id: 'page' };
  const [own, other] = await Promise.all([oauth.generateKeyPair('ES256'), oauth.generateKeyPair('ES256')]);
  const proofs = { own: oauth.DPoP(client, own), other: oauth.DPoP(client, other) };
  const jkt = await proofs.own.calculateThumbprint();
  const push = (more, DPoP) =>
    oauth.pushedAuthorizationRequest(
      server,
      client,
      oauth.None(),
      { ...parameters, ...more },
      { ...insecure, DPoP },
    );
  const torn = await push({ dpop_jkt: jkt }, proofs.other);
  assert.deepEqual([torn.status, (await torn.json()).error], [400, 'invalid_dpop_proof']);
  assert.equal((await push({ dpop_jkt: jkt }, proofs.own)).status, 201);
  const { request_uri } = await oauth.processPushedAuthorizationResponse(
    server,
    client,
    await push({}, proofs.own),
  );
  const url = urlOf(server, { client_id: 'page', request_uri });
  assert.equal((await issuer.authorize(new Request(url))).dpopJkt, jkt);
  const answer = oauth.validateAuthResponse(server, client, await goThrough(url), state);
  const redeem = (DPoP) =>
    oauth.authorizationCodeGrantRequest(server, client, oauth.None(), answer, BACK, verifier, {
      ...insecure,
      DPoP,
    });
  assert.equal((await redeem(proofs.other)).status, 400);
  assert.equal((await redeem()).status, 400);
  assert.equal((await redeem(proofs.own)).status, 200);
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

/** What the forms of a page hold. */
const fieldsOf = (html) =>
  Object.fromEntries(
    [...html.matchAll(/name="(\w+)" value="([^"]*)">/g)].map(([, name, value]) => [name, value]),
  );

/** The application of the guide, and a browser with its cookies. */
async function guide(t) {
  let pages;
  const { issuer, origin } = await application(t, { around: (request) => pages(request) });
  pages = createPages(issuer, (name, password) => (password === 'right' ? name : undefined));
  const jar = new Map();
  const browse = async (path, form, site = 'same-origin') => {
    const response = await fetch(new URL(path, origin), {
      method: form ? 'POST' : 'GET',
      body: form && new URLSearchParams(form),
      headers: {
        cookie: [...jar].map((pair) => pair.join('=')).join('; '),
        'sec-fetch-site': site,
      },
      redirect: 'manual',
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [name, value] = cookie.split(';')[0].split('=');
      jar.set(name, value);
    }
    if (response.status === 200) {
      assert.equal(response.headers.get('content-security-policy'), "frame-ancestors 'none'", path);
      assert.equal(response.headers.get('referrer-policy'), 'no-referrer', path);
    }
    const location = response.headers.get('location');
    return {
      status: response.status,
      html: await response.text(),
      parameters: location && Object.fromEntries(new URL(location).searchParams),
    };
  };
  return { origin, jar, browse };
}

test('the pages of the guide: a login form, a consent page, and a silent request', async (t) => {
  const { origin, jar, browse } = await guide(t);
  const { server, verifier, state, parameters } = await prepared(origin);
  const silent = urlOf(server, { ...parameters, prompt: 'none' });
  assert.equal((await browse(silent)).parameters.error, 'login_required');
  const login = fieldsOf((await browse(urlOf(server, parameters))).html);
  const credentials = { ...login, name: 'alice', password: 'right' };
  assert.equal((await browse('/login', credentials, 'cross-site')).status, 403, 'RFC 9700 §4.7');
  assert.match((await browse('/login', { ...credentials, password: 'wrong' })).html, /Wrong name/);
  assert.equal(jar.has('user'), false);
  const asked = await browse('/login', credentials);
  assert.match(asked.html, /page asks for: notes:read/);
  assert.equal((await browse(silent)).parameters.error, 'consent_required');
  const consent = { ...fieldsOf(asked.html), answer: 'yes' };
  const { parameters: back } = await browse('/consent', consent);
  const client = { client_id: 'page' };
  const answer = oauth.validateAuthResponse(server, client, new URLSearchParams(back), state);
  const redeemed = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    answer,
    BACK,
    verifier,
    insecure,
  );
  assert.equal((await oauth.processAuthorizationCodeResponse(server, client, redeemed)).scope, 'notes:read');
  assert.ok((await browse(silent)).parameters.code, 'signed in, and has consented');
  // A fresh login is asked for, and given.
  const again = fieldsOf((await browse(urlOf(server, { ...parameters, prompt: 'login' }))).html);
  const fresh = await browse('/login', { ...again, name: 'alice', password: 'right' });
  assert.ok((await browse('/consent', { ...fieldsOf(fresh.html), answer: 'yes' })).parameters.code);
  const asking = await browse(urlOf(server, { ...parameters, prompt: 'consent' }));
  const refused = await browse('/consent', { ...fieldsOf(asking.html), answer: 'no' });
  assert.equal(refused.parameters.error, 'access_denied');
  // Another browser, whose user is signed in, and what this one began.
  const sealed = fieldsOf((await browse(urlOf(server, { ...parameters, prompt: 'consent' }))).html);
  jar.delete('portcullis-authorization');
  assert.equal((await browse('/consent', { ...sealed, answer: 'yes' })).status, 400, 'RFC 9700 §4.7');
});

test('a store that fails at every Nth call costs a retry, and nobody a session', async (t) => {
  // One try of a redemption makes up to seven calls: below that each try could meet a failure.
  for (let every = 8; every <= 11; every++) {
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
