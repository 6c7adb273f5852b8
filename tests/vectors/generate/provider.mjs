// One provider of tokens: what holds for every preset, and the near misses of its own.
import { accept, collection, KEY_OF, misuse, NOW, publicJwk, refuse, token } from './signing.mjs';

export const KID = 'k1';
export const API = 'https://api.example';
export const TENANT = '11111111-2222-3333-4444-555555555555';
export const USER = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
export const times = { iat: NOW - 60, exp: NOW + 3540 };
export const signed = (header, payload, alg = 'RS256') =>
  token({ alg, header: { alg, kid: KID, typ: undefined, ...header }, payload });

/** A collection of such vectors, which no other library has words for. */
export function presets(pages = []) {
  const source = "Each provider's documentation of its tokens; identifiers are made up.";
  const { add, file } = collection([source, ...pages].join(' '));
  return { add, file: { own: true, ...file } };
}

/**
 * A provider: its preset with parameters, the issuer that these stand for, what its keys look
 * like, and a token as it documents them. `others` are near misses: what differs in header or
 * payload, and the refusal.
 */
export function provider(
  add,
  name,
  { parameters, issuer, audience, alg = 'RS256', jwk = {}, header = {}, payload, others, more = {} },
) {
  const own = { preset: name, ...parameters, ...(audience && { audience }), ...more };
  const policy = { issuers: [own] };
  const jwks = { keys: [publicJwk(KEY_OF[alg], { kid: KID, use: 'sig', alg, ...jwk })] };
  const remoteKeys = [{ issuer, jwks }];
  const ask = (id, klass, comment, changes, expect) => {
    const claims = { iss: issuer, ...times, ...payload, ...changes.payload };
    add(
      `${name}-${id}`,
      klass,
      comment,
      { policy, remoteKeys, token: signed({ ...header, ...changes.header }, claims, alg) },
      expect,
    );
  };
  ask('accepts-a-token-of-its-shape', 38, 'The documented shape.', {}, accept({ claims: { iss: issuer } }));
  ask(
    'refuses-another-issuer',
    37,
    'Compared byte for byte.',
    { payload: { iss: `${issuer}x` } },
    refuse('issuer-mismatch', { expected: [issuer] }),
  );
  ask(
    'refuses-an-expired-token',
    35,
    'Whatever else it says.',
    { payload: { exp: NOW - 60 } },
    refuse('expired'),
  );
  for (const [id, [comment, changes, expect, klass = 38]] of Object.entries(others)) {
    ask(id, klass, comment, changes, expect);
  }
  for (const parameter of Object.keys(parameters)) {
    const without = { ...own, [parameter]: undefined };
    add(
      `${name}-asks-for-${parameter}`,
      33,
      'A missing parameter is named.',
      { kind: 'policy', policy: { issuers: [without] } },
      misuse(`/issuers/0/${parameter}`),
    );
    add(
      `${name}-refuses-a-${parameter}-that-leads-elsewhere`,
      11,
      'A parameter becomes part of a URL and cannot leave its place.',
      { kind: 'policy', policy: { issuers: [{ ...own, [parameter]: 'x/../@evil.example' }] } },
      misuse(`/issuers/0/${parameter}`),
    );
  }
}

export const otherAudience = (actual) => refuse('audience-mismatch', { actual });
export const mismatch = (claim, expected) => refuse('claim-mismatch', { claim, expected });
/** A token of somebody else at the same provider. */
export const neighbour = (comment, iss, more = {}) => [
  comment,
  { payload: { iss, ...more } },
  refuse('issuer-mismatch'),
  13,
];
export const missing = (claim) => refuse('claim-missing', { claim });
