import { createGate } from 'portcullis/gate';
import { guard } from 'portcullis/sveltekit';
import policy from './policy.json';

// In a page's `load`: `({ locals }) => ({ name: locals.auth.claims.sub })`.
export const handle = guard(createGate(policy));
