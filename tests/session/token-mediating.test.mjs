// The backend for frontend, as the browser and the authorization server see it.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createTokenMediatingBackend } from 'portcullis/bff';

const ORIGIN = 'https://app.example';
const TOKENS = 'https://issuer.example/token';
const REVOKE = 'https://issuer.example/revoke';

/** A handler whose authorization server is a function. */
function bff(upstream, options = {}) {
  const asked = [];
  const handler = createTokenMediatingBackend({
    tokenEndpoint: TOKENS,
    revocationEndpoint: REVOKE,
    clientId: 'app',
    fetch: async (request) => {
      asked.push({
        url: request.url,
        headers: request.headers,
        form: Object.fromEntries(new URLSearchParams(await request.clone().text())),
        request,
      });
      return upstream(asked.at(-1));
    },
    ...options,
  });
  return { handler, asked };
}
const OWN = { 'x-portcullis': '1', 'sec-fetch-site': 'same-origin', origin: ORIGIN };
const ask = (handler, { method = 'POST', cookie, headers = OWN, url = `${ORIGIN}/session` } = {}) =>
  handler.fetch(new Request(url, { method, headers: { ...headers, ...(cookie && { cookie }) } }));
const good = (more) => () =>
  Response.json({ access_token: 'a1', token_type: 'Bearer', expires_in: 300, ...more });
const COOKIE = '__Host-session=r0';

test('the refresh token goes into the cookie and nowhere else', async () => {
  const { handler, asked } = bff(good({ refresh_token: 'r1' }));
  const response = await ask(handler, { cookie: `other=1; ${COOKIE}` });
  assert.equal(response.status, 200);
  const text = await response.text();
  assert.deepEqual(JSON.parse(text), { access_token: 'a1', token_type: 'Bearer', expires_in: 300 });
  assert.equal(
    response.headers.get('set-cookie'),
    '__Host-session=r1; Path=/; Secure; HttpOnly; SameSite=Strict',
  );
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.deepEqual(asked[0].form, { grant_type: 'refresh_token', refresh_token: 'r0', client_id: 'app' });
  assert.equal(asked[0].request.redirect, 'manual');
});

test('a sign-in starts it, and an answer without a refresh token leaves it as it is', async () => {
  const { handler } = bff(good());
  const started = handler.start({ access_token: 'a0', refresh_token: 'r 0;=%"' });
  assert.deepEqual(await started.json(), { access_token: 'a0' });
  const [cookie] = started.headers.get('set-cookie').split(';');
  assert.match(cookie, /^__Host-session=[\w%.]+$/);
  const { asked, handler: same } = bff(good());
  const response = await ask(same, { cookie });
  assert.equal(asked[0].form.refresh_token, 'r 0;=%"');
  assert.equal(response.headers.get('set-cookie'), null);
});

test('only a page of this origin is answered', async () => {
  const { handler, asked } = bff(good());
  const foreign = [
    { ...OWN, 'x-portcullis': undefined },
    { ...OWN, 'sec-fetch-site': 'cross-site' },
    { ...OWN, 'sec-fetch-site': 'same-site' },
    { ...OWN, 'sec-fetch-site': 'none' },
    { ...OWN, origin: 'https://evil.example' },
    { ...OWN, origin: 'null' },
    { ...OWN, origin: 'https://app.example:8443' },
    { 'x-portcullis': '1' },
    { 'x-portcullis': '1', origin: 'http://app.example' },
  ];
  for (const method of ['POST', 'DELETE'])
    for (const all of foreign) {
      const headers = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
      const response = await ask(handler, { method, cookie: COOKIE, headers });
      assert.equal(response.status, 403, JSON.stringify(headers));
      assert.equal(response.headers.get('set-cookie'), null);
      const { error, error_description } = await response.json();
      assert.equal(error, 'cross_site');
      assert.match(error_description, /^expected a request of a page of https:\/\/app\.example; found /);
      const { origin = 'no origin' } = headers;
      assert.ok(error_description.includes(headers['x-portcullis'] ? `found ${origin}` : 'x-portcullis'));
    }
  assert.equal(asked.length, 0);
  // A browser without Sec-Fetch-Site says its origin all the same; and one that says neither is
  // none.
  assert.equal(
    (await ask(handler, { cookie: COOKIE, headers: { 'x-portcullis': '1', origin: ORIGIN } })).status,
    200,
  );
  const behind = bff(good(), { origin: 'https://front.example' });
  assert.equal(
    (await ask(behind.handler, { cookie: COOKIE, headers: { ...OWN, origin: 'https://front.example' } }))
      .status,
    200,
  );
  const other = await ask(behind.handler, { cookie: COOKIE, headers: { ...OWN, origin: ORIGIN } });
  assert.equal(other.status, 403);
  const { error_description } = await other.json();
  for (const origin of ['https://front.example', ORIGIN]) assert.ok(error_description.includes(origin));
});

