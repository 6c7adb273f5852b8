// Where an issuer says that its keys are, and when it is not believed.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { RemoteKeys } from '../../dist/net/remote-keys/remote-keys.js';
import { clock, hang, huge, json, jwks, origin, paths, status, stubCore } from '../support/origin.mjs';
import { coreWith, readMetadata } from './metadata.mjs';
import { rule } from './rule.mjs';

const WELL_KNOWN = '/.well-known/openid-configuration';
let server;
before(async () => {
  server = await origin();
});
after(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
});

function setUp(timeoutMs = 5000) {
  const time = clock();
  const core = stubCore();
  const issuer = server.url;
  const source = {
    issuer,
    discovery: 'oidc',
    discoveryUrl: `${server.url}${WELL_KNOWN}`,
    minTtlSeconds: 60,
    maxTtlSeconds: 86_400,
    staleSeconds: 3600,
    timeoutMs,
    maxBytes: 10_000,
  };
  const io = { fetch, now: time.read, random: () => 0, readMetadata: coreWith() };
  const keys = new RemoteKeys([source], io, core.apply, core.forget, rule);
  return {
    time,
    core,
    keys,
    issuer,
    ask: (kid) => keys.refresh(issuer, kid, {}),
    stats: () => keys.stats()[0],
  };
}
const metadata = (more = {}) => ({ issuer: server.url, jwks_uri: `${server.url}/keys`, ...more });
const asked = () => server.requests.map(({ url }) => url);

test('keys are found by way of the metadata, which are kept for as long as they say', async () => {
  const { ask, core, issuer, time } = setUp();
  server.behave = paths({
    [WELL_KNOWN]: json(metadata(), { 'cache-control': 'max-age=100' }),
    '/keys': json(jwks('a')),
  });
  assert.equal(await ask('a'), true);
  assert.deepEqual(core.kids(issuer), ['a']);
  assert.deepEqual(asked(), [WELL_KNOWN, '/keys']);
  time.pass(31);
  await ask('b');
  assert.deepEqual(asked(), [WELL_KNOWN, '/keys', '/keys']);
  time.pass(70);
  await ask('c');
  assert.deepEqual(asked().slice(3), [WELL_KNOWN, '/keys']);
});

test('keys that are no longer where they were are looked for with the next turn', async () => {
  const { ask, core, issuer, time, stats } = setUp();
  server.behave = paths({ [WELL_KNOWN]: json(metadata()), '/keys': json(jwks('a')) });
  await ask('a');
  server.behave = paths({
    [WELL_KNOWN]: json(metadata({ jwks_uri: `${server.url}/new` })),
    '/new': json(jwks('b')),
  });
  time.pass(31);
  assert.equal(await ask('b'), false);
  assert.equal(stats().lastFailure, 'status-404');
  assert.deepEqual(core.kids(issuer), ['a']);
  time.pass(31);
  assert.equal(await ask('b'), true);
  assert.deepEqual(core.kids(issuer), ['b']);
});

