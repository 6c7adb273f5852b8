import { createGate } from 'portcullis/gate';
import policy from './policy.json' with { type: 'json' };

const gate = createGate(policy);

// Workers, Deno (`deno serve`), Bun and Vercel take this as it stands.
export default {
  fetch: gate.protect((_request, { claims }) => new Response(`Hello, ${claims.sub}`), {
    scopes: ['notes:read'],
  }),
};
