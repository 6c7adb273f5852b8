// The API of the end-to-end test: everything behind the gate, whose policy knows the authorization
// server by its address alone.
import { env } from 'cloudflare:workers';
import { createGate } from 'portcullis/gate';

const gate = createGate(env.POLICY, { nonceSecret: new TextEncoder().encode(env.NONCE_SECRET) });

export default {
  fetch: gate.protect((_request, { claims, binding }) =>
    Response.json({ sub: claims.sub, scope: claims.scope, binding }),
  ),
};
