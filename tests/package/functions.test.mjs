// The JavaScript face: what a user can do wrong, and what must not happen behind their back.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';

import { createVerifier, inspect, PolicyError, verifyJws } from 'portcullis';
import { generateSigningKey, importSigningKey } from 'portcullis/issuer';
import * as slim from 'portcullis/slim';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NOW = 1_800_000_000;
const key = generateSigningKey('ES256');
const request = {
  issuer: 'https://issuer.example',
  audience: 'https://api.example',
  subject: 's',
  clientId: 'c',
};
const issuer = { issuer: request.issuer, audience: request.audience, jwks: key.jwks() };
const policy = { issuers: [issuer] };
const token = key.mintAccessToken(request, { now: NOW });
const verifier = createVerifier(policy);

test('importing compiles nothing; the first call does', () => {
  const script = `
    let compiled = 0;
    const { Module } = WebAssembly;
    WebAssembly.Module = class extends Module { constructor(bytes) { compiled += 1; super(bytes); } };
    const entries = await Promise.all([import('portcullis'), import('portcullis/issuer'), import('portcullis/slim')]);
    console.log(compiled);
    entries[0].inspect('');
    entries[0].inspect('');
    console.log(compiled);`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  assert.equal(printed, '0\n1\n');
});

test('a token that is no string is a verdict, not an exception', () => {
  for (const value of [
    undefined,
    null,
    1,
    {},
    [],
    Symbol('token'),
    () => token,
    Object(token),
    Buffer.from(token),
    '',
  ]) {
    assert.equal(verifier.verify(value, { now: NOW }).code, 'token-missing');
    assert.equal(inspect(value).code, 'token-missing');
    assert.equal(verifyJws(value, key.publicJwk).code, 'token-missing');
  }
  assert.equal(verifier.verify('\ud800.\udfff.', { now: NOW }).code, 'segment-not-base64url');
});

test('an absent header is told from one that is no credential', () => {
  assert.equal(verifier.verifyAuthorization(null).code, 'authorization-missing');
  assert.equal(verifier.verifyAuthorization(undefined).code, 'authorization-missing');
  assert.equal(verifier.verifyAuthorization('').code, 'authorization-scheme');
  assert.equal(verifier.verifyAuthorization(`Bearer ${token}`, { now: NOW }).ok, true);
  const joined = new Headers([
    ['authorization', `Bearer ${token}`],
    ['authorization', `Bearer ${token}`],
  ]);
  assert.equal(
    verifier.verifyAuthorization(joined.get('authorization'), { now: NOW }).code,
    'authorization-ambiguous',
  );
});

test('a mistake in the policy throws and names the field', () => {
  const cases = [
    [undefined, ''],
    [[], ''],
    [{}, '/issuers'],
    [{ issuers: [] }, '/issuers'],
    [{ issuers: [{ ...issuer, issuer: undefined }] }, '/issuers/0/issuer'],
    [{ issuers: [{ ...issuer, audience: '' }] }, '/issuers/0/audience'],
    [{ issuers: [{ ...issuer, audience: [] }] }, '/issuers/0/audience'],
    [{ issuers: [{ issuer: issuer.issuer, audience: issuer.audience }] }, '/issuers/0'],
    [{ issuers: [{ ...issuer, jwks: undefined }] }, '/issuers/0/jwks'],
    [{ issuers: [{ ...issuer, audiance: 'x' }] }, '/issuers/0/audiance'],
    [{ issuers: [issuer, issuer] }, '/issuers/1/issuer'],
    [{ issuers: [{ ...issuer, jwks: { keys: [key.privateJwk()] } }] }, '/issuers/0/jwks/keys/0/d'],
    [
      { issuers: [{ ...issuer, keys: [{ alg: 'HS256', secret: new Uint8Array(31).fill(1) }] }] },
      '/issuers/0/keys/0/secret',
    ],
    [{ issuers: [{ ...issuer, keys: [{ alg: 'RS256', pem: 'x' }] }] }, '/issuers/0/keys/0/pem'],
    [{ ...policy, leewaySeconds: Number.NaN }, '/leewaySeconds'],
    [{ ...policy, leewaySeconds: Number.POSITIVE_INFINITY }, '/leewaySeconds'],
    [{ ...policy, leewaySeconds: -1 }, '/leewaySeconds'],
    [{ ...policy, leewaySeconds: 1.5 }, '/leewaySeconds'],
    [{ ...policy, leewaySeconds: '5' }, '/leewaySeconds'],
    [{ ...policy, limits: { tokenBytes: 16385 } }, '/limits/tokenBytes'],
    [{ ...policy, ignoreExpiration: true }, '/ignoreExpiration'],
  ];
  for (const [wrong, pointer] of cases) {
    assert.throws(
      () => createVerifier(wrong),
      (error) => {
        assert.ok(error instanceof PolicyError && error instanceof Error);
        assert.equal(error.pointer, pointer, JSON.stringify(wrong));
        assert.equal(error.message, `${pointer}: ${error.reason}`);
        return true;
      },
    );
  }
});

