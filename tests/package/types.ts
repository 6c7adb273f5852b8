// Compiled and never run: each `@ts-expect-error` fails the build when the types loosen.

import { type } from 'arktype';
import {
  type Claims,
  createVerifier,
  type Introspection,
  inspect,
  type Policy,
  PolicyError,
  type RejectionCode,
  type UnverifiedClaims,
  type Verdict,
  verifyJws,
} from 'portcullis';
import { createGate, type Gate } from 'portcullis/gate';
import { createIssuer, generateSigningKey, type Issuer, type IssuerEvent } from 'portcullis/issuer';
import * as postQuantum from 'portcullis/ml-dsa';
import * as slim from 'portcullis/slim';
import { memoryStore } from 'portcullis/stores';
import * as v from 'valibot';
import { z } from 'zod';

const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '' }] };
const issuer = 'https://issuer.example';
const audience = 'https://api.example';

createVerifier({ issuers: [{ issuer, audience, jwks }] });
createVerifier({ issuers: [{ issuer, audience: [audience, 'b'], keys: [{ alg: 'RS256', pem: '' }] }] });
createVerifier({
  issuers: [{ issuer, audience, jwks, types: 'any', algorithms: ['RS256'] }],
  leewaySeconds: 30,
});
createVerifier({ issuers: [{ issuer, audience, keys: [{ alg: 'HS256', secret: new Uint8Array(32) }] }] });

postQuantum.createVerifier({ issuers: [{ issuer, audience, jwks, algorithms: ['ML-DSA-65', 'ES256'] }] });

// @ts-expect-error: the main entry has no ML-DSA
createVerifier({ issuers: [{ issuer, audience, jwks, algorithms: ['ML-DSA-65'] }] });
// @ts-expect-error: an issuer is mandatory
createVerifier({ issuers: [{ audience, jwks }] });
// @ts-expect-error: an audience is mandatory
createVerifier({ issuers: [{ issuer, jwks }] });
// @ts-expect-error: an empty list of audiences is none
createVerifier({ issuers: [{ issuer, audience: [], jwks }] });
// @ts-expect-error: a policy without issuers trusts nobody
createVerifier({ issuers: [] });
// @ts-expect-error: keys are mandatory
createVerifier({ issuers: [{ issuer, audience }] });
// @ts-expect-error: none is no algorithm
createVerifier({ issuers: [{ issuer, audience, jwks, algorithms: ['none'] }] });
// @ts-expect-error: there is no switch to skip a check
createVerifier({ issuers: [{ issuer, audience, jwks, ignoreExpiration: true }] });
// @ts-expect-error: a secret works with HMAC alone
createVerifier({ issuers: [{ issuer, audience, keys: [{ alg: 'RS256', secret: { utf8: '' } }] }] });

declare function needsClaims(claims: Claims): void;

const verdict: Verdict = createVerifier({} as Policy).verify('');
// @ts-expect-error: claims are there only once `ok` was asked
verdict.claims;
if (verdict.ok) {
  needsClaims(verdict.claims);
  const expires: number = verdict.claims.exp;
  // @ts-expect-error: a custom claim is unknown until it is looked at
  const tenant: string = verdict.claims.tenant;
  // @ts-expect-error: an accepted token has no code
  verdict.code;
} else {
  const code: RejectionCode = verdict.code;
  if (verdict.code === 'expired') {
    const expires: number = verdict.expires;
    // @ts-expect-error: another code's field
    verdict.limit;
  }
  // @ts-expect-error: no such code
  if (verdict.code === 'exprired') throw new Error();
}

const seen = inspect('');
if (seen.ok) {
  const verified: false = seen.verified;
  const claims: UnverifiedClaims = seen.claims;
  // @ts-expect-error: what was not verified cannot pass for what was
  needsClaims(seen.claims);
}

const jws = verifyJws('', jwks.keys[0] as { kty: string });
if (jws.ok) {
  const payload: Uint8Array = jws.payload;
}

const key = generateSigningKey('ES256');
createVerifier({ issuers: [{ issuer, audience, jwks: key.jwks() }] });
key.mintAccessToken({ issuer, audience, subject: 's', clientId: 'c' });
// @ts-expect-error: this issuer does not sign with RSA
generateSigningKey('RS256');
// @ts-expect-error: RFC 9068 asks for a client
key.mintAccessToken({ issuer, audience, subject: 's' });

const pointer: string = new PolicyError('', '').pointer;
const loaded: Promise<void> = slim.init(new URL('https://example.org'));
const same: typeof createVerifier = slim.createVerifier;

// The policy document
createVerifier({ issuers: [{ issuer, audience, remote: { jwksUri: 'https://issuer.example/jwks' } }] });
createVerifier({ issuers: [{ issuer, audience, remote: { discovery: 'oidc', minTtlSeconds: 60 } }] });
createVerifier({
  issuers: [
    { issuer, audience, introspection: { endpoint: 'https://issuer.example/introspect', clientId: 'c' } },
  ],
});
createVerifier({
  issuers: [{ issuer, audience, jwks, audienceClaim: 'client_id', claims: { a: 'b', c: 1, d: true } }],
});
createVerifier({
  issuers: [{ preset: 'auth0', domain: 'tenant.eu.auth0.com', audience }],
  gate: { realm: 'api' },
});
createVerifier({ issuers: [{ preset: 'entra-v2', tenant: '', audience, requiredClaims: ['scp'] }] });
createVerifier({ issuers: [{ preset: 'firebase', project: 'p' }] });
createVerifier({ issuers: [{ preset: 'kubernetes', issuer, audience }] });
createVerifier({
  issuers: [
    { preset: 'google', audience },
    { preset: 'apple', audience, jwks },
  ],
});

