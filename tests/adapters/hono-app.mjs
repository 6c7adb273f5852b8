// An app by Hono behind the gate, as it runs in Node and in workerd.
import { Hono } from 'hono';
import { createGate } from 'portcullis/gate';
import { guard } from 'portcullis/hono';

export function makeApp(policy, { key, credentials, realm, clientAddress } = {}) {
  const extra = { ...(credentials && { credentials }), ...(realm && { realm }) };
  const gate = createGate({ ...policy, gate: { ...policy.gate, ...extra } });
  const requirement = { scopes: ['notes:read'] };
  const app = new Hono();
  const answer = (c) => {
    const { sub = null } = c.get(key ?? 'jwtPayload') ?? {};
    return c.json({
      sub,
      user: c.req.header('x-user') ?? null,
      authorization: c.req.header('authorization') ?? null,
    });
  };
  app.use('/notes', guard(gate, requirement, { key, clientAddress }));
  app.use('/maybe', guard(gate, { ...requirement, anonymous: true }, { key }));
  app.use('/office', guard(gate, { networks: ['192.0.2.0/24'] }, { clientAddress }));
  app.get('/notes', answer).get('/maybe', answer).get('/office', answer);
  app.post('/notes', async (c) => c.json({ body: await c.req.json() }));
  return app;
}
