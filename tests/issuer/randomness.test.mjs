// What an issuer does when the platform's generator fails, or gives the same bytes again and
// again: nothing is signed (RUSTSEC-2026-0075).
import assert from 'node:assert/strict';
import nodeCrypto from 'node:crypto';
import { test } from 'node:test';

import { generateSigningKey, importSigningKey } from 'portcullis/issuer';

import { serveIssuer } from './serve.mjs';

const NOW = 1_800_000_000;
const REQUEST = {
  issuer: 'https://issuer.example',
  audience: 'https://api.example',
  subject: 's',
  clientId: 'c',
};

const GENERATORS = {
  'that throws': () => {
    throw new Error('no entropy');
  },
  'of zeros': (bytes) => bytes.fill(0),
  'of one byte': (bytes) => bytes.fill(7),
  'that counts from the start each time': (bytes) => bytes.set(bytes.map((_, index) => index)),
};

/** Puts a generator in the place of the platform's, wherever the core may look for it. */
async function withGenerator(fill, work) {
  const { getRandomValues } = globalThis.crypto;
  const { randomFillSync } = nodeCrypto;
  let asked = 0;
  const broken = (bytes) => {
    asked += 1;
    fill(bytes);
    return bytes;
  };
  globalThis.crypto.getRandomValues = broken;
  nodeCrypto.randomFillSync = broken;
  try {
    await work();
  } finally {
    globalThis.crypto.getRandomValues = getRandomValues;
    nodeCrypto.randomFillSync = randomFillSync;
  }
  assert.ok(asked > 0, 'the generator was not asked: the test replaced another');
}

const key = generateSigningKey('ES256');

for (const [name, fill] of Object.entries(GENERATORS)) {
  test(`a generator ${name} makes no key and no token`, async () => {
    for (const work of [
      () => generateSigningKey('ES256'),
      () => generateSigningKey('EdDSA'),
      () => key.mintAccessToken(REQUEST, { now: NOW }),
    ]) {
      await withGenerator(fill, () => assert.throws(work));
      assert.doesNotThrow(work);
    }
  });

  test(`a generator ${name} begins no session`, async (t) => {
    const { issuer } = await serveIssuer(t, {});
    const begin = () => issuer.startSession('alice', { clientId: 'page', scope: 'notes:read' });
    await withGenerator(fill, () => assert.rejects(begin));
    await begin();
  });
}

test('the generator of the platform makes different keys', () => {
  assert.notEqual(generateSigningKey('ES256').kid, generateSigningKey('ES256').kid);
});

test('a private key whose public half is of another key is refused', () => {
  for (const [alg, members] of Object.entries({ ES256: ['x', 'y'], EdDSA: ['x'] })) {
    const own = generateSigningKey(alg).privateJwk();
    const other = generateSigningKey(alg).privateJwk();
    assert.doesNotThrow(() => importSigningKey(own));
    for (const member of members)
      assert.throws(() => importSigningKey({ ...own, [member]: other[member] }), {
        name: 'PolicyError',
        pointer: `/${member}`,
      });
    assert.throws(() => importSigningKey({ ...own, d: other.d }), { name: 'PolicyError', pointer: '/x' });
  }
});
