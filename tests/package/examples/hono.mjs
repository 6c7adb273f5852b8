import { Hono } from 'hono';
import { createGate } from 'portcullis/gate';
import { guard } from 'portcullis/hono';
import policy from './policy.json' with { type: 'json' };

const app = new Hono()
  .use('/notes', guard(createGate(policy), { scopes: ['notes:read'] }))
  .get('/notes', (c) => c.text(`Hello, ${c.var.jwtPayload.sub}`));

export default app;
