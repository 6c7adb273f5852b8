// Whole requests, from a `Request` to the handler behind the gate: one app by Hono behind ours and
// behind Hono's own middleware, set up for the same policy, and `gate.check` without any app. In
// Node and in workerd alike.
import { Hono } from 'hono';
import { jwk as honoJwk } from 'hono/jwk';
import { createGate } from 'portcullis/gate';
import { guard } from 'portcullis/hono';

export const URL_ASKED = 'https://api.example/notes';

/**
 * `name → accepts(request)`. `nothing` is the app without a gate: what a request costs in any
 * case.
 */
export function gates({ alg, jwk, issuer, audience, type }) {
  // One each, so that none finds in its memory what another has seen.
  const gate = () => createGate({ issuers: [{ issuer, audience, types: [type], jwks: { keys: [jwk] } }] });
  const alone = gate();
  const bare = gate().verifier;
  const behind = (middleware) => {
    const app = new Hono();
    if (middleware) app.use(middleware);
    app.get('/notes', (c) => c.body(null, 204));
    return async (request) => (await app.fetch(request)).status === 204;
  };
  return {
    nothing: behind(undefined),
    portcullis: behind(guard(gate())),
    'gate.check': async (request) => (await alone.check(request)).ok,
    // The same tokens without a request around them, for comparison.
    'verifier.verify': async (request) => bare.verify(request.headers.get('authorization').slice(7)).ok,
    'hono/jwk': behind(honoJwk({ keys: [jwk], alg: [alg], verification: { iss: issuer, aud: audience } })),
  };
}

export function requestWith(token) {
  return new Request(URL_ASKED, { headers: { authorization: `Bearer ${token}` } });
}
