// What a request may cost: time in all, a body, entries of the store, and windows of the counter.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createIssuer, generateSigningKey, memoryCounter } from 'portcullis/issuer';
import { memoryStore } from 'portcullis/stores';

const ISSUER = 'https://issuer.example';
const SECRET = 'x'.repeat(40);
const page = { clientId: 'page', authentication: 'none', grants: ['refresh_token'], scope: 'read' };

function issuerOn(store, { config = {}, ...options } = {}) {
  return createIssuer({
    config: { issuer: ISSUER, audience: 'https://api.example', clients: [page], ...config },
    signingKeys: [{ jwk: generateSigningKey('ES256').privateJwk() }],
    rootKeys: [{ secret: new Uint8Array(32).fill(7) }],
    store,
    ...options,
  });
}

function request(path, parameters, { headers = {}, ...init } = {}) {
  const body = parameters && new URLSearchParams(parameters);
  return new Request(`${ISSUER}${path}`, { method: 'POST', body, headers, ...init });
}

const refreshing = (token) => ({ grant_type: 'refresh_token', client_id: 'page', refresh_token: token });

/** Moves the test's clock on until the promise is settled; says how many milliseconds it took. */
async function elapse(t, promise) {
  let settled = false;
  const done = promise.finally(() => {
    settled = true;
  });
  let ms = 0;
  while (!settled && ms < 60_000) {
    t.mock.timers.tick(250);
    ms += 250;
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  return [await done, ms];
}

test('a request has fifteen seconds in all, however often it waits', async (t) => {
  const store = memoryStore();
  const failed = [];
  const issuer = issuerOn(store, { onEvent: (event) => failed.push(event) });
  const { refresh_token } = await issuer.startSession('alice', { clientId: 'page' });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const slowly =
    (call) =>
    (...args) =>
      new Promise((resolve, reject) => setTimeout(() => call(...args).then(resolve, reject), 4500));
  const slow = { read: slowly(store.read), swap: slowly(store.swap), sweep: store.sweep };
  const late = issuerOn(slow, { onEvent: (event) => failed.push(event) });
  const [response, ms] = await elapse(t, late.fetch(request('/token', refreshing(refresh_token))));
  assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '1']);
  assert.equal(ms >= 14_000 && ms <= 15_500, true, `${ms} ms`);
  const [error, waited] = await elapse(
    t,
    late.startSession('bob', { clientId: 'page' }).catch((error) => error),
  );
  assert.deepEqual(
    [error.name, error.cause.name, waited <= 15_500],
    ['IssuerUnavailableError', 'TimeoutError', true],
  );
  // A store that never answers is given up sooner.
  const never = () => new Promise(() => {});
  const dead = issuerOn({ read: never, swap: never, sweep: never });
  const [gone, after] = await elapse(t, dead.fetch(request('/token', refreshing(refresh_token))));
  assert.deepEqual([gone.status, after <= 5500], [503, true]);
});

test('a body that breaks off, comes too slowly or was read before is an answer', async (t) => {
  const issuer = issuerOn(memoryStore());
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const stream = (source) =>
    new Request(`${ISSUER}/token`, {
      method: 'POST',
      headers,
      body: new ReadableStream(source),
      duplex: 'half',
    });
  const bytes = new TextEncoder().encode('grant_type=');
  for (const source of [
    { pull: (controller) => controller.error(new Error('reset by peer')) },
    {
      start: (controller) => controller.enqueue(bytes),
      pull: (controller) => controller.error(new TypeError('terminated')),
    },
    {
      pull() {
        throw new Error('broken');
      },
    },
    { start: (controller) => controller.enqueue('no bytes') },
  ]) {
    const response = await issuer.fetch(stream(source));
    const { error, error_description } = await response.json();
    assert.deepEqual(
      [response.status, error, error_description],
      [400, 'invalid_request', 'body: ended early. Send the request again'],
    );
  }
  const read = request('/token', refreshing('x'));
  await read.text();
  assert.equal((await issuer.fetch(read)).status, 400);

  t.mock.timers.enable({ apis: ['setTimeout'] });
  let cancelled = false;
  const cancel = () => {
    cancelled = true;
  };
  const trickle = { start: (controller) => controller.enqueue(bytes), cancel };
  const [response, ms] = await elapse(t, issuer.fetch(stream(trickle)));
  assert.deepEqual([response.status, ms <= 15_500, cancelled], [408, true, true]);
});

