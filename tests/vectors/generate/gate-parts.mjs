// What the themes about requests share: a policy with a section `gate`, a request, and proofs of
// possession.
import crypto from 'node:crypto';

import { NOW, policy, publicJwk, token } from './signing.mjs';

export const URL_HERE = 'https://api.example/orders/7';

/** A policy of three algorithms with what it says about requests. */
export const gated = (gate, more = {}, issuer = {}) => ({
  ...policy(['ES256', 'EdDSA', 'RS256'], issuer),
  ...more,
  gate,
});

/** A request; `token` is put into its Authorization header. */
export function request({
  method = 'GET',
  url = URL_HERE,
  token,
  scheme = 'Bearer',
  headers = [],
  ...more
} = {}) {
  const own = token === undefined ? [] : [['authorization', `${scheme} ${token}`]];
  return { method, url, headers: [...own, ...headers], ...more };
}

export const sha256 = (data) => crypto.createHash('sha256').update(data).digest('base64url');

/** RFC 7638. */
export function thumbprint(name) {
  const { kty, crv, x, y, n, e } = publicJwk(name);
  const members = { EC: { crv, kty, x, y }, OKP: { crv, kty, x }, RSA: { e, kty, n } }[kty];
  return sha256(JSON.stringify(members));
}

/**
 * A proof for a token and `URL_HERE` (RFC 9449 section 4.2). `claims` and `header` change it,
 * members set to undefined leave it.
 */
export function proof({ alg = 'ES256', key = 'es256Other', of = '', claims = {}, header = {}, bytes } = {}) {
  return token({
    alg,
    key,
    bytes,
    header: { typ: 'dpop+jwt', kid: undefined, jwk: publicJwk(key), ...header },
    payload: { jti: 'proof-1', htm: 'GET', htu: URL_HERE, iat: NOW, ath: sha256(of), ...claims },
  });
}

/** The nonce of the step of time in which an instant lies (src/binding/nonce.rs). */
export function nonce(secret, now = NOW, stepSeconds = 60) {
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(now / stepSeconds)));
  const message = Buffer.concat([Buffer.from('portcullis dpop nonce'), step]);
  return crypto.createHmac('sha256', Buffer.from(secret, 'base64url')).update(message).digest('base64url');
}

/** Collects vectors about requests. */
export function requests(source, policies) {
  const vectors = [];
  const add = (id, klass, comment, input, expect) => {
    vectors.push({ id, class: klass, comment, kind: 'gate', policy: 'default', now: NOW, ...input, expect });
  };
  return { add, file: { source, own: true, policies, vectors } };
}
