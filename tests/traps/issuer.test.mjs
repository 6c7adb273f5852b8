// The issuer through traps: what is under way ends as something to be tried again, and nothing
// else changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { called, happened, made, plan } from './inject.mjs';

const {
  createIssuer,
  createVerifier,
  generateSigningKey,
  hashClientSecret,
  importSigningKey,
  IssuerUnavailableError,
} = await import('portcullis/issuer');
const { memoryStore } = await import('portcullis/stores');

const NOW = 1_800_000_000;
const TIMES = Number(process.env.TRAPS ?? 10_000) / 10;
const ISSUER = 'https://issuer.example';
const AUDIENCE = 'https://api.example';
const at = { now: NOW };
const UPSTREAM = 'https://upstream.example';
const ed25519 = {
  kty: 'OKP',
  crv: 'Ed25519',
  alg: 'EdDSA',
  kid: 'u',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
};

function world(store = memoryStore()) {
  const key = generateSigningKey('ES256');
  const imported = importSigningKey(generateSigningKey('EdDSA').privateJwk());
  const issuer = createIssuer({
    config: {
      issuer: ISSUER,
      audience: AUDIENCE,
      clients: [
        { clientId: 'page', authentication: 'none', grants: ['refresh_token'], scope: 'read' },
        {
          clientId: 'exchanger',
          authentication: 'client_secret_post',
          secretHash: hashClientSecret('s'.repeat(40)),
          grants: ['urn:ietf:params:oauth:grant-type:token-exchange'],
          scope: 'read',
        },
      ],
      limits: { session: { requests: 100_000, seconds: 60 } },
      upstream: [
        { issuer: UPSTREAM, audience: AUDIENCE, remote: { jwksUri: 'https://upstream.example/jwks' } },
      ],
    },
    signingKeys: [{ jwk: key.privateJwk() }],
    rootKeys: [{ secret: new Uint8Array(32).fill(3) }],
    feedKey: generateSigningKey('EdDSA').privateJwk(),
    store,
    now: () => NOW,
    fetch: async () => new Response(JSON.stringify({ keys: [ed25519] })),
  });
  return { key, imported, issuer };
}

const form = (members) => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(members),
});
const post = (issuer, members) => issuer.fetch(new Request(`${ISSUER}/token`, form(members)));
const refresh = (issuer, token) =>
  post(issuer, { grant_type: 'refresh_token', client_id: 'page', refresh_token: token });
const mint = { issuer: ISSUER, audience: AUDIENCE, subject: 's', clientId: 'c' };
const verifierOf = (jwks) => createVerifier({ issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks }] });

const ASK = {
  startSession: async ({ issuer }) => (await issuer.startSession('alice', { clientId: 'page' })).token_type,
  async refresh({ issuer, session }) {
    const response = await refresh(issuer, session.refresh_token);
    return [response.status, (await response.json()).error ?? ''];
  },
  metadata: async ({ issuer }) => (await issuer.fetch(new Request(`${ISSUER}/jwks`))).status,
  exchange: async ({ issuer }) => {
    const subject_token = `${btoa('{"alg":"EdDSA","kid":"u"}')}.e30.AAAA`;
    const response = await post(issuer, {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      client_id: 'exchanger',
      client_secret: 's'.repeat(40),
      subject_token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    });
    return response.status;
  },
  revoke: ({ issuer }) => issuer.revoke({ sid: 'AAAAAAAAAAAAAAAAAAAAAA' }),
  jwks: ({ issuer }) => issuer.jwks().keys.length,
  feedJwks: ({ issuer }) => issuer.feedJwks().keys.length,
  badSession: ({ issuer }) => issuer.startSession('alice', { clientId: 'nobody' }),
  mint: ({ key }) => verifierOf(key.jwks()).verify(key.mintAccessToken(mint, at), at).code ?? 'ok',
  mintImported: ({ imported }) =>
    verifierOf(imported.jwks()).verify(imported.mintAccessToken(mint, at), at).code ?? 'ok',
  badMint: ({ key }) => key.mintAccessToken({ ...mint, subject: '' }, at),
  generate: () => generateSigningKey('EdDSA').alg,
  badAlgorithm: () => generateSigningKey('RS256'),
  badKey: () => importSigningKey({ kty: 'EC' }),
  hash: () => hashClientSecret('s'.repeat(40)),
};

