// A session's own claims and `amr`, over HTTP: at the sign-in, at each refresh, in a retry, and at
// an edge that asks for them.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';

import { createGate } from 'portcullis/gate';

import { AUDIENCE, BACK, claimsOf, clients, refresh, serveIssuer, withoutExchange } from './serve.mjs';

const OWN = { tenant: { id: 7, share: 0.1 }, roles: ['editor', 'ü"\n'], vip: true, none: null };
const AMR = ['pwd', 'otp'];

/** What an access token says beside the issuer's own claims. */
function said(token) {
  const { tenant, roles, vip, none, amr } = claimsOf(token);
  return { tenant, roles, vip, none, amr };
}

const withOpenid = () => {
  const [page, ...others] = clients().map(withoutExchange);
  return { config: { clients: [{ ...page, scope: `openid ${page.scope}` }, ...others] } };
};

async function redeem(served, code, verifier) {
  const form = {
    grant_type: 'authorization_code',
    client_id: 'page',
    code,
    redirect_uri: BACK,
    code_verifier: verifier,
  };
  return (await served.post('/token', form)).json;
}

function pkce() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

test('claims and amr are in each access token of a session, and a retry has the very same', async (t) => {
  const { issuer, post, advance } = await serveIssuer(t);
  const started = await issuer.startSession('alice', { clientId: 'page', claims: OWN, amr: AMR });
  assert.deepEqual(said(started.access_token), { ...OWN, amr: AMR });
  let token = started.refresh_token;
  for (let times = 0; times < 3; times++) {
    advance(91);
    const next = (await post('/token', refresh(token))).json;
    const retried = (await post('/token', refresh(token))).json;
    assert.equal(retried.refresh_token, next.refresh_token);
    assert.deepEqual(said(next.access_token), { ...OWN, amr: AMR });
    assert.deepEqual(said(retried.access_token), { ...OWN, amr: AMR });
    token = next.refresh_token;
  }
});

test('a code hands them on, whether it was minted or completed, and the ID token has amr alone', async (t) => {
  const served = await serveIssuer(t, withOpenid());
  const { issuer, url } = served;
  const minted = pkce();
  const code = await issuer.mintCode('alice', {
    clientId: 'page',
    redirectUri: BACK,
    codeChallenge: minted.challenge,
    claims: OWN,
    amr: AMR,
  });
  const completed = pkce();
  const parameters = new URLSearchParams({
    response_type: 'code',
    client_id: 'page',
    redirect_uri: BACK,
    code_challenge: completed.challenge,
    code_challenge_method: 'S256',
  });
  const asked = await issuer.authorize(new Request(`${url}/authorize?${parameters}`));
  assert.equal(asked.outcome, 'ask');
  const { sealed, cookie } = asked;
  const back = await issuer.complete(sealed, { cookie, subject: 'alice', claims: OWN, amr: AMR });
  const second = new URL(back.headers.get('location')).searchParams.get('code');
  for (const tokens of [
    await redeem(served, code, minted.verifier),
    await redeem(served, second, completed.verifier),
  ]) {
    assert.deepEqual(said(tokens.access_token), { ...OWN, amr: AMR });
    const { amr, tenant } = claimsOf(tokens.id_token);
    assert.deepEqual([amr, tenant], [AMR, undefined]);
  }
});

test('an edge decides by a claim of a session', async (t) => {
  const { issuer, origin } = await serveIssuer(t);
  const gate = createGate({
    issuers: [{ issuer: origin, audience: AUDIENCE, jwks: issuer.jwks() }],
    gate: { requirement: { claims: [{ path: ['tenant'], anyOf: ['acme'] }] } },
  });
  const status = async (claims) => {
    const { access_token } = await issuer.startSession('alice', { clientId: 'page', claims });
    const request = new Request('https://api.example/', {
      headers: { authorization: `Bearer ${access_token}` },
    });
    const decision = await gate.check(request);
    return decision.ok ? 200 : decision.response.status;
  };
  assert.deepEqual([await status({ tenant: 'acme' }), await status({ tenant: 'other' })], [200, 403]);
});

test('a mistake is an error at its member', async (t) => {
  const { issuer } = await serveIssuer(t);
  const pointerOf = async (options) => {
    const error = await issuer
      .startSession('alice', { clientId: 'page', ...options })
      .catch((thrown) => thrown);
    assert.equal(error.name, 'PolicyError', error);
    return error.pointer;
  };
  assert.equal(await pointerOf({ claims: { sub: 'mallory' } }), '/claims/sub');
  assert.equal(await pointerOf({ claims: { at_hash: 'x' } }), '/claims/at_hash');
  assert.equal(await pointerOf({ claims: { a: 'x'.repeat(3072) } }), '/claims');
  assert.equal(await pointerOf({ claims: ['a'] }), '/claims');
  assert.equal(await pointerOf({ amr: 'pwd' }), '/amr');
});
