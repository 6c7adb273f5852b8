// The feature `fetch` in a worker written in Rust, in workerd: by requests over HTTP, with servers
// on the loopback.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

import { ROOT } from '../../src/build/steps.mjs';
import { AUDIENCE, ISSUER, prover, signer } from '../support/issuer.mjs';
import { json, origin, paths, status } from '../support/origin.mjs';
import { build, start } from './build.mjs';
import { askVectors } from './vectors.mjs';

const OPAQUE = 'https://opaque.example';
let server;
let built;
let worker;
let ahead = 0;
const waiting = [];
const held = (behave) => (request, response) => waiting.push(() => behave(request, response));
const now = () => Math.floor(Date.now() / 1000) + ahead;
const visit = (token, path = '/orders', more = {}) =>
  worker.get(path, { authorization: `Bearer ${token}`, ...more });
const codeOf = async (response) => (await response.json()).code;
const quiet = () =>
  assert.doesNotMatch(worker.logs.join(''), /different request|never generate|canceled|panicked/i);

const issuers = () => [
  {
    issuer: ISSUER,
    audience: AUDIENCE,
    remote: { jwksUri: `${server.url}/keys`, timeoutMs: 3000, minTtlSeconds: 60 },
  },
  {
    issuer: OPAQUE,
    audience: AUDIENCE,
    introspection: {
      endpoint: `${server.url}/introspect`,
      clientId: 'client:1',
      authentication: 'client_secret_basic',
      timeoutMs: 3000,
    },
  },
];
const policy = () => ({
  issuers: issuers(),
  gate: {
    origins: ['http://127.0.0.1:*'],
    forward: { claims: { sub: 'x-user' } },
    credentials: { header: 'authorization', cookie: 'session' },
  },
});

async function pass(seconds) {
  ahead += seconds;
  assert.equal((await worker.post('/of-test/pass', `${seconds}`)).status, 200);
}

async function until(condition) {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'nothing came');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

before(async () => {
  [server, built] = await Promise.all([origin(), build()]);
});
after(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.behave = status(404);
  waiting.length = 0;
  ahead = 0;
});
/** In a worker of its own: nothing is known of keys, and the clock is right. */
const inWorker = (name, work) =>
  test(name, async () => {
    worker = await start(built.tests, { POLICY: JSON.stringify(policy()), OPAQUE });
    try {
      await work();
      quiet();
    } finally {
      await worker.stop();
    }
  });

