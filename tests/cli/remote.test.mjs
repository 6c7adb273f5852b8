// What a terminal and a network add: keys that `verify` fetches, and a reader that goes away.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { generateSigningKey } from 'portcullis/issuer';

import { file, json, NOW, portcullis } from './run.mjs';

const key = generateSigningKey('ES256');
const other = generateSigningKey('ES256');
const audience = 'https://api.example';
const at = ['--now', String(NOW)];

const asked = [];
let answers;
let origin;
const server = createServer((request, response) => {
  asked.push(request.url);
  const answer = answers[request.url];
  if (answer === undefined) response.writeHead(404).end();
  else if (typeof answer === 'function') answer(response);
  else response.end(JSON.stringify(answer));
});
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());
beforeEach(() => {
  asked.length = 0;
  answers = {
    '/jwks': key.jwks(),
    '/.well-known/openid-configuration': { issuer: origin, jwks_uri: `${origin}/jwks` },
  };
});

const policyWith = (name, members) => file(name, { issuers: [{ issuer: origin, audience, ...members }] });
const tokenOf = (signer) =>
  signer.mintAccessToken({ issuer: origin, audience, subject: 's', clientId: 'c' }, { now: NOW });

test('verify fetches the keys that a policy says are remote, and those alone', async () => {
  const byUri = policyWith('uri.json', { remote: { jwksUri: `${origin}/jwks` } });
  assert.equal((await json(['verify', '-p', byUri, ...at, tokenOf(key)])).answer.ok, true);
  assert.deepEqual(asked, ['/jwks']);
  asked.length = 0;
  const byDiscovery = policyWith('discovery.json', { remote: { discovery: 'oidc' } });
  assert.equal((await json(['verify', '-p', byDiscovery, ...at, tokenOf(key)])).answer.ok, true);
  assert.deepEqual(asked, ['/.well-known/openid-configuration', '/jwks']);
});

test('verify takes the tenant by --tenant where a policy asks a function, and says so where none is given', async () => {
  const tenants = (name, holes, issuer, keys) => {
    const remote = { jwksUri: `${origin}/${keys}` };
    return file(name, {
      issuers: [{ issuer, tenants: 'resolver', holesWithoutClaim: holes, audience, remote }],
    });
  };
  const mint = (issuer) =>
    key.mintAccessToken({ issuer, audience, subject: 's', clientId: 'c' }, { now: NOW });
  const one = tenants('one.json', ['a'], 'https://login.example/{a}/v2.0', '{a}');
  const token = mint('https://login.example/x/v2.0');
  answers['/x'] = answers['/x-y'] = key.jwks();

  const without = await portcullis(['verify', '-p', one, ...at, token]);
  assert.equal(without.code, 2);
  assert.match(without.err, /"tenants": "resolver".*--tenant VALUE/s);
  assert.deepEqual(asked, []);
  const verify = async (policy, tenant, token) => {
    const options = tenant.flatMap((text) => ['--tenant', text]);
    return json(['verify', '-p', policy, ...options, ...at, token]);
  };
  assert.equal((await verify(one, ['x'], token)).answer.ok, true);
  assert.equal((await verify(one, ['a=x'], token)).answer.ok, true);
  assert.deepEqual(asked, ['/x', '/x']);
  assert.equal((await verify(one, ['y'], token)).answer.code, 'issuer-unknown');
  assert.deepEqual(asked, ['/x', '/x']);

  const two = tenants('two.json', ['a', 'b'], 'https://login.example/{a}/{b}', '{a}-{b}');
  assert.equal((await verify(two, ['a=x', 'b=y'], mint('https://login.example/x/y'))).answer.ok, true);
  for (const [policy, tenant] of [
    [one, ['../x']],
    [one, ['c=x']],
    [one, ['x', 'y']],
    [two, ['x']],
    [policyWith('uri.json', { remote: { jwksUri: `${origin}/jwks` } }), ['x']],
  ]) {
    const options = tenant.flatMap((text) => ['--tenant', text]);
    const { code, err } = await portcullis(['verify', '-p', policy, ...options, ...at, token]);
    assert.equal(code, 2, String(tenant));
    assert.match(err, /tenant/);
  }
});

