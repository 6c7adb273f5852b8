// An issuer in the test's hand: keys that rotate, and tokens by them, signed by jose.
import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';

export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'https://api.example';

/** A key pair with its public JWK, and tokens by it. */
export async function signer(kid, alg = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  const mint = (now, claims = {}, header = {}) =>
    new SignJWT({
      iss: ISSUER,
      aud: AUDIENCE,
      sub: 's',
      client_id: 'c',
      iat: now,
      exp: now + 86_400,
      jti: `${Math.random()}`,
      ...claims,
    })
      .setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header })
      .sign(privateKey);
  return { kid, jwk, mint };
}

/** A client's own key (RFC 9449): the confirmation of its tokens, and proofs by it. */
export async function prover(alg = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const prove = (token, now, { method = 'GET', url, ...more }) =>
    new SignJWT({
      htm: method,
      htu: url,
      iat: now,
      jti: randomUUID(),
      ath: createHash('sha256').update(token).digest('base64url'),
      ...more,
    })
      .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk })
      .sign(privateKey);
  return { cnf: { jkt: await calculateJwkThumbprint(jwk) }, prove };
}

/** A request with a token. */
export const asking = (token, url = 'https://api.example/orders') =>
  new Request(url, { headers: { authorization: `Bearer ${token}` } });
