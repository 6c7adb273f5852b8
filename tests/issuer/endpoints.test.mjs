// What every endpoint asks of a request, and what it answers to one that is not so.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createIssuer, generateSigningKey, hashClientSecret } from 'portcullis/issuer';
import { memoryStore } from 'portcullis/stores';

import {
  AUDIENCE,
  BACK,
  basic,
  claimsOf,
  clients,
  PAGE,
  refresh,
  SECRET,
  serveIssuer,
  withoutExchange,
} from './serve.mjs';

const VERIFIER = 'v'.repeat(43);
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');
const credentials = { grant_type: 'client_credentials' };
const asBasic = { authorization: basic('basic:client', SECRET) };

const told = ({ status, json }) => [status, json?.error, json?.error_description];

test('a request is read in one way only, or refused by RFC 6749 §5.2 with the field at fault', async (t) => {
  const { post, url } = await serveIssuer(t);
  const form = new URLSearchParams(refresh('x')).toString();
  const cases = [
    ['{}', { 'content-type': 'application/json' }, 'Content-Type: must be application/x-www-form-urlencoded'],
    [`${form}&padding=${'x'.repeat(16 * 1024)}`, {}, 'body: must have at most 16384 bytes'],
    [`${form}&scope=a&scope=a`, {}, 'scope: must not be repeated'],
    [`${form}&unknown=1&unknown=2`, {}, 'unknown: must not be repeated'],
    [`${form}&%63lient_id=page`, {}, 'client_id: must not be repeated'],
    [`${form}&a=%`, {}, 'body: must be application/x-www-form-urlencoded in UTF-8'],
    [`${form}&a=%ff`, {}, 'body: must be application/x-www-form-urlencoded in UTF-8'],
    ['client_id=page', {}, 'grant_type: is required'],
    ['client_id=page&grant_type=', {}, 'grant_type: is required'],
    ['client_id=page&grant_type=refresh_token', {}, 'refresh_token: is required'],
    [
      form,
      asBasic,
      'client_id: differs from the client that authenticated. Write that client, or leave it out',
    ],
    [`${form}&client_secret=s`, asBasic, 'client_id: is authenticated by more than one method. Use one'],
  ];
  for (const [body, headers, description] of cases)
    assert.deepEqual(
      told(await post('/token', body, headers)),
      [400, 'invalid_request', description],
      description,
    );

  const longest = `${form}&padding=`;
  const fits = await post('/token', longest + 'x'.repeat(16 * 1024 - longest.length));
  assert.deepEqual(told(fits), [400, 'invalid_grant', 'refresh_token: refresh-token-invalid']);
  assert.equal(fits.headers.get('cache-control'), 'no-store');
  assert.equal(fits.headers.get('pragma'), 'no-cache');

  assert.deepEqual(told(await post('/token', { client_id: 'page', grant_type: 'password' })).slice(0, 2), [
    400,
    'unsupported_grant_type',
  ]);
  assert.deepEqual(told(await post('/token', { client_id: 'page', ...credentials })), [
    400,
    'unauthorized_client',
    "grant_type: must be one of this client's grants; add it to them",
  ]);
  assert.equal((await post('/nowhere', form)).status, 404);
  for (const [place, method, allow] of [
    ['/token', 'GET', 'POST, OPTIONS'],
    ['/introspect', 'PUT', 'POST, OPTIONS'],
    ['/jwks', 'POST', 'GET, HEAD'],
    ['/revocations', 'DELETE', 'GET, HEAD, POST'],
  ]) {
    const response = await fetch(url + place, { method });
    assert.deepEqual([response.status, response.headers.get('allow')], [405, allow], place);
  }
});

test('plain HTTP is refused, but for a loopback name from this machine or where the issuer is one', async (t) => {
  const issuer = createIssuer({
    config: { issuer: 'https://issuer.example', audience: AUDIENCE, clients: clients().map(withoutExchange) },
    signingKeys: [{ jwk: generateSigningKey('ES256').privateJwk() }],
    rootKeys: [{ secret: new Uint8Array(32).fill(7) }],
    store: memoryStore(),
  });
  const answered = async (url, clientAddress) =>
    (await issuer.fetch(new Request(url), { clientAddress })).status;
  assert.equal(await answered('https://issuer.example/jwks'), 200);
  assert.equal(await answered('http://issuer.example/jwks'), 400);
  assert.equal(await answered('http://localhost.example/jwks'), 400);
  for (const host of ['localhost', '127.0.0.1', '[::1]:8080']) {
    const url = `http://${host}/jwks`;
    assert.equal(await answered(url), 400, `${host} is what the client says`);
    assert.equal(await answered(url, '192.0.2.1'), 400, host);
    assert.equal(await answered(url, '::ffff:127.0.0.1'), 200, host);
  }
  const { url } = await serveIssuer(t);
  assert.equal((await fetch(`${url}/jwks`)).status, 200);
});

