import { createGate } from 'portcullis/gate';
import policy from './policy.json';

export const runtime = 'edge';

const gate = createGate(policy);
export const GET = gate.protect((_request, { claims }) => new Response(`Hello, ${claims.sub}`), {
  scopes: ['notes:read'],
});