inWorker('keys are fetched once, by any number of requests, and used again', async () => {
  const key = await signer('k');
  server.behave = paths({ '/keys': held(json({ keys: [key.jwk] })) });
  const tokens = await Promise.all(Array.from({ length: 20 }, () => key.mint(now())));
  const asked = tokens.map((token) => visit(token));
  await until(() => waiting.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (const go of waiting.splice(0)) go();
  for (const response of await Promise.all(asked)) {
    assert.equal(response.status, 200);
    assert.equal((await response.json()).sub, 's');
  }
  assert.equal((await visit(await key.mint(now()))).status, 200);
  assert.equal(server.requests.length, 1);
  const [{ method, url, headers }] = server.requests;
  assert.deepEqual(
    [method, url, headers.accept],
    ['GET', '/keys', 'application/jwk-set+json, application/json'],
  );
});

inWorker('a rotation of keys is seen, half a minute after the last fetch at the soonest', async () => {
  const [old, fresh] = [await signer('old'), await signer('fresh')];
  server.behave = paths({ '/keys': json({ keys: [old.jwk] }) });
  assert.equal((await visit(await old.mint(now()))).status, 200);
  server.behave = paths({ '/keys': json({ keys: [fresh.jwk] }) });
  const early = await visit(await fresh.mint(now()));
  assert.deepEqual([early.status, await codeOf(early)], [401, 'kid-unknown']);
  assert.equal(server.requests.length, 1);
  await pass(31);
  assert.equal((await visit(await fresh.mint(now()))).status, 200);
  assert.equal(server.requests.length, 2);
  const late = await visit(await old.mint(now()));
  assert.deepEqual([late.status, await codeOf(late)], [401, 'kid-unknown']);
});

inWorker('keys are fetched anew at their end, and forgotten when they are too old', async () => {
  const key = await signer('k');
  server.behave = paths({ '/keys': json({ keys: [key.jwk] }, { 'cache-control': 'max-age=100' }) });
  assert.equal((await visit(await key.mint(now()))).status, 200);
  await pass(101);
  assert.equal((await visit(await key.mint(now()))).status, 200);
  assert.equal(server.requests.length, 2);
  server.behave = status(500);
  await pass(101);
  assert.equal(
    (await visit(await key.mint(now()))).status,
    200,
    'they serve on while they cannot be fetched',
  );
  await pass(200_000);
  const refused = await visit(await key.mint(now()));
  assert.deepEqual([refused.status, await codeOf(refused)], [503, 'keys-unavailable']);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
});

inWorker('keys are found by an issuer’s metadata, as far as the gate follows them', async () => {
  const key = await signer('k');
  const own = {
    ...policy(),
    issuers: [{ issuer: server.url, audience: AUDIENCE, remote: { discovery: 'oidc' } }],
  };
  const place = '/.well-known/openid-configuration';
  const metadata = (keys) =>
    paths({ [place]: json({ issuer: server.url, jwks_uri: keys }), '/keys': json({ keys: [key.jwk] }) });
  assert.equal(await (await worker.post('/of-test/policy', JSON.stringify(own))).text(), '');
  const mint = () => key.mint(now(), { iss: server.url });
  server.behave = metadata('https://169.254.169.254/keys');
  assert.equal((await visit(await mint())).status, 503);
  assert.deepEqual(
    server.requests.map(({ url }) => url),
    [place],
  );
  await pass(31);
  server.behave = metadata(`${server.url}/keys`);
  assert.equal((await visit(await mint())).status, 200);
});

inWorker('a redirect, a body without end and one that is too long are no keys', async () => {
  const key = await signer('k');
  const set = JSON.stringify({ keys: [key.jwk] });
  for (const behave of [
    status(302, { location: `${server.url}/elsewhere` }),
    json(set + ' '.repeat(300_000)),
    (_, response) => response.writeHead(200).write(set),
    (_, response) => response.writeHead(200).end(Buffer.concat([Buffer.from([0xff]), Buffer.from(set)])),
  ]) {
    server.behave = paths({ '/keys': behave, '/elsewhere': json(set) });
    assert.equal((await visit(await key.mint(now()))).status, 503);
    await pass(31);
  }
  assert.equal(server.requests.length, 4);
  server.behave = paths({ '/keys': json(set) });
  assert.equal((await visit(await key.mint(now()))).status, 200);
});

inWorker('an opaque token is asked about once, by the client of the policy', async () => {
  const active = { active: true, sub: 'o', aud: AUDIENCE, client_id: 'c', exp: now() + 600 };
  server.behave = paths({ '/introspect': json(active) });
  for (let count = 0; count < 3; count += 1) {
    const response = await visit('opaque-token');
    assert.equal(response.status, 200);
    assert.equal((await response.json()).sub, 'o');
  }
  assert.equal(server.requests.length, 1);
  const [{ method, headers, body }] = server.requests;
  const form = (text) => new URLSearchParams([['', text]]).toString().slice(1);
  const basic = `Basic ${btoa(`${form('client:1')}:${form('a secret: ü')}`)}`;
  assert.deepEqual(
    [method, headers.authorization, body],
    ['POST', basic, 'token=opaque-token&token_type_hint=access_token'],
  );
  await pass(61);
  server.behave = paths({ '/introspect': json({ active: false }) });
  const ended = await visit('opaque-token');
  assert.deepEqual([ended.status, await codeOf(ended)], [401, 'token-inactive']);
  server.behave = status(500);
  const unknown = await visit('another-token');
  assert.deepEqual([unknown.status, await codeOf(unknown)], [503, 'introspection-unavailable']);
});

inWorker(
  'an answer about an opaque token counts under the policy by which it was asked for alone',
  async () => {
    const active = json({ active: true, sub: 'o', aud: AUDIENCE, client_id: 'c', exp: now() + 600 });
    const inactive = json({ active: false });
    const replace = async (members) => {
      const own = policy();
      Object.assign(own.issuers[1].introspection, members);
      assert.equal(await (await worker.post('/of-test/policy', JSON.stringify(own))).text(), '');
    };
    server.behave = active;
    assert.equal((await visit('opaque-token')).status, 200);
    server.behave = inactive;
    assert.equal((await visit('opaque-token')).status, 200);
    assert.equal(server.requests.length, 1);
    for (const members of [
      { clientId: 'another' },
      { authentication: 'client_secret_post' },
      { cacheSeconds: 0 },
      { negativeCacheSeconds: 1 },
    ]) {
      server.requests.length = 0;
      await replace(members);
      const ended = await visit('opaque-token');
      assert.deepEqual([ended.status, await codeOf(ended)], [401, 'token-inactive'], JSON.stringify(members));
      assert.equal(server.requests.length, 1);
    }
    server.behave = held(active);
    const asked = visit('another-token');
    await until(() => waiting.length > 0);
    await replace({ cacheSeconds: 1 });
    server.behave = inactive;
    waiting.splice(0)[0]();
    const response = await asked;
    assert.deepEqual([response.status, await codeOf(response)], [401, 'token-inactive']);
    assert.equal(await codeOf(await visit('another-token')), 'token-inactive');
  },
);

inWorker('of 20 parallel uses of one proof exactly one passes', async () => {
  const key = await signer('k');
  server.behave = paths({ '/keys': json({ keys: [key.jwk] }) });
  const client = await prover();
  const token = await key.mint(now(), { cnf: client.cnf });
  const url = new URL('/orders', worker.origin).href;
  const proof = await client.prove(token, now(), { url });
  const headers = { authorization: `DPoP ${token}`, dpop: proof };
  const uses = await Promise.all(Array.from({ length: 20 }, () => worker.get('/orders', headers)));
  const passed = uses.filter((response) => response.status === 200);
  assert.equal(passed.length, 1);
  assert.equal(await codeOf(uses.find((response) => response.status === 401)), 'dpop-replayed');
  const plain = await visit(token);
  assert.deepEqual([plain.status, await codeOf(plain)], [401, 'dpop-scheme-required']);
  const elsewhere = await client.prove(token, now(), { url: 'http://127.0.0.1:1/orders' });
  assert.equal((await worker.get('/orders', { ...headers, dpop: elsewhere })).status, 401);
});

inWorker('the handler sees what the gate forwards, and the body', async () => {
  const key = await signer('k');
  server.behave = paths({ '/keys': json({ keys: [key.jwk] }) });
  const token = await key.mint(now());
  const post = (more) =>
    fetch(new URL('/orders', worker.origin), {
      method: 'POST',
      body: 'a body',
      headers: { cookie: `theme=dark; session=${token}; a=b`, 'X-User': 'root', x_user: 'root', ...more },
    });
  // A cookie comes along whoever asks: an unsafe request has to be the site's own.
  assert.equal((await post({})).status, 403);
  const response = await post({ 'sec-fetch-site': 'same-origin' });
  assert.equal(response.status, 200);
  const { headers, body } = await response.json();
  const named = Object.fromEntries(headers);
  assert.equal(body, 'a body');
  assert.deepEqual([named['x-user'], named.cookie], ['s', 'theme=dark; a=b']);
  assert.ok(!('x_user' in named));
});

inWorker('a handler’s own requirement holds', async () => {
  const key = await signer('k');
  server.behave = paths({ '/keys': json({ keys: [key.jwk] }) });
  const refused = await visit(await key.mint(now(), { scope: 'read' }), '/write');
  assert.equal(refused.status, 403);
  assert.match(refused.headers.get('www-authenticate'), /error="insufficient_scope".*scope="write"/);
  assert.equal((await visit(await key.mint(now(), { scope: 'read write' }), '/write')).status, 200);
});

inWorker('a preflight is answered, and one with a body is a request', async () => {
  const marks = { origin: 'https://app.example', 'access-control-request-method': 'PUT' };
  const options = (init) => fetch(new URL('/orders', worker.origin), { method: 'OPTIONS', ...init });
  assert.equal((await options({ headers: marks })).status, 204);
  assert.equal((await options({ headers: marks, body: 'a' })).status, 401);
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('a'));
      controller.close();
    },
  });
  assert.equal((await options({ headers: marks, body: stream, duplex: 'half' })).status, 401);
});

