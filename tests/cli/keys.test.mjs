// `keys`: what a JWK Set holds and what is wrong with it, out of a file or from a server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { generateSigningKey } from 'portcullis/issuer';

import { file, json, portcullis } from './run.mjs';

const good = generateSigningKey('ES256').publicJwk;
const { kid, ...unnamed } = generateSigningKey('EdDSA').publicJwk;
const set = { keys: [good, unnamed] };
const path = file('set.json', set);

const answers = {
  '/set': (response) => response.end(JSON.stringify(set)),
  '/moved': (response) => response.writeHead(302, { location: '/set' }).end(),
  '/missing': (response) => response.writeHead(404).end(JSON.stringify(set)),
  '/page': (response) => response.end('<!doctype html>'),
  '/large': (response) => response.end(`{"keys":[],"padding":"${'x'.repeat(2_000_000)}"}`),
  '/broken': (response) => response.destroy(),
};
const asked = [];
const server = createServer((request, response) => {
  asked.push(request.url);
  answers[request.url](response);
});
let origin;
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

test('each key is shown, with what it is for', async () => {
  const { code, out } = await portcullis(['keys', path]);
  assert.equal(code, 0);
  assert.match(out, /2 of 2 keys can be used/);
  assert.match(out, new RegExp(`✓ +"${good.kid}" +EC +ES256`));
  assert.match(out, /✓ +without a kid +OKP +EdDSA/);
});

test('what is wrong with a key is said at the member at fault', async () => {
  const { privateKey, ...keys } = {
    privateKey: generateSigningKey('ES256').privateJwk(),
    encryption: { ...good, kid: 'e', use: 'enc' },
    curve: { kty: 'EC', crv: 'P-224', kid: 'c', x: 'AA', y: 'AA' },
    point: { ...good, kid: 'p', y: good.x },
    rsa: { kty: 'RSA', kid: 'r', n: 'AQAB', e: 'AQAB', alg: 'RS256' },
    unsettled: { kty: 'RSA', kid: 'u', n: 'AQAB', e: 'AQAB' },
    secret: { kty: 'oct', kid: 's', alg: 'HS256', k: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' },
    kind: { kty: 'NEW', kid: 'k' },
    nothing: {},
  };
  const all = { keys: [privateKey, ...Object.values(keys), 7, null, good, { ...good }] };
  const { code, answer } = await json(['keys', file('bad-keys.json', all)]);
  assert.equal(code, 0);
  const reasons = answer.keys.map(({ usable, reason }) => (usable ? 'ok' : reason.split(':')[0]));
  assert.deepEqual(reasons, [
    '/d',
    '/use',
    '/crv',
    '/x',
    '/n',
    '/alg',
    '/kty',
    '/kty',
    '/kty',
    '',
    '',
    'ok',
    '/kid',
  ]);
  const { out } = await portcullis(['keys', file('bad-keys.json', all)]);
  assert.match(out, /1 of 13 keys can be used/);
  assert.ok(!out.includes(privateKey.d));
});

test('a set without a usable key is refused', async () => {
  for (const keys of [[], [{ kty: 'NEW' }], [{ ...good, use: 'enc' }]]) {
    const { code, answer } = await json(['keys', file('none.json', { keys })]);
    assert.deepEqual([code, answer.ok, answer.keys.length], [1, false, keys.length]);
  }
});

test('what is no set is refused', async () => {
  for (const text of ['', '[]', '{}', '{"keys":{}}', 'x', '{"keys":[],"keys":[]}', JSON.stringify(good)]) {
    const { code, answer } = await json(['keys', file('no-set.json', text)]);
    assert.deepEqual([code, answer.ok], [1, false], text);
  }
});

test('a set is read from standard input', async () => {
  assert.equal((await json(['keys', '-'], { input: JSON.stringify(set) })).code, 0);
});

test('a set is fetched once, and from where it was said', async () => {
  asked.length = 0;
  assert.equal((await json(['keys', `${origin}/set`])).code, 0);
  assert.deepEqual(asked, ['/set']);
  asked.length = 0;
  const { code, err } = await portcullis(['keys', `${origin}/moved`]);
  assert.deepEqual([code, asked], [2, ['/moved']]);
  assert.match(err, /cannot be fetched/);
});

test('a server that fails is told apart from a set that is bad', async () => {
  for (const name of ['/missing', '/large', '/broken']) {
    assert.equal((await portcullis(['keys', `${origin}${name}`])).code, 2, name);
  }
  assert.equal((await portcullis(['keys', `${origin}/page`])).code, 1);
  assert.equal((await portcullis(['keys', 'http://127.0.0.1:1/nobody'])).code, 2);
});

test('plain HTTP is for loopback by name alone', async () => {
  for (const url of [
    'http://issuer.invalid/jwks',
    'http://localhost.issuer.invalid/jwks',
    'http://127.0.0.1@issuer.invalid/',
    'ftp://127.0.0.1/jwks',
    'file:///etc/hostname',
    'data://x',
  ]) {
    const { code, err } = await portcullis(['keys', url]);
    assert.equal(code, 2, url);
    assert.match(err, /must begin with https/, url);
  }
});
