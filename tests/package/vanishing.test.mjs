// What JSON has no word for would vanish on the way to the core, and a rule with it. It is refused
// where it stands, in every document that a caller hands over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';

import { createVerifier, PolicyError, verifyJws } from 'portcullis';
import { createGate } from 'portcullis/gate';
import { createIssuer, generateSigningKey, hashClientSecret, importSigningKey } from 'portcullis/issuer';
import { memoryStore } from 'portcullis/stores';

const NOW = 1_800_000_000;
const at = { now: NOW };
const key = generateSigningKey('ES256');
const ISSUER = 'https://issuer.example';
const AUDIENCE = 'https://api.example';
const mint = (claims = {}) =>
  key.mintAccessToken(
    { issuer: ISSUER, audience: AUDIENCE, subject: 's', clientId: 'c', scope: 'read', claims },
    at,
  );
const own = (more) => ({ issuer: ISSUER, audience: AUDIENCE, jwks: key.jwks(), ...more });
const policyOf = (more) => ({ issuers: [own(more)] });
const gate = createGate({ ...policyOf(), gate: {} }, { now: () => NOW, platform: 'none' });
const check = (requirement, token = mint()) =>
  gate.check(
    { method: 'GET', url: 'https://api.example/', headers: [['authorization', `Bearer ${token}`]] },
    requirement,
  );

class Scopes extends Array {}
class Rule {
  scopes = ['write'];
}
const holed = ['a', 'b', 'c'];
delete holed[1];
const circular = {};
circular.self = circular;

/**
 * Values that are not what JSON would make of them, and where the fault is told to be, below the
 * value.
 */
const NO_JSON = [
  ['undefined', undefined, ''],
  ['a function', () => ['write'], ''],
  ['a symbol', Symbol('write'), ''],
  ['NaN', Number.NaN, ''],
  ['infinity', Number.NEGATIVE_INFINITY, ''],
  ['a BigInt', 1n, ''],
  ['a hole', holed, '/1'],
  ['an undefined item', ['a', undefined], '/1'],
  ['a Set', new Set(['write']), ''],
  ['a Map', new Map([['write', true]]), ''],
  ['a Date', new Date(0), ''],
  ['a regular expression', /write/, ''],
  ['a boxed string', new String('write'), ''],
  ['an instance of a class', new Rule(), ''],
  ['an object that inherits its rules', Object.create({ scopes: ['write'] }), ''],
  [
    'an object that inherits from one without a prototype',
    Object.create(Object.create(null, { scopes: { value: ['write'], enumerable: true } })),
    '',
  ],
  ['an object that says what JSON it is', { toJSON: () => ['read'] }, '/toJSON'],
  ['a member that is hidden', Object.defineProperty({}, 'scopes', { value: ['write'] }), '/scopes'],
  ['a member under a symbol', { [Symbol('scopes')]: ['write'] }, '/Symbol(scopes)'],
  ['an array with a name', Object.assign(['a'], { also: 'write' }), '/also'],
  ['a promise', Promise.resolve(['write']), ''],
  ['an ArrayBuffer', new ArrayBuffer(32), ''],
  ['what holds itself', circular, '/self'],
  [
    'a getter that answers undefined',
    {
      get scopes() {
        return undefined;
      },
    },
    '/scopes',
  ],
  ['a Proxy of a Set', new Proxy(new Set(['write']), {}), ''],
];

