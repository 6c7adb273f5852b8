// What the rounds of `revocation-load.mjs` share: an issuer with a feed, and an edge that reads it.
import assert from 'node:assert/strict';

import { createVerifier } from '../../dist/entry/gate-default.js';
import { createIssuer, generateSigningKey } from '../../dist/entry/issuer-default.js';

const ISSUER = 'https://issuer.example';
const CLIENT = 'page';

/**
 * What all processes of an issuer share. Tokens live for an hour, so that nothing expires while a
 * round lasts.
 */
export function newParts() {
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
  return {
    signingKeys: [{ jwk: generateSigningKey('EdDSA').privateJwk() }],
    rootKeys: [{ secret: { base64url: secret } }],
    feedKey: generateSigningKey('EdDSA').privateJwk(),
    config: {
      issuer: ISSUER,
      audience: 'https://api.example',
      feedAccess: 'public',
      sessions: { accessTokenSeconds: 3600 },
      clients: [{ clientId: CLIENT, authentication: 'none', grants: ['refresh_token'] }],
      limits: { session: { requests: 1_000_000, seconds: 1 } },
    },
  };
}

/** A clock that goes with the real one. */
export const clockOf = () => ({ now: () => Math.floor(Date.now() / 1000) });

export function issuerFor(parts, store, clock) {
  const issuer = createIssuer({ ...parts, store, now: clock.now });
  return {
    ...issuer,
    async refreshed(token) {
      const body = new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: token,
        client_id: CLIENT,
      });
      const response = await issuer.fetch(new Request(`${ISSUER}/token`, { method: 'POST', body }));
      await response.text();
      return response.status;
    },
    pull: (query = '', encoding = 'identity') =>
      issuer.fetch(
        new Request(`${ISSUER}/revocations${query}`, { headers: { 'accept-encoding': encoding } }),
      ),
  };
}

export const start = (issuer, subject) => issuer.startSession(subject, { clientId: CLIENT });

/** What an edge makes of the feed now. */
export async function feedOf(issuer, parts, clock) {
  const policy = {
    issuers: [{ issuer: ISSUER, audience: parts.config.audience, jwks: issuer.jwks() }],
    revocation: { jwks: issuer.feedJwks(), maxStalenessSeconds: 60 },
  };
  const verifier = createVerifier(policy);
  const report = verifier.applyRevocations(await (await issuer.pull()).text(), { now: clock.now() });
  assert.equal(report.ok, true, JSON.stringify(report));
  const isRefused = (token) => verifier.verify(token, { now: clock.now() }).code === 'token-revoked';
  return { report, isRefused };
}

/** A store whose calls are counted. */
export function countingStore(store) {
  let count = 0;
  const counted =
    (name) =>
    (...of) => {
      count += 1;
      return store[name](...of);
    };
  const names = ['read', 'readMany', 'swap', 'sweep'].filter((name) => store[name]);
  return { store: Object.fromEntries(names.map((name) => [name, counted(name)])), calls: () => count };
}

export function percentile(times, share) {
  const sorted = [...times].sort((a, b) => a - b);
  return (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(0);
}
