// What an issuer is made of: shapes that are looked at when it is made, pointers that lead to real
// members, and failures of real stores that can be told apart.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';

import { Log, LogLevel, Miniflare } from 'miniflare';
import pg from 'pg';
import { createIssuer, generateSigningKey, memoryCounter } from 'portcullis/issuer';
import { d1Store, memoryStore, postgresStore } from 'portcullis/stores';

const page = { clientId: 'page', authentication: 'none', grants: ['refresh_token'] };
const CONFIG = { issuer: 'https://issuer.example', audience: 'https://api.example', clients: [page] };
const [first, second] = [generateSigningKey('ES256').privateJwk(), generateSigningKey('ES256').privateJwk()];

const make = (options) =>
  createIssuer({
    config: CONFIG,
    signingKeys: [{ jwk: first }],
    rootKeys: [{ secret: new Uint8Array(32).fill(7) }],
    store: memoryStore(),
    ...options,
  });

const without = (...names) => {
  const store = { ...memoryStore() };
  for (const name of names) delete store[name];
  return store;
};

test('a store that lacks a method is refused when the issuer is made, and the method is named', () => {
  for (const [store, pointer, reason] of [
    [
      undefined,
      '/store',
      /must be an object with read\(\), swap\(\), sweep\(\); found undefined\. Write memoryStore/,
    ],
    [null, '/store', /found null/],
    ['redis://localhost', '/store', /found a string/],
    [Promise.resolve(memoryStore()), '/store', /found a promise, which has to be awaited first/],
    [memoryStore, '/store/read', /must be a method of the store; found undefined/],
    [{}, '/store/read', /must be a method/],
    [without('read'), '/store/read', /must be a method/],
    [without('swap'), '/store/swap', /must be a method/],
    [without('sweep'), '/store/sweep', /must be a method/],
    [{ ...memoryStore(), readMany: 'yes' }, '/store/readMany', /found a string/],
  ])
    assert.throws(
      () => make({ store }),
      (error) => error.name === 'PolicyError' && error.pointer === pointer && reason.test(error.reason),
      `${pointer} ${reason}`,
    );
  // What is by choice may be left out.
  make({ store: without('readMany') });
  make({ counter: memoryCounter() });
});

test('so are a counter, and what must be a function', () => {
  for (const [options, pointer] of [
    [{ counter: {} }, '/counter/count'],
    [{ counter: 60 }, '/counter'],
    [{ onEvent: 'log' }, '/onEvent'],
    [{ now: 1_800_000_000 }, '/now'],
    [{ fetch: 'https://issuer.example' }, '/fetch'],
  ])
    assert.throws(() => make(options), { name: 'PolicyError', pointer });
});

test('a pointer leads to a member of the options', () => {
  const cases = [
    [
      { config: { ...CONFIG, clients: [{ ...page, authentication: 'x' }] } },
      '/config/clients/0/authentication',
    ],
    [{ config: { ...CONFIG, sessions: { idleSeconds: -1 } } }, '/config/sessions/idleSeconds'],
    [{ config: { ...CONFIG, issuer: 'http://issuer.example' } }, '/config/issuer'],
    [
      { config: { ...CONFIG, limits: { client: { requests: 0, seconds: 1 } } } },
      '/config/limits/client/requests',
    ],
    [{ signingKeys: [{ jwk: { ...first, d: 'x' } }] }, '/signingKeys/0/jwk/d'],
    [{ rootKeys: [{ secret: { base64url: 'AAAA' } }] }, '/rootKeys/0/secret'],
    [{ feedKey: {} }, '/feedKey/kty'],
    [
      {
        signingKeys: [
          { jwk: first },
          { jwk: second, publishedAtSeconds: 1_800_000_000, signsFromSeconds: 1_800_000_001 },
        ],
      },
      '/signingKeys/1/signsFromSeconds',
    ],
    [
      {
        signingKeys: [
          { jwk: first },
          { jwk: first, publishedAtSeconds: 1_800_000_000, signsFromSeconds: 1_800_009_000 },
        ],
      },
      '/signingKeys/1/jwk',
    ],
  ];
  for (const [options, pointer] of cases) {
    const error = thrownBy(() => make(options));
    assert.equal(error.pointer, pointer, error.message);
    let value = options;
    for (const name of pointer.split('/').slice(1, -1)) value = value[name];
    assert.equal(typeof value, 'object', `${pointer} leads nowhere`);
  }
});

test('a missing table and a refused connection are 503 and store_failed, and their causes tell them apart', async (test) => {
  const causes = [];
  for (const store of [await missingTable(test), await refusedConnection(test)]) {
    const events = [];
    const issuer = make({ store, onEvent: (event) => events.push(event) });
    const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'page', refresh_token: 'x' });
    const response = await issuer.fetch(new Request(`${CONFIG.issuer}/revoke`, { method: 'POST', body }));
    await response.body?.cancel();
    await assert.rejects(issuer.startSession('alice', { clientId: 'page' }), {
      name: 'IssuerUnavailableError',
    });
    const failures = events.filter(({ kind }) => kind === 'store_failed');
    assert.ok(failures.length > 0, JSON.stringify(events));
    for (const { operation, cause, durationMs } of failures) {
      assert.ok(['read', 'readMany', 'swap'].includes(operation) && durationMs >= 0);
      assert.ok(cause instanceof Error);
    }
    causes.push(failures[0].cause.message);
    const health = await issuer.health();
    assert.deepEqual([health.ok, health.cause.message], [false, failures[0].cause.message]);
  }
  assert.match(causes[0], /no such table: portcullis_entries/);
  assert.match(causes[1], /ECONNREFUSED/);
});

test('a cause that says nothing itself says what its parts do', async () => {
  const parts = [
    new Error('connect ECONNREFUSED ::1:5432'),
    new Error('connect ECONNREFUSED 127.0.0.1:5432'),
  ];
  const silent = Object.assign(new AggregateError(parts), { code: 'ECONNREFUSED' });
  const events = [];
  const read = () => Promise.reject(silent);
  const issuer = make({
    store: { ...memoryStore(), read, readMany: read },
    onEvent: (event) => events.push(event),
  });
  await assert.rejects(issuer.startSession('alice', { clientId: 'page' }));
  const { cause } = events.find(({ kind }) => kind === 'store_failed');
  assert.equal(
    cause.message,
    'ECONNREFUSED: connect ECONNREFUSED ::1:5432: connect ECONNREFUSED 127.0.0.1:5432',
  );
  assert.equal(cause.cause, silent);
});

/** A D1 database whose table somebody has dropped while the issuer ran. */
async function missingTable(test) {
  const miniflare = new Miniflare({
    modules: true,
    script: 'export default {}',
    d1Databases: ['DB'],
    cf: false,
    log: new Log(LogLevel.NONE),
  });
  test.after(() => miniflare.dispose());
  const database = await miniflare.getD1Database('DB');
  const store = d1Store(database);
  await store.read('x');
  await database.exec('DROP TABLE portcullis_entries');
  return store;
}

/** A Postgres that is not there: its port was free a moment ago. */
async function refusedConnection(test) {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'nobody', database: 'none' });
  test.after(() => pool.end());
  return postgresStore(pool);
}

function thrownBy(call) {
  try {
    call();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}
