import fastify from 'fastify';
import { guard } from 'portcullis/fastify';
import { createGate } from 'portcullis/gate';
import policy from './policy.json' with { type: 'json' };

const app = fastify();
app.addHook('onRequest', guard(createGate(policy), { scopes: ['notes:read'] }));
app.get('/notes', (request) => `Hello, ${request.auth.claims.sub}`);

app.listen({ port: Number(process.env.PORT ?? 3000) });