async function answer(ask, context) {
  try {
    return JSON.stringify(await ask(context)) ?? 'nothing';
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

test('a trap at any export of the issuer changes no answer but to "try again", and no session, key or secret', async (t) => {
  const context = world();
  const { issuer, key, imported } = context;
  context.session = await issuer.startSession('alice', { clientId: 'page' });
  const kids = [key.kid, imported.kid, issuer.jwks().keys[0].kid];
  const cases = [];
  for (const [name, ask] of Object.entries(ASK)) {
    const expected = await answer(ask, context);
    plan({ name: 'verifyJws' });
    called.clear();
    happened();
    assert.equal(await answer(ask, context), expected, name);
    for (const export_ of called) cases.push({ name, export_, expected });
  }
  let trapped = 0;
  let refused = 0;
  for (let round = 0; trapped < TIMES; round++) {
    const { name, export_, expected } = cases[round % cases.length];
    const turn = Math.floor(round / cases.length);
    const times = turn % 3 === 2 ? 2 : 1;
    const what = `${name}, trapped in ${export_}, turn ${turn}`;
    plan({ name: export_, after: turn % 2 === 1, times, skip: turn % 5 });
    const told = await answer(ASK[name], context);
    if (happened()) trapped += times;
    if (told !== expected) {
      assert.match(
        told,
        /503|temporarily_unavailable|IssuerUnavailableError|CoreError|verifier-unavailable/,
        `${what}: ${told}`,
      );
      refused += 1;
    }
    if (round % 20 !== 0) continue;
    // The session goes on, and everything is signed by the same keys.
    const body = await (await refresh(issuer, context.session.refresh_token)).json();
    assert.equal(
      verifierOf(issuer.jwks()).verify(body.access_token, at).ok,
      true,
      `${what}: ${JSON.stringify(body)}`,
    );
    assert.ok(body.refresh_token, what);
    assert.deepEqual([key.kid, imported.kid, issuer.jwks().keys[0].kid], kids, what);
  }
  assert.ok(refused > 0);
  t.diagnostic(
    `${trapped} traps in ${new Set(cases.map((each) => each.export_)).size} exports, ${made.count} instances`,
  );
});

test('a request that is under way when the core traps is 503, and a command says when to try again', async () => {
  const store = memoryStore();
  let reading = () => {};
  let release;
  const { issuer } = world({
    ...store,
    async read(key) {
      reading();
      await release;
      return store.read(key);
    },
    swap: (...args) => store.swap(...args),
  });
  const session = await issuer.startSession('alice', { clientId: 'page' });
  plan({ name: 'rawexchange_resume' });
  const response = await refresh(issuer, session.refresh_token);
  assert.ok(happened());
  assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '1']);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal((await response.json()).error, 'temporarily_unavailable');
  assert.equal((await refresh(issuer, session.refresh_token)).status, 200);
  plan({ name: 'rawexchange_resume' });
  await assert.rejects(issuer.endSession(session.sid), (error) => {
    assert.ok(error instanceof IssuerUnavailableError);
    assert.equal(error.retryAfterSeconds, 1);
    return true;
  });
  // Another's trap ends what is under way as well.
  let go;
  release = new Promise((resolve) => {
    go = resolve;
  });
  const asked = new Promise((resolve) => {
    reading = resolve;
  });
  const slow = refresh(issuer, session.refresh_token);
  await asked;
  plan({ name: 'rawsigningkey_generate' });
  assert.equal(generateSigningKey('ES256').alg, 'ES256');
  assert.ok(happened());
  go();
  assert.equal((await slow).status, 503);
  assert.equal((await refresh(issuer, session.refresh_token)).status, 200);
});

test('a platform without randomness is an error of its own, and no trap', () => {
  const before = made.count;
  const { getRandomValues } = crypto;
  crypto.getRandomValues = () => {
    throw new Error('none');
  };
  try {
    assert.throws(() => generateSigningKey('ES256'), { name: 'Error', message: /random/ });
  } finally {
    crypto.getRandomValues = getRandomValues;
  }
  assert.equal(generateSigningKey('ES256').alg, 'ES256');
  assert.equal(made.count, before);
});
