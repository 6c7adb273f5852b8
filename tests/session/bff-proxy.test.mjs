// The backend that keeps both tokens: requests on to the APIs, and what becomes of the tokens.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { memoryStore } from 'portcullis/stores';

import { API, browserOf, ISSUER, ORIGIN, SECRET, signedIn, worldOf } from './bff-world.mjs';

const challenge = (error) =>
  new Response(null, { status: 401, headers: { 'www-authenticate': `Bearer error="${error}"` } });

test('a request of the page goes on with the token, and without what a page may have forged', async () => {
  const world = worldOf({ upstream: { '/api/*': API, '/v2/*': `${API}/v2/inner/*`, '/me': API } });
  const { browser } = await signedIn(world);
  const forged = {
    authorization: 'Bearer forged',
    dpop: 'forged',
    'x-forwarded-for': '10.0.0.1',
    x_forwarded_for: '10.0.0.1',
    'x.real.ip': '10.0.0.1',
    forwarded: 'for=10.0.0.1',
    'x-original-url': '/admin',
    'cf-connecting-ip': '10.0.0.1',
    'x-amzn-oidc-data': 'forged',
    remote_user: 'admin',
    connection: 'close, x-secret-hop',
    'x-secret-hop': '1',
    'client-ip': '10.0.0.1',
    'x-ssl-client-verify': 'SUCCESS',
    te: 'trailers',
    accept: 'application/json',
    'content-type': 'text/plain',
    'x-own': 'kept',
  };
  const answer = await browser.call('/api/notes?q=a%20b', { method: 'POST', body: 'hello', headers: forged });
  assert.equal(answer.status, 200);
  const { url, method, headers, request } = world.asked.at(-1);
  assert.deepEqual([url, method, await request.text()], [`${API}/api/notes?q=a%20b`, 'POST', 'hello']);
  const given = Object.fromEntries(headers);
  assert.deepEqual(given, {
    accept: 'application/json',
    authorization: 'Bearer a1',
    'content-type': 'text/plain',
    'x-own': 'kept',
  });
  assert.equal((await browser.call('/v2/x/y')).status, 200);
  assert.equal(world.asked.at(-1).url, `${API}/v2/inner/x/y`);
  assert.equal((await browser.call('/me')).status, 200);
  for (const path of ['/me/x', '/apix', '/other']) assert.equal(await browser.call(path), undefined, path);
});

test('what an API answers acts on nothing of this origin, and is for this user alone', async () => {
  const world = worldOf();
  const { browser } = await signedIn(world);
  const before = browser.cookies();
  world.world.api = () =>
    new Response('body', {
      status: 201,
      headers: {
        'set-cookie': '__Host-app.0=stolen; Path=/; Secure',
        'access-control-allow-origin': '*',
        'clear-site-data': '"cookies"',
        'cache-control': 'public, max-age=60, s-maxage=600',
        'content-encoding': 'gzip',
        'service-worker-allowed': '/',
        connection: 'x-hop',
        'x-hop': '1',
        'x-accel-redirect': '/internal',
        'cdn-cache-control': 'public',
        'surrogate-control': 'max-age=600',
        nel: '{}',
        vary: 'Accept',
        'x-kept': '1',
        etag: '"1"',
      },
    });
  const answer = await browser.call('/api/x');
  assert.deepEqual([answer.status, await answer.text()], [201, 'body']);
  assert.deepEqual(Object.fromEntries(answer.headers), {
    'cache-control': 'private, max-age=60',
    'content-type': 'text/plain;charset=UTF-8',
    etag: '"1"',
    vary: 'Accept, Cookie',
    'x-kept': '1',
  });
  assert.equal(browser.cookies(), before);
  world.world.api = () =>
    new Response(null, { status: 302, headers: { location: 'https://elsewhere.example/' } });
  const redirect = await browser.call('/api/x');
  assert.deepEqual([redirect.status, redirect.headers.get('location')], [302, 'https://elsewhere.example/']);
  assert.equal(redirect.headers.get('cache-control'), 'private, no-store');
  assert.equal(world.asked.at(-1).request.redirect, 'manual');
});

