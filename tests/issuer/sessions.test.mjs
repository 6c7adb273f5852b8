// Sessions from their start to their end, over HTTP: rotation, replay, theft, and everything that
// revokes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';

import { createGate } from 'portcullis/gate';
import { generateSigningKey } from 'portcullis/issuer';

import { AUDIENCE, basic, claimsOf, refresh, SECRET, serveIssuer } from './serve.mjs';

const asBasic = { authorization: basic('basic:client', SECRET) };
const asPost = { client_id: 'post', client_secret: SECRET };

async function session(t, more = {}) {
  const served = await serveIssuer(t, more);
  const started = await served.issuer.startSession('alice', { clientId: 'page' });
  const use = (token, extra) => served.post('/token', refresh(token, extra));
  const isActive = async (token) => (await served.post('/introspect', { token }, asBasic)).json.active;
  return { ...served, started, use, isActive };
}

test('a token rotates, a retry gets the same successor, and a stolen one ends the session', async (t) => {
  const { started, use, advance, events, isActive } = await session(t);
  const second = (await use(started.refresh_token)).json;
  assert.notEqual(second.refresh_token, started.refresh_token);
  assert.equal(claimsOf(second.access_token).gen, 1);
  assert.equal((await use(started.refresh_token)).json.refresh_token, second.refresh_token, 'a lost answer');
  const early = (await use(second.refresh_token)).json;
  assert.equal(early.refresh_token, undefined, 'it is too soon to rotate again');
  advance(91);
  const third = (await use(second.refresh_token)).json;
  advance(91);
  const thief = await use(started.refresh_token);
  assert.deepEqual(
    [thief.status, thief.json.error, thief.json.error_description],
    [400, 'invalid_grant', 'refresh_token: reuse-detected'],
  );
  assert.equal((await use(third.refresh_token)).json.error_description, 'refresh_token: session-revoked');
  assert.equal(await isActive(third.access_token), false);
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['rotated', 'replayed', 'rotated', 'reuse_detected'],
  );
  const text = JSON.stringify(events);
  for (const token of [started, second, third].flatMap((answer) => [
    answer.refresh_token,
    answer.access_token,
  ]))
    assert.equal(text.includes(token.slice(0, 20)), false, 'no event holds a token');
});

test('a scope narrows and never widens', async (t) => {
  const { started, use } = await session(t);
  const narrow = (await use(started.refresh_token, { scope: 'notes:read' })).json;
  assert.deepEqual([narrow.scope, claimsOf(narrow.access_token).scope], ['notes:read', 'notes:read']);
  const wide = await use(narrow.refresh_token, { scope: 'notes:read admin' });
  assert.deepEqual([wide.status, wide.json.error], [400, 'invalid_scope']);
  assert.equal((await use(narrow.refresh_token)).json.scope, 'notes:read notes:write');
});

test('a token is its client’s alone', async (t) => {
  const { started, post, isActive } = await session(t);
  const stolen = await post(
    '/token',
    { grant_type: 'refresh_token', refresh_token: started.refresh_token },
    asBasic,
  );
  assert.equal(stolen.json.error_description, 'refresh_token: client-mismatch');
  const revoked = await post('/revoke', { token: started.refresh_token }, asBasic);
  assert.deepEqual([revoked.status, revoked.json.error], [400, 'unauthorized_client']);
  assert.equal((await post('/revoke', { token: started.access_token }, asBasic)).status, 400);
  // RFC 7662 §2.1: a refresh token is told to nobody but its own client.
  assert.equal(await isActive(started.refresh_token), false);
  assert.equal(await isActive(started.access_token), true);
});

test('introspection is for those who authenticate, and tells of others’ tokens only those who may', async (t) => {
  const { started, post } = await session(t);
  const open = await post('/introspect', { token: started.access_token, client_id: 'page' });
  assert.deepEqual([open.status, open.json.error], [401, 'invalid_client']);
  assert.deepEqual((await post('/introspect', { ...asPost, token: started.access_token })).json, {
    active: false,
  });
  const own = (await post('/token', { ...asPost, grant_type: 'client_credentials' })).json;
  const told = (await post('/introspect', { ...asPost, token: own.access_token })).json;
  assert.deepEqual([told.active, told.sub, told.token_type], [true, 'post', 'Bearer']);
  for (const token of ['', 'x', `${own.access_token}x`, started.refresh_token.replace(/^./, 'B')]) {
    const answer = await post('/introspect', { token }, asBasic);
    assert.deepEqual(answer.json.active ?? answer.json.error, token === '' ? 'invalid_request' : false);
  }
});

