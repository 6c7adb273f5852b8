// The decoder that pages load without WebAssembly answers as the core does: on the vectors that
// tests/rust/vectors.rs reads too, and on every token of every other vector, held against the core
// itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as core from 'portcullis';
import { inspect } from 'portcullis/session';
import { text } from '../runtimes/suite.mjs';
import { readVectors } from '../vectors/read.mjs';

const vectors = readVectors().flatMap((file) => file.vectors);

test('the vectors of the kind inspect', () => {
  const asked = vectors.filter(({ kind }) => kind === 'inspect');
  assert.ok(asked.length > 110, `${asked.length}`);
  const codes = new Set();
  for (const { id, token, expect } of asked) {
    const answer = inspect(text(token));
    assert.equal(answer.ok, expect.ok, `${id}: ${JSON.stringify(answer)}`);
    assert.equal(answer.code, expect.code, id);
    for (const [name, value] of Object.entries(expect.fields ?? {}))
      assert.equal(answer[name], value, `${id}: ${name}`);
    for (const [name, value] of Object.entries(expect.claims ?? {}))
      assert.deepEqual(answer.claims[name], value, id);
    codes.add(answer.code);
  }
  // Every code there is, and success.
  assert.equal(codes.size, 9);
});

/** What both say alike: the core has a sentence besides, says what it found, and no times. */
const alike = ({ message: _, found: _f, issuedAt: _i, notBefore: _n, expiresAt: _e, ...rest }) => rest;
const agrees = (token) =>
  assert.deepEqual(alike(inspect(token)), alike(core.inspect(token)), JSON.stringify(token)?.slice(0, 200));

test('every token of every vector, whole and cut short', () => {
  const tokens = vectors.filter(({ token }) => token != null).map(({ token }) => text(token));
  assert.ok(tokens.length > 1500, `${tokens.length}`);
  for (const token of tokens) {
    agrees(token);
    if (token.length < 4000) for (const at of [1, 5, token.length >> 1]) agrees(token.slice(0, -at));
  }
});

test('what is no string', () => {
  for (const value of [
    undefined,
    null,
    0,
    true,
    {},
    [],
    Symbol('token'),
    () => 'a.b.c',
    Buffer.from('a'),
    new String('a'),
  ])
    assert.equal(inspect(value).code, 'token-missing');
  agrees('\ud800.\udfff.');
});

/** The same numbers in every run. */
function seeded(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('ten thousand texts that are JSON, or nearly', () => {
  const random = seeded(6);
  const names = ['a', 'b', '\\u0061', 'exp', '\\ud83d', '__proto__'];
  const scalars = ['0', '-1.5', '9e307', '1e308', '"é"', '"\\ude00"', 'true', 'null', '""', '01'];
  const value = (depth) => {
    const kind = depth > 0 ? random(4) : 3;
    if (kind > 1) return scalars[random(random(9) ? 3 : scalars.length)];
    const items = Array.from({ length: random(3) }, () => value(depth - 1));
    return kind
      ? `[${items.join()}]`
      : `{${items.map((item) => `"${names[random(names.length)]}":${item}`).join(' ,')}}`;
  };
  const found = new Map();
  for (let round = 0; round < 10_000; round++) {
    let payload = `{"x":${value(4)},"y":${value(3)}}`;
    if (random(2)) {
      const at = random(payload.length);
      payload = payload.slice(0, at) + '{}[]":,\\ \n0é'[random(12)] + payload.slice(at + random(2));
    }
    const token = `e30.${Buffer.from(payload).toString('base64url')}.`;
    agrees(token);
    const { code } = inspect(token);
    found.set(code, (found.get(code) ?? 0) + 1);
  }
  // Each outcome was reached by chance: otherwise the texts say little.
  for (const code of [undefined, 'json-malformed', 'json-duplicate-member'])
    assert.ok(found.get(code) > 100, `${code}: ${found.get(code)}`);
});

test('ten thousand segments that are nearly base64url', () => {
  const random = seeded(7);
  const digits = 'ABQZaz019-_+/= \n.é';
  for (let round = 0; round < 10_000; round++) {
    let segment = '';
    for (let length = random(7); length > 0; length--) segment += digits[random(digits.length)];
    agrees(`e30.e30.${segment}`);
  }
});

test('times are those of RFC 7519, or none', () => {
  const of = (claims) => inspect(`e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`);
  const { issuedAt, notBefore, expiresAt } = of({ iat: 1, nbf: 0, exp: 253402300799 });
  assert.deepEqual([issuedAt, notBefore, expiresAt], [1, 0, 253402300799]);
  assert.equal(of({ exp: 1700000000.5 }).expiresAt, 1700000000.5);
  for (const exp of [-1, -0.5, '1', null, 253402300800, [1], undefined])
    assert.equal(of({ exp }).expiresAt, undefined);
});

test('a name from the prototype is a claim like others', () => {
  const { claims } = inspect(`e30.${Buffer.from('{"__proto__":{"exp":9}}').toString('base64url')}.`);
  assert.deepEqual(Object.keys(claims), ['__proto__']);
  assert.equal(claims.exp, undefined);
});
