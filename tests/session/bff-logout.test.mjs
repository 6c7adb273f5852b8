// Back-channel logout (OpenID Connect Back-Channel Logout 1.0), with the verifier of the package.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createVerifier } from 'portcullis';
import { generateSigningKey } from 'portcullis/issuer';
import { memoryStore } from 'portcullis/stores';

import { browserOf, ISSUER, ORIGIN, signedIn, unsigned, worldOf } from './bff-world.mjs';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const { subtle } = globalThis.crypto;
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function signerOf() {
  const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const jwk = { ...(await subtle.exportKey('jwk', pair.publicKey)), alg: 'ES256', use: 'sig', kid: 'k' };
  delete jwk.key_ops;
  delete jwk.ext;
  const sign = async (claims, header = {}) => {
    const input = `${part({ alg: 'ES256', kid: 'k', typ: 'logout+jwt', ...header })}.${part(claims)}`;
    const signature = await subtle.sign(
      { name: 'ECDSA', hash: 'SHA-256' },
      pair.privateKey,
      Buffer.from(input),
    );
    return `${input}.${Buffer.from(signature).toString('base64url')}`;
  };
  return { jwk, sign };
}

async function worldWithLogout() {
  const { jwk, sign } = await signerOf();
  const verifier = createVerifier({
    issuers: [{ issuer: ISSUER, audience: 'app', types: ['logout+jwt'], jwks: { keys: [jwk] } }],
  });
  const store = memoryStore();
  const world = worldOf({
    scope: 'openid',
    store,
    verifyLogoutToken: (token) => verifier.verify(token, { now: world.world.now }),
  });
  let jti = 0;
  const claims = (more) => {
    jti += 1;
    const { now } = world.world;
    return {
      iss: ISSUER,
      aud: 'app',
      iat: now,
      exp: now + 120,
      jti: `j${jti}`,
      events: { [EVENT]: {} },
      ...more,
    };
  };
  const logout = async (token, type = 'application/x-www-form-urlencoded') => {
    const body = typeof token === 'string' ? new URLSearchParams({ logout_token: token }).toString() : token;
    const init = { method: 'POST', headers: { 'content-type': type }, body: `${body}` };
    return world.bff.fetch(new Request(`${ORIGIN}/auth/backchannel-logout`, init));
  };
  return { ...world, claims, logout, sign };
}

test('a logout token ends the session it names, or all of the subject’s, and no later one', async () => {
  const world = await worldWithLogout();
  const { browser: one } = await signedIn(world);
  world.world.idToken = { sid: 's2' };
  const { browser: two } = await signedIn(world);
  world.world.idToken = { sub: 'bob', sid: 's3' };
  const { browser: bob } = await signedIn(world);
  const statuses = async () => {
    const found = [];
    for (const browser of [one, two, bob]) found.push((await browser.call('/api/x')).status);
    return found;
  };
  world.world.now += 1;
  assert.deepEqual(await statuses(), [200, 200, 200]);
  const done = await world.logout(await world.sign(world.claims({ sid: 's1', sub: 'ada' })));
  assert.deepEqual([done.status, done.headers.get('cache-control')], [200, 'no-store']);
  assert.deepEqual(await statuses(), [401, 200, 200]);
  assert.equal((await world.logout(await world.sign(world.claims({ sub: 'ada' })))).status, 200);
  assert.deepEqual(await statuses(), [401, 401, 200]);
  world.world.now += 1;
  const { browser: again } = await signedIn(world);
  assert.equal((await again.call('/api/x')).status, 200, 'bob, who has signed in since');
  world.world.idToken = { sid: 's4' };
  const { browser: later } = await signedIn(world);
  assert.equal((await later.call('/api/x')).status, 200);
});

