// What operators see when something fails: an event with its cause, an Error with its cause in
// process, and nothing of it in an answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createIssuer, generateSigningKey } from 'portcullis/issuer';
import { memoryStore, StoreSchemaError } from 'portcullis/stores';

const ISSUER = 'https://issuer.example';
const page = { clientId: 'page', authentication: 'none', grants: ['refresh_token'], scope: 'read' };

/** An issuer in process, whose store can be made to fail. */
function issuerWith({ config = {}, ...options } = {}) {
  const events = [];
  const store = memoryStore();
  const issuer = createIssuer({
    config: { issuer: ISSUER, audience: 'https://api.example', clients: [page], ...config },
    signingKeys: [{ jwk: generateSigningKey('ES256').privateJwk() }],
    rootKeys: [{ secret: new Uint8Array(32).fill(7) }],
    feedKey: generateSigningKey('EdDSA').privateJwk(),
    store,
    onEvent: (event) => events.push(event),
    ...options,
  });
  const refresh = (token) => issuer.fetch(refreshRequest(token));
  return { issuer, events, store, refresh };
}

function refreshRequest(token) {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'page',
    refresh_token: token,
  });
  return new Request(`${ISSUER}/token`, { method: 'POST', body });
}

/** The kinds of failures that stores know, as their engines throw them. */
const FAILURES = [
  new StoreSchemaError(9, 1),
  Object.assign(new Error('password authentication failed for user "issuer"'), { code: '28P01' }),
  new Error('attempt to write a readonly database'),
  new DOMException('it took too long', 'TimeoutError'),
  new TypeError('secret-of-the-driver'),
];

test('every failure of the store is an event with its cause, its operation and how long it took, and no client hears of it', async () => {
  for (const cause of FAILURES) {
    const { issuer, events, store, refresh } = issuerWith();
    // By itself it does so beside its first answer.
    await issuer.sweep();
    const { refresh_token } = await issuer.startSession('alice', { clientId: 'page' });
    for (const [operation, failing] of [
      ['read', () => Promise.reject(cause)],
      [
        'read',
        () => {
          throw cause;
        },
      ],
      ['swap', () => Promise.reject(cause)],
    ]) {
      events.length = 0;
      const whole = store[operation];
      store[operation] = failing;
      const response = await refresh(refresh_token);
      const text = JSON.stringify([await response.text(), ...response.headers]);
      store[operation] = whole;
      assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '1']);
      for (const secret of [cause.message, cause.name, cause.code ?? 'schema 9'])
        if (secret !== 'Error') assert.equal(text.includes(secret), false, `${secret} in ${text}`);
      const [event] = events;
      assert.deepEqual([event.kind, event.operation, event.cause], ['store_failed', operation, cause]);
      assert.equal(Number.isSafeInteger(event.at) && event.durationMs >= 0, true);
      assert.equal(events.filter(({ kind }) => kind === 'store_failed').length, 1, 'it is told once');
    }
  }
});

test('in process an Error has the cause, whatever was asked for', async () => {
  for (const cause of FAILURES) {
    const { issuer, store, events } = issuerWith();
    const { sid } = await issuer.startSession('alice', { clientId: 'page' });
    const { read, swap, sweep } = store;
    store.read = store.swap = store.sweep = () => Promise.reject(cause);
    for (const [name, call] of Object.entries({
      startSession: () => issuer.startSession('alice', { clientId: 'page' }),
      endSession: () => issuer.endSession(sid),
      endSessionsOf: () => issuer.endSessionsOf('alice'),
      revoke: () => issuer.revoke({ kid: 'k' }),
      sweep: () => issuer.sweep(),
    }))
      await assert.rejects(call(), { name: 'IssuerUnavailableError', retryAfterSeconds: 1, cause }, name);
    Object.assign(store, { read, swap });
    events.length = 0;
    await assert.rejects(issuer.sweep(), { name: 'IssuerUnavailableError', cause }, 'the sweep itself');
    assert.deepEqual(
      events.map(({ kind, operation }) => [kind, operation]),
      [['store_failed', 'sweep']],
    );
    store.sweep = sweep;
    await issuer.sweep();
  }
});