// @ts-expect-error: a URL or discovery, not both
createVerifier({ issuers: [{ issuer, audience, remote: { jwksUri: '', discovery: 'oidc' } }] });
// @ts-expect-error: nor neither
createVerifier({ issuers: [{ issuer, audience, remote: {} }] });
// @ts-expect-error: no such preset
createVerifier({ issuers: [{ preset: 'auth1', domain: '', audience }] });
// @ts-expect-error: a parameter is missing
createVerifier({ issuers: [{ preset: 'auth0', audience }] });
// @ts-expect-error: an audience is mandatory beside a preset as well
createVerifier({ issuers: [{ preset: 'google' }] });
// @ts-expect-error: a claim is compared with a scalar
createVerifier({ issuers: [{ issuer, audience, jwks, claims: { a: ['b'] } }] });
// @ts-expect-error: secrets are no part of a policy
const introspection: Introspection = { endpoint: '', clientId: '', clientSecret: '' };

const report = createVerifier({} as Policy).setRemoteKeys(issuer, '{"keys":[]}');
const leftOut: string | undefined = report.leftOut[0]?.reason;

// Claims by a Standard Schema
const schemas = {
  zod: z.object({ tenant: z.string(), level: z.number() }),
  valibot: v.object({ tenant: v.string(), level: v.number() }),
  arktype: type({ tenant: 'string', level: 'number' }),
};
const typed = [
  createVerifier({} as Policy, { claims: schemas.zod }).verify(''),
  createVerifier({} as Policy, { claims: schemas.valibot }).verify(''),
  createVerifier({} as Policy, { claims: schemas.arktype }).verify(''),
  createVerifier.fromSealed(new Uint8Array(), { claims: schemas.zod }).verify(''),
  slim.createVerifier({} as Policy, { claims: schemas.zod }).verifyAuthorization(''),
  postQuantum.createVerifier({} as Policy, { claims: schemas.zod }).verify(''),
] as const;
for (const verdict of typed) {
  if (verdict.ok) {
    const tenant: string = verdict.claims.tenant;
    const level: number = verdict.claims.level;
    // @ts-expect-error: a claim that the schema does not name
    verdict.claims.other;
  } else if (verdict.code === 'claims-refused') {
    const issues: string[] = verdict.issues;
  }
}
const transformed = createVerifier({} as Policy, {
  claims: z.object({ exp: z.number() }).transform(({ exp }) => ({ until: new Date(exp) })),
}).verify('');
if (transformed.ok) {
  const until: Date = transformed.claims.until;
  // @ts-expect-error: what the transformation took away
  transformed.claims.exp;
}
// @ts-expect-error: no schema
createVerifier({} as Policy, { claims: { parse: (value: unknown) => value } });

const signingKeys = [{ jwk: generateSigningKey('ES256').privateJwk() }];
const rootKeys = [{ secret: new Uint8Array(32) }];
const clients = [{ clientId: 'app', authentication: 'none', grants: ['refresh_token'] }] as const;
const server = createIssuer({
  config: { issuer, audience, clients },
  signingKeys,
  rootKeys,
  store: memoryStore(),
  onEvent: ({ kind, sid }: IssuerEvent) => void [kind, sid],
});
const answered: Promise<Response> = server.fetch(new Request(issuer));
const started: Promise<{ access_token: string; sid: string }> = server.startSession('s', { clientId: 'app' });
void [answered, started, server.revoke({ sub: 's' })];
// @ts-expect-error: exactly one of the targets
server.revoke({});
// @ts-expect-error: whose session it is to be
server.startSession('s', {});
// @ts-expect-error: nowhere to keep sessions
createIssuer({ config: { issuer, audience, clients }, signingKeys, rootKeys });
createIssuer({
  // @ts-expect-error: no such grant
  config: { issuer, audience, clients: [{ clientId: 'a', authentication: 'none', grants: ['password'] }] },
  signingKeys,
  rootKeys,
  store: memoryStore(),
});

// A rule that is undefined would be none: it has no type either, under
// `exactOptionalPropertyTypes`.
declare const unset: string | undefined;
// @ts-expect-error: a claim that nobody configured
createVerifier({ issuers: [{ issuer, audience, jwks, claims: { tid: unset } }] });
// @ts-expect-error: algorithms that are not there
createVerifier({ issuers: [{ issuer, audience, jwks, algorithms: undefined }] });
// @ts-expect-error: a JWK's own algorithm
createVerifier({ issuers: [{ issuer, audience, jwks: { keys: [{ kty: 'EC', alg: unset }] } }] });
// @ts-expect-error: a schema that is not there
createVerifier({ issuers: [{ issuer, audience, jwks }] }, { claims: undefined });
const ruled: Gate = createGate({ issuers: [{ issuer, audience, jwks }] });
// @ts-expect-error: scopes that are not there
ruled.check({ method: 'GET', url: '', headers: [] }, { scopes: undefined });
// @ts-expect-error: a scope that is not there
ruled.check({ method: 'GET', url: '', headers: [] }, { scopes: [unset] });
// The whole requirement may be: then the policy's routes say.
ruled.check({ method: 'GET', url: '', headers: [] }, undefined);
// @ts-expect-error: a check that is not there
createGate({ issuers: [{ issuer, audience, jwks }] }, { narrow: undefined });
declare const anIssuer: Issuer;
// @ts-expect-error: without a scope the session has all
anIssuer.startSession('s', { clientId: 'c', scope: unset });
// @ts-expect-error: without a key the session is bound to none
anIssuer.startSession('s', { clientId: 'c', jkt: unset });
