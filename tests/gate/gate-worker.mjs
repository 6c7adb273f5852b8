// The whole gate in workerd: one isolate, many requests at once.
import { createGate, DpopReplayObject, durableObjectReplayStore } from 'portcullis/gate';

export { DpopReplayObject };

let gate;

export default {
  async fetch(request, env, ctx) {
    gate ??= createGate(env.POLICY, {
      introspection: { [env.ISSUER]: { clientSecret: 'secret' } },
      replay: durableObjectReplayStore(env.PROOFS),
      serverTiming: true,
    });
    const { pathname } = new URL(request.url);
    if (pathname === '/stats') return Response.json(gate.stats());
    if (pathname === '/reset') {
      gate = undefined;
      return new Response();
    }
    const decision = await gate.check(request, undefined, ctx);
    return decision.ok ? Response.json({ sub: decision.claims.sub }) : decision.response;
  },
};
