// The entry portcullis/ml-dsa, with keys and signatures of OpenSSL: Node 24 has ML-DSA, the Node
// that runs this need not.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import * as portcullis from 'portcullis';
import { createVerifier, PolicyError, verifyJws } from 'portcullis/ml-dsa';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NODE_24 = join(ROOT, 'target', 'runtimes', 'core', 'node_modules', 'node24', 'bin', 'node');
const NOW = 1_800_000_000;
const ALGS = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'];
const CLAIMS = { iss: 'https://issuer.example', aud: 'https://api.example', sub: 's', exp: NOW + 300 };

const SIGN = `
  import { generateKeyPairSync, sign } from 'node:crypto';
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const made = ${JSON.stringify(ALGS)}.map((alg) => {
    const { publicKey, privateKey } = generateKeyPairSync(alg.toLowerCase());
    const input = part({ alg, typ: 'at+jwt', kid: alg }) + '.' + part(${JSON.stringify(CLAIMS)});
    const token = input + '.' + sign(null, Buffer.from(input), privateKey).toString('base64url');
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    return { alg, token, pem, jwk: publicKey.export({ format: 'jwk' }), secret: privateKey.export({ format: 'jwk' }) };
  });
  console.log(JSON.stringify(made));`;
const made = JSON.parse(execFileSync(NODE_24, ['--input-type=module', '-e', SIGN], { encoding: 'utf8' }));

const policy = (keys, more = {}) => ({
  issuers: [{ issuer: CLAIMS.iss, audience: CLAIMS.aud, jwks: { keys }, ...more }],
});
const verifier = createVerifier(policy(made.map(({ alg, jwk }) => ({ ...jwk, kid: alg }))));

/** The token with one bit of its signature turned. */
function forged(token, place) {
  const dot = token.lastIndexOf('.') + 1;
  const signature = Buffer.from(token.slice(dot), 'base64url');
  signature[place < 0 ? signature.length + place : place] ^= 1;
  return token.slice(0, dot) + signature.toString('base64url');
}

for (const { alg, token, jwk, pem, secret } of made) {
  test(`${alg}: what OpenSSL signs is accepted, and no bit of it may differ`, () => {
    const verdict = verifier.verify(token, { now: NOW });
    assert.deepEqual({ ok: verdict.ok, claims: verdict.claims }, { ok: true, claims: CLAIMS });
    for (const place of [0, 40, 1000, 2000, -1]) {
      assert.equal(verifier.verify(forged(token, place), { now: NOW }).code, 'signature-invalid', `${place}`);
    }
    const [header, payload] = token.split('.');
    const other = `${header}.${Buffer.from(JSON.stringify({ ...CLAIMS, sub: 't' })).toString('base64url')}`;
    const signature = token.slice(header.length + payload.length + 2);
    assert.equal(verifier.verify(`${other}.${signature}`, { now: NOW }).code, 'signature-invalid');
    assert.equal(verifier.verify(`${header}.${payload}.AA`, { now: NOW }).code, 'signature-length');
    assert.equal(verifyJws(token, jwk).ok, true);
  });

  test(`${alg}: the key in PEM is the same key (RFC 9881)`, () => {
    const issuer = { issuer: CLAIMS.iss, audience: CLAIMS.aud, keys: [{ alg, pem }] };
    assert.equal(createVerifier({ issuers: [issuer] }).verify(token, { now: NOW }).ok, true);
    const other = ALGS.find((name) => name !== alg);
    assert.throws(
      () => createVerifier({ issuers: [{ ...issuer, keys: [{ alg: other, pem }] }] }),
      (error) => error instanceof PolicyError && error.pointer === '/issuers/0/keys/0/alg',
    );
  });

  test(`${alg}: a key that is no good is refused by name`, () => {
    const pointer = (key) => {
      try {
        createVerifier(policy([key]));
      } catch (error) {
        return error.pointer;
      }
      return 'was taken';
    };
    const at = (member) => `/issuers/0/jwks/keys/0/${member}`;
    const { alg: _, ...nameless } = jwk;
    assert.equal(pointer(nameless), at('alg'));
    assert.equal(pointer({ ...jwk, pub: jwk.pub.slice(4) }), at('pub'));
    assert.equal(pointer({ ...jwk, pub: undefined }), at('pub'));
    assert.equal(pointer({ ...jwk, alg: 'ES256' }), at('alg'));
    assert.equal(pointer(secret), at('priv'));
  });
}

test('a policy narrows the parameter sets', () => {
  const keys = made.map(({ alg, jwk }) => ({ ...jwk, kid: alg }));
  const narrow = createVerifier(policy(keys, { algorithms: ['ML-DSA-65'] }));
  assert.deepEqual(
    made.map(({ token }) => narrow.verify(token, { now: NOW }).ok),
    [false, true, false],
  );
});

test('the main entry knows nothing of it and says so', () => {
  const [{ jwk, token }] = made;
  assert.equal(
    portcullis.verifyJws(token, { kty: 'oct', alg: 'HS256', k: `${'A'.repeat(42)}E` }).code,
    'alg-unknown',
  );
  assert.throws(
    () => portcullis.createVerifier(policy([jwk])),
    (error) => error.pointer.startsWith('/issuers/0/jwks'),
  );
});
