// Compiled and never run: the adapters in the frameworks' own types, without a cast.

import { getConnInfo } from '@hono/node-server/conninfo';
import type { Handle } from '@sveltejs/kit';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import type { Claims } from 'portcullis';
import { guard as guardExpress } from 'portcullis/express';
import { guard as guardFastify } from 'portcullis/fastify';
import type { Auth, Gate } from 'portcullis/gate';
import { type GateVariables, guard as guardHono } from 'portcullis/hono';
import { guard as guardNext } from 'portcullis/next';
import { guard as guardSvelteKit } from 'portcullis/sveltekit';

interface Own extends Claims {
  readonly tenant: string;
}
declare const gate: Gate;
declare const own: Gate<Own>;
const requirement = { scopes: ['read'] } as const;

declare global {
  namespace Express {
    interface Request {
      auth?: Auth;
    }
  }
}
declare module 'fastify' {
  interface FastifyRequest {
    auth?: Auth;
  }
}

const hono = new Hono<{ Variables: GateVariables }>();
hono.use('/a', guardHono(gate, requirement));
hono.use(
  guardHono(gate, requirement, {
    clientAddress: (c: Parameters<typeof getConnInfo>[0]) => getConnInfo(c).remote.address,
  }),
);
hono.get('/a', guardHono(gate), (c) => {
  const subject: string | undefined = c.var.jwtPayload.sub;
  const same: string | undefined = c.get('jwtPayload').sub;
  // @ts-expect-error: a custom claim is unknown until it is looked at
  const tenant: string = c.var.jwtPayload.tenant;
  return c.text(subject ?? same ?? tenant);
});
const named = new Hono<{ Variables: GateVariables<Own, 'user'> }>();
named.use(guardHono(own, requirement, { key: 'user' }));
named.get('/a', (c) => c.text(c.var.user.tenant));

const app = express();
app.use(guardExpress(gate));
app.get('/a', guardExpress(gate, requirement), (req, res) => {
  const via: 'token' | 'public' | 'preflight' | 'anonymous' | undefined = req.auth?.via;
  res.send(req.auth?.claims?.sub ?? via);
});

const server = fastify();
server.addHook('onRequest', guardFastify(gate));
server.get(
  '/a',
  { onRequest: guardFastify(gate, requirement) },
  async (request) => request.auth?.claims?.sub,
);

export const handle: Handle = guardSvelteKit(gate);

declare const NextResponse: {
  next(init?: { request?: { headers?: Headers } }): Response & { cookies: unknown };
};
export const proxy: (request: Request) => Promise<Response> = guardNext(gate, NextResponse);

// @ts-expect-error: a requirement is no policy
guardExpress(gate, { realm: 'x' });
// @ts-expect-error: an empty list of scopes requires nothing
guardExpress(gate, { scopes: [] });
