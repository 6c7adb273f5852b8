// The edge: an API behind the gate, which pulls the issuer's revocations and asks nobody about a
// token.
import { env } from 'cloudflare:workers';
import { createGate } from 'portcullis/gate';

const gate = createGate(env.POLICY, {
  // As workers of one account reach each other: by a binding, and not by the network.
  fetch: (url, init) => env.ISSUER.fetch(url, init),
  revocation: { clientSecret: env.EDGE_SECRET },
});

const notes = gate.protect(
  (_, { claims }) => Response.json({ ok: true, claims }),
  undefined,
  (_, __, context) => ({
    waitUntil: (promise) => context.waitUntil(promise),
  }),
);

export default {
  async fetch(request, bindings, context) {
    const { pathname } = new URL(request.url);
    // The policy holds public keys only.
    if (pathname === '/api/policy') return Response.json(env.POLICY);
    if (pathname !== '/api/notes') return Response.json({ error: 'not_found' }, { status: 404 });
    return notes(request, bindings, context);
  },
};