test('only a page of this origin reaches an API, and signs out', async () => {
  const world = worldOf();
  const { browser } = await signedIn(world);
  const asked = world.asked.length;
  for (const headers of [
    { 'x-portcullis': '' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { upgrade: 'websocket', origin: 'https://evil.example' },
  ]) {
    const own = { 'x-portcullis': '1', 'sec-fetch-site': 'same-origin', origin: ORIGIN, ...headers };
    if (own['x-portcullis'] === '') delete own['x-portcullis'];
    for (const [path, method] of [
      ['/api/x', 'GET'],
      ['/api/x', 'DELETE'],
      ['/auth/logout', 'POST'],
      ['/auth/session', 'GET'],
    ]) {
      if (headers.upgrade && !path.startsWith('/api')) continue;
      const answer = await browser.go(path, { method, headers: own });
      assert.equal(answer.status, 403, `${path} ${JSON.stringify(headers)}`);
      assert.equal((await answer.json()).error, 'cross_site');
    }
  }
  assert.equal(world.asked.length, asked);
  // A socket cannot have a header of its own, and its Origin cannot be forged.
  await browser.go('/api/socket', {
    headers: { upgrade: 'websocket', connection: 'Upgrade', origin: ORIGIN, 'sec-websocket-version': '13' },
  });
  assert.equal(world.asked.length, asked + 1);
});

test('a path that an API could read otherwise is refused', async () => {
  const world = worldOf();
  const { browser } = await signedIn(world);
  const asked = world.asked.length;
  for (const path of [
    '/api/x%2e',
    '/api/a%2Fb',
    '/api/a%5cb',
    '/api/%252e',
    '/api/a;b',
    '/api/%c0%ae',
    '/api//x',
    '/api/%00',
  ])
    assert.equal((await browser.call(path)).status, 400, path);
  assert.equal(world.asked.length, asked);
  assert.equal((await browser.call('/api/%C3%BC/a%20b')).status, 200);
});

test('nobody signed in: 401, and where to go', async () => {
  const world = worldOf();
  const browser = browserOf(world.bff);
  const answer = await browser.call('/api/x');
  assert.deepEqual(
    [answer.status, await answer.json()],
    [401, { error: 'signed_out', login: '/auth/login' }],
  );
  assert.deepEqual(await (await browser.call('/auth/session')).json(), { signedIn: false });
  assert.equal((await browser.call('/auth/logout', { method: 'POST' })).status, 200);
  const wrong = await browser.call('/auth/logout');
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'POST']);
  for (const cookie of ['__Host-app.0=x', '__Host-app=x', `__Host-app.0=${'A'.repeat(3000)}`]) {
    const headers = { cookie, 'x-portcullis': '1', 'sec-fetch-site': 'same-origin' };
    const given = await world.bff.fetch(new Request(`${ORIGIN}/api/x`, { headers }));
    assert.equal(given.status, 401, cookie);
  }
});

