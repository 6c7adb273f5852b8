// session.fetch over real HTTP: whom it shows the token, when it asks once more, and when it does
// not.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { createGate } from 'portcullis/gate';
import { createSession } from 'portcullis/session';
import { createDpop } from 'portcullis/session/dpop';
import { jwks, mint, mintBound, tokenOf, tokens } from './fakes.mjs';

const now = () => Math.floor(Date.now() / 1000);
let requests = [];
let answer;
const servers = [];
const listen = async () => {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { host, ...headers } = request.headers;
    requests.push({ host, method: request.method, path: request.url, headers, body });
    const { status = 200, ...more } = (await answer?.(requests.at(-1))) ?? {};
    response.writeHead(status, more);
    response.end('{}');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return `http://127.0.0.1:${server.address().port}`;
};
let api;
let foreign;
before(async () => {
  [api, foreign] = [await listen(), await listen()];
});
after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

let names = 0;
async function signedIn(options = {}, run) {
  requests = [];
  let refreshes = 0;
  const refresh = async () => {
    refreshes += 1;
    return tokens(now(), { refresh_token: `r${refreshes}` });
  };
  const session = createSession({ refresh, name: `fetch-${names++}`, origins: [api], ...options });
  try {
    const first = mint(now());
    await session.start({ access_token: first, refresh_token: 'r0', token_type: 'Bearer' });
    await run(session, first, () => refreshes);
  } finally {
    session.close();
    answer = undefined;
  }
}
const bearers = () => requests.map(({ headers }) => headers.authorization);
const invalid = {
  status: 401,
  'www-authenticate': 'Bearer realm="a", error="invalid_token", error_description="x"',
};

test('the token goes to the origins of the session alone', async () => {
  await signedIn({}, async (session, first) => {
    await session.fetch(`${api}/a`);
    await session.fetch(new URL(`${foreign}/b`));
    await session.fetch(new Request(`${foreign}/c`, { headers: { 'x-own': '1' } }));
    // Neither a port nor a user name makes another origin of it, nor the other way round.
    await session.fetch(`${api.replace('127.0.0.1', 'localhost')}/d`).catch(() => undefined);
    await session.fetch(`${api}/../e`);
    assert.deepEqual(
      requests.filter(({ headers }) => headers.authorization !== undefined).map(({ path }) => path),
      ['/a', '/e'],
    );
    assert.equal(requests[0].headers.authorization, `Bearer ${first}`);
  });
});

test('it follows no redirect, to wherever it leads', async () => {
  for (const target of [foreign, api]) {
    await signedIn({}, async (session) => {
      answer = ({ path }) => (path === '/a' ? { status: 302, location: `${target}/b` } : {});
      await assert.rejects(session.fetch(`${api}/a`), TypeError);
      await assert.rejects(session.fetch(`${api}/a`, { redirect: 'follow' }), TypeError);
      assert.equal((await session.fetch(`${api}/a`, { redirect: 'manual' })).status, 302);
      assert.deepEqual(
        requests.map(({ path }) => path),
        ['/a', '/a', '/a'],
      );
    });
  }
});

test('after invalid_token it asks once more, with a fresh token and the same body', async () => {
  await signedIn({}, async (session, first, refreshes) => {
    answer = ({ headers }) => (headers.authorization === `Bearer ${first}` ? invalid : {});
    const response = await session.fetch(`${api}/notes`, {
      method: 'PUT',
      body: 'a note',
      headers: { 'content-type': 'text/plain' },
    });
    assert.equal(response.status, 200);
    assert.deepEqual(
      requests.map(({ method, body }) => [method, body]),
      [
        ['PUT', 'a note'],
        ['PUT', 'a note'],
      ],
    );
    assert.notEqual(bearers()[1], bearers()[0]);
    assert.equal(refreshes(), 1);
  });
});

test('and not twice', async () => {
  await signedIn({}, async (session, _, refreshes) => {
    answer = () => invalid;
    assert.equal((await session.fetch(`${api}/`)).status, 401);
    assert.equal(requests.length, 2);
    assert.equal(refreshes(), 1);
  });
});

test('what only looks like invalid_token is handed back', async () => {
  for (const field of [
    undefined,
    'Bearer',
    'Bearer error="insufficient_scope"',
    'Bearer error_description="error=invalid_token"',
    'Bearer error_description="a \\", error=\\"invalid_token"',
    'Bearer error_description="a \\", error=invalid_token, b=\\""',
    'Basic realm="error=\'invalid_token\'"',
  ]) {
    await signedIn({}, async (session, _, refreshes) => {
      answer = () => ({ status: 401, ...(field && { 'www-authenticate': field }) });
      assert.equal((await session.fetch(`${api}/`)).status, 401);
      assert.deepEqual([requests.length, refreshes()], [1, 0], field);
    });
  }
  await signedIn({}, async (session, _, refreshes) => {
    answer = () => ({ ...invalid, status: 403 });
    assert.equal((await session.fetch(`${api}/`)).status, 403);
    assert.equal(refreshes(), 0);
  });
});