inWorker('Cloudflare’s word is taken for a request that has `cf`, and no other’s', async () => {
  const connection = (cf, address = '203.0.113.9') => worker.ask('/of-test/connection', { cf, address });
  const nothing = { urlVouched: false, clientAddress: null, certificate: null };
  assert.deepEqual(await connection(null), nothing);
  const known = { urlVouched: true, clientAddress: '203.0.113.9', certificate: null };
  assert.deepEqual(await connection({ colo: 'X' }), known);
  assert.deepEqual(await connection({ colo: 'X' }, 'none'), { ...known, clientAddress: null });
  const certificate = 'ab'.repeat(32);
  const tls = { certPresented: '1', certRevoked: '0', certFingerprintSHA256: certificate };
  assert.deepEqual(await connection({ tlsClientAuth: tls }), { ...known, certificate });
  for (const other of [{ certPresented: '0' }, { certRevoked: '1' }]) {
    assert.deepEqual(await connection({ tlsClientAuth: { ...tls, ...other } }), known);
  }
});

inWorker('the example of the documentation refuses', async () => {
  const response = await worker.get('/of-test/documented');
  // Nobody vouches for the host, and the policy lists no origin for plain HTTP.
  assert.deepEqual([response.status, await codeOf(response)], [403, 'transport-insecure']);
});