const LIES = [
  ['another issuer', () => json(metadata({ issuer: 'https://other.example' })), 'discovery-issuer-mismatch'],
  [
    'a slash at the end of the issuer',
    () => json(metadata({ issuer: `${server.url}/` })),
    'discovery-issuer-mismatch',
  ],
  [
    'the issuer in capitals',
    () => json(metadata({ issuer: server.url.toUpperCase() })),
    'discovery-issuer-mismatch',
  ],
  ['an issuer in an array', () => json(metadata({ issuer: [server.url] })), 'discovery-issuer-mismatch'],
  ['no issuer', () => json(metadata({ issuer: undefined })), 'discovery-issuer-mismatch'],
  [
    'an inherited issuer',
    () => json(`{"__proto__":${JSON.stringify(metadata())}}`),
    'discovery-issuer-mismatch',
  ],
  ['no jwks_uri', () => json(metadata({ jwks_uri: undefined })), 'discovery-jwks-uri'],
  ['a relative jwks_uri', () => json(metadata({ jwks_uri: '/keys' })), 'discovery-jwks-uri'],
  [
    'a jwks_uri by plain HTTP',
    () => json(metadata({ jwks_uri: 'http://keys.example/' })),
    'discovery-jwks-uri',
  ],
  [
    'a jwks_uri that looks like a loopback',
    () => json(metadata({ jwks_uri: 'http://127.0.0.1.example/' })),
    'discovery-jwks-uri',
  ],
  ['a jwks_uri in a file', () => json(metadata({ jwks_uri: 'file:///etc/passwd' })), 'discovery-jwks-uri'],
  [
    'a jwks_uri of data',
    () => json(metadata({ jwks_uri: 'data:application/json,{"keys":[]}' })),
    'discovery-jwks-uri',
  ],
  [
    'a jwks_uri with a password',
    () => json(metadata({ jwks_uri: 'https://a:b@keys.example/' })),
    'discovery-jwks-uri',
  ],
  [
    'a jwks_uri on a private host',
    () => json(metadata({ jwks_uri: 'https://169.254.169.254/keys' })),
    'discovery-private-host',
  ],
  ['a page', () => json('<!doctype html>'), 'discovery-not-json'],
  ['an array', () => json('[]'), 'discovery-not-json'],
  ['a redirect', () => status(301, { location: '/keys' }), 'redirect'],
  ['status 500', () => status(500), 'status-500'],
  ['silence', () => hang, 'timeout'],
  ['10 MB', () => huge(10_000_000), 'too-large'],
];
for (const [name, behave, reason] of LIES) {
  test(`${name} in place of metadata is refused by name, and no keys are fetched`, async () => {
    const { ask, core, issuer, stats } = setUp(reason === 'timeout' ? 100 : 5000);
    server.behave = paths({ [WELL_KNOWN]: behave(), '/keys': json(jwks('a')) });
    assert.equal(await ask('a'), false);
    assert.equal(stats().lastFailure, reason);
    assert.deepEqual(core.kids(issuer), []);
    assert.deepEqual(asked(), [WELL_KNOWN]);
  });
}

test('members that every object was made to inherit are not the document’s', () => {
  const inherited = { issuer: 'https://issuer.example', jwks_uri: 'https://evil.example/keys' };
  for (const [name, value] of Object.entries(inherited)) {
    Object.defineProperty(Object.prototype, name, { value, configurable: true });
  }
  try {
    assert.equal(readMetadata('{}', inherited.issuer), 'discovery-issuer-mismatch');
    const named = JSON.stringify({ issuer: inherited.issuer });
    assert.equal(readMetadata(named, inherited.issuer), 'discovery-jwks-uri');
  } finally {
    for (const name of Object.keys(inherited)) delete Object.prototype[name];
  }
});

test('a private host is fetched from when the policy names it', () => {
  const issuer = 'https://issuer.example';
  for (const host of ['keys.corp', '10.0.0.7', '[fd00::1]', 'keys']) {
    const jwks_uri = `https://${host}:8443/keys`;
    const text = JSON.stringify({ issuer, jwks_uri });
    assert.equal(readMetadata(text, issuer), 'discovery-private-host', host);
    assert.deepEqual(readMetadata(text, issuer, coreWith([host])), { jwksUri: jwks_uri }, host);
  }
});

test('plain HTTP on a loopback name is for an issuer that is there itself', () => {
  const read = (issuer, jwks_uri) => readMetadata(JSON.stringify({ issuer, jwks_uri }), issuer);
  for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080']) {
    assert.deepEqual(read(`http://${host}`, `http://${host}/keys`), { jwksUri: `http://${host}/keys` });
    assert.equal(read('https://issuer.example', `http://${host}/keys`), 'discovery-jwks-uri');
  }
  assert.deepEqual(read('https://issuer.example', 'https://keys.example/k?v=1'), {
    jwksUri: 'https://keys.example/k?v=1',
  });
});

