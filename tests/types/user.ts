// What a strict program writes with the package. Compiled and never run: for every platform and
// way to find modules (types.test.mjs).
import type { JSONWebKeySet, JWK } from 'jose';
import { createVerifier, definePolicy, inspect, type Policy, verifyJws } from 'portcullis';
import { createTokenMediatingBackend } from 'portcullis/bff';
import { type Auth, type Claims, createGate, definePolicy as defineGated, type Gate } from 'portcullis/gate';
import { createIssuer, generateSigningKey } from 'portcullis/issuer';
import * as postQuantum from 'portcullis/ml-dsa';
import { createClock, createSession } from 'portcullis/session';
import { memoryStore } from 'portcullis/stores';
import { document } from './document.js';

declare const list: string[];
declare const names: readonly string[];
declare const keySet: JSONWebKeySet;
declare const key: JWK;
declare const request: Parameters<Gate['check']>[0];
const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '' }] };
const issuer = 'https://issuer.example';

// A JSON document, as it was imported.
createVerifier(document);
createVerifier(document, { cache: 0 }).replacePolicy(document);
createGate(document).replacePolicy(document);
postQuantum.createVerifier(document);
const fromDocument: Policy = definePolicy(document);
createVerifier(fromDocument);
createGate(
  { issuers: [{ preset: 'google', audience: 'a' }] },
  { reportOnly: { policy: defineGated(document) } },
);

// Lists whose length nobody knows.
createVerifier({ issuers: [{ issuer, audience: list, jwks }] });
createVerifier({ issuers: [{ issuer, audience: names, jwks, types: names, requiredClaims: list }] });
createVerifier({ issuers: list.map((name) => ({ issuer: name, audience: 'a', jwks })) });
createVerifier({
  issuers: list.map((name) => ({ issuer: name, audience: list, remote: { jwksUri: name } })),
});
createGate({
  issuers: [{ issuer, audience: list, jwks }],
  gate: { origins: list, routes: list.map((path) => ({ path, requirement: { scopes: list } })) },
});
createVerifier({ issuers: [{ issuer, audience: 'a', jwks: keySet }] }).setRemoteKeys(issuer, keySet);
verifyJws('', key);

// A literal that misses something is still a mistake, wherever it stands.
// @ts-expect-error: an audience is mandatory
createVerifier({ issuers: [{ issuer, jwks }] });
// @ts-expect-error: the same
createGate({ issuers: [{ issuer, jwks }] });
// @ts-expect-error: the same
definePolicy({ issuers: [{ issuer, jwks }] });
// @ts-expect-error: the same
defineGated({ issuers: [{ issuer, jwks }] });
createVerifier({
  issuers: [
    { issuer, audience: 'a', jwks },
    // @ts-expect-error: the same, of the second one
    { issuer, jwks },
  ],
});
// @ts-expect-error: the same, of a list that is made
createVerifier({ issuers: list.map((name) => ({ issuer: name, jwks })) });
const widened = { issuers: [{ issuer, jwks }] };
// @ts-expect-error: the same, of a policy in a variable
createVerifier(widened);
// @ts-expect-error: an empty list of audiences is none
createVerifier({ issuers: [{ issuer, audience: [], jwks }] });
// @ts-expect-error: no issuers
createGate({ issuers: [] });
// @ts-expect-error: no such member
createVerifier({ issuers: [{ issuer, audience: 'a', jwks, ignoreExpiration: true }] });
// @ts-expect-error: no such algorithm
definePolicy({ issuers: [{ issuer, audience: 'a', jwks, algorithms: ['none'] }] });
// @ts-expect-error: no such member of a route
defineGated({ issuers: [{ preset: 'google', audience: 'a' }], gate: { routes: [{ pth: '/' }] } });
// @ts-expect-error: scopes are a list
createGate({ issuers: [{ preset: 'google', audience: 'a' }], gate: { requirement: { scopes: 'admin' } } });

// Claims are there, unless somebody has said otherwise.
declare const answer: Awaited<ReturnType<ReturnType<Gate['protect']>>>;
declare function greet(subject: string | undefined): typeof answer;
const gate = createGate({ issuers: [{ preset: 'google', audience: 'a' }] });
export const handler = gate.protect((_request, { claims }) => greet(claims.sub));
gate.protect((_request, { claims }) => greet(claims.sub), { scopes: ['a'] });
gate.protect((_request, { claims }) => greet(claims.sub), { scopes: list });
gate.protect((_request, { claims, issuer: by }) => greet(claims.sub ?? by), { anonymous: false });
// @ts-expect-error: nobody may have come
gate.protect((_request, { claims }) => greet(claims.sub), { anonymous: true });
gate.protect((_request, { claims, via }) => greet(claims?.sub ?? via), { anonymous: true });
gate.protect((_request, auth: Auth<Claims, 'anonymous'>) => greet(auth.claims?.sub), { anonymous: true });
createGate(document).protect((_request, { claims }) => greet(claims.sub));

const open = createGate({
  issuers: [{ preset: 'google', audience: 'a' }],
  gate: { routes: [{ path: '/health', requirement: 'public' }] },
});
// @ts-expect-error: the policy has a public route
open.protect((_request, { claims }) => greet(claims.sub));
open.protect((_request, { claims }) => greet(claims?.sub));
// A requirement takes the place of the policy's routes.
open.protect((_request, { claims }) => greet(claims.sub), { scopes: ['a'] });
const passing = createGate({ issuers: [{ preset: 'google', audience: 'a' }], gate: { preflight: 'pass' } });
// @ts-expect-error: a preflight comes without claims
passing.protect((_request, { claims }) => greet(claims.sub), { scopes: ['a'] });
const anyone = createGate({
  issuers: [{ preset: 'google', audience: 'a' }],
  gate: { requirement: { anonymous: true } },
});
// @ts-expect-error: the policy lets nobody in as well
anyone.protect((_request, { claims }) => greet(claims.sub));

export async function decide(): Promise<string | undefined> {
  const decision = await gate.check(request, { scopes: list });
  if (!decision.ok) return decision.code;
  // @ts-expect-error: which way it was, the decision says
  decision.claims.sub;
  return decision.via === 'token' ? decision.claims.sub : decision.via;
}

// An issuer's answer is what a backend for frontend and a session start with.
const issuing = createIssuer({
  config: { issuer, audience: 'a', clients: [{ clientId: 'app', authentication: 'none' }] },
  signingKeys: [{ jwk: generateSigningKey('ES256').privateJwk() }],
  rootKeys: [{ secret: new Uint8Array(32) }],
  store: memoryStore(),
});
const bff = createTokenMediatingBackend({ tokenEndpoint: `${issuer}/token`, clientId: 'app' });
const session = createSession({ refresh: async () => answer, clock: createClock() });
export async function signIn(): Promise<typeof answer> {
  await session.start(await issuing.startSession('ada', { clientId: 'app' }));
  session.start({ access_token: 'a', token_type: 'Bearer', expires_in: 300, anything: 1 });
  bff.start({ access_token: 'a', refresh_token: 'r', anything: 1 });
  // @ts-expect-error: an access token is mandatory
  bff.start({ refresh_token: 'r' });
  return bff.start(await issuing.startSession('ada', { clientId: 'app' }));
}
createVerifier({ issuers: [{ issuer, audience: 'a', jwks: issuing.jwks() }] });
const seen = inspect('');
export const claimed: unknown = seen.ok ? seen.claims.sub : seen.code;