test('a policy that is no JSON is a mistake like any other', () => {
  const circular = { ...policy };
  circular.itself = circular;
  assert.throws(() => createVerifier({ ...policy, leewaySeconds: 5n }), {
    name: 'PolicyError',
    pointer: '/leewaySeconds',
  });
  assert.throws(() => createVerifier(circular), { name: 'PolicyError', pointer: '/itself' });
});

test('an instant that is no whole number of seconds throws', () => {
  for (const now of [
    Number.NaN,
    -1,
    1.5,
    Number.POSITIVE_INFINITY,
    253_402_300_800,
    'now',
    null,
    new Date(),
  ]) {
    assert.throws(() => verifier.verify(token, { now }), { name: 'PolicyError', pointer: '/now' });
  }
  assert.equal(verifier.verify(token, {}).code, 'issued-in-future', 'the clock is the runtime’s');
});

test('bytes in a policy may be of any realm and of Node', () => {
  const secret = new Uint8Array(32).map((_, index) => index + 200);
  for (const bytes of [secret, Buffer.from(secret), Buffer.from(secret).toString('base64url')]) {
    createVerifier({ issuers: [{ issuer: 'i', audience: 'a', keys: [{ alg: 'HS256', secret: bytes }] }] });
  }
  const foreign = runInNewContext('new Uint8Array(32).fill(7)');
  createVerifier({ issuers: [{ issuer: 'i', audience: 'a', keys: [{ alg: 'HS256', secret: foreign }] }] });
});

test('slim says that it was not initialised, then answers as the others', async () => {
  assert.throws(() => slim.createVerifier(policy), /await init/);
  const bytes = readFileSync(`${ROOT}dist/wasm/portcullis.wasm`);
  const wasm = { headers: { 'content-type': 'application/octet-stream' } };
  const foreign = runInNewContext('new WebAssembly.Module(bytes)', { bytes });
  assert.equal(foreign instanceof WebAssembly.Module, false);
  for (const source of [bytes, new Response(bytes, wasm), new WebAssembly.Module(bytes), foreign]) {
    await slim.init(source);
    assert.deepEqual(
      slim.createVerifier(policy).verify(token, { now: NOW }),
      verifier.verify(token, { now: NOW }),
    );
  }
});

test('a signing key outlives its JWK; a request is checked by field', () => {
  const again = importSigningKey(key.privateJwk());
  assert.equal(again.kid, key.kid);
  assert.equal(verifier.verify(again.mintAccessToken(request, { now: NOW }), { now: NOW }).ok, true);
  assert.throws(() => key.mintAccessToken({ ...request, lifetimeSeconds: 0 }), {
    pointer: '/lifetimeSeconds',
  });
  assert.throws(() => key.mintAccessToken({ ...request, claims: { exp: 1 } }), { pointer: '/claims/exp' });
  assert.throws(() => generateSigningKey('RS256'), { pointer: '/alg' });
  assert.throws(() => importSigningKey(key.publicJwk), { pointer: '/d' });
});

test('the example of the README runs', async () => {
  const readme = readFileSync(`${ROOT}README.md`, 'utf8');
  const example = readme.match(/```js\n(import[\s\S]*?)```/)[1];
  const jwks = JSON.stringify(key.jwks());
  const source = example.replace("from 'portcullis'", `from '${import.meta.resolve('portcullis')}'`);
  const url = `data:text/javascript,${encodeURIComponent(`const jwks = ${jwks};\n${source}`)}`;
  // The example is a worker's module, whose handler is its default export.
  const { default: worker } = await import(url);
  const current = key.mintAccessToken(request);
  const ask = (headers) => worker.fetch(new Request('https://api.example', { headers }));
  assert.equal(await ask({ authorization: `Bearer ${current}` }).text(), 'Hello, s');
  const refused = ask({});
  assert.equal(refused.status, 401);
  assert.equal((await refused.json()).code, 'authorization-missing');
});