/** Where a caller hands a document over, with the value somewhere in it. */
const ENTRIES = {
  'createVerifier, a claim': [
    '/issuers/0/claims/tid',
    (value) => createVerifier(policyOf({ claims: { tid: value } })),
  ],
  'createVerifier, a member': [
    '/issuers/0/algorithms',
    (value) => createVerifier(policyOf({ algorithms: value })),
  ],
  'createVerifier, an issuer': ['/issuers/0', (value) => createVerifier({ issuers: [value] })],
  'createVerifier, a JWK': [
    '/issuers/0/jwks/keys/0/use',
    (value) => createVerifier(policyOf({ jwks: { keys: [{ ...key.publicJwk, use: value }] } })),
  ],
  'createVerifier, the policy': ['', (value) => createVerifier(value)],
  'verifier.replacePolicy': [
    '/issuers/0/types',
    (value) => createVerifier(policyOf()).replacePolicy(policyOf({ types: value })),
  ],
  'verifier.setRemoteKeys': [
    '/keys',
    (value) =>
      createVerifier(policyOf({ remote: { jwksUri: `${ISSUER}/jwks` } })).setRemoteKeys(ISSUER, {
        keys: value,
      }),
  ],
  verifyJws: ['/alg', (value) => verifyJws(mint(), { ...key.publicJwk, alg: value })],
  'createGate, a route': [
    '/gate/routes/0/requirement',
    (value) => createGate({ ...policyOf(), gate: { routes: [{ path: '/a', requirement: value }] } }),
  ],
  'createGate, report-only': [
    '/reportOnly/policy/gate',
    (value) => createGate(policyOf(), { reportOnly: { policy: { ...policyOf(), gate: value } } }),
  ],
  'gate.check': ['/scopes', (value) => check({ scopes: value })],
  'gate.check, deeper': [
    '/claims/0/allOf',
    (value) => check({ claims: [{ path: ['roles'], allOf: value }] }),
  ],
  'gate.protect': ['/maxAgeSeconds', (value) => gate.protect(() => new Response(), { maxAgeSeconds: value })],
  'gate.replacePolicy': [
    '/gate/networks',
    (value) => gate.replacePolicy({ ...policyOf(), gate: { networks: value } }),
  ],
  mintAccessToken: ['/claims/x', (value) => mint({ x: value })],
  importSigningKey: ['/d', (value) => importSigningKey({ ...key.privateJwk(), d: value })],
  'createIssuer, a client': [
    '/config/clients/0/scope',
    (value) => issuerOf({ clients: [{ clientId: 'page', authentication: 'none', scope: value }] }),
  ],
  'createIssuer, a key': [
    '/signingKeys/0/signsFromSeconds',
    (value) => issuerOf({}, { signingKeys: [{ jwk: key.privateJwk(), signsFromSeconds: value }] }),
  ],
  'createIssuer, the feed': ['/feedKey', (value) => issuerOf({}, { feedKey: value })],
  'issuer.startSession': [
    '/scope',
    (value) => issuerOf().startSession('s', { clientId: 'page', scope: value }),
  ],
  'issuer.startSession, the subject': [
    '/subject',
    (value) => issuerOf().startSession(value, { clientId: 'page' }),
  ],
  'issuer.startSession, its key': [
    '/jkt',
    (value) => issuerOf().startSession('s', { clientId: 'page', jkt: value }),
  ],
  'issuer.mintCode': [
    '/codeChallenge',
    (value) =>
      issuerOf().mintCode('s', {
        clientId: 'page',
        redirectUri: 'https://app.example/',
        codeChallenge: value,
      }),
  ],
  'issuer.endSession': ['/sid', (value) => issuerOf().endSession(value)],
  'issuer.endSessionsOf': ['/sub', (value) => issuerOf().endSessionsOf(value)],
  'issuer.revoke': ['/kid', (value) => issuerOf().revoke({ kid: value })],
};

function issuerOf(config, options) {
  return createIssuer({
    config: {
      issuer: ISSUER,
      audience: AUDIENCE,
      clients: [
        {
          clientId: 'page',
          authentication: 'none',
          grants: ['refresh_token', 'authorization_code'],
          scope: 'read',
          redirectUris: ['https://app.example/'],
        },
      ],
      ...config,
    },
    signingKeys: [{ jwk: key.privateJwk() }],
    rootKeys: [{ secret: new Uint8Array(32).fill(1) }],
    store: memoryStore(),
    now: () => NOW,
    ...options,
  });
}