test('a client is told of its own refresh token while it would be answered', async (t) => {
  const { issuer, post, advance } = await serveIssuer(t);
  const { refresh_token, sid } = await issuer.startSession('alice', {
    clientId: 'basic:client',
    scope: 'notes:read',
  });
  const ask = async () => (await post('/introspect', { token: refresh_token }, asBasic)).json;
  const told = await ask();
  assert.deepEqual(
    [told.active, told.sub, told.client_id, told.scope, told.sid],
    [true, 'alice', 'basic:client', 'notes:read', sid],
  );
  assert.equal(told.token_type, undefined);
  advance(2_592_001);
  assert.deepEqual(await ask(), { active: false });
});

test('revoking answers 200 to what is no token, and again to what is revoked', async (t) => {
  const { started, post, use, isActive, url } = await session(t);
  const revoke = async (token) => (await post('/revoke', { token, client_id: 'page' })).status;
  assert.deepEqual([await revoke('x'), await revoke('eyJ.x.y')], [200, 200]);
  assert.equal(await revoke(started.access_token), 200);
  assert.equal(await isActive(started.access_token), false);
  const next = (await use(started.refresh_token)).json;
  assert.equal(await isActive(next.access_token), true, 'the session goes on');
  assert.equal(await revoke(started.refresh_token), 200, 'an older generation is good enough to end it');
  assert.equal(await isActive(next.access_token), false);
  const version = async () => (await fetch(`${url}/revocations`, { headers: asBasic })).headers.get('etag');
  assert.equal(await version(), '"2"');
  assert.equal(await revoke(next.refresh_token), 200);
  assert.equal(await version(), '"2"', 'what is revoked already fills no feed');
});

test('every revoke reaches an edge by the feed, and spares what begins afterwards', async (t) => {
  const signing = generateSigningKey('ES256');
  const options = { signingKeys: [{ jwk: signing.privateJwk() }] };
  const { issuer, url, post, advance, started } = await session(t, { options });
  let moved = 0;
  const pass = (seconds) => {
    advance(seconds);
    moved += seconds;
  };
  const now = () => Math.floor(Date.now() / 1000) + moved;
  const gate = createGate(
    {
      issuers: [{ issuer: url, audience: AUDIENCE, jwks: issuer.jwks() }],
      revocation: { jwks: issuer.feedJwks(), maxStalenessSeconds: 60 },
    },
    { now },
  );
  const pull = async () => {
    const response = await fetch(`${url}/revocations`, { headers: asBasic });
    assert.equal(response.headers.get('cache-control'), 'no-store');
    const update = gate.verifier.applyRevocations(await response.text(), { now: now() });
    assert.equal(update.ok, true, JSON.stringify(update));
  };
  const accepted = async (token) => {
    await pull();
    const request = new Request('https://api.example/', { headers: { authorization: `Bearer ${token}` } });
    const decision = await gate.check(request);
    return decision.ok ? 'accepted' : decision.code;
  };
  const start = async (subject = 'alice') =>
    (await issuer.startSession(subject, { clientId: 'page' })).access_token;
  const administer = (parameters) => post('/revocations', { ...asPost, ...parameters });

  assert.equal(await accepted(started.access_token), 'accepted');
  await issuer.endSession(started.sid);
  assert.equal(await accepted(started.access_token), 'token-revoked');

  for (const [name, revoke] of [
    ['subject, in process', () => issuer.endSessionsOf('alice')],
    ['sub', () => administer({ claim: 'sub', value: 'alice' })],
    ['client_id', () => administer({ claim: 'client_id', value: 'page' })],
  ]) {
    const before = await start();
    assert.equal(await accepted(before), 'accepted', name);
    await revoke();
    const after = await start();
    assert.equal(await accepted(before), 'issued-before-cutoff', name);
    assert.equal(
      await accepted(after),
      'accepted',
      `${name}: whoever signs in again in the same second is let in`,
    );
    pass(2);
  }
  // A client that is cut off may ask again at once, and what it gets then counts.
  const own = async () =>
    (await post('/token', { ...asPost, grant_type: 'client_credentials' })).json.access_token;
  const early = await own();
  await administer({ claim: 'client_id', value: 'post' });
  const late = await own();
  assert.deepEqual([await accepted(early), await accepted(late)], ['issued-before-cutoff', 'accepted']);
  const actives = [early, late].map((token) => post('/introspect', { ...asPost, token }));
  assert.deepEqual(
    (await Promise.all(actives)).map(({ json }) => json.active),
    [false, true],
  );

  const other = await start('bob');
  assert.equal((await administer({ claim: 'sid', value: claimsOf(other).sid })).status, 204);
  assert.equal(await accepted(other), 'token-revoked');
  const bySession = await start('bob');
  assert.equal((await administer({ claim: 'kid', value: signing.kid })).status, 204);
  assert.equal(await accepted(bySession), 'issued-before-cutoff');

  for (const [parameters, description] of [
    [{}, 'claim: must be sub, sid, client_id or kid'],
    [{ subject: 'a' }, 'claim: must be sub, sid, client_id or kid'],
    [{ claim: 'subject', value: 'a' }, 'claim: must be sub, sid, client_id or kid'],
    [{ claim: 'sub' }, 'value: is required'],
    [{ claim: 'sid', value: 'x' }, 'value: must be 16 bytes in base64url, as in sid'],
  ]) {
    const { error, error_description } = (await administer(parameters)).json;
    assert.deepEqual([error, error_description], ['invalid_request', description]);
  }
  const refused = await post('/revocations', { claim: 'sub', value: 'alice' }, asBasic);
  assert.deepEqual([refused.status, refused.json.error], [400, 'unauthorized_client']);
});