test('the store is swept whether it could be tended or not, and the caller hears of both', async () => {
  const { issuer, store } = issuerWith();
  const { read, readMany, sweep } = store;
  let swept = 0;
  store.sweep = (...args) => {
    swept += 1;
    return sweep(...args);
  };
  const cause = new Error('a row is locked');
  store.readMany = () => Promise.reject(cause);
  await assert.rejects(issuer.sweep(), { name: 'IssuerUnavailableError', cause });
  assert.equal(swept, 1);
  // Until when it may be swept stands in the store as well: by this clock alone nothing is.
  store.read = store.readMany;
  await assert.rejects(issuer.sweep(), { name: 'IssuerUnavailableError', cause });
  assert.equal(swept, 1);
  Object.assign(store, { read, readMany });
  assert.equal(await issuer.sweep(), 0);
});

test('a process whose clock is a day ahead sweeps nothing that another needs, and what has ended is swept', async () => {
  let time = 1_800_000_000;
  const { issuer: right, store } = issuerWith({ now: () => time });
  const { issuer: fast } = issuerWith({ now: () => time + 86_400, store });
  await store.swap('used once', 0, '1', time + 600);
  for (const issuer of [right, fast, fast, right, fast]) {
    time += 30;
    assert.equal(await issuer.sweep(), 0);
    assert.notEqual(await store.read('used once'), null);
  }
  let swept = 0;
  for (let hour = 0; hour < 4; hour++) {
    time += 3600;
    swept += await right.sweep();
  }
  assert.deepEqual([swept, await store.read('used once')], [1, null]);
});

test('what is thrown and is no Error is made one, and an entry that cannot be decoded is told as what it is', async () => {
  const { issuer, events, store, refresh } = issuerWith();
  const { refresh_token, sid } = await issuer.startSession('alice', { clientId: 'page' });
  const { read } = store;
  store.read = () => Promise.reject('down');
  await refresh(refresh_token);
  assert.equal(events.at(-1).cause instanceof Error && events.at(-1).cause.message, 'down');
  store.read = async (key) => (key === `s/${sid}` ? { version: 1, value: '{"torn' } : read(key));
  await assert.rejects(issuer.endSession(sid), ({ cause }) =>
    cause.message.startsWith('the store returned a session that cannot be decoded'),
  );
  const { kind, operation, cause } = events.at(-1);
  assert.deepEqual([kind, operation, cause instanceof Error], ['store_failed', 'read', true]);
});

const thrower = (message) => () => {
  throw new Error(message);
};
const thenable = (then) => Object.defineProperty({}, 'then', { value: then });

test('a listener that throws or rejects, now or later, changes no answer and ends no process', async () => {
  const unhandled = [];
  const heard = (reason) => unhandled.push(reason);
  process.on('unhandledRejection', heard);
  try {
    for (const onEvent of [
      () => Promise.reject(new Error('async')),
      async () => {
        await undefined;
        throw new Error('later');
      },
      thrower('sync'),
      () => thenable((_, reject) => reject(new Error('thenable'))),
      () => Object.defineProperty({}, 'then', { get: thrower('getter') }),
    ]) {
      const { issuer, store, refresh } = issuerWith({ onEvent });
      const { refresh_token } = await issuer.startSession('alice', { clientId: 'page' });
      assert.equal((await refresh(refresh_token)).status, 200);
      store.read = () => Promise.reject(new Error('down'));
      assert.equal((await refresh(refresh_token)).status, 503);
    }
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(unhandled, []);
  } finally {
    process.off('unhandledRejection', heard);
  }
});

test('a callback of the options that throws is an answer to the client and an event to the operator', async () => {
  const cause = new Error('no clock');
  let broken = false;
  const now = () => {
    if (broken) throw cause;
    return 1_800_000_000;
  };
  const { issuer, events, refresh } = issuerWith({ now });
  const { refresh_token } = await issuer.startSession('alice', { clientId: 'page' });
  broken = true;
  const response = await refresh(refresh_token);
  assert.deepEqual([response.status, (await response.json()).error], [500, 'server_error']);
  assert.deepEqual([events.at(-1).kind, events.at(-1).cause], ['request_failed', cause]);
  await assert.rejects(issuer.endSessionsOf('alice'), cause);

  const counter = {
    count() {
      throw cause;
    },
  };
  const counted = issuerWith({ counter });
  const { refresh_token: token } = await counted.issuer.startSession('alice', { clientId: 'page' });
  assert.equal((await counted.refresh(token)).status, 200, 'a counter that fails limits nothing');
  const { kind, operation, cause: told } = counted.events[0];
  assert.deepEqual([kind, operation, told], ['counter_failed', 'count', cause]);
});

