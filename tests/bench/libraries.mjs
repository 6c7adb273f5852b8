// Our peers, each configured as its documentation says for the same policy: issuer, audience,
// algorithm, expiry and, where it can, typ.
import crypto from 'node:crypto';

import { JwtVerifier } from 'aws-jwt-verify';
import { createVerifier as createFastVerifier } from 'fast-jwt';
import * as jose from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { createVerifier } from 'portcullis';

import { AUDIENCE, ISSUER, NATIVE, TYPE } from './tokens.mjs';

/**
 * `name → verify(token)`, which returns or throws; a promise where the library gives one. Only
 * those that know the algorithm.
 */
export async function libraries(alg, jwk) {
  const key =
    alg === 'HS256'
      ? crypto.createSecretKey(Buffer.from(jwk.k, 'base64url'))
      : crypto.createPublicKey({ key: jwk, format: 'jwk' });
  const made = { portcullis: portcullis(jwk) };
  // None of our peers knows ES256K.
  if (alg === 'ES256K') return made;
  Object.assign(made, { jose: await joseVerify(alg, jwk), ...fastJwt(alg, key) });
  if (alg !== 'EdDSA') made.jsonwebtoken = jsonWebToken(alg, key);
  if (!['HS256', 'PS256'].includes(alg)) made['aws-jwt-verify'] = awsJwtVerify(jwk);
  return made;
}

function portcullis(jwk) {
  const verifier = createVerifier({
    issuers: [{ issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [jwk] } }],
  });
  return (token) => {
    const verdict = verifier.verify(token);
    if (!verdict.ok) throw new Error(verdict.code);
  };
}

async function joseVerify(alg, jwk) {
  const key = await jose.importJWK(jwk, alg);
  const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: [alg], typ: TYPE };
  return (token) => jose.jwtVerify(token, key, options);
}

function fastJwt(alg, key) {
  const text = key.type === 'secret' ? key.export() : key.export({ format: 'pem', type: 'spki' });
  const options = {
    key: text,
    algorithms: [alg],
    allowedIss: ISSUER,
    allowedAud: AUDIENCE,
    checkTyp: TYPE,
    requiredClaims: ['exp'],
  };
  return {
    'fast-jwt': createFastVerifier({ ...options, cache: false }),
    'fast-jwt cached': createFastVerifier({ ...options, cache: 100_000 }),
  };
}

function jsonWebToken(alg, key) {
  const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: [alg] };
  return (token) => jsonwebtoken.verify(token, key, options);
}

function awsJwtVerify(jwk) {
  const verifier = JwtVerifier.create({ issuer: ISSUER, audience: AUDIENCE, jwksUri: `${ISSUER}jwks` });
  verifier.cacheJwks({ keys: [jwk] });
  return (token) => verifier.verifySync(token);
}

/**
 * The bare signature by Node's own cryptography, of parts that were decoded before: what any whole
 * token must cost on top of.
 */
export function native(alg, jwk) {
  const split = (token) => {
    const dot = token.lastIndexOf('.');
    return [Buffer.from(token.slice(0, dot)), Buffer.from(token.slice(dot + 1), 'base64url')];
  };
  if (alg === 'HS256') {
    const secret = Buffer.from(jwk.k, 'base64url');
    const holds = (input, tag) =>
      crypto.timingSafeEqual(crypto.createHmac('sha256', secret).update(input).digest(), tag);
    return { split, verify: ([input, tag]) => demand(holds(input, tag)) };
  }
  const { hash, options } = NATIVE[alg];
  const key = { key: crypto.createPublicKey({ key: jwk, format: 'jwk' }), ...options };
  return { split, verify: ([input, signature]) => demand(crypto.verify(hash, input, key, signature)) };
}

function demand(holds) {
  if (!holds) throw new Error('the signature does not hold');
}