test('verify decides by what was fetched', async () => {
  const policy = policyWith('uri.json', { remote: { jwksUri: `${origin}/jwks` } });
  const { code, answer } = await json(['verify', '-p', policy, ...at, tokenOf(other)]);
  assert.deepEqual([code, answer.code], [1, 'kid-unknown']);
  assert.deepEqual(asked, ['/jwks']);
});

test('verify --offline fetches nothing, nor does --keys, nor a token that needs no keys from elsewhere', async () => {
  const policy = policyWith('uri.json', { remote: { jwksUri: `${origin}/jwks` } });
  const token = tokenOf(key);
  assert.equal((await json(['verify', '--offline', '-p', policy, ...at, token])).answer.code, 'keys-not-set');
  const set = file('set.json', key.jwks());
  assert.equal((await json(['verify', '--keys', set, '-p', policy, ...at, token])).code, 0);
  const built = policyWith('built.json', { jwks: key.jwks(), remote: { jwksUri: `${origin}/jwks` } });
  assert.equal((await json(['verify', '-p', built, ...at, token])).code, 0);
  assert.equal((await json(['verify', '-p', policy, ...at, 'a.b.c'])).code, 1);
  const stranger = key.mintAccessToken({
    issuer: 'https://stranger.example',
    audience,
    subject: 's',
    clientId: 'c',
  });
  assert.equal((await json(['verify', '-p', policy, ...at, stranger])).answer.code, 'issuer-unknown');
  assert.deepEqual(asked, []);
});

test('verify: keys that cannot be fetched are no refusal of the token, and the reason is told', async () => {
  for (const [answer, reason] of [
    [undefined, /status-404/],
    [(response) => response.destroy(), /network/],
    [(response) => response.writeHead(302, { location: '/jwks2' }).end(), /redirect/],
    [(response) => response.end('<!doctype html>'), /bad-document/],
    [{ keys: [] }, /bad-document/],
  ]) {
    answers['/jwks'] = answer;
    const policy = policyWith('uri.json', { remote: { jwksUri: `${origin}/jwks` } });
    const { code, out, err } = await portcullis(['verify', '-p', policy, ...at, tokenOf(key)]);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, reason);
    assert.ok(err.includes(`${origin}/jwks`) && err.includes('--offline'), err);
  }
  assert.ok(!asked.includes('/jwks2'));
});

test('keys --alg settles what a key without alg is for, as issuers[].algorithms does', async () => {
  const { n, e } = await rsaKey();
  answers['/rsa'] = { keys: [{ kty: 'RSA', kid: 'r', n, e }] };
  const bare = await json(['keys', `${origin}/rsa`]);
  assert.deepEqual([bare.code, bare.answer.keys[0].usable], [1, false]);
  const named = await json(['keys', '--alg', 'RS256', `${origin}/rsa`]);
  assert.deepEqual(
    [named.code, named.answer.keys[0]],
    [0, { kid: 'r', kty: 'RSA', alg: 'RS256', usable: true }],
  );
  for (const alg of ['RS257', 'none', ''])
    assert.equal((await portcullis(['keys', '--alg', alg, `${origin}/rsa`])).code, 2, alg);
});

test('keys: what is no JSON is said with line and column', async () => {
  answers['/page'] = (response) => response.end('{\n "keys": [}');
  const { code, answer } = await json(['keys', `${origin}/page`]);
  assert.equal(code, 1);
  assert.match(answer.reason, /expected a value; found "}" \(line 2, column 11\)/);
});

test('a reader that goes away ends nothing with an error, and the exit code stays', async () => {
  const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
  const path = file('set.json', key.jwks());
  for (const [args, expected] of [
    [['keys', path], 0],
    [['check', join('/', 'nowhere')], 2],
  ]) {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    child.stderr.on('data', (chunk) => {
      told += chunk;
    });
    // Before anything is written, so that the first write meets a pipe without a reader.
    child.stdout.destroy();
    const [code] = await once(child, 'close');
    assert.equal(code, expected, told);
    assert.ok(!/EPIPE|Error:|at /.test(told), told);
  }
});

async function rsaKey() {
  const { publicKey } = await crypto.subtle.generateKey(
    {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: 'SHA-256',
    },
    true,
    ['sign', 'verify'],
  );
  return crypto.subtle.exportKey('jwk', publicKey);
}
