// The edge: a gate that pulls the feed.
import { env } from 'cloudflare:workers';
import { createGate } from 'portcullis/gate';

const gate = createGate(env.POLICY, {
  fetch: (url, init) => env.FEED.fetch(url, init),
  revocation: { clientSecret: env.EDGE_SECRET },
});
const handle = gate.protect(
  () => new Response('in'),
  undefined,
  (_, __, context) => ({ waitUntil: (promise) => context.waitUntil(promise) }),
);

export default {
  async fetch(request, bindings, context) {
    const { pathname } = new URL(request.url);
    if (pathname === '/stats') return Response.json(gate.stats());
    if (pathname !== '/pushed') return handle(request, bindings, context);
    gate.revocationsChanged();
    return new Response('thanks');
  },
};
