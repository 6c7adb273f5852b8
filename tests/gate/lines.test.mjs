// The usual question crosses as lines and any other as JSON. The answer is the same, and nothing
// that is written into a fact becomes another fact.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { createGate } from 'portcullis/gate';

import * as glue from '../../dist/wasm/portcullis_gate_bg.js';
import { AUDIENCE, ISSUER, signer } from '../support/issuer.mjs';

const NOW = 1_800_000_000;
const UNREAD = 3;

let key;
before(async () => {
  key = await signer('a');
});

const { decideLines } = glue.RawGate.prototype;
/** How often lines were asked, and had an answer. */
const lines = { asked: 0, answered: 0 };
let off = false;
glue.RawGate.prototype.decideLines = function (...args) {
  if (off) return UNREAD;
  const outcome = decideLines.apply(this, args);
  lines.asked += 1;
  if (outcome !== UNREAD) lines.answered += 1;
  return outcome;
};

const gateOf = (section = {}) =>
  createGate(
    { issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [key.jwk] } }], gate: section },
    { now: () => NOW, platform: 'none', cache: 0 },
  );

/** What came of a request, by either way. */
async function both(gate, request, requirement, context) {
  const told = async () => {
    const { apply: _, ...decision } = await gate.check(request, requirement, context);
    return structuredClone(
      Object.fromEntries(Object.entries(decision).filter(([name]) => name !== 'response')),
    );
  };
  const byLines = await told();
  off = true;
  const byJson = await told();
  off = false;
  assert.deepEqual(byLines, byJson);
  return byLines;
}

test('lines and JSON get the same answer', async () => {
  const gate = gateOf({
    requirement: { scopes: ['read'] },
    routes: [{ path: '/health', requirement: 'public' }],
    forward: { claims: { sub: 'x-user' } },
    cors: { origins: ['https://app.example'] },
  });
  const good = await key.mint(NOW, { scope: 'read', sub: 'ada' });
  const poor = await key.mint(NOW, { scope: 'write', sub: 'bob' });
  const url = 'https://api.example/orders';
  const authorization = (token) => ['Authorization', `Bearer ${token}`];
  const requests = [
    { method: 'GET', url, headers: [authorization(good)] },
    { method: 'GET', url, headers: [authorization(poor)] },
    { method: 'GET', url, headers: [authorization(good)] },
    { method: 'GET', url, headers: [authorization(good), authorization(good)] },
    { method: 'GET', url, headers: [] },
    { method: 'GET', url: `${url}?access_token=a`, headers: [authorization(good)] },
    { method: 'GET', url: 'https://api.example/health', headers: [] },
    { method: 'GET', url, target: '/orders', headers: [authorization(good), ['host', 'api.example']] },
    { method: 'GET', url, target: '', headers: [authorization(good)] },
    { method: 'GET', url, target: '/other', headers: [authorization(good)] },
    { method: 'GET', url: 'http://localhost/', headers: [authorization(good)] },
    {
      method: 'OPTIONS',
      url,
      headers: [
        ['origin', 'https://app.example'],
        ['access-control-request-method', 'PUT'],
      ],
    },
    { method: 'OPTIONS', url, hasBody: true, headers: [['origin', 'https://app.example']] },
  ];
  const before = { ...lines };
  const told = new Set();
  for (const request of requests) {
    for (const context of [{}, { clientAddress: '127.0.0.1', certificate: 'ab', urlVouched: true }]) {
      for (const requirement of [undefined, { scopes: ['write'] }, { anonymous: true }]) {
        const { ok, via, code } = await both(gate, request, requirement, context);
        told.add(code ?? `${ok} ${via}`);
      }
    }
  }
  assert.equal(lines.answered - before.answered, requests.length * 6);
  for (const one of [
    'true token',
    'true public',
    'false preflight',
    'scope-insufficient',
    'transport-insecure',
  ])
    assert.ok(told.has(one), `${one} in ${[...told]}`);
});