inWorker('the vectors of the gate have the same answers', () => askVectors(worker));

test('the example of the documentation is a gate by the clock of JavaScript', async () => {
  const key = await signer('k');
  const issuer = { issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } };
  const policy = { issuers: [issuer], gate: { origins: ['http://127.0.0.1:*'] } };
  const example = await start(built.example, { POLICY: JSON.stringify(policy) });
  try {
    const seconds = Math.floor(Date.now() / 1000);
    const ask = async (from, to, scope = 'notes:read') => {
      const token = await key.mint(seconds + from, { exp: seconds + to, sub: 'ada', scope });
      const response = await example.get('/', { authorization: `Bearer ${token}` });
      return [response.status, response.ok ? await response.text() : await codeOf(response)];
    };
    assert.deepEqual(await ask(-100, 60), [200, 'Hello, ada']);
    assert.deepEqual(await ask(-100, -30), [401, 'expired']);
    assert.deepEqual(await ask(120, 300), [401, 'issued-in-future']);
    assert.deepEqual(await ask(-100, 60, 'notes:write'), [403, 'scope-insufficient']);
    const missing = await example.get('/');
    assert.equal(missing.headers.get('www-authenticate'), 'Bearer realm="api"');
    assert.equal(await codeOf(missing), 'authorization-missing');
  } finally {
    await example.stop();
  }
});

test('wasm-bindgen’s tool fits the worker that a user would build', async () => {
  const version = async (...path) =>
    /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(await readFile(join(ROOT, ...path), 'utf8'))[1];
  assert.equal(await version('tests', 'fetch', 'Cargo.lock'), await version('Cargo.lock'));
});