test('where no body is taken none is waited for', async () => {
  const issuer = issuerOn(memoryStore());
  let pulled = 0;
  const pull = () => {
    pulled += 1;
  };
  for (const [path, status] of [
    ['/jwks', 405],
    ['/.well-known/oauth-authorization-server', 405],
    ['/nowhere', 404],
    ['/health', 404],
  ]) {
    const body = new ReadableStream({ pull }, { highWaterMark: 0 });
    const endless = new Request(`${ISSUER}${path}`, { method: 'POST', body, duplex: 'half' });
    assert.equal((await issuer.fetch(endless)).status, status, path);
  }
  assert.equal(pulled, 0);
  // One that is too long is read as far as that shows.
  const body = new ReadableStream({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(4096).fill(120));
    },
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const huge = new Request(`${ISSUER}/token`, { method: 'POST', headers, body, duplex: 'half' });
  assert.equal((await issuer.fetch(huge)).status, 400);
  assert.equal(pulled <= 7, true, `${pulled}`);
});

test('a proof is remembered once its grant stands, and then it is used up', async () => {
  const store = memoryStore();
  const kept = [];
  const { swap } = store;
  store.swap = (key, ...rest) => {
    kept.push(key);
    return swap(key, ...rest);
  };
  const issuer = issuerOn(store, {
    config: {
      clients: [
        { ...page, grants: ['refresh_token', 'authorization_code'], redirectUris: ['https://app.example/'] },
      ],
    },
  });
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const proof = (jti = crypto.randomUUID()) =>
    new SignJWT({ htm: 'POST', htu: `${ISSUER}/token`, jti, iat: Math.floor(Date.now() / 1000) })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .sign(privateKey);
  const proofs = () => kept.filter((key) => key.startsWith('p/') && key !== 'p/fleet').length;
  const ask = async (parameters, dpop) =>
    (await issuer.fetch(request('/token', parameters, { headers: { dpop } }))).status;
  const { refresh_token } = await issuer.startSession('alice', { clientId: 'page' });
  const forged = `${refresh_token.slice(0, 40)}${'A'.repeat(refresh_token.length - 40)}`;
  for (const parameters of [
    refreshing('x'),
    refreshing(forged),
    { grant_type: 'password', client_id: 'page' },
    { ...refreshing(refresh_token), scope: 'admin' },
    {
      grant_type: 'authorization_code',
      client_id: 'page',
      code: 'x',
      redirect_uri: 'https://app.example/',
      code_verifier: 'v'.repeat(43),
    },
  ])
    assert.equal(await ask(parameters, await proof()), 400);
  assert.equal(proofs(), 0, 'a stranger leaves none in the store');
  const once = await proof();
  assert.equal(await ask(refreshing(refresh_token), once), 200);
  assert.equal(proofs(), 1);
  assert.equal(await ask(refreshing(refresh_token), once), 400, 'it is used up');
  assert.equal(await ask(refreshing(refresh_token), await proof()), 200);
});

test('no window is forgotten before its time, whatever else is counted', () => {
  let now = 1_800_000_000;
  const counter = memoryCounter({ now: () => now });
  const count = (key) => counter.count(key, 3, 60);
  assert.deepEqual(
    [count('attacker'), count('attacker'), count('attacker'), count('attacker')],
    [true, true, true, false],
  );
  // As many keys as one likes push out nothing.
  for (let other = 0; other < 1_000_100; other++) counter.count(`other/${other}`, 1, 60);
  assert.equal(count('attacker'), false);
  // Those beyond the million share windows: too early perhaps, never too late.
  const verdicts = Array.from({ length: 5 }, () => counter.count('late', 3, 60));
  assert.deepEqual(verdicts.slice(3), [false, false]);
  now += 60;
  assert.deepEqual([count('attacker'), count('late')], [true, true], 'and then there is room again');
});

test('a client secret of a client that is not public is counted before its grant, and a public one after it', async () => {
  const asked = [];
  const counter = { count: (key) => asked.push(key.split('/')[0]) > 0 };
  const rate = { requests: 9, seconds: 9 };
  const secretHash = Buffer.from(
    await crypto.subtle.digest('SHA-256', new TextEncoder().encode(SECRET)),
  ).toString('base64url');
  const issuer = issuerOn(memoryStore(), {
    counter,
    config: {
      limits: { address: rate, session: rate, client: rate },
      clients: [
        page,
        { clientId: 'own', authentication: 'client_secret_post', secretHash, grants: ['client_credentials'] },
      ],
    },
  });
  const { refresh_token } = await issuer.startSession('alice', { clientId: 'page' });
  const order = async (parameters, context) => {
    asked.length = 0;
    await issuer.fetch(request('/token', parameters), context);
    return asked.join(' ');
  };
  const from = { clientAddress: '2001:db8::1' };
  assert.equal(await order(refreshing('x'), from), 'address');
  assert.equal(await order(refreshing(refresh_token), from), 'address session client');
  assert.equal(await order(refreshing(refresh_token)), 'session client', 'no address, none counted');
  const own = { grant_type: 'client_credentials', client_id: 'own', client_secret: SECRET };
  assert.equal(await order(own, from), 'address client');
  assert.equal(await order({ ...own, client_secret: 'y' }, from), 'address');
});