test('what is no logout token ends nothing (section 2.6)', async () => {
  const world = await worldWithLogout();
  const { browser } = await signedIn(world);
  world.world.now += 1;
  const { sign: forge } = await signerOf();
  const named = { sub: 'ada', sid: 's1' };
  const bad = [
    await forge(world.claims(named)),
    await world.sign(world.claims({ ...named, aud: 'other' })),
    await world.sign(world.claims({ ...named, iss: 'https://evil.example' })),
    await world.sign(world.claims({ ...named, exp: world.world.now - 600, iat: world.world.now - 700 })),
    await world.sign(world.claims({ ...named, iat: world.world.now - 3600, exp: world.world.now + 60 })),
    await world.sign(world.claims({ ...named, nonce: 'n' })),
    await world.sign(world.claims({ ...named, events: {} })),
    await world.sign(world.claims({ ...named, events: { [EVENT]: true } })),
    await world.sign(world.claims({ ...named, events: undefined })),
    await world.sign(world.claims({ ...named, jti: undefined })),
    await world.sign(world.claims({})),
    await world.sign(world.claims(named), { typ: 'JWT' }),
    'x',
  ];
  for (const [n, token] of bad.entries()) {
    const answer = await world.logout(token);
    assert.equal(answer.status, 400, `${n}`);
    assert.equal((await answer.json()).error, 'invalid_request');
  }
  const token = await world.sign(world.claims({ sub: 'ada' }));
  for (const body of ['', `logout_token=${token}&logout_token=${token}`, 'x=1'])
    assert.equal((await world.logout({ toString: () => body })).status, 400);
  assert.equal((await world.logout(token, 'application/json')).status, 400);
  assert.equal((await browser.call('/api/x')).status, 200);
  assert.equal((await world.logout(token)).status, 200);
  // An access token of the same issuer is none.
  const key = generateSigningKey('ES256');
  const access = key.mintAccessToken({
    issuer: ISSUER,
    audience: 'app',
    subject: 'ada',
    clientId: 'app',
    lifetimeSeconds: 60,
  });
  assert.equal((await world.logout(access)).status, 400);
});

test('a logout token again ends nothing that has begun since', async () => {
  const world = await worldWithLogout();
  const token = await world.sign(world.claims({ sub: 'ada' }));
  assert.equal((await world.logout(token)).status, 200);
  world.world.now += 1;
  const { browser } = await signedIn(world);
  assert.equal((await world.logout(token)).status, 200);
  assert.equal((await browser.call('/api/x')).status, 200);
});

test('a session that knows no sid ends with any of its subject’s, and one that is being begun with the rest', async () => {
  const world = await worldWithLogout();
  world.world.idToken = { sid: undefined };
  const { browser } = await signedIn(world);
  world.world.now += 1;
  const named = { sub: 'ada', sid: 's9' };
  world.world.token = async ({ tokens }) => {
    const { now } = world.world;
    assert.equal((await world.logout(await world.sign(world.claims(named)))).status, 200);
    world.world.now += 1;
    return tokens({
      id_token: unsigned({
        iss: ISSUER,
        sub: 'ada',
        aud: 'app',
        exp: now + 300,
        nonce: world.nonce,
        sid: 's9',
      }),
    });
  };
  const agreed = browserOf(world.bff);
  const login = await agreed.go('/auth/login');
  world.nonce = new URL(login.headers.get('location')).searchParams.get('nonce');
  assert.equal((await agreed.arrive(world.agree(login.headers.get('location')))).status, 200);
  assert.equal((await browser.call('/api/x')).status, 401);
  assert.equal((await agreed.call('/api/x')).status, 401);
});

test('a logout token of another issuer of the verifier ends nothing, nor does a body without end', async () => {
  const world = worldOf({
    scope: 'openid',
    store: memoryStore(),
    verifyLogoutToken: (token) => ({ ok: true, claims: JSON.parse(token) }),
  });
  const { browser } = await signedIn(world);
  const { now } = world.world;
  const claims = { iss: ISSUER, aud: 'app', iat: now, jti: 'j', sub: 'ada', events: { [EVENT]: {} } };
  const send = (body) =>
    world.bff.fetch(
      new Request(`${ORIGIN}/auth/backchannel-logout`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body,
        duplex: 'half',
      }),
    );
  for (const other of [{ iss: 'https://other.example' }, { aud: 'other' }, { aud: undefined }]) {
    const token = JSON.stringify({ ...claims, ...other });
    assert.equal((await send(`logout_token=${encodeURIComponent(token)}`)).status, 400);
  }
  let pulled = 0;
  const endless = new ReadableStream({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(65_536));
      if (pulled > 1000) controller.close();
    },
  });
  assert.equal((await send(endless)).status, 400);
  assert.ok(pulled < 10, `${pulled}`);
  assert.equal((await browser.call('/api/x')).status, 200);
  assert.equal((await send(`logout_token=${encodeURIComponent(JSON.stringify(claims))}`)).status, 200);
  assert.equal((await browser.call('/api/x')).status, 401);
});

test('without a verifier there is no such place', async () => {
  const world = worldOf();
  const init = { method: 'POST', body: new URLSearchParams({ logout_token: 'x' }) };
  assert.equal((await world.bff.fetch(new Request(`${ORIGIN}/auth/backchannel-logout`, init))).status, 404);
});