test('a step-up is asked for through the callback (RFC 9470), once', async () => {
  const challenge = {
    status: 401,
    'www-authenticate': 'Bearer error="insufficient_user_authentication", acr_values="phr phrh", max_age=60',
  };
  for (const outcome of ['tokens', 'started', 'no']) {
    const asked = [];
    const strong = mint(now());
    let own;
    const stepUp = async (what) => {
      asked.push(what);
      if (outcome === 'tokens') return { access_token: strong };
      if (outcome === 'no') return false;
      await own.start({ access_token: strong });
      return true;
    };
    await signedIn({ stepUp }, async (session) => {
      own = session;
      answer = ({ headers }) => (headers.authorization === `Bearer ${strong}` ? {} : challenge);
      const response = await session.fetch(`${api}/transfer`, { method: 'POST', body: '9' });
      assert.equal(response.status, outcome === 'no' ? 401 : 200);
      assert.equal(asked.length, 1);
      assert.deepEqual(
        [asked[0].acrValues, asked[0].maxAgeSeconds, asked[0].response.status],
        ['phr phrh', 60, 401],
      );
      // One that does not help is not asked for again.
      answer = () => challenge;
      assert.equal((await session.fetch(`${api}/transfer`)).status, 401);
      assert.equal(asked.length, 2);
    });
  }
  await signedIn({}, async (session) => {
    answer = () => challenge;
    assert.equal((await session.fetch(`${api}/`)).status, 401);
    assert.equal(requests.length, 1);
  });
});

test('without a session it is fetch', async () => {
  await signedIn({}, async (session) => {
    await session.signOut();
    answer = () => invalid;
    assert.equal((await session.fetch(`${api}/public`)).status, 401);
    assert.deepEqual(bearers(), [undefined]);
  });
});

const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
  'sign',
  'verify',
]);

test('our own gate accepts its proofs, for a token that is bound to its key and with the nonce it asks for', async () => {
  const gate = createGate(
    {
      issuers: [{ issuer: 'https://issuer.example', audience: 'https://api.example', jwks }],
      gate: { requirement: { binding: 'dpop' }, dpop: { nonce: true }, origins: ['http://127.0.0.1:*'] },
    },
    { nonceSecret: new TextEncoder().encode('a secret of thirty-two characters') },
  );
  const dpop = createDpop({ keys: async () => pair });
  await signedIn({ dpop }, async (session) => {
    await session.start({ access_token: await mintBound(now(), await dpop.thumbprint()) });
    let codes = [];
    answer = async ({ path, method, headers }) => {
      const decision = await gate.check(new Request(`${api}${path}`, { method, headers }));
      codes.push(decision.ok ? 'allowed' : decision.code);
      return decision.ok
        ? {}
        : { status: decision.response.status, ...Object.fromEntries(decision.response.headers) };
    };
    const response = await session.fetch(`${api}/notes?x=1#y`, { method: 'POST', body: 'a' });
    assert.deepEqual([response.status, codes], [200, ['dpop-nonce-required', 'allowed']]);
    assert.match(requests[1].headers.authorization, /^DPoP /);
    const [header, claims] = requests[1].headers.dpop
      .split('.')
      .map((part) => Buffer.from(part, 'base64url'));
    assert.equal(Object.keys(JSON.parse(header).jwk).sort().join(), 'crv,kty,x,y');
    assert.equal(JSON.parse(claims).htu, `${api}/notes`);
    // The nonce is kept for the next request, and every proof is a new one.
    codes = [];
    for (let n = 0; n < 3; n++) await session.fetch(`${api}/notes`);
    assert.deepEqual(codes, ['allowed', 'allowed', 'allowed']);
    // With another's key it is worth nothing.
    const thief = createDpop({
      keys: () =>
        crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']),
    });
    codes = [];
    await thief.fetch(new Request(`${api}/notes`), await tokenOf(session));
    assert.equal(codes.at(-1), 'dpop-key-mismatch');
  });
});

test('a nonce is asked for once more, not for ever; a token endpoint asks in its body', async () => {
  let count = 0;
  answer = () => ({
    status: 401,
    'www-authenticate': 'DPoP error="use_dpop_nonce"',
    'dpop-nonce': `n${count++}`,
  });
  requests = [];
  const dpop = createDpop({ keys: async () => pair });
  assert.equal((await dpop.fetch(new Request(`${api}/`), 'token')).status, 401);
  assert.equal(requests.length, 2);
  answer = undefined;
});

test('the key cannot be read, and its thumbprint is that of RFC 7638', async () => {
  const dpop = createDpop({ keys: async () => pair });
  await assert.rejects(crypto.subtle.exportKey('jwk', pair.privateKey));
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  const { calculateJwkThumbprint } = await import('jose');
  assert.equal(await dpop.thumbprint(), await calculateJwkThumbprint({ kty, crv, x, y }));
});