for (const [where, optionsOf] of [
  ['cookies', () => ({})],
  ['a store', () => ({ store: memoryStore() })],
]) {
  test(`${where}: a token that ends soon is refreshed once for all who wait`, async () => {
    const world = worldOf(optionsOf());
    const { browser } = await signedIn(world);
    world.world.now += 291;
    const many = await Promise.all(Array.from({ length: 8 }, () => browser.call('/api/x')));
    assert.deepEqual([...new Set(many.map(({ status }) => status))], [200]);
    assert.equal(world.world.refreshes, 2);
    assert.equal(world.asked.at(-1).headers.get('authorization'), 'Bearer a2');
    assert.equal((await browser.call('/api/x')).status, 200);
    assert.equal(world.world.refreshes, 2);
    world.world.now += 291;
    await browser.call('/api/x');
    const form = world.asked.filter((asked) => asked.form?.refresh_token).at(-1)?.form;
    assert.equal(form.refresh_token, 'r2', 'the newest refresh token');
  });

  test(`${where}: a token that an API refuses is refreshed once, and the request sent again`, async () => {
    const world = worldOf(optionsOf());
    const { browser } = await signedIn(world);
    world.world.api = ({ headers }) =>
      headers.get('authorization') === 'Bearer a1' ? challenge('invalid_token') : Response.json({});
    assert.equal((await browser.call('/api/x')).status, 200);
    assert.equal(world.world.refreshes, 2);
    world.world.api = () => challenge('invalid_token');
    assert.equal((await browser.call('/api/x')).status, 401, 'once, and no more');
    assert.equal(world.world.refreshes, 3);
    world.world.api = () => challenge('insufficient_scope');
    assert.equal((await browser.call('/api/x')).status, 401);
    assert.equal((await browser.call('/api/x', { method: 'POST', body: 'b' })).status, 401);
    assert.equal(world.world.refreshes, 3, 'another reason asks for no other token');
  });

  test(`${where}: only invalid_grant ends a session, and a server that is away costs nobody his`, async () => {
    const world = worldOf(optionsOf());
    const { browser } = await signedIn(world);
    world.world.now += 295;
    world.world.token = () => Response.json({}, { status: 503, headers: { 'retry-after': '7' } });
    assert.equal((await browser.call('/api/x')).status, 200, 'the token is good for a while');
    world.world.now += 10;
    const away = await browser.call('/api/x');
    assert.deepEqual([away.status, away.headers.get('retry-after')], [503, '7']);
    for (const token of [
      () => Promise.reject(new TypeError('network')),
      () => new Response('<html>'),
      () => Response.json({ error: 'invalid_client' }, { status: 401 }),
      () => Response.json({ error: 'invalid_grant' }, { status: 500 }),
    ]) {
      world.world.token = token;
      assert.equal((await browser.call('/api/x')).status, 503);
    }
    world.world.token = undefined;
    assert.equal((await browser.call('/api/x')).status, 200);
    world.world.now += 400;
    world.world.token = () => Response.json({ error: 'invalid_grant' }, { status: 400 });
    assert.equal((await browser.call('/api/x')).status, 401);
    assert.equal(browser.jar.size, 0);
  });

  test(`${where}: signing out revokes; what the server was not told of is told by the next try`, async () => {
    const world = worldOf(optionsOf(), { metadata: { end_session_endpoint: `${ISSUER}/end` } });
    const { browser } = await signedIn(world);
    const cookies = browser.cookies();
    world.world.revoke = () => new Response(null, { status: 503 });
    const failed = await browser.call('/auth/logout', { method: 'POST' });
    assert.deepEqual([failed.status, (await failed.json()).error], [502, 'not_revoked']);
    assert.deepEqual(await (await browser.call('/auth/session')).json(), { signedIn: false });
    assert.equal((await browser.call('/api/x')).status, 401);
    world.world.revoke = () => new Response();
    const done = await browser.call('/auth/logout', { method: 'POST' });
    const { redirectTo } = await done.json();
    assert.equal(
      redirectTo,
      `${ISSUER}/end?client_id=app&post_logout_redirect_uri=${encodeURIComponent(`${ORIGIN}/`)}`,
    );
    assert.equal(browser.jar.size, 0);
    assert.equal(world.asked.at(-1).form.token, 'r1');
    // A cookie that somebody has kept is good for nothing here.
    const headers = { cookie: cookies, 'x-portcullis': '1', 'sec-fetch-site': 'same-origin' };
    assert.equal((await world.bff.fetch(new Request(`${ORIGIN}/api/x`, { headers }))).status, 401);
  });

  test(`${where}: a refresh that was under way at the sign-out brings no session back`, async () => {
    const world = worldOf(optionsOf());
    const { browser } = await signedIn(world);
    world.world.now += 295;
    let go;
    const held = new Promise((resolve) => {
      go = resolve;
    });
    world.world.token = async ({ tokens }) => {
      await held;
      return tokens();
    };
    const late = browser.call('/api/x');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await browser.call('/auth/logout', { method: 'POST' });
    go();
    assert.equal((await late).status, 401);
    assert.equal(browser.jar.size, 0);
  });
}