test('other paths are not its own, other methods not allowed', async () => {
  const { handler } = bff(good());
  for (const path of ['/', '/session/', '/session/x', '/sessions', '/Session'])
    assert.equal(await ask(handler, { url: `${ORIGIN}${path}` }), undefined);
  for (const method of ['GET', 'PUT', 'OPTIONS']) {
    const response = await ask(handler, { method });
    assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST, DELETE']);
  }
});

test('the end of a session takes the cookie away; a server that does not answer does not', async () => {
  const ended = bff(() => Response.json({ error: 'invalid_grant' }, { status: 400 }));
  const over = await ask(ended.handler, { cookie: COOKIE });
  assert.deepEqual([over.status, (await over.json()).error], [401, 'invalid_grant']);
  assert.match(over.headers.get('set-cookie'), /^__Host-session=; Path=\/; .*Max-Age=0$/);
  for (const upstream of [
    () => Response.json({}, { status: 503, headers: { 'retry-after': '7' } }),
    () => Promise.reject(new TypeError('network')),
    () => new Response('<html>'),
    () => Response.json({ error: 'invalid_client' }, { status: 401 }),
    () => Response.json({ access_token: 1 }),
  ]) {
    const { handler } = bff(upstream);
    const response = await ask(handler, { cookie: COOKIE });
    assert.equal(response.status, 503);
    assert.match(response.headers.get('retry-after'), /^[57]$/);
    assert.equal(response.headers.get('set-cookie'), null);
  }
});

test('no cookie, an empty one, two of them: no session', async () => {
  const { handler, asked } = bff(good());
  for (const cookie of [
    undefined,
    '__Host-session=',
    `${COOKIE}; __Host-session=r9`,
    'session=r0',
    '__Host-session=%zz',
  ])
    assert.equal((await ask(handler, { cookie })).status, 401, cookie);
  assert.equal(asked.length, 0);
});

test('signing out revokes and takes the cookie away; what the server was not told of is kept for it', async () => {
  const { handler, asked } = bff(() => new Response());
  const response = await ask(handler, { method: 'DELETE', cookie: COOKIE });
  assert.equal(response.status, 204);
  assert.match(response.headers.get('set-cookie'), /Max-Age=0$/);
  assert.deepEqual(
    [asked[0].url, asked[0].form],
    [REVOKE, { token: 'r0', token_type_hint: 'refresh_token', client_id: 'app' }],
  );
  const failing = bff(() => new Response(null, { status: 500 }));
  const failed = await ask(failing.handler, { method: 'DELETE', cookie: COOKIE });
  assert.equal(failed.status, 502);
  assert.equal(
    failed.headers.get('set-cookie'),
    '__Host-session=:r0; Path=/; Secure; HttpOnly; SameSite=Strict',
  );
  assert.equal((await ask(handler, { method: 'DELETE' })).status, 204);
});

test('a confidential client authenticates by Basic, encoded as RFC 6749 §2.3.1 has it', async () => {
  const { handler, asked } = bff(good(), { clientId: 'a:b', clientSecret: 'ü &+' });
  await ask(handler, { cookie: COOKIE });
  assert.equal(asked[0].headers.get('authorization'), `Basic ${btoa('a%3Ab:%C3%BC+%26%2B')}`);
  assert.equal(asked[0].form.client_id, undefined);
});

test('the cookie of another path has the other prefix, and its age', async () => {
  const { handler } = bff(good(), { cookie: { name: 'sid', path: '/session', maxAgeSeconds: 86400 } });
  const started = handler.start({ access_token: 'a', refresh_token: 'r' });
  assert.equal(
    started.headers.get('set-cookie'),
    '__Secure-sid=r; Path=/session; Secure; HttpOnly; SameSite=Strict; Max-Age=86400',
  );
  assert.equal((await ask(handler, { cookie: '__Secure-sid=r' })).status, 200);
  const misuse = [
    { name: 'a b' },
    { name: '' },
    { path: 'session' },
    { path: '/a;b' },
    { maxAgeSeconds: 0 },
    { maxAgeSeconds: 1.5 },
  ];
  for (const cookie of misuse)
    assert.throws(() => bff(good(), { cookie }), TypeError, JSON.stringify(cookie));
  assert.throws(() => handler.start({ access_token: 'a', refresh_token: 'r'.repeat(4100) }), TypeError);
});

test('a server that hangs is given up', async () => {
  const hang = ({ request }) =>
    new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(request.signal.reason)));
  const { handler } = bff(hang, { timeoutMs: 50 });
  // Node does not stay up for the timer of a signal alone.
  const awake = setInterval(() => {}, 1000);
  assert.equal((await ask(handler, { cookie: COOKIE })).status, 503);
  clearInterval(awake);
});