test('a client is who it shows to be, and in the one way it is registered with', async (t) => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const other = await generateKeyPair('ES256');
  const assertionJwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] };
  const { post, url } = await serveIssuer(t, {
    config: { clients: clients({ assertionJwks }).map(withoutExchange) },
  });
  const status = async (parameters, headers) =>
    (await post('/token', { ...credentials, ...parameters }, headers)).status;

  assert.equal(await status({}, asBasic), 200);
  assert.equal(
    await status({}, { authorization: basic('basic:client', 'x'.repeat(40)) }),
    200,
    'the secret before',
  );
  assert.equal(await status({ client_id: 'post', client_secret: SECRET }), 200);
  for (const [parameters, headers] of [
    [{}, { authorization: basic('basic:client', `${SECRET}x`) }],
    [{}, { authorization: basic('basic:client', hashClientSecret(SECRET)) }],
    [{}, { authorization: basic('post', SECRET) }],
    [{}, { authorization: basic('nobody', SECRET) }],
    [{}, { authorization: basic('page', '') }],
    [{}, { authorization: 'Bearer x' }],
    [{ client_id: 'basic:client', client_secret: SECRET }, {}],
    [{ client_id: 'post', client_secret: 'x' }, {}],
    [{ client_id: 'post' }, {}],
    [{ client_id: 'nobody' }, {}],
  ]) {
    const refused = await post('/token', { ...credentials, ...parameters }, headers);
    assert.deepEqual(
      [refused.status, refused.json.error],
      [401, 'invalid_client'],
      JSON.stringify([parameters, headers]),
    );
    // RFC 6749 §5.2: the scheme is told to whom has tried it.
    const challenge = headers.authorization ? 'Basic realm="issuer"' : null;
    assert.equal(refused.headers.get('www-authenticate'), challenge);
  }

  const assertion = (claims = {}, key = privateKey, header = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: 'signer', sub: 'signer', aud: url, jti: randomUUID(), exp: now + 60 };
    return new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k', ...header })
      .sign(key);
  };
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const show = async (client_assertion, more = {}) =>
    post('/token', { ...credentials, client_assertion_type, client_assertion, ...more });
  assert.equal((await show(await assertion())).status, 200);
  assert.equal((await show(await assertion({ aud: `${url}/token` }))).status, 200);
  assert.equal((await show(await assertion(), { client_id: 'signer' })).status, 200);
  // draft-ietf-oauth-rfc7523bis §4: the issuer, and nothing of anybody else's; `typ` says what it
  // is, or nothing.
  for (const aud of [[url], [`${url}/token`], [url, `${url}/token`]])
    assert.equal((await show(await assertion({ aud }))).status, 200, JSON.stringify(aud));
  for (const typ of ['JWT', 'jwt', 'client-authentication+jwt', 'application/client-authentication+jwt'])
    assert.equal((await show(await assertion({}, privateKey, { typ }))).status, 200, typ);
  for (const typ of ['at+jwt', 'dpop+jwt', 'oauth-authz-req+jwt', 'logout+jwt', ''])
    assert.deepEqual(
      told(await show(await assertion({}, privateKey, { typ }))).slice(0, 2),
      [401, 'invalid_client'],
      typ,
    );
  const beside =
    'client_assertion: has another audience besides this issuer. Write the issuer alone into aud';
  for (const aud of [
    [url, 'https://other.example'],
    ['https://other.example', `${url}/token`],
    [url, `${url}/`],
    [url, `${url}/revoke`],
  ])
    assert.deepEqual(told(await show(await assertion({ aud }))), [401, 'invalid_client', beside]);
  for (const aud of [`${url}/`, `${url}/revoke`, [], ['https://other.example'], url.toUpperCase(), null])
    assert.equal((await show(await assertion({ aud }))).status, 401, JSON.stringify(aud));
  const once = await assertion();
  assert.equal((await show(once)).status, 200);
  const now = Math.floor(Date.now() / 1000);
  for (const [text, description] of [
    [once, 'client_assertion: was used before. Make one for each request'],
    [await assertion({}, other.privateKey), 'client_assertion: signature-invalid'],
    [await assertion({ aud: 'https://other.example' }), 'client_assertion: audience-mismatch'],
    [await assertion({ sub: 'page' }), 'client_assertion: claim-mismatch'],
    [await assertion({ iss: 'page' }), "client_assertion: is not this client's authentication method"],
    [await assertion({ iss: 'nobody' }), 'client_assertion: names no client of this issuer'],
    [await assertion({ exp: now - 60 }), 'client_assertion: expired'],
    [
      await assertion({ exp: now + 3700 }),
      'client_assertion: must not be valid for more than 3600 seconds. Write an earlier exp',
    ],
    [await assertion({ jti: undefined }), 'client_assertion: claim-missing'],
    ['x', 'client_assertion: names no client of this issuer'],
  ])
    assert.deepEqual(told(await show(text)), [401, 'invalid_client', description], description);
  const oddType = await show(await assertion(), { client_assertion_type: 'x' });
  assert.equal(oddType.json.error_description, `client_assertion_type: must be ${client_assertion_type}`);
});

