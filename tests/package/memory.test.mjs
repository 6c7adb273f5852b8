// The wasm memory only ever grows, and Node leaves it out of `memoryUsage().arrayBuffers`: it is
// looked at itself.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { createVerifier, inspect, verifyJws } from 'portcullis';

// The core is instantiated by the first call, so it is not too late to see its memory made.
let memory;
const { Instance } = WebAssembly;
WebAssembly.Instance = class extends Instance {
  constructor(module, imports) {
    super(module, imports);
    memory = this.exports.memory;
  }
};
const pages = () => memory.buffer.byteLength / 65_536;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const NOW = 1_800_000_000;
const secret = Buffer.alloc(32, 7);
const policy = {
  issuers: [{ issuer: 'i', audience: 'a', types: 'any', keys: [{ alg: 'HS256', secret }] }],
  limits: { tokenBytes: 16_384 },
};

/** HS256, since its arithmetic is fast enough for hundreds of thousands of accepted tokens. */
function signed(claims) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode({ alg: 'HS256' })}.${encode({ iss: 'i', aud: 'a', exp: NOW + 60, ...claims })}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

const verifier = createVerifier(policy);
const longest = signed({ padding: 'x'.repeat(12_000) });

test('a huge token is refused by its length and never copied', () => {
  assert.equal(verifier.verify(longest, { now: NOW }).ok, true);
  const before = pages();
  const huge = '€'.repeat(64 * 1024 * 1024);
  const verdicts = [
    verifier.verify(huge),
    verifier.verifyAuthorization(huge),
    verifier.verifyAuthorization(`Bearer ${huge}`),
    inspect(huge),
    verifyJws(huge, { kty: 'oct', alg: 'HS256', k: secret.toString('base64url') }),
  ];
  for (const { code, actual } of verdicts) {
    assert.equal(code, 'token-too-large');
    assert.ok(actual >= huge.length);
  }
  // What is handed over at most is three bytes for each of some 16,000 characters, in a page more
  // or two.
  assert.ok(pages() - before <= 2, `${pages() - before} pages`);
});

test('memory stays flat over many verifications', () => {
  const good = signed({ sub: 's' });
  const tokens = [good, longest, `${good}A`, good.slice(0, -2), 'a.b.c', '', 'x'.repeat(100_000)];
  let accepted = 0;
  const round = (times) => {
    for (let index = 0; index < times; index++) {
      // The long ones now and then: they cost the most time and would show soonest.
      const token = index % 50 === 0 ? tokens[(index / 50) % tokens.length] : good;
      if (verifier.verify(token, { now: NOW }).ok) accepted += 1;
      if (index % 50 === 0) verifier.verifyAuthorization(`Bearer ${token}`, { now: NOW });
      if (index % 50 === 0) inspect(token);
    }
  };
  round(5_000);
  const before = pages();
  round(200_000);
  assert.equal(pages(), before);
  assert.ok(accepted > 190_000, `${accepted} accepted`);
});

test('a verifier that nobody holds gives its memory back', async () => {
  const round = async () => {
    for (let index = 0; index < 2_000; index++) createVerifier(policy);
    collectGarbage();
    // Finalizers run in a task of their own.
    await new Promise((resolve) => setImmediate(resolve));
  };
  for (let index = 0; index < 3; index++) await round();
  const before = pages();
  for (let index = 0; index < 6; index++) await round();
  assert.ok(pages() - before <= 2, `${pages() - before} pages`);
});
