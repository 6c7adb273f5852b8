// What the load is made of: many callers with good tokens, and among them who guesses, forges,
// replays what is old, or sends rubbish.
import crypto from 'node:crypto';

import { prepared } from './client.mjs';

export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'https://api.example';
export const ALG = 'ES256';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

const key = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });

export const JWK = { ...key.publicKey.export({ format: 'jwk' }), kid: 'load', alg: ALG, use: 'sig' };

const now = () => Math.floor(Date.now() / 1000);

function sign(claims, { header = {}, by = key } = {}) {
  const said = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'ada',
    client_id: 'load',
    scope: 'read',
    iat: now(),
    exp: now() + 3600,
  };
  const input = `${encode({ alg: ALG, typ: 'JWT', kid: 'load', ...header })}.${encode({ ...said, jti: crypto.randomUUID(), ...claims })}`;
  const signature = crypto.sign('sha256', Buffer.from(input), {
    key: by.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return `${input}.${signature.toString('base64url')}`;
}

const bearer = (token) => [['Authorization', `Bearer ${token}`]];

/** By name: what a request brings, new each time it is made. */
const HOSTILE = {
  'no credentials': () => [],
  'another key': () => bearer(sign({}, { by: stranger })),
  expired: () => bearer(sign({ iat: now() - 7200, exp: now() - 3600 })),
  'another audience': () => bearer(sign({ aud: 'https://other.example' })),
  'another issuer': () => bearer(sign({ iss: 'https://evil.example' })),
  'a random kid': () => bearer(sign({}, { header: { kid: crypto.randomUUID() } })),
  'a bit turned': () =>
    bearer(sign({}).replace(/\.(.)([^.]*)$/, (_, first, rest) => `.${first === 'A' ? 'B' : 'A'}${rest}`)),
  'alg none': () =>
    bearer(
      `${encode({ alg: 'none', kid: 'load' })}.${encode({ iss: ISSUER, aud: AUDIENCE, exp: now() + 60 })}.`,
    ),
  'alg HS256': () =>
    bearer(`${encode({ alg: 'HS256', kid: 'load' })}.${encode({ iss: ISSUER })}.${'A'.repeat(43)}`),
  rubbish: () => bearer(crypto.randomBytes(40 + crypto.randomInt(200)).toString('base64url')),
  'many dots': () => bearer('.'.repeat(2000)),
  'deep JSON': () =>
    bearer(
      `${encode({ alg: ALG, kid: 'load' })}.${Buffer.from('['.repeat(4000)).toString('base64url')}.${'A'.repeat(86)}`,
    ),
  '12 KiB': () => bearer(sign({ padding: 'x'.repeat(9000) })),
  'two tokens': () => [['Authorization', `Bearer ${sign({})}, Bearer ${sign({})}`]],
  'another scheme': () => [['Authorization', 'Basic eDp5']],
};

/**
 * A stock of requests. Three in five are good; of those, half are a caller's first with its token,
 * while the others repeat one of a few. `next` draws from the stock in an order that is the same
 * for whoever is asked.
 */
export function makeStock({ host, fresh, callers, hostile }) {
  const good = (token) => ({ bytes: prepared('/', host, bearer(token)), expected: 'good' });
  const list = (count, make) => Array.from({ length: count }, (_, index) => make(index));
  const names = Object.keys(HOSTILE);
  const stock = {
    fresh: list(fresh, () => good(sign({}))),
    callers: list(callers, () => good(sign({}))),
    hostile: list(hostile, (index) => {
      const name = names[index % names.length];
      return { bytes: prepared('/', host, HOSTILE[name]()), expected: 'hostile', name };
    }),
  };
  const at = { fresh: 0, callers: 0, hostile: 0 };
  const PATTERN = [
    'fresh',
    'hostile',
    'callers',
    'fresh',
    'hostile',
    'callers',
    'fresh',
    'hostile',
    'callers',
    'hostile',
  ];
  let turn = 0;
  return () => {
    const kind = PATTERN[turn++ % PATTERN.length];
    const of = stock[kind];
    return of[at[kind]++ % of.length];
  };
}