test('a short secret is not hashed', () => {
  assert.throws(() => hashClientSecret('correct horse'), { name: 'PolicyError', pointer: '/secret' });
});

test('a code is redeemed once, by its client, with what it was asked for; its second use ends the session of the first', async (t) => {
  const { issuer, post, advance, events } = await serveIssuer(t);
  const mint = (more = {}) =>
    issuer.mintCode('alice', {
      clientId: 'page',
      redirectUri: BACK,
      codeChallenge: CHALLENGE,
      acr: 'gold',
      ...more,
    });
  const redeem = (code, more = {}) =>
    post('/token', {
      grant_type: 'authorization_code',
      client_id: 'page',
      code,
      redirect_uri: BACK,
      code_verifier: VERIFIER,
      ...more,
    });

  const code = await mint({ scope: 'notes:read' });
  for (const [more, description] of [
    [{ code_verifier: 'w'.repeat(43) }, 'code_verifier: does not match the code_challenge'],
    [
      { redirect_uri: `${BACK}/` },
      'redirect_uri: differs from the redirect_uri of the authorization request',
    ],
    [{ code: 'unknown' }, 'code: is unknown or has ended. Begin a new authorization request'],
  ])
    assert.deepEqual(told(await redeem(code, more)), [400, 'invalid_grant', description]);
  assert.equal((await redeem(code, { code_verifier: 'short' })).json.error, 'invalid_request');
  assert.equal(
    (await redeem(code, { code_verifier: '' })).json.error_description,
    'code_verifier: is required',
  );
  const stranger = { grant_type: 'authorization_code', code, redirect_uri: BACK, code_verifier: VERIFIER };
  assert.equal(
    (await post('/token', stranger, asBasic)).json.error_description,
    'code: was issued to another client',
  );

  const first = await redeem(code);
  assert.equal(first.status, 200, 'none of the failures has used it up');
  const { acr, scope, sub } = claimsOf(first.json.access_token);
  assert.deepEqual({ acr, scope, sub }, { acr: 'gold', scope: 'notes:read', sub: 'alice' });
  // One who does not know the verifier ends nothing.
  await redeem(code, { code_verifier: 'w'.repeat(43) });
  const kept = await post('/token', refresh(first.json.refresh_token));
  assert.equal(kept.status, 200);

  assert.deepEqual(told(await redeem(code)), [
    400,
    'invalid_grant',
    'code: was used before; the session that it began has ended',
  ]);
  assert.equal(events.at(-1).kind, 'revoked');
  assert.equal(
    (await post('/token', refresh(kept.json.refresh_token))).json.error_description,
    'refresh_token: session-revoked',
  );

  const both = await mint();
  const answers = await Promise.all([redeem(both), redeem(both), redeem(both)]);
  assert.equal(
    answers.filter(({ status }) => status === 200).length <= 1,
    true,
    'a race has at most one winner',
  );

  const late = await mint();
  advance(61);
  assert.equal(
    (await redeem(late)).json.error_description,
    'code: has expired. Begin a new authorization request',
  );

  for (const [more, pointer] of [
    [{ redirectUri: 'https://evil.example' }, '/redirectUri'],
    [{ codeChallenge: 'x' }, '/codeChallenge'],
    [{ codeChallengeMethod: 'plain' }, '/codeChallengeMethod'],
    [{ scope: 'admin' }, '/scope'],
    [{ clientId: 'post' }, '/clientId'],
    [{ clientId: 'nobody' }, '/clientId'],
  ])
    await assert.rejects(mint(more), { name: 'PolicyError', pointer });
});

