// Asking the authorization server, which may be down, slow, lying, huge, or not know us.
import assert from 'node:assert/strict';
import { createHash, webcrypto } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { inspect } from 'node:util';
import { compactVerify, importJWK } from 'jose';
import { Introspection } from '../../dist/gate/introspection/introspection.js';
import { PolicyError } from '../../dist/shared/errors.js';
import { clock, context, drip, hang, huge, json, origin, reset, status } from '../support/origin.mjs';

const ISSUER = 'https://issuer.example';
const TOKEN = 'opaque-canary-token';
let server;
before(async () => {
  server = await origin();
});
after(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.behave = json({ active: true, sub: 's' });
});

function setUp({ source = {}, secret = { clientSecret: 'secret' }, ...io } = {}) {
  const time = clock();
  const events = [];
  const endpoint = {
    issuer: ISSUER,
    endpoint: `${server.url}/introspect`,
    clientId: 'client',
    authentication: 'client_secret_basic',
    cacheSeconds: 60,
    negativeCacheSeconds: 10,
    timeoutMs: 5000,
    concurrency: 16,
    ...source,
  };
  const world = { fetch, now: time.read, observe: (event) => events.push(event), ...io };
  const introspection = new Introspection([endpoint], { [ISSUER]: secret }, world);
  const ask = (token = TOKEN, held = {}) => introspection.ask(ISSUER, token, held);
  return { time, events, introspection, ask, stats: () => introspection.stats()[0] };
}
const body = () => Object.fromEntries(new URLSearchParams(server.requests.at(-1).body));

test('the token goes in a form, with a hint, and the answer comes back as it was written', async () => {
  const text = '{ "active" : true,\n"scope":"a b" }';
  server.behave = json(text);
  const { ask } = setUp();
  assert.equal(await ask('a+b/c=&d'), text);
  const [{ method, url, headers }] = server.requests;
  assert.deepEqual([method, url, headers.accept], ['POST', '/introspect', 'application/json']);
  assert.equal(headers['content-type'], 'application/x-www-form-urlencoded');
  assert.deepEqual(body(), { token: 'a+b/c=&d', token_type_hint: 'access_token' });
});

test('an issuer that nobody named is not asked about', async () => {
  const { introspection } = setUp();
  assert.equal(await introspection.ask('https://other.example', TOKEN, {}), 'unavailable');
  assert.equal(server.requests.length, 0);
});

test('client_secret_basic encodes name and secret as a form does (RFC 6749 §2.3.1)', async () => {
  const { ask } = setUp({ source: { clientId: 'a b:c' }, secret: { clientSecret: 'p%ä+/=:" x' } });
  await ask();
  const [scheme, value] = server.requests[0].headers.authorization.split(' ');
  const [id, secret, ...more] = Buffer.from(value, 'base64').toString('latin1').split(':');
  assert.deepEqual([scheme, id, secret, more], ['Basic', 'a+b%3Ac', 'p%25%C3%A4%2B%2F%3D%3A%22+x', []]);
});

test('client_secret_post puts them into the form, and into no header', async () => {
  const { ask } = setUp({ source: { authentication: 'client_secret_post' } });
  await ask();
  assert.equal(server.requests[0].headers.authorization, undefined);
  assert.deepEqual(body(), {
    token: TOKEN,
    token_type_hint: 'access_token',
    client_id: 'client',
    client_secret: 'secret',
  });
});

