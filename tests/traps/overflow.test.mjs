// Traps that are none of a test's making: the stack used up at every depth, and a memory that may
// not grow.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { createGate, createVerifier as createGatesVerifier } from 'portcullis/gate';
import { createVerifier, init } from 'portcullis/slim';

const NOW = 1_800_000_000;
const secret = Buffer.alloc(32, 7);
const policy = {
  issuers: [
    { issuer: 'i', audience: 'a', types: 'any', keys: [{ alg: 'HS256', secret }] },
    { issuer: 'j', audience: 'a', types: 'any', remote: { jwksUri: 'https://j.example/jwks' } },
  ],
  limits: { tokenBytes: 16_384 },
};
const jwks = {
  keys: [
    { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', kid: 'k', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
  ],
};
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
function signed(claims) {
  const input = `${encode({ alg: 'HS256' })}.${encode({ iss: 'i', aud: 'a', exp: NOW + 60, ...claims })}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}
const good = signed({ deep: JSON.parse(`${'['.repeat(12)}1${']'.repeat(12)}`) });
const forged = `${signed({ sub: 'x' }).slice(0, -4)}AAAA`;
const at = { now: NOW };

/**
 * Does something in each of the last frames that the stack has room for, the deepest first. What
 * it throws ends in the frame above.
 */
function atTheEnd(frames, work) {
  let left = frames;
  const dive = () => {
    try {
      dive();
    } catch {}
    left -= 1;
    if (left > 0) work();
  };
  dive();
}

test('the stack may end anywhere in a call: no wrong answer, and none of those that follow is disturbed', () => {
  const verifier = createGatesVerifier(policy, { cache: 0 });
  const gate = createGate(policy, { now: () => NOW, platform: 'none', cache: 0 });
  verifier.setRemoteKeys('j', jwks);
  const work = [
    () => verifier.verify(good, at),
    () => verifier.verify(forged, at),
    () => verifier.verifyAuthorization(`Bearer ${good}`, at),
    () => verifier.setRemoteKeys('j', jwks),
    () => verifier.stats(),
    () => createGatesVerifier(policy).verify(good, at),
    () => gate.verifier.verify(good, at),
    () => gate.replacePolicy(policy),
  ];
  let overflows = 0;
  for (const [index, each] of work.entries()) {
    const told = [];
    atTheEnd(1500, () => {
      try {
        told.push(each());
      } catch (error) {
        told.push(error);
      }
    });
    for (const answer of told) {
      if (answer === undefined || !('ok' in answer)) {
        // The caller's stack is used up, and the caller is told so, or that the core could not be
        // run.
        const isError = answer instanceof Error;
        assert.ok(!isError || answer instanceof RangeError || answer.name === 'CoreError', String(answer));
        if (isError) overflows += 1;
        continue;
      }
      const expected = index === 1 ? 'signature-invalid' : undefined;
      assert.ok([expected, 'verifier-unavailable'].includes(answer.code), JSON.stringify(answer));
      if (answer.code === 'verifier-unavailable') overflows += 1;
    }
    assert.equal(verifier.verify(good, at).ok, true, each.toString());
    assert.equal(verifier.verify(forged, at).code, 'signature-invalid', each.toString());
    assert.equal(gate.verifier.verify(good, at).ok, true, each.toString());
  }
  assert.ok(overflows > 50, `${overflows} overflows`);
  assert.equal(verifier.stats().keys.filter(({ issuer }) => issuer === 'j').length, 1);
});

/** The module with a maximum for its memory, in pages (WebAssembly Core §5.5.8). */
function bounded(wasm, most) {
  const bytes = [...wasm];
  const leb = (at) => {
    let value = 0;
    for (let index = 0; ; index++) {
      value += (bytes[at + index] & 0x7f) * 2 ** (7 * index);
      if (bytes[at + index] < 0x80) return [value, at + index + 1];
    }
  };
  const unleb = (value) =>
    value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...unleb(Math.floor(value / 0x80))];
  for (let at = 8; at < bytes.length; ) {
    const [length, start] = leb(at + 1);
    if (bytes[at] === 5) {
      const [initial] = leb(start + 2);
      const section = [1, 1, ...unleb(initial), ...unleb(initial + most)];
      bytes.splice(at, start + length - at, 5, ...unleb(section.length), ...section);
      return Uint8Array.from(bytes);
    }
    at = start + length;
  }
  throw new Error('no memory');
}

test('a memory that may not grow is an answer too, or the caller’s error, and it ends with what was too much', async () => {
  const wasm = readFileSync(new URL('../../dist/wasm/portcullis.wasm', import.meta.url));
  await init(bounded(wasm, 6));
  const verifier = createVerifier({ issuers: policy.issuers.slice(0, 1) }, { cache: 0 });
  assert.equal(verifier.verify(good, at).ok, true);
  const keys = Array.from({ length: 4000 }, (_, index) => ({ kid: `${index}`, alg: 'HS256', secret }));
  let refused = 0;
  for (let round = 0; round < 20; round++) {
    try {
      verifier.replacePolicy({ issuers: [{ ...policy.issuers[0], keys }] });
    } catch (error) {
      assert.equal(error.name, 'CoreError', String(error));
      refused += 1;
    }
    assert.equal(verifier.verify(good, at).ok, true);
    assert.equal(verifier.verify(forged, at).code, 'signature-invalid');
  }
  assert.equal(refused, 20);
});