test('pages of the configured origins may read, and no others', async (t) => {
  const { url, post } = await serveIssuer(t, { config: { cors: { origins: [PAGE] } } });
  const preflight = async (origin, place = '/token') => {
    const headers = {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'dpop',
    };
    return fetch(url + place, { method: 'OPTIONS', headers });
  };
  const allowed = await preflight(PAGE);
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get('access-control-allow-origin'), PAGE);
  assert.match(allowed.headers.get('access-control-allow-headers'), /dpop/);
  assert.equal(allowed.headers.get('access-control-allow-credentials'), null);
  assert.equal((await preflight('https://evil.example')).headers.get('access-control-allow-origin'), null);
  assert.equal((await preflight(PAGE, '/introspect')).status, 405);
  const answered = await post('/token', refresh('x'), { origin: PAGE });
  assert.equal(answered.headers.get('access-control-allow-origin'), PAGE);
  assert.equal(answered.headers.get('vary'), 'Origin');

  const { url: closed } = await serveIssuer(t);
  const response = await fetch(`${closed}/token`, { method: 'OPTIONS', headers: { origin: PAGE } });
  assert.equal(response.headers.get('access-control-allow-origin'), null);
});

test('too many requests of a client or a session are 429, counted by whatever counter there is', async (t) => {
  const limits = { session: { requests: 3, seconds: 60 }, client: { requests: 50, seconds: 60 } };
  const { issuer, post, advance } = await serveIssuer(t, { config: { limits } });
  const [one, two] = [
    await issuer.startSession('a', { clientId: 'page' }),
    await issuer.startSession('b', { clientId: 'page' }),
  ];
  const statuses = [];
  for (let use = 0; use < 4; use++) statuses.push((await post('/token', refresh(one.refresh_token))).status);
  assert.deepEqual(statuses, [200, 200, 200, 429]);
  const refused = await post('/token', refresh(one.refresh_token));
  assert.equal(refused.headers.get('retry-after'), '60');
  assert.equal((await post('/token', refresh(two.refresh_token))).status, 200, 'another session');
  // One who knows a session by name, but has no token of it, uses up nothing.
  const forged = `${two.refresh_token.slice(0, 40)}${'A'.repeat(36)}`;
  for (let use = 0; use < 5; use++) assert.equal((await post('/token', refresh(forged))).status, 400);
  assert.equal((await post('/token', refresh(two.refresh_token))).status, 200);
  advance(61);
  assert.equal((await post('/token', refresh(one.refresh_token))).status, 200);

  const asked = [];
  const counter = {
    count: async (key, limit, seconds) => {
      asked.push([key.split('/')[0], limit, seconds]);
      return asked.length < 2;
    },
  };
  const own = await serveIssuer(t, { config: { limits }, options: { counter } });
  const { refresh_token } = await own.issuer.startSession('a', { clientId: 'page' });
  assert.equal((await own.post('/token', refresh('x'))).status, 400, 'who has no grant is not counted');
  assert.equal((await own.post('/token', refresh(refresh_token))).status, 429);
  assert.deepEqual(asked, [
    ['session', 3, 60],
    ['client', 50, 60],
  ]);
  const broken = { count: () => Promise.reject(new Error('no counter')) };
  const open = await serveIssuer(t, { config: { limits }, options: { counter: broken } });
  assert.equal((await open.post('/token', refresh('x'))).status, 400, 'a counter that fails limits nothing');
});

test('a store that fails, or never answers, is 503 with Retry-After, and in process an error of its own', async (t) => {
  const { issuer, post, store } = await serveIssuer(t);
  const { refresh_token } = await issuer.startSession('alice', { clientId: 'page' });
  const { read } = store;
  store.read = () => Promise.reject(new Error('down'));
  const refused = await post('/token', refresh(refresh_token));
  assert.deepEqual(told(refused), [503, 'temporarily_unavailable', 'the store gave no answer']);
  assert.equal(refused.headers.get('retry-after'), '1');
  await assert.rejects(issuer.startSession('alice', { clientId: 'page' }), {
    name: 'IssuerUnavailableError',
    retryAfterSeconds: 1,
  });
  store.read = read;
  assert.equal((await post('/token', refresh(refresh_token))).status, 200);
});