test('facts that do not fit into the input are not judged without their end', async () => {
  const gate = gateOf({ forward: { claims: { sub: 'x-user' } } });
  const authorization = ['authorization', `Bearer ${await key.mint(NOW, { sub: 'ada' })}`];
  const url = 'https://api.example/';
  const codes = new Map();
  for (let wide = 0; wide <= 20; wide++) {
    // About the length of the input, which is that of the longest token in its header.
    for (let pad = 16_392 - authorization[1].length - 120; pad < 16_392 - authorization[1].length; pad++) {
      const value = `${'a'.repeat(pad)}${'é'.repeat(wide)}, x-user`;
      const headers = [authorization, ['connection', value]];
      const { code } = await gate.check({ method: 'GET', url, headers });
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
  }
  assert.deepEqual([...codes], [['request-malformed', 21 * 120]]);
});

test('what a line cannot say is asked as JSON, and gets the answer that JSON gets', async () => {
  const gate = gateOf();
  const authorization = ['authorization', `Bearer ${await key.mint(NOW)}`];
  const url = 'https://api.example/';
  const fact = { method: 'GET', url, headers: [authorization] };
  const token = authorization[1];
  for (const [name, request, context, code] of [
    ['no method', { ...fact, method: '' }, {}, 'request-malformed'],
    ['no URL', { ...fact, url: '' }, {}, 'request-malformed'],
    ['a method', { ...fact, method: 'GET\nhttps://api.example/' }, {}, 'request-malformed'],
    ['a URL', { ...fact, url: `${url}\n/` }, {}, 'request-malformed'],
    ['a target', { ...fact, target: '/\n' }, {}, 'request-malformed'],
    [
      'an address',
      { ...fact, url: 'http://localhost/' },
      { clientAddress: '127.0.0.1\nab', urlVouched: true },
      undefined,
    ],
    ['a certificate', fact, { certificate: `ab\nauthorization\n${token}` }, undefined],
    [
      'a header that would be another',
      { ...fact, headers: [['host', `api.example\nauthorization\n${token}`]] },
      {},
      'authorization-missing',
    ],
    [
      'a header of two lines',
      { ...fact, headers: [['authorization', `${token}\n`]] },
      {},
      'authorization-malformed',
    ],
    [
      'what is not ASCII',
      { ...fact, headers: [['authorization', `${token}é`]] },
      {},
      'authorization-malformed',
    ],
    ['half a character', { ...fact, method: '\ud800' }, {}, 'request-malformed'],
    ['what is long', { ...fact, headers: [authorization, ['host', 'a'.repeat(20_000)]] }, {}, undefined],
    ['many fields', { ...fact, headers: Array(40).fill(authorization) }, {}, 'authorization-ambiguous'],
    ['another path', fact, { served: ['/a'] }, undefined],
  ]) {
    const before = lines.answered;
    const decision = await both(gate, request, undefined, context);
    assert.equal(lines.answered, before, name);
    assert.equal(decision.code, code, name);
  }
});

test('the rest of a step is the last one’s only when it is the same', async () => {
  const gate = gateOf({ forward: { claims: { sub: 'x-user' } } });
  const plain = gateOf();
  for (const [sub, kid] of [
    ['ada', 'a'],
    ['bob', 'a'],
    ['bob', 'a'],
    ['ada', 'a'],
  ]) {
    const token = await key.mint(NOW, { sub, jti: `${sub}${Math.random()}` });
    const request = {
      method: 'GET',
      url: 'https://api.example/',
      headers: [['authorization', `Bearer ${token}`]],
    };
    const decision = await gate.check(request);
    assert.deepEqual(decision.headers.set, { 'x-user': sub });
    assert.deepEqual([decision.claims.sub, decision.header.kid], [sub, kid]);
    assert.equal((await plain.check(request)).claims.sub, sub);
    assert.ok(
      [decision, decision.claims, decision.header, decision.headers, decision.headers.set].every(
        Object.isFrozen,
      ),
    );
  }
});