for (const [name, [pointer, hand]] of Object.entries(ENTRIES)) {
  test(`${name}: what JSON would leave out or flatten is a PolicyError where it stands`, async () => {
    for (const [what, value, below] of NO_JSON) {
      await assert.rejects(
        async () => hand(value),
        (error) => {
          assert.ok(error instanceof PolicyError, `${what}: ${error.stack}`);
          assert.equal(error.pointer, `${pointer}${below}`, what);
          assert.match(error.reason, /^must /, what);
          return true;
        },
        what,
      );
    }
  });
}

test('the claim of a tenant that nobody configured is a mistake, and not a policy that takes any tenant', () => {
  assert.throws(() => createVerifier(policyOf({ claims: { tid: process.env.NOPE } })), {
    name: 'PolicyError',
    pointer: '/issuers/0/claims/tid',
    reason: 'must be a JSON value; found undefined. Give it a value, or leave the member out',
  });
});

test('a guard without a requirement goes by the policy, and one with half of it is a mistake', async () => {
  assert.equal((await check(undefined)).ok, true);
  assert.equal((await check()).ok, true);
  await assert.rejects(check({ scopes: undefined }), { name: 'PolicyError', pointer: '/scopes' });
  await assert.rejects(check(null), { name: 'PolicyError' });
});

test('a check that is named and undefined is a mistake: a schema, or a function of one’s own', () => {
  for (const make of [
    () => createVerifier(policyOf(), { claims: undefined }),
    () => createGate(policyOf(), { claims: undefined }),
  ])
    assert.throws(make, { name: 'PolicyError', pointer: '/claims' });
  for (const narrow of [undefined, null, 'true', true])
    assert.throws(() => createGate(policyOf(), { narrow }), { name: 'PolicyError', pointer: '/narrow' });
  for (const nonceSecret of ['x'.repeat(32), new ArrayBuffer(32), Array.from({ length: 32 }, () => 1)])
    assert.throws(() => createGate(policyOf(), { nonceSecret }), {
      name: 'PolicyError',
      pointer: '/nonceSecret',
    });
  // What is no rule may be undefined: the default holds.
  const options = {
    cache: undefined,
    now: undefined,
    fetch: undefined,
    store: undefined,
    onDecision: undefined,
  };
  assert.ok(createGate(policyOf(), options));
});

test('what is no string is no secret', () => {
  for (const secret of [
    undefined,
    null,
    ['a'.repeat(40)],
    { toString: () => 'a'.repeat(40) },
    new String('a'.repeat(40)),
  ])
    assert.throws(() => hashClientSecret(secret), { name: 'PolicyError', pointer: '/secret' });
});

test('every value is read once: what a getter or a Proxy answers the next time is of no account', async () => {
  let answers = 0;
  const answering = (...values) => ({
    enumerable: true,
    get: () => values[Math.min(answers++, values.length - 1)],
  });
  const requirement = Object.defineProperty({}, 'scopes', answering(['write'], undefined, ['read']));
  assert.equal((await check(requirement)).code, 'scope-insufficient');
  assert.equal(answers, 1);
  const asked = [];
  const claims = new Proxy(
    { tid: 'a' },
    {
      get(target, name) {
        asked.push(name);
        return target[name];
      },
    },
  );
  const verifier = createVerifier(policyOf({ claims }));
  assert.deepEqual(asked, ['tid']);
  assert.equal(verifier.verify(mint({ tid: 'b' }), at).code, 'claim-mismatch');
});

test('objects of another realm, without a prototype, frozen, or of a module are plain', () => {
  const foreign = runInNewContext('(text) => JSON.parse(text)')(JSON.stringify(policyOf()));
  const bare = Object.assign(Object.create(null), policyOf());
  for (const policy of [foreign, bare, Object.freeze(policyOf()), new Proxy(policyOf(), {})])
    assert.equal(createVerifier(policy).verify(mint(), at).ok, true);
  const scopes = Scopes.from(['read']);
  assert.ok(gate.protect(() => new Response(), { scopes }));
});