const PRIVATE = [
  ['ES256', { name: 'ECDSA', namedCurve: 'P-256' }],
  ['EdDSA', { name: 'Ed25519' }],
  [
    'RS256',
    {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
    },
  ],
];
for (const [alg, algorithm] of PRIVATE) {
  test(`private_key_jwt signs an assertion of its own each time with ${alg}, which jose verifies`, async () => {
    const pair = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const exported = await webcrypto.subtle.exportKey('jwk', pair.privateKey);
    // Members that contradict the use, as keys exported elsewhere have.
    const privateKeyJwk = { ...exported, kid: 'k1', alg, use: 'sig', key_ops: ['verify'], ext: false };
    const { ask, time } = setUp({
      source: { authentication: 'private_key_jwt', cacheSeconds: 0 },
      secret: { privateKeyJwk },
    });
    const ids = new Set();
    for (let turn = 0; turn < 2; turn++) {
      await ask();
      const { client_id, client_assertion_type, client_assertion } = body();
      assert.equal(client_id, 'client');
      assert.equal(client_assertion_type, 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
      const key = await importJWK(await webcrypto.subtle.exportKey('jwk', pair.publicKey), alg);
      const { payload, protectedHeader } = await compactVerify(client_assertion, key);
      assert.deepEqual(protectedHeader, { alg, typ: 'JWT', kid: 'k1' });
      const { jti, ...claims } = JSON.parse(Buffer.from(payload).toString());
      const times = { iat: time.now, exp: time.now + 60 };
      assert.deepEqual(claims, { iss: 'client', sub: 'client', aud: ISSUER, ...times });
      ids.add(jti);
    }
    assert.equal(ids.size, 2);
  });
}

test('a secret that is missing or of another kind is the caller’s mistake, and the message does not hold it', () => {
  const source = { authentication: 'private_key_jwt' };
  const pointer = '/introspection/https:~1~1issuer.example/';
  const CANARY = 'canary';
  for (const [set, member] of [
    [{ secret: {} }, 'clientSecret'],
    [{ secret: { clientSecret: '' } }, 'clientSecret'],
    [{ secret: { clientSecret: 7 } }, 'clientSecret'],
    [{ secret: { privateKeyJwk: {} } }, 'clientSecret'],
    [{ secret: undefined }, 'clientSecret'],
    [{ source, secret: { clientSecret: CANARY } }, 'privateKeyJwk'],
    [{ source, secret: { privateKeyJwk: { kty: 'oct', k: CANARY, d: CANARY } } }, 'privateKeyJwk'],
    [{ source, secret: { privateKeyJwk: { kty: 'EC', crv: 'P-256', x: 'a', y: 'b' } } }, 'privateKeyJwk'],
    [{ source, secret: { privateKeyJwk: { kty: 'RSA', d: CANARY, alg: 'PS256' } } }, 'privateKeyJwk/alg'],
  ]) {
    assert.throws(
      () => setUp({ secret: undefined, ...set, ...(set.secret === undefined ? { secret: null } : {}) }),
      (error) => {
        assert.ok(error instanceof PolicyError, String(error));
        assert.equal(error.pointer, pointer + member);
        return !inspect(error).includes(CANARY);
      },
    );
  }
});

test('a private key that cannot be used makes the answer unavailable, by name', async () => {
  const { ask, stats } = setUp({
    source: { authentication: 'private_key_jwt' },
    secret: { privateKeyJwk: { kty: 'RSA', n: '!', e: '!', d: 'canary' } },
  });
  assert.equal(await ask(), 'unavailable');
  assert.match(stats().lastFailure, /^[A-Za-z]*Error$/);
  assert.equal(server.requests.length, 0);
});

const FAILURES = [
  ['status 500', status(500), 'status-500'],
  ['status 403', status(403), 'status-403'],
  ['status 201', status(201), 'status-201'],
  ['a connection that is reset', reset, 'network'],
  ['silence', hang, 'timeout'],
  ['a body that drips', drip, 'timeout'],
  ['10 MB', huge(10_000_000), 'too-large'],
  ['a redirect', status(307, { location: '/steal' }), 'redirect'],
];
for (const [name, behave, reason] of FAILURES) {
  test(`${name} is unavailable, told by name, and not kept`, async () => {
    server.behave = behave;
    const { ask, events, stats } = setUp({ source: { timeoutMs: reason === 'timeout' ? 1000 : 5000 } });
    assert.equal(await ask(), 'unavailable');
    assert.deepEqual(events, [{ name: 'introspection-failed', issuer: ISSUER, reason }]);
    assert.equal(stats().lastFailure, reason);
    server.behave = json({ active: true });
    assert.equal(await ask(), '{"active":true}');
    assert.ok(!server.requests.some(({ url }) => url === '/steal'));
  });
}

test('a server that is not there is unavailable', async () => {
  const gone = await origin();
  await gone.close();
  const { ask, stats } = setUp({ source: { endpoint: gone.url } });
  assert.equal(await ask(), 'unavailable');
  assert.equal(stats().lastFailure, 'network');
});

test('a 401 means that the server does not know us: unavailable, by a name of its own', async () => {
  server.behave = status(401, { 'www-authenticate': 'Basic' });
  const { ask, events } = setUp();
  assert.equal(await ask(), 'unavailable');
  assert.deepEqual(events, [
    { name: 'introspection-credentials-refused', issuer: ISSUER, reason: 'status-401' },
  ]);
});

test('an answer is kept until its exp, and no longer than the bound', async () => {
  const { ask, time, stats } = setUp();
  server.behave = json({ active: true, exp: time.now + 30 });
  await ask();
  time.pass(29);
  await ask();
  assert.equal(server.requests.length, 1);
  assert.equal(stats().hits, 1);
  time.pass(1);
  await ask();
  assert.equal(server.requests.length, 2);
  server.behave = json({ active: true, exp: time.now + 3600 });
  await ask('second');
  time.pass(59);
  await ask('second');
  assert.equal(server.requests.length, 3);
  time.pass(1);
  await ask('second');
  assert.equal(server.requests.length, 4);
});

test('that a token is not active is kept as well, for a shorter time', async () => {
  const { ask, time, stats } = setUp();
  server.behave = json({ active: false });
  assert.equal(await ask(), '{"active":false}');
  time.pass(9);
  assert.equal(await ask(), '{"active":false}');
  assert.equal(server.requests.length, 1);
  assert.deepEqual([stats().active, stats().inactive], [0, 1]);
  time.pass(1);
  server.behave = json({ active: true });
  assert.equal(await ask(), '{"active":true}');
});

test('bounds of 0 keep nothing', async () => {
  for (const active of [true, false]) {
    server.behave = json({ active });
    const { ask } = setUp({ source: { cacheSeconds: 0, negativeCacheSeconds: 0 } });
    server.requests.length = 0;
    await ask();
    await ask();
    assert.equal(server.requests.length, 2);
  }
});

test('what says nothing clear is handed on for the core to refuse, and not kept', async () => {
  for (const text of [
    '',
    'garbage',
    'null',
    '7',
    '[]',
    '{}',
    '{"active":"true"}',
    '{"active":1}',
    '{"active":true,"exp":"4102444800"}',
    '{"active":true,"exp":1e400}',
    '{"active":true,"exp":null}',
    '\ufeff{"active":true}',
  ]) {
    const { ask } = setUp();
    server.behave = json(text);
    server.requests.length = 0;
    assert.equal(await ask(), text, 'not unavailable: the answer as it is');
    await ask();
    assert.equal(server.requests.length, 2, text);
  }
});

test('an answer that was over before it came is not kept', async () => {
  const { ask, time } = setUp();
  server.behave = json({ active: true, exp: time.now });
  await ask();
  await ask();
  assert.equal(server.requests.length, 2);
});

test('more at once than the policy allows are busy, and those under way come to their end', async () => {
  const waiting = [];
  server.behave = (request, response) => waiting.push(() => json({ active: true })(request, response));
  const { ask, stats, events } = setUp({ source: { concurrency: 4 } });
  const asked = Array.from({ length: 20 }, (_, turn) => ask(`token ${turn}`));
  while (waiting.length < 4) await new Promise((resolve) => setImmediate(resolve));
  for (const answer of waiting) answer();
  const answers = await Promise.all(asked);
  assert.equal(answers.filter((answer) => answer === 'busy').length, 16);
  assert.equal(answers.filter((answer) => answer === '{"active":true}').length, 4);
  assert.equal(stats().busy, 16);
  assert.equal(events.length, 16);
  server.behave = json({ active: true });
  assert.equal(await ask('afterwards'), '{"active":true}');
});

test('requests whose end was never told free their places when their time is over', async () => {
  let begun = 0;
  const losing = () => {
    begun += 1;
    return new Promise(() => {});
  };
  const { ask, time } = setUp({
    source: { concurrency: 2, timeoutMs: 1000 },
    fetch: (url, init) => (init.body.includes('lost') ? losing() : fetch(url, init)),
  });
  const lost = [ask('lost 1'), ask('lost 2')];
  while (begun < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await ask('c'), 'busy');
  time.pass(3);
  assert.equal(await ask('c'), '{"active":true,"sub":"s"}');
  assert.deepEqual(await Promise.all(lost), ['unavailable', 'unavailable']);
});

test('many requests with one token ask once, and when that fails it has failed for all', async () => {
  for (const [behave, answer] of [
    [json({ active: true }), '{"active":true}'],
    [status(500), 'unavailable'],
  ]) {
    let answered;
    let looking = 0;
    let wake;
    const awake = new Promise((resolve) => {
      wake = resolve;
    });
    server.requests.length = 0;
    server.behave = (request, response) => {
      answered = () => behave(request, response);
    };
    const sleep = () => {
      looking += 1;
      return awake;
    };
    const { ask, stats } = setUp({ source: { concurrency: 4 }, sleep });
    const asked = Array.from({ length: 30 }, () => ask());
    while (answered === undefined || looking < 29) await new Promise((resolve) => setImmediate(resolve));
    answered();
    while (stats().failures + stats().active === 0) await new Promise((resolve) => setImmediate(resolve));
    wake();
    assert.deepEqual(new Set(await Promise.all(asked)), new Set([answer]));
    assert.equal(server.requests.length, 1);
  }

  // An answer that must not be kept can be shared with nobody: each asks for itself.
  server.behave = json({ active: true });
  server.requests.length = 0;
  const uncached = setUp({ source: { cacheSeconds: 0 } });
  const own = await Promise.all(Array.from({ length: 10 }, () => uncached.ask('third')));
  assert.deepEqual(new Set(own), new Set(['{"active":true}']));
  assert.equal(server.requests.length, 10);
});

test('a flood of tokens that nobody issued evicts no good answer', async () => {
  server.behave = (request, response, form) => json({ active: form.includes('good') })(request, response);
  const { ask, stats } = setUp();
  await ask('good');
  for (let turn = 0; turn < 1100; turn++) await ask(`bad ${turn}`);
  assert.deepEqual([stats().active, stats().inactive], [1, 1000]);
  server.requests.length = 0;
  await ask('good');
  assert.equal(server.requests.length, 0);
});

test('no map is given the token, for an answer or for a request under way', async () => {
  const { set } = Map.prototype;
  const seen = [];
  Map.prototype.set = function (key, value) {
    seen.push(key, value);
    return set.call(this, key, value);
  };
  try {
    const { ask } = setUp();
    await ask('map-canary');
  } finally {
    Map.prototype.set = set;
  }
  const held = seen.filter((item) => inspect(item, { depth: 9 }).includes('canary'));
  assert.ok(seen.length >= 4);
  assert.deepEqual(held, []);
});

test('the token is kept nowhere: not in what is held, and not in what is told', async () => {
  server.behave = json({ active: true, sub: 's' });
  const { ask, introspection, events, stats } = setUp();
  const request = context();
  await ask(TOKEN, request);
  server.behave = reset;
  await ask(`${TOKEN}2`, request);
  assert.equal(request.left.length, 2);
  const told = inspect([introspection, events, stats(), request], { depth: 9, showHidden: true });
  assert.ok(!told.includes(TOKEN) && !told.includes('secret'));
  // Two tokens never share an answer, nor does one that is the hash of another.
  server.behave = json({ active: false });
  const digest = createHash('sha256').update(TOKEN).digest('hex');
  assert.equal(await ask(digest), '{"active":false}');
});