/** An issuer whose metadata name the host `keys.corp`, and gates that share a store. */
function atPrivateHost(store) {
  const issuer = 'https://issuer.example';
  const asked = [];
  const bodies = {
    [`${issuer}${WELL_KNOWN}`]: { issuer, jwks_uri: 'https://keys.corp/keys' },
    'https://keys.corp/keys': jwks('a'),
  };
  const core = stubCore();
  const time = clock();
  const world = { issuer, asked, core, time, allowed: ['keys.corp'] };
  const io = {
    now: time.read,
    random: () => 0,
    store,
    readMetadata: (...asked) => coreWith(world.allowed)(...asked),
    fetch: async (url) => {
      asked.push(url);
      return Response.json(bodies[url]);
    },
  };
  const source = {
    issuer,
    discovery: 'oidc',
    discoveryUrl: `${issuer}${WELL_KNOWN}`,
    minTtlSeconds: 60,
    maxTtlSeconds: 86_400,
    staleSeconds: 3600,
    timeoutMs: 5000,
    maxBytes: 10_000,
  };
  const keys = new RemoteKeys([source], io, core.apply, core.forget, rule);
  return Object.assign(world, { source, keys });
}

test('what was found under one policy is not fetched, or used, under one that does not allow its host', async () => {
  const world = atPrivateHost();
  const { issuer, asked, core, time, source, keys } = world;
  assert.equal(await keys.refresh(issuer, 'a', {}), true);
  assert.equal(asked.length, 2);
  keys.replace([source], time.now);
  assert.deepEqual(core.kids(issuer), ['a']);
  world.allowed = [];
  keys.replace([source], time.now);
  assert.deepEqual(core.kids(issuer), []);
  asked.length = 0;
  time.pass(100);
  assert.equal(await keys.refresh(issuer, 'a', {}), false);
  assert.deepEqual(asked, [`${issuer}${WELL_KNOWN}`]);
});

test('nor does it come back from the shared store, by this gate or by another', async () => {
  const held = new Map();
  const store = {
    get: async (key) => held.get(key) ?? null,
    put: async (key, value) => void held.set(key, value),
  };
  /** Asks for the key, and waits for what goes on behind that. */
  const refreshed = async ({ keys, issuer }) => {
    const behind = [];
    const changed = await keys.refresh(issuer, 'a', { waitUntil: (work) => behind.push(work) });
    await Promise.all(behind);
    return changed;
  };
  const first = atPrivateHost(store);
  assert.equal(await refreshed(first), true);
  assert.equal(held.size, 1);
  // A gate that allows the host takes it without a fetch, and keeps it under the same policy.
  const same = atPrivateHost(store);
  assert.equal(await refreshed(same), true);
  assert.deepEqual([same.asked, same.core.kids(same.issuer)], [[], ['a']]);
  same.keys.replace([same.source], same.time.now);
  assert.deepEqual(same.core.kids(same.issuer), ['a']);
  const narrow = atPrivateHost(store);
  narrow.allowed = [];
  for (const world of [first, same]) {
    world.allowed = [];
    world.keys.replace([world.source], world.time.now);
  }
  for (const world of [first, same, narrow]) {
    const { issuer, asked, core, time } = world;
    asked.length = 0;
    time.pass(100);
    assert.equal(await refreshed(world), false);
    assert.deepEqual(core.kids(issuer), []);
    assert.deepEqual(asked, [`${issuer}${WELL_KNOWN}`]);
  }
  // What does not say how it was found is nobody's either.
  const [[key, value]] = held;
  const { metadata, ...rest } = JSON.parse(value);
  assert.equal(typeof metadata, 'string');
  held.set(key, JSON.stringify(rest));
  const other = atPrivateHost(store);
  assert.equal(await refreshed(other), true);
  assert.equal(other.asked.length, 2);
});
