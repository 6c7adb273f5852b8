// What ends a session in the backend for frontend, what does not, and what becomes of answers that
// come late.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createTokenMediatingBackend } from 'portcullis/bff';

const ORIGIN = 'https://app.example';
const TOKENS = 'https://issuer.example/token';
const REVOKE = 'https://issuer.example/revoke';
const OWN = { 'x-portcullis': '1', 'sec-fetch-site': 'same-origin', origin: ORIGIN };
const NAME = '__Host-session';

/** A handler whose authorization server is a function, and the cookie jar of one browser. */
function browser(upstream, options = {}) {
  const asked = [];
  const handler = createTokenMediatingBackend({
    tokenEndpoint: TOKENS,
    revocationEndpoint: REVOKE,
    clientId: 'app',
    fetch: async (request) => {
      const form = Object.fromEntries(new URLSearchParams(await request.text()));
      asked.push(`${request.url === TOKENS ? 'refresh' : 'revoke'} ${form.refresh_token ?? form.token}`);
      return upstream(asked.at(-1), asked.length);
    },
    ...options,
  });
  const jar = new Map([[NAME, 'r0']]);
  const keep = (response) => {
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split(/=(.*)/s);
      if (/Max-Age=0/.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  };
  const request = (method, headers = {}) => {
    const cookie = [...jar].map((pair) => pair.join('=')).join('; ');
    return new Request(`${ORIGIN}/session`, {
      method,
      headers: { ...OWN, ...(cookie && { cookie }), ...headers },
    });
  };
  const send = async (method) => keep(await handler.fetch(request(method)));
  return { handler, asked, jar, keep, send, request };
}
const held = ({ jar }) => jar.get(NAME);
const json = (status, body, headers) => () => Response.json(body, { status, headers });
const grant = { error: 'invalid_grant' };
const good = (token) => () => Response.json({ access_token: 'a', refresh_token: token });
/** An answer that waits until it is released. */
function gated(answer) {
  let release;
  const gate = new Promise((resolve) => {
    release = resolve;
  });
  return { release, upstream: (...given) => gate.then(() => answer(...given)) };
}

test('only invalid_grant with status 400 ends a session', async () => {
  const others = [
    ...[200, 401, 403, 404, 409, 429, 500, 502, 503].map((status) => json(status, grant)),
    json(400, { error: 'invalid_client' }),
    json(400, { error: 'unauthorized_client' }),
    json(400, { error: 'invalid_request' }),
    json(400, { error: ['invalid_grant'] }),
    json(400, [grant]),
    json(400, 'invalid_grant'),
    json(400, null),
    json(400, {}),
    json(401, { error: 'invalid_client' }),
    () => new Response('<html>invalid_grant</html>', { status: 400 }),
    () => new Response('{"error":"invalid_grant"', { status: 400 }),
    () => new Response(null, { status: 400 }),
    () => Promise.reject(new TypeError('network')),
    () => {
      throw new Error('at once');
    },
    () => undefined,
  ];
  for (const upstream of others) {
    const page = browser(upstream);
    const response = await page.send('POST');
    assert.equal(response.status, 503, String(upstream));
    assert.equal(response.headers.get('set-cookie'), null);
    assert.equal(held(page), 'r0');
  }
  const page = browser(json(400, grant));
  assert.equal((await page.send('POST')).status, 401);
  assert.equal(held(page), undefined);
});

test('an answer whose refresh token is none leaves the one there is', async () => {
  for (const token of [undefined, null, '', 7, {}, ['r1'], true]) {
    const page = browser(good(token));
    assert.equal((await page.send('POST')).status, 200);
    assert.equal(held(page), 'r0', JSON.stringify(token));
  }
});

test('a sign-out that the server was not told of signs out here, keeps the token for it, and is tried again', async () => {
  const failures = [
    json(503, {}),
    json(400, { error: 'unsupported_token_type' }),
    json(401, { error: 'invalid_client' }),
    () => Promise.reject(new TypeError('network')),
  ];
  for (const failure of failures)
    for (const again of ['DELETE', 'POST']) {
      let down = true;
      const page = browser(() => (down ? failure() : new Response()));
      const failed = await page.send('DELETE');
      assert.deepEqual([failed.status, await failed.json()], [502, { error: 'not_revoked' }]);
      assert.match(failed.headers.get('retry-after'), /^\d+$/);
      // A page that is loaded now is signed out, and nothing is refreshed.
      assert.equal((await page.send('POST')).status, 401);
      assert.deepEqual([...new Set(page.asked)], ['revoke r0']);
      down = false;
      assert.equal((await page.send(again)).status, again === 'POST' ? 401 : 204);
      assert.deepEqual([...new Set(page.asked)], ['revoke r0']);
      assert.equal(held(page), undefined);
      const told = page.asked.length;
      await page.send('POST');
      assert.equal(page.asked.length, told);
    }
});

test('a token of its own that begins like the mark of one that has ended is a token', async () => {
  const page = browser(good(':r1'));
  await page.send('POST');
  await page.send('POST');
  assert.deepEqual(page.asked, ['refresh r0', 'refresh :r1']);
});

test('a late answer never takes the cookie of a newer sign-in away', async () => {
  for (const method of ['POST', 'DELETE'])
    for (const answer of [json(400, grant), json(200, {}), json(500, {})]) {
      const { release, upstream } = gated(answer);
      const page = browser(upstream);
      const late = page.handler.fetch(page.request(method));
      page.keep(page.handler.start({ access_token: 'b', refresh_token: 's0' }));
      release();
      page.keep(await late);
      assert.equal(held(page), 's0', `${method} ${answer}`);
    }
  // One without a cookie has nothing to take away.
  const page = browser(good('r1'));
  page.jar.clear();
  for (const method of ['POST', 'DELETE'])
    assert.equal((await page.send(method)).headers.get('set-cookie'), null);
});

test('nor does a late one that is good write over it, where the sign-in is known to be of this browser', async () => {
  const { release, upstream } = gated(good('r1'));
  const page = browser(upstream);
  const late = page.handler.fetch(page.request('POST'));
  page.keep(page.handler.start({ access_token: 'b', refresh_token: 's0' }, page.request('POST')));
  release();
  assert.equal(page.keep(await late).status, 401);
  assert.equal(held(page), 's0');
  assert.deepEqual(page.asked, ['refresh r0', 'revoke r1']);
});

test('the sign-in of another browser takes nothing from a session that is refreshed', async () => {
  const { release, upstream } = gated(good('r1'));
  const page = browser(upstream);
  const late = page.handler.fetch(page.request('POST'));
  const stranger = page.request('POST', { cookie: `${NAME}=x0` });
  page.handler.start({ access_token: 'b', refresh_token: 's0' }, stranger);
  release();
  assert.equal(page.keep(await late).status, 200);
  assert.equal(held(page), 'r1');
});

test('the sign-in of another browser, known or not, defeats no sign-out that waits for the server', async () => {
  for (const known of [true, false])
    for (const status of [200, 502]) {
      const { release, upstream } = gated(json(status, {}));
      const page = browser((_, count) => (count === 1 ? upstream() : new Response()));
      const late = page.handler.fetch(page.request('DELETE'));
      const stranger = page.request('POST', { cookie: `${NAME}=x0` });
      page.handler.start({ access_token: 'b', refresh_token: 's0' }, known ? stranger : undefined);
      release();
      assert.equal(page.keep(await late).status, status === 200 ? 204 : 502);
      if (known) assert.equal(held(page), status === 200 ? undefined : ':r0');
      if (status === 200) continue;
      // Whatever the cookie says: nothing is refreshed.
      assert.equal((await page.send('POST')).status, 401);
      assert.deepEqual(page.asked, ['revoke r0', 'revoke r0']);
      assert.equal(held(page), undefined);
    }
});

test('a refresh that begins while the sign-out waits for the server brings nothing back', async () => {
  const { release, upstream } = gated(json(502, {}));
  const page = browser((what) => (what.startsWith('revoke') ? upstream() : good('r1')()));
  const late = page.handler.fetch(page.request('DELETE'));
  const refreshed = page.handler.fetch(page.request('POST'));
  release();
  assert.equal(page.keep(await late).status, 502);
  assert.equal(page.keep(await refreshed).status, 401);
  assert.equal(held(page), ':r0');
  assert.deepEqual(page.asked, ['revoke r0', 'revoke r0']);
});

test('a late refresh writes over no cookie of a sign-in of an unknown browser, and costs nobody the session', async () => {
  for (const own of [true, false]) {
    const { release, upstream } = gated(good('r1'));
    const page = browser((_, count) => (count === 1 ? upstream() : good('r1')()));
    const late = page.handler.fetch(page.request('POST'));
    const started = page.handler.start({ access_token: 'b', refresh_token: 's0' });
    if (own) page.keep(started);
    release();
    const answered = page.keep(await late);
    assert.deepEqual([answered.status, answered.headers.get('retry-after')], [503, '1']);
    assert.equal(held(page), own ? 's0' : 'r0');
    assert.equal((await page.send('POST')).status, 200);
    assert.deepEqual(page.asked, ['refresh r0', own ? 'refresh s0' : 'refresh r0']);
  }
});

test('signing out while a refresh is under way: what that brings is revoked, and brings no cookie back', async () => {
  const { release, upstream } = gated(good('r1'));
  const page = browser((what) => (what.startsWith('refresh') ? upstream() : new Response()));
  const late = page.handler.fetch(page.request('POST'));
  assert.equal((await page.send('DELETE')).status, 204);
  assert.equal(held(page), undefined);
  release();
  assert.equal(page.keep(await late).status, 401);
  assert.equal(held(page), undefined);
  assert.deepEqual(page.asked, ['refresh r0', 'revoke r0', 'revoke r1']);
});

test('a token that does not fit into a cookie, with some room for the next, is refused before it is spent', async () => {
  const page = browser(good('r1'));
  const start = (token) => page.handler.start({ access_token: 'a', refresh_token: token });
  for (const token of ['r'.repeat(3800), 'ü'.repeat(700), '/'.repeat(1300), '\ud800'])
    assert.throws(() => start(token), /^TypeError: refresh_token: /);
  assert.equal(start('r'.repeat(3700)).status, 200);
  page.jar.set(NAME, 'r'.repeat(3900));
  const refused = await page.send('POST');
  assert.deepEqual([refused.status, page.asked.length], [401, 0]);
  assert.match((await refused.json()).error_description, /4000/);
  // One that has grown out of all proportion is not left alive at the server, and no exception
  // reaches the runtime.
  const growing = browser(good('n'.repeat(5000)));
  const lost = await growing.send('POST');
  assert.equal(lost.status, 401);
  assert.deepEqual(growing.asked, ['refresh r0', `revoke ${'n'.repeat(5000)}`]);
  assert.equal(held(growing), undefined);
});

test('what the server says of Retry-After reaches the page as seconds within bounds', async () => {
  const dated = (ms) => new Date(Date.now() + ms).toUTCString();
  for (const [said, least, most] of [
    ['0', 5, 5],
    ['-5', 5, 5],
    ['1.5', 5, 5],
    ['soon', 5, 5],
    ['', 5, 5],
    ['7', 7, 7],
    ['99999999999999999999999', 300, 300],
    [dated(-1e6), 1, 1],
    [dated(60_000), 55, 61],
    [dated(1e10), 300, 300],
  ])
    for (const method of ['POST', 'DELETE']) {
      const response = await browser(json(503, {}, { 'retry-after': said })).send(method);
      const seconds = Number(response.headers.get('retry-after'));
      assert.ok(seconds >= least && seconds <= most, `${said}: ${seconds}`);
    }
});

test('a fetch that ignores its signal, and a body that never ends, are given up', async () => {
  const awake = setInterval(() => {}, 1000);
  const hangs = [
    () => new Promise(() => {}),
    () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })),
  ];
  for (const hang of hangs)
    for (const [method, status] of [
      ['POST', 503],
      ['DELETE', 502],
    ]) {
      const page = browser(hang, { timeoutMs: 20 });
      assert.equal((await page.send(method)).status, status);
    }
  clearInterval(awake);
});

test('misuse shows when the handler is made', () => {
  for (const wrong of [
    { path: 'session' },
    { path: '/session?x' },
    { origin: 'https://app.example/' },
    { origin: 'app.example' },
    { tokenEndpoint: '/token' },
    { revocationEndpoint: 'revoke' },
    { clientId: '' },
    { clientId: undefined },
    { timeoutMs: 0 },
    { timeoutMs: Number.NaN },
  ])
    assert.throws(() => browser(good('r1'), wrong), TypeError, JSON.stringify(wrong));
});