test('the feed gives a snapshot, then what has come since, in few rows, and in gzip where that is asked for', async (t) => {
  const { issuer, url, store } = await session(t);
  const pull = async (query = '') => {
    const response = await fetch(`${url}/revocations${query}`, { headers: asBasic });
    return [response.status, response.headers.get('etag'), (await response.text()).split('\n').length];
  };
  assert.deepEqual(await pull(), [200, '"0"', 1]);
  for (let n = 0; n < 3; n++) await issuer.endSessionsOf(`user ${n}`);
  assert.deepEqual(await pull(), [200, '"3"', 1]);
  assert.deepEqual((await pull('?since=1')).slice(0, 2), [200, '"3"']);
  assert.equal((await pull('?since=9'))[0], 410);
  for (const query of ['?since=x', '?since=-1', '?since=', '?other=1'])
    assert.equal((await pull(query))[0], 400, query);
  for (let n = 3; n < 90; n++) await issuer.endSessionsOf(`user ${n}`);
  assert.equal((await store.read('f/log')).version, 90);
  await issuer.sweep();
  assert.deepEqual(await pull(), [200, '"90"', 1]);
  assert.deepEqual(await pull('?since=0'), [200, '"90"', 1]);
  const ask = async (encoding) => {
    const request = new Request(`${url}/revocations`, {
      headers: { ...asBasic, 'accept-encoding': encoding },
    });
    const response = await issuer.fetch(request);
    return [response.headers.get('content-encoding'), Buffer.from(await response.arrayBuffer())];
  };
  const [none, plain] = await ask('identity');
  const [gzip, packed] = await ask('br, gzip');
  assert.deepEqual([none, gzip], [null, 'gzip']);
  assert.ok(packed.length < plain.length);
  assert.deepEqual(gunzipSync(packed), plain);
});

test('a mistake in a command is named by its member', async (t) => {
  const { issuer } = await serveIssuer(t);
  for (const [call, pointer] of [
    [() => issuer.startSession('', { clientId: 'page' }), '/subject'],
    [() => issuer.startSession(5, { clientId: 'page' }), '/subject'],
    [() => issuer.startSession('a', { clientId: 'nobody' }), '/clientId'],
    [() => issuer.startSession('a', { clientId: 'page', scope: 'admin' }), '/scope'],
    [() => issuer.startSession('a', { clientId: 'page', jkt: 'x' }), '/jkt'],
    [() => issuer.startSession('a', { clientId: 'page', rolle: 'x' }), '/rolle'],
    [() => issuer.endSession('x'), '/sid'],
    [() => issuer.revoke({}), '/sub'],
    [() => issuer.revoke({ sub: 'a', kid: 'b' }), '/sub'],
    [() => issuer.revoke({ session: 'a' }), '/session'],
    [() => issuer.revoke({ sid: 'x' }), '/sid'],
  ])
    await assert.rejects(call(), { name: 'PolicyError', pointer });
});