test('two processes on one store refresh one after the other, and one that dies holds nobody up for long', async () => {
  const store = memoryStore();
  const world = worldOf({ store });
  const { browser } = await signedIn(world);
  const other = world.make();
  world.world.now += 295;
  let open = 0;
  world.world.token = async ({ tokens }) => {
    open += 1;
    assert.equal(open, 1, 'one refresh at a time');
    await new Promise((resolve) => setTimeout(resolve, 30));
    open -= 1;
    return tokens();
  };
  const all = await Promise.all([
    browser.call('/api/x'),
    browser.call('/api/x', { handler: other }),
    browser.call('/api/x'),
    browser.call('/api/x', { handler: other }),
  ]);
  assert.deepEqual([...new Set(all.map(({ status }) => status))], [200]);
  assert.equal(world.world.refreshes, 2);
  // One that has taken the lease and is gone.
  world.world.now += 295;
  world.world.token = () => new Promise(() => {});
  const lost = world.make({ timeoutMs: 50 });
  await browser.call('/api/x', { handler: lost });
  world.world.token = undefined;
  world.world.now += 20;
  assert.equal((await browser.call('/api/x')).status, 200);
});

test('a sign-out that is not told, while another process refreshes, is a sign-out there too', async () => {
  const store = memoryStore();
  const world = worldOf({ store });
  const { browser } = await signedIn(world);
  const cookie = browser.cookies();
  const other = world.make();
  world.world.now += 295;
  world.world.token = () => new Promise(() => {});
  // It holds the lease, and never answers.
  void other.fetch(
    new Request(`${ORIGIN}/api/x`, {
      headers: { cookie, 'x-portcullis': '1', 'sec-fetch-site': 'same-origin' },
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  world.world.revoke = () => new Response(null, { status: 503 });
  // The row changes between the reading of it and the writing.
  const read = store.read;
  let raced = false;
  store.read = async (key) => {
    const entry = await read.call(store, key);
    if (!raced && key.startsWith('b/s/')) {
      raced = true;
      await store.swap(key, entry.version, entry.value, world.world.now + 1000);
    }
    return entry;
  };
  assert.equal((await browser.call('/auth/logout', { method: 'POST' })).status, 502);
  store.read = read;
  world.world.token = undefined;
  const headers = { cookie, 'x-portcullis': '1', 'sec-fetch-site': 'same-origin' };
  for (const handler of [world.bff, other, world.make()])
    assert.equal((await handler.fetch(new Request(`${ORIGIN}/api/x`, { headers }))).status, 401);
});

test('a secret is rotated by putting the new one in front', async () => {
  const world = worldOf();
  const { browser } = await signedIn(world);
  const fresh = { hex: '08'.repeat(32) };
  const both = world.make({ secrets: [fresh, SECRET] });
  assert.equal((await browser.call('/api/x', { handler: both })).status, 200);
  world.world.now += 295;
  assert.equal((await browser.call('/api/x', { handler: both })).status, 200);
  assert.equal((await browser.call('/api/x', { handler: world.make({ secrets: [fresh] }) })).status, 200);
  assert.equal((await browser.call('/api/x')).status, 401);
});

test('tokens in several cookies, within what browsers keep; what does not fit is said to the operator', async () => {
  const errors = [];
  let size = 5000;
  const token = ({ tokens }) => tokens({ access_token: 'a'.repeat(size) });
  const world = worldOf({ onError: (error) => errors.push(error) }, { token });
  const { browser } = await signedIn(world);
  assert.deepEqual([...browser.jar.keys()], ['__Host-app.0', '__Host-app.1']);
  for (const { value } of browser.jar.values()) assert.ok(value.length <= 3800);
  assert.equal((await browser.call('/api/x')).status, 200);
  size = 10;
  world.world.now += 295;
  assert.equal((await browser.call('/api/x')).status, 200);
  assert.deepEqual([...browser.jar.keys()], ['__Host-app.0'], 'what is left over is taken away');
  size = 12_000;
  assert.equal((await signedIn(world)).back.status, 503);
  assert.match(errors[0].message, /fit into cookies; keep them in a store/);
});

test('a smaller session after a larger one: what is left of the other spoils nothing', async () => {
  let size = 5000;
  const world = worldOf({}, { token: ({ tokens }) => tokens({ access_token: 'a'.repeat(size) }) });
  const { browser } = await signedIn(world);
  assert.equal(browser.jar.size, 2);
  size = 10;
  const login = await browser.go('/auth/login');
  // From another site: no cookie of SameSite=Strict comes along.
  await browser.arrive(world.agree(login.headers.get('location')));
  assert.deepEqual([...browser.jar.keys()], ['__Host-app.0']);
  assert.equal((await browser.call('/api/x')).status, 200);
});

test('a nonce that an API asks for is sent in each of several requests at once (RFC 9449 section 9)', async () => {
  const world = worldOf({ dpop: true });
  const { browser } = await signedIn(world);
  const nonceOf = (headers) => JSON.parse(Buffer.from(headers.get('dpop').split('.')[1], 'base64url')).nonce;
  world.world.api = ({ headers }) =>
    nonceOf(headers) === 'n1'
      ? Response.json({})
      : new Response(null, {
          status: 401,
          headers: { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'n1' },
        });
  const answers = await Promise.all([1, 2, 3].map(() => browser.call('/api/x')));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  );
});

test('what another application has sealed with the same secret is no session here', async () => {
  const world = worldOf();
  const { browser } = await signedIn(world);
  const other = world.make({ clientId: 'admin' });
  assert.equal((await browser.call('/api/x', { handler: other })).status, 401);
});

test('an access token that fits into no header is no token, and reaches no log', async () => {
  const errors = [];
  const token = ({ tokens }) => tokens({ access_token: 'SECRET\nx' });
  const world = worldOf({ onError: (error) => errors.push(error) }, { token });
  assert.equal((await signedIn(world)).back.status, 400);
  assert.deepEqual(errors, []);
});

test('a session that nobody uses ends, whatever the browser keeps', async () => {
  for (const options of [{}, { store: memoryStore() }]) {
    const world = worldOf({ maxAgeSeconds: 60, ...options }, { lifeSeconds: 1000 });
    const { browser } = await signedIn(world);
    world.world.now += 59;
    assert.equal((await browser.call('/api/x')).status, 200);
    world.world.now += 1;
    assert.equal((await browser.call('/api/x')).status, 401);
  }
});

test('a cookie is good for one name and one backend', async () => {
  const world = worldOf();
  const { browser } = await signedIn(world);
  const [sealed] = [...browser.jar.values()].map(({ value }) => value);
  const asLogin = { cookie: `__Host-app-login-${'x'.repeat(8)}=${sealed}` };
  const back = `${ORIGIN}/auth/callback?state=${'x'.repeat(8)}&code=1&iss=${ISSUER}`;
  assert.equal((await world.bff.fetch(new Request(back, { headers: asLogin }))).status, 400);
  for (const at of [0, 6, 10, sealed.length - 1]) {
    const bent = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
    const headers = { cookie: `__Host-app.0=${bent}`, 'x-portcullis': '1', 'sec-fetch-site': 'same-origin' };
    assert.equal((await world.bff.fetch(new Request(`${ORIGIN}/api/x`, { headers }))).status, 401);
  }
});

test('misuse shows when the handler is made', () => {
  for (const options of [
    { issuer: 'http://issuer.example' },
    { issuer: `${ISSUER}?x` },
    { clientId: '' },
    { clientSecret: '' },
    { scope: 'a  b' },
    { resource: ['x'] },
    { secrets: [] },
    { secrets: ['0'.repeat(64)] },
    { secrets: [{ hex: '00' }] },
    { secrets: [{ utf8: 'x'.repeat(64) }] },
    { upstream: { api: API } },
    { upstream: { '/api/*': `${API}/v1` } },
    { upstream: { '/api/*': 'http://api.example' } },
    { upstream: { '/auth/*': API } },
    { upstream: { '/me': `${API}/*` } },
    { path: 'auth' },
    { origin: `${ORIGIN}/` },
    { cookieName: 'a b' },
    { maxAgeSeconds: 0 },
    { timeoutMs: 0 },
    { verifyLogoutToken: () => ({ ok: true }), scope: 'openid' },
    { verifyLogoutToken: () => ({ ok: true }), store: memoryStore() },
    { clientID: 'x' },
  ])
    assert.throws(() => worldOf(options), TypeError, JSON.stringify(options));
});
