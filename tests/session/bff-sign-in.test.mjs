// The backend that keeps both tokens: the way in.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { memoryStore } from 'portcullis/stores';

import { API, browserOf, ISSUER, ORIGIN, signedIn, unsigned, worldOf } from './bff-world.mjs';

const hash = (text) => createHash('sha256').update(text).digest('base64url');
const text = async (response) => [response.status, await response.text()];

for (const [where, options] of [
  ['cookies', {}],
  ['a store', { store: memoryStore() }],
]) {
  test(`${where}: a sign-in, and no token in the browser`, async () => {
    const world = worldOf({ scope: 'openid notes:read', resource: [API], ...options });
    const { browser, login, back } = await signedIn(world);
    assert.equal(login.status, 303);
    const url = new URL(login.headers.get('location'));
    assert.equal(url.origin + url.pathname, `${ISSUER}/authorize`);
    const asked = Object.fromEntries(url.searchParams);
    assert.deepEqual(Object.keys(asked).sort(), [
      'client_id',
      'code_challenge',
      'code_challenge_method',
      'nonce',
      'redirect_uri',
      'resource',
      'response_type',
      'scope',
      'state',
    ]);
    assert.equal(asked.redirect_uri, `${ORIGIN}/auth/callback`);
    assert.equal(asked.code_challenge_method, 'S256');
    const [cookie] = login.headers.getSetCookie();
    assert.match(
      cookie,
      /^__Host-app-login-[\w-]{8}=[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/,
    );
    assert.ok(!cookie.includes(asked.state), 'what it holds is sealed');

    // No redirect, which would be the other site's navigation still: a page that goes on by itself.
    const [status, page] = await text(back);
    assert.equal(status, 200);
    assert.match(page, /http-equiv="refresh" content="0; url=\/notes\?page=2"/);
    assert.match(back.headers.get('content-security-policy'), /default-src 'none'; frame-ancestors 'none'/);
    for (const line of back.headers.getSetCookie())
      assert.match(
        line,
        /^__Host-[\w.-]+=[\w-]*; Path=\/; Secure; HttpOnly; SameSite=(Strict|Strict; Max-Age=0|Lax; Max-Age=0)$/,
      );
    assert.equal([...browser.jar.keys()].filter((name) => name.includes('login')).length, 0);
    for (const told of [page, ...back.headers.getSetCookie()]) assert.doesNotMatch(told, /\ba1\b|\br1\b/);

    const state = await (await browser.call('/auth/session')).json();
    assert.deepEqual(state, {
      signedIn: true,
      since: world.world.now,
      claims: { sub: 'ada', sid: 's1' },
    });
    const answer = await browser.call('/api/notes');
    assert.equal(answer.status, 200);
    assert.equal(world.asked.at(-1).headers.get('authorization'), 'Bearer a1');
  });
}

test('the sign-in of another browser, of a used or old state, or none: not signed in', async () => {
  const world = worldOf();
  const browser = browserOf(world.bff);
  const login = await browser.go('/auth/login');
  const back = world.agree(login.headers.get('location'));
  const stranger = browserOf(world.bff);
  assert.equal((await stranger.arrive(back)).status, 400);
  const two = new URL(back);
  two.searchParams.append('state', 'x');
  assert.equal((await browser.arrive(two.href)).status, 400);
  assert.equal((await browser.arrive('/auth/callback?code=c1')).status, 400);
  assert.equal((await browser.arrive(back)).status, 200);
  const again = await browser.arrive(back);
  assert.equal(again.status, 400);
  assert.match(
    await again.text(),
    /used before, has expired, or was begun in another browser.*\/auth\/login/s,
  );
  const late = await browser.go('/auth/login');
  world.world.now += 601;
  assert.equal((await browser.arrive(world.agree(late.headers.get('location')))).status, 400);
});

test('an answer of another issuer is refused before its code is used (RFC 9207 section 2.4)', async () => {
  for (const [changes, metadata, status] of [
    [{ iss: 'https://evil.example' }, {}, 400],
    [{ iss: `${ISSUER}/` }, {}, 400],
    [{ iss: [ISSUER, ISSUER] }, {}, 400],
    [{ iss: undefined }, {}, 400],
    [{ iss: undefined }, { authorization_response_iss_parameter_supported: undefined }, 200],
    [{ iss: 'https://evil.example', error: 'access_denied', code: undefined }, {}, 400],
  ]) {
    const world = worldOf({}, { metadata });
    const browser = browserOf(world.bff);
    const login = await browser.go('/auth/login');
    const back = await browser.arrive(world.agree(login.headers.get('location'), changes));
    const [found, page] = await text(back);
    assert.equal(found, status, JSON.stringify(changes));
    if (status === 400) {
      assert.match(page, /another authorization server/);
      assert.ok(!world.asked.some(({ form }) => form?.grant_type), 'nothing was redeemed');
    }
  }
});

test('an error of the authorization server is a page that says it, and nothing more of it', async () => {
  const world = worldOf();
  for (const [error, shown] of [
    ['access_denied', /access_denied/],
    ['<script>alert(1)</script>', /&#60;script&#62;/],
    ['x'.repeat(500), /no reason/],
    ['ü', /no reason/],
  ]) {
    const browser = browserOf(world.bff);
    const login = await browser.go('/auth/login?returnTo=/here');
    const back = await browser.arrive(world.agree(login.headers.get('location'), { code: undefined, error }));
    const [status, page] = await text(back);
    assert.equal(status, 400);
    assert.match(page, shown);
    assert.ok(page.includes('returnTo=%2Fhere') && !page.includes('<script'));
    assert.equal(browser.jar.size, 0);
  }
});

test('the way back is a place of this origin', async () => {
  for (const [asked, place] of [
    ['/a/b?c=d#e', '/a/b?c=d#e'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['/.//evil.example', '/'],
    ['/a/..//evil.example', '/'],
    [`/${'x'.repeat(1024)}`, '/'],
    [`/${'ü'.repeat(300)}`, '/'],
    ['https://evil.example/', '/'],
    ['/\t/evil.example', '/'],
    ['javascript:alert(1)', '/'],
    ['', '/'],
    ['/x"><script>', '/x%22%3E%3Cscript%3E'],
  ]) {
    const { back } = await signedIn(worldOf(), asked);
    const page = await back.text();
    assert.ok(page.includes(`url=${place}"`), `${asked}: ${page}`);
  }
});

test('an ID token of another sign-in, issuer or client is refused (OpenID Connect Core 3.1.3.7)', async () => {
  for (const [idToken, reason] of [
    [{ nonce: 'x' }, /another sign-in/],
    [{ nonce: undefined }, /another sign-in/],
    [{ iss: 'https://evil.example' }, /another issuer/],
    [{ aud: 'other' }, /another client/],
    [{ aud: ['app', 'other'] }, /another party/],
    [{ azp: 'other' }, /another party/],
    [{ exp: 1_799_999_000 }, /expired/],
    [{ sub: undefined }, /names nobody/],
  ]) {
    const { browser, back } = await signedIn(worldOf({ scope: 'openid' }, { idToken }));
    const [status, page] = await text(back);
    assert.deepEqual([status, browser.jar.size], [400, 0], JSON.stringify(idToken));
    assert.match(page, reason);
  }
  const two = worldOf({ scope: 'openid' }, { idToken: { aud: ['app', 'other'], azp: 'app' } });
  assert.equal((await signedIn(two)).back.status, 200);
  for (const token of [undefined, 'x', 'a.b.c', unsigned([])]) {
    const world = worldOf({ scope: 'openid' }, { token: ({ tokens }) => tokens({ id_token: token }) });
    assert.equal((await signedIn(world)).back.status, 400, `${token}`);
  }
});

test('the authorization request is pushed where that is asked for (RFC 9126)', async () => {
  for (const [options, metadata] of [
    [{ pushedAuthorizationRequests: true }, {}],
    [{}, { require_pushed_authorization_requests: true }],
  ]) {
    const world = worldOf({ clientSecret: 's', ...options }, { metadata });
    const { login, back } = await signedIn(world);
    const url = new URL(login.headers.get('location'));
    assert.deepEqual(Object.fromEntries(url.searchParams), { client_id: 'app', request_uri: 'urn:x:1' });
    assert.equal(world.world.pushed.redirect_uri, `${ORIGIN}/auth/callback`);
    const pushed = world.asked.find((asked) => asked.url.endsWith('/par'));
    assert.equal(pushed.headers.get('authorization'), `Basic ${btoa('app:s')}`);
    assert.equal(back.status, 200);
  }
});

test('tokens are bound to a key of the session, and a token that is not is refused', async () => {
  const world = worldOf({ dpop: true });
  const { browser, login } = await signedIn(world);
  const asked = new URL(login.headers.get('location')).searchParams.get('dpop_jkt');
  await browser.call('/api/x?y=1', { method: 'POST', body: 'b' });
  const { headers } = world.asked.at(-1);
  assert.equal(headers.get('authorization'), 'DPoP a1');
  const [header, claims] = headers
    .get('dpop')
    .split('.')
    .slice(0, 2)
    .map((one) => JSON.parse(Buffer.from(one, 'base64url')));
  assert.equal(hash(JSON.stringify(header.jwk)), asked);
  assert.equal(header.jwk.d, undefined);
  assert.deepEqual(
    [claims.htm, claims.htu, claims.ath, claims.iat],
    ['POST', `${API}/api/x`, hash('a1'), world.world.now],
  );
  const bearer = worldOf({ dpop: true }, { token: ({ tokens }) => tokens({ token_type: 'Bearer' }) });
  assert.equal((await signedIn(bearer)).back.status, 400);
});

test('a browser that loads the callback twice at once uses its code once', async () => {
  const world = worldOf();
  const browser = browserOf(world.bff);
  const login = await browser.go('/auth/login');
  const back = world.agree(login.headers.get('location'));
  const answers = await Promise.all([browser.arrive(back), browser.arrive(back)]);
  for (const answer of answers)
    assert.deepEqual([answer.status, /Signed in/.test(await answer.text())], [200, true]);
  assert.equal(world.asked.filter(({ form }) => form?.code).length, 1);
  assert.equal((await browser.call('/api/x')).status, 200);
});

test('a browser that begins sign-ins and finishes none keeps a few cookies', async () => {
  const world = worldOf();
  const browser = browserOf(world.bff);
  for (let n = 0; n < 30; n += 1) await browser.go('/auth/login');
  assert.ok(browser.jar.size <= 5, `${browser.jar.size}`);
  const [one, other] = [
    await browser.go('/auth/login?returnTo=/1'),
    await browser.go('/auth/login?returnTo=/2'),
  ];
  for (const [login, place] of [
    [other, '/2'],
    [one, '/1'],
  ]) {
    const back = await browser.arrive(world.agree(login.headers.get('location')));
    assert.ok((await back.text()).includes(`url=${place}"`), 'two tabs at once');
  }
});

test('an authorization server that is away, or is another, signs nobody in', async () => {
  for (const metadata of [
    { issuer: `${ISSUER}/` },
    { authorization_endpoint: 'http://issuer.example/authorize' },
    { token_endpoint: undefined },
  ]) {
    const browser = browserOf(worldOf({}, { metadata }).bff);
    assert.equal((await browser.go('/auth/login')).status, 503, JSON.stringify(metadata));
    assert.equal(browser.jar.size, 0);
  }
  const world = worldOf({}, { token: () => Promise.reject(new TypeError('away')) });
  assert.equal((await signedIn(world)).back.status, 503);
});