test('health tries the store with a read, in process with what failed, and for others without', async () => {
  const { issuer, store, events } = issuerWith({ config: { health: true } });
  const ask = async () => {
    const response = await issuer.fetch(new Request(`${ISSUER}/health`));
    return [response.status, await response.json(), response.headers.get('cache-control')];
  };
  await issuer.sweep();
  let reads = 0;
  const { read } = store;
  store.read = (key) => {
    reads += 1;
    return read(key);
  };
  const well = await issuer.health();
  assert.deepEqual([well.ok, well.durationMs >= 0, reads], [true, true, 1]);
  assert.deepEqual(await ask(), [200, { status: 'ok' }, 'no-store']);
  const cause = new StoreSchemaError(9, 1);
  store.read = () => Promise.reject(cause);
  const ill = await issuer.health();
  assert.deepEqual([ill.ok, ill.operation, ill.cause], [false, 'read', cause]);
  const [status, body] = await ask();
  assert.deepEqual(
    [status, body.error, JSON.stringify(body).includes('schema')],
    [503, 'temporarily_unavailable', false],
  );
  assert.equal(events.filter(({ kind }) => kind === 'store_failed').length, 2);
  const head = await issuer.fetch(new Request(`${ISSUER}/health`, { method: 'HEAD' }));
  assert.equal(head.status, 503);

  const without = issuerWith();
  assert.equal((await without.issuer.fetch(new Request(`${ISSUER}/health`))).status, 404);
  assert.equal((await without.issuer.health()).ok, true, 'in process it is always there');
});

test('the keys of an upstream issuer that cannot be fetched are an event with what was thrown', async () => {
  const cause = new TypeError('no network');
  const { issuer, events } = issuerWith({
    fetch: () => Promise.reject(cause),
    config: {
      clients: [
        {
          clientId: 'page',
          authentication: 'client_secret_post',
          // SHA-256 of forty times x, in base64url.
          secretHash: Buffer.from(
            await crypto.subtle.digest('SHA-256', new TextEncoder().encode('x'.repeat(40))),
          ).toString('base64url'),
          grants: ['urn:ietf:params:oauth:grant-type:token-exchange'],
        },
      ],
      upstream: [
        { issuer: 'https://up.example', audience: 'us', remote: { jwksUri: 'https://up.example/jwks' } },
      ],
    },
  });
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = `${encode({ alg: 'ES256', typ: 'at+jwt' })}.${encode({ iss: 'https://up.example' })}.${'A'.repeat(86)}`;
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    client_id: 'page',
    client_secret: 'x'.repeat(40),
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  });
  const response = await issuer.fetch(new Request(`${ISSUER}/token`, { method: 'POST', body }));
  assert.equal(response.status, 503);
  assert.equal((await response.text()).includes('network'), false);
  const failed = events.find(({ kind }) => kind === 'keys_failed');
  assert.deepEqual(
    [failed.operation, failed.cause, failed.issuer, failed.durationMs >= 0],
    ['keys', cause, 'https://up.example', true],
  );
});

test('what is fixed by a call is no option, and what is not known is named', async () => {
  const { issuer } = issuerWith();
  const proto = JSON.parse('{"clientId":"page","__proto__":{"subject":"admin"}}');
  for (const [call, pointer] of [
    [() => issuer.startSession('mallory', { clientId: 'page', subject: 'admin' }), '/subject'],
    [() => issuer.startSession('mallory', { clientId: 'page', subject: undefined }), '/subject'],
    [() => issuer.startSession('mallory', { clientId: 'page', command: 'revoke' }), '/command'],
    [() => issuer.startSession('mallory', { clientId: 'page', sid: 'x' }), '/sid'],
    [() => issuer.startSession('mallory', { clientId: 'page', toJSON: () => ({}) }), '/toJSON'],
    [() => issuer.startSession('mallory', proto), '/__proto__'],
    [() => issuer.startSession('mallory'), '/clientId'],
    [() => issuer.mintCode('mallory', { clientId: 'page', subject: 'admin' }), '/subject'],
    [() => issuer.mintCode('mallory', { clientId: 'page', command: 'startSession' }), '/command'],
    [() => issuer.revoke({ sub: 'a', command: 'startSession' }), '/command'],
    [() => issuer.revoke({ sub: 'a', rolle: 1 }), '/rolle'],
    [async () => issuerWith({ onEvents: () => {} }), '/onEvents'],
    [async () => issuerWith({ feedkey: {} }), '/feedkey'],
  ])
    await assert.rejects(async () => call(), { name: 'PolicyError', pointer });
  const { access_token } = await issuer.startSession('mallory', { clientId: 'page' });
  assert.equal(JSON.parse(Buffer.from(access_token.split('.')[1], 'base64url')).sub, 'mallory');
});
