// The gate's I/O in one isolate, for requests that come at once.
import { Introspection } from '../../dist/gate/introspection/introspection.js';
import { RemoteKeys } from '../../dist/net/remote-keys/remote-keys.js';
import { cacheStore } from '../../dist/net/remote-keys/stored-document.js';
import { rule } from './rule.mjs';
import { stubCore } from './stub-core.mjs';

const ISSUER = 'https://issuer.example';
let state;
let sharedPromise;

function setUp({ ORIGIN, KV }, tier) {
  const tiers = { kv: KV, cache: cacheStore(() => caches.default) };
  const core = stubCore();
  const clock = { ahead: 0 };
  const io = {
    fetch: (...args) => fetch(...args),
    now: () => Math.floor(Date.now() / 1000) + clock.ahead,
    random: () => 0,
    store: tiers[tier],
  };
  const keys = new RemoteKeys(
    [
      {
        issuer: ISSUER,
        jwksUri: `${ORIGIN}/keys`,
        minTtlSeconds: 60,
        maxTtlSeconds: 86_400,
        staleSeconds: 3600,
        timeoutMs: 1500,
        maxBytes: 262_144,
      },
    ],
    io,
    core.apply,
    core.forget,
    rule,
  );
  const introspection = new Introspection(
    [
      {
        issuer: ISSUER,
        endpoint: `${ORIGIN}/introspect`,
        clientId: 'client',
        authentication: 'client_secret_basic',
        cacheSeconds: 60,
        negativeCacheSeconds: 10,
        timeoutMs: 1500,
        concurrency: 16,
      },
    ],
    { [ISSUER]: { clientSecret: 'secret' } },
    io,
  );
  return { core, clock, keys, introspection };
}

export default {
  async fetch(request, env, ctx) {
    const { reset, refresh, alone, introspect, tend, tier, shared } = await request.json();
    if (reset) {
      state = undefined;
      sharedPromise = undefined;
      return Response.json({});
    }
    state ??= setUp(env, tier);
    const { core, clock, keys, introspection } = state;
    const context = alone ? {} : ctx;
    if (refresh) {
      const changed = await keys.refresh(ISSUER, refresh, context);
      return Response.json({ changed, kids: core.kids(ISSUER), stats: keys.stats()[0] });
    }
    if (introspect) return Response.json({ text: await introspection.ask(ISSUER, introspect, context) });
    if (tend) {
      clock.ahead = tend;
      keys.tend(context);
      return Response.json({ kids: core.kids(ISSUER) });
    }
    if (shared) {
      sharedPromise ??= fetch(`${env.ORIGIN}/keys`).then((response) => response.text());
      return new Response(await sharedPromise);
    }
    return new Response(null, { status: 400 });
  },
};
