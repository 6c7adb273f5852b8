// What a verifier keeps in order to be fast, and that none of it outlives its reason.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createVerifier, PolicyError } from 'portcullis';
import { generateSigningKey } from 'portcullis/issuer';

const NOW = 1_800_000_000;
const REQUEST = {
  issuer: 'https://issuer.example',
  audience: 'https://api.example',
  subject: 's',
  clientId: 'c',
  lifetimeSeconds: 300,
};
const key = generateSigningKey('ES256');
const mint = (from = key) => from.mintAccessToken(REQUEST, { now: NOW });
const policyOf = (keys, more) => ({
  issuers: [
    {
      issuer: REQUEST.issuer,
      audience: REQUEST.audience,
      jwks: { keys: keys.map(({ publicJwk }) => publicJwk) },
    },
  ],
  ...more,
});
const policy = policyOf([key]);
const at = (now) => ({ now });
const pointer = (make) => {
  try {
    make();
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error));
    return error.pointer;
  }
  return undefined;
};

test('the same token again is the same verdict, and only of the kind of question it answered', () => {
  const verifier = createVerifier(policy);
  const token = mint();
  const first = verifier.verify(token, at(NOW));
  assert.equal(first.ok, true);
  assert.equal(verifier.verify(`${token}`, at(NOW)), first);
  assert.equal(verifier.verify(` ${token}`.slice(1), at(NOW + 1)), first);
  assert.equal(verifier.verifyAuthorization(token, at(NOW)).code, 'authorization-scheme');
  const value = verifier.verifyAuthorization(`Bearer ${token}`, at(NOW));
  assert.equal(value.ok, true);
  assert.equal(verifier.verifyAuthorization(`Bearer ${token}`, at(NOW)), value);
  assert.equal(verifier.verify(`Bearer ${token}`, at(NOW)).ok, false);
  assert.deepEqual(verifier.stats().cache, { entries: 2, hits: 3, misses: 4 });
});

test('a hit is judged by the clock: expiry and not-before hold to the second, leeway included', () => {
  const verifier = createVerifier({ ...policy, leewaySeconds: 7 });
  const bare = createVerifier({ ...policy, leewaySeconds: 7 }, { cache: 0 });
  const token = mint();
  for (const now of [
    NOW,
    NOW - 7,
    NOW - 8,
    NOW,
    NOW + 306,
    NOW + 307,
    NOW + 306,
    NOW + 306,
    NOW + 308,
    NOW,
  ]) {
    const expected = bare.verify(token, at(now));
    assert.deepEqual(verifier.verify(token, at(now)), expected, `${now - NOW}`);
  }
  assert.ok(verifier.stats().cache.hits >= 3);
});

test('a clock that is none is told as a mistake, whether the token is remembered or not', () => {
  const verifier = createVerifier(policy);
  const token = mint();
  assert.equal(verifier.verify(token, at(NOW)).ok, true);
  for (const now of [NOW + 0.5, Number.NaN, -1, Number.POSITIVE_INFINITY, '1800000000', null]) {
    assert.equal(
      pointer(() => verifier.verify(token, at(now))),
      '/now',
      String(now),
    );
  }
  assert.equal(verifier.verify(token, at(NOW)).ok, true);
});

test('nothing that was refused is remembered', () => {
  const verifier = createVerifier(policy);
  const token = mint();
  const forged = token.slice(0, -4) + (token.endsWith('AAAA') ? 'BBBA' : 'AAAA');
  for (let count = 0; count < 3; count++) {
    assert.equal(verifier.verify(forged, at(NOW)).ok, false);
    assert.equal(verifier.verify(token, at(NOW + 10_000)).code, 'expired');
    assert.equal(verifier.verify(undefined, at(NOW)).code, 'token-missing');
  }
  assert.deepEqual(verifier.stats().cache, { entries: 0, hits: 0, misses: 9 });
});

test('another policy ends what was remembered; one that is refused changes nothing', () => {
  const [mine, other] = [key, generateSigningKey('EdDSA')];
  const verifier = createVerifier(policyOf([mine]));
  const token = mint(mine);
  const first = verifier.verify(token, at(NOW));
  assert.equal(
    pointer(() => verifier.replacePolicy({ issuers: [] })),
    '/issuers',
  );
  assert.equal(verifier.verify(token, at(NOW)), first);
  verifier.replacePolicy(policyOf([other]));
  assert.equal(verifier.verify(token, at(NOW)).ok, false);
  assert.equal(verifier.verify(mint(other), at(NOW)).ok, true);
  verifier.replacePolicy(policyOf([mine, other]));
  const again = verifier.verify(token, at(NOW));
  assert.deepEqual(again, first);
  assert.notEqual(again, first);
});

test('the cache holds as many as it is asked to and no more', () => {
  const tokens = Array.from({ length: 9 }, () => mint());
  for (const cache of [0, 1, 2, 3, 8]) {
    const verifier = createVerifier(policy, { cache });
    for (const token of tokens) assert.equal(verifier.verify(token, at(NOW)).ok, true);
    const { entries, hits } = verifier.stats().cache;
    assert.ok(entries <= cache && (entries > 0 || cache === 0), `${entries} of ${cache}`);
    assert.equal(hits, 0);
    verifier.verify(tokens.at(-1), at(NOW));
    assert.equal(verifier.stats().cache.hits, cache === 0 ? 0 : 1);
  }
  for (const cache of [-1, 0.5, Number.NaN, 1_000_001, '5', null]) {
    assert.equal(
      pointer(() => createVerifier(policy, { cache })),
      cache === null ? undefined : '/cache',
      String(cache),
    );
  }
});

