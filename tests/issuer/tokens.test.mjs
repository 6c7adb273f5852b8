// What is minted, in the hands of verifiers that are not ours. (The crate `jsonwebtoken` is asked
// by tests/rust/issuer_endpoint.rs.)
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { JwtVerifier } from 'aws-jwt-verify';
import { createLocalJWKSet, createRemoteJWKSet, jwtVerify } from 'jose';
import { createVerifier } from 'portcullis';
import { generateSigningKey } from 'portcullis/issuer';

import { AUDIENCE, serveIssuer } from './serve.mjs';

for (const alg of ['ES256', 'EdDSA']) {
  test(`a token signed with ${alg} verifies in jose, in aws-jwt-verify and in our own verifier`, async (t) => {
    const signingKeys = [{ jwk: generateSigningKey(alg).privateJwk() }];
    const { issuer, url } = await serveIssuer(t, { options: { signingKeys } });
    const options = {
      clientId: 'page',
      scope: 'notes:read',
      acr: 'urn:example:2fa',
      authTimeSeconds: 1_700_000_000,
    };
    const { access_token, sid } = await issuer.startSession('alice', options);

    const keys = createRemoteJWKSet(new URL(`${url}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(access_token, keys, {
      issuer: url,
      audience: AUDIENCE,
      typ: 'at+jwt',
      requiredClaims: ['iat', 'jti', 'sub', 'client_id', 'auth_time'],
    });
    assert.equal(protectedHeader.alg, alg);
    const { sub, scope, acr, auth_time, gen, exp, iat } = payload;
    assert.deepEqual(
      { sub, scope, acr, auth_time, sid: payload.sid, gen },
      {
        sub: 'alice',
        scope: 'notes:read',
        acr: options.acr,
        auth_time: options.authTimeSeconds,
        sid,
        gen: 0,
      },
    );
    assert.equal(exp - iat, 300);

    const generic = JwtVerifier.create({
      issuer: url,
      audience: AUDIENCE,
      jwksUri: `${url}/jwks`,
      clientId: null,
    });
    generic.cacheJwks(issuer.jwks());
    assert.equal((await generic.verify(access_token)).sub, 'alice');

    const verdict = createVerifier({
      issuers: [{ issuer: url, audience: AUDIENCE, jwks: issuer.jwks() }],
    }).verify(access_token);
    assert.equal(verdict.ok, true);

    // Each of them can say no.
    const broken = `${access_token.slice(0, -8)}AAAAAAAA`;
    await assert.rejects(jwtVerify(broken, createLocalJWKSet(issuer.jwks())));
    await assert.rejects(generic.verify(broken));
  });
}

test('the JWK Set may be kept for as long as a key is published before it signs', async (t) => {
  const now = Math.floor(Date.now() / 1000);
  const [old, next] = [generateSigningKey('ES256'), generateSigningKey('EdDSA')];
  const signingKeys = [
    { jwk: old.privateJwk() },
    { jwk: next.privateJwk(), publishedAtSeconds: now + 100, signsFromSeconds: now + 400 },
  ];
  const { issuer, url, advance } = await serveIssuer(t, {
    config: { jwksCacheSeconds: 300 },
    options: { signingKeys },
  });
  const response = await fetch(`${url}/jwks`);
  assert.equal(response.headers.get('cache-control'), 'public, max-age=300');
  assert.equal(response.headers.get('content-type'), 'application/jwk-set+json');
  const kids = async () => (await (await fetch(`${url}/jwks`)).json()).keys.map(({ kid }) => kid);
  const signer = async () => {
    const { access_token } = await issuer.startSession('alice', { clientId: 'page' });
    return JSON.parse(Buffer.from(access_token.split('.')[0], 'base64url').toString()).kid;
  };
  assert.deepEqual(await kids(), [old.kid]);
  advance(101);
  assert.deepEqual([await kids(), await signer()], [[old.kid, next.kid], old.kid]);
  advance(300);
  assert.deepEqual([await kids(), await signer()], [[old.kid, next.kid], next.kid]);
  advance(700);
  assert.deepEqual(await kids(), [next.kid]);

  const tooSoon = [signingKeys[0], { ...signingKeys[1], signsFromSeconds: now + 399 }];
  await assert.rejects(
    serveIssuer(t, { config: { jwksCacheSeconds: 300 }, options: { signingKeys: tooSoon } }),
    {
      name: 'PolicyError',
      pointer: '/signingKeys/1/signsFromSeconds',
    },
  );
});