test('what is used stays; what is not goes first', () => {
  const verifier = createVerifier(policy, { cache: 4 });
  const [used, ...others] = Array.from({ length: 12 }, () => mint());
  const first = verifier.verify(used, at(NOW));
  for (const token of others) {
    verifier.verify(token, at(NOW));
    assert.equal(verifier.verify(used, at(NOW)), first);
  }
});

test('a verdict cannot be changed by whom it was given to', () => {
  const signing = generateSigningKey('ES256');
  const verifier = createVerifier(policyOf([signing]));
  const claims = { roles: ['a', { deep: [1] }] };
  const token = signing.mintAccessToken({ ...REQUEST, claims }, { now: NOW });
  const verdict = verifier.verify(token, at(NOW));
  const all = [verdict, verdict.header, verdict.claims, verdict.claims.roles, verdict.claims.roles[1].deep];
  for (const value of all) assert.ok(Object.isFrozen(value));
  assert.throws(() => {
    verdict.claims.roles.push('admin');
  }, TypeError);
});

test('tables are built with the second token or at import, counted, and within the budget', () => {
  const tables = (stats) => stats.keys.map(({ tableBytes }) => tableBytes);
  const second = generateSigningKey('EdDSA');
  const verifier = createVerifier(policyOf([key, second]), { cache: 0 });
  verifier.verify(mint(), at(NOW));
  assert.deepEqual(tables(verifier.stats()), [0, 0]);
  verifier.verify(mint(), at(NOW));
  const stats = verifier.stats();
  const [p256] = tables(stats);
  assert.ok(p256 > 0 && p256 <= 100 * 1024, `${p256}`);
  assert.equal(stats.tableBytes, p256);
  assert.equal(stats.tableBytesAllowed, 2 * 1024 * 1024);
  assert.ok(stats.generatorTableBytes > 0 && stats.memoryBytes > stats.tableBytes && stats.headers === 1);
  assert.deepEqual(
    stats.keys.map(({ issuer, kid, alg, uses }) => ({ issuer, kid, alg, uses })),
    [
      { issuer: REQUEST.issuer, kid: key.kid, alg: 'ES256', uses: 2 },
      { issuer: REQUEST.issuer, kid: second.kid, alg: 'EdDSA', uses: 0 },
    ],
  );
  for (let count = 0; count < 300; count++) verifier.verify(mint(), at(NOW));
  const [hot] = tables(verifier.stats());
  assert.ok(hot > p256 && hot <= 320 * 1024, `${hot}`);

  const eager = createVerifier(policyOf([key, second], { precompute: true })).stats();
  assert.ok(tables(eager).every((bytes) => bytes > 0));
  const none = createVerifier(policyOf([key], { tableBytes: 0, precompute: true }), { cache: 0 });
  for (let count = 0; count < 3; count++) assert.equal(none.verify(mint(), at(NOW)).ok, true);
  assert.deepEqual(tables(none.stats()), [0]);
  assert.equal(
    pointer(() => createVerifier({ ...policy, tableBytes: 2 ** 40 })),
    '/tableBytes',
  );
});

test('published keys that change forget what was remembered, and the same again do not', () => {
  const [own, next] = [generateSigningKey('ES256'), generateSigningKey('ES256')];
  const remote = { jwksUri: 'https://issuer.example/jwks' };
  const verifier = createVerifier({
    issuers: [{ issuer: REQUEST.issuer, audience: REQUEST.audience, remote }],
  });
  const token = mint(own);
  assert.equal(verifier.verify(token, at(NOW)).code, 'keys-not-set');
  assert.equal(verifier.setRemoteKeys(REQUEST.issuer, own.jwks()).changed, true);
  const first = verifier.verify(token, at(NOW));
  assert.equal(first.ok, true);
  // As text, and in another order of members.
  const same = JSON.stringify({ more: 1, keys: own.jwks().keys });
  assert.equal(verifier.setRemoteKeys(REQUEST.issuer, same).changed, false);
  assert.equal(verifier.verify(token, at(NOW)), first);
  assert.equal(
    pointer(() => verifier.setRemoteKeys(REQUEST.issuer, '<html>')),
    '',
  );
  assert.equal(
    pointer(() => verifier.setRemoteKeys('https://other.example', own.jwks())),
    '/issuer',
  );
  assert.equal(verifier.verify(token, at(NOW)), first);
  const report = verifier.setRemoteKeys(REQUEST.issuer, { keys: [next.publicJwk, { kty: 'NEW', kid: 'n' }] });
  assert.deepEqual(report, {
    changed: true,
    keys: [{ kid: next.kid, alg: 'ES256' }],
    leftOut: [{ kid: 'n', reason: '/kty: "NEW" is not supported' }],
  });
  assert.equal(verifier.verify(token, at(NOW)).code, 'kid-unknown');
  assert.equal(verifier.verify(mint(next), at(NOW)).ok, true);
});
