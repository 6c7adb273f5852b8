// Compiled and never run: the adapters in the frameworks' own types, without a cast.

import { getConnInfo } from '@hono/node-server/conninfo';
import type { Handle } from '@sveltejs/kit';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import type { Claims } from 'portcullis';
import { guard as guardExpress } from 'portcullis/express';
import { guard as guardFastify } from 'portcullis/fastify';
import { createGate, type Gate } from 'portcullis/gate';
import { type GateVariables, guard as guardHono } from 'portcullis/hono';
import { guard as guardNext } from 'portcullis/next';
import { guard as guardSvelteKit } from 'portcullis/sveltekit';

interface Own extends Claims {
  readonly tenant: string;
}
declare const gate: Gate;
declare const own: Gate<Own>;
const requirement = { scopes: ['read'] } as const;
const issuers = [{ preset: 'google', audience: 'a' }] as const;
const open = createGate({ issuers, gate: { routes: [{ path: '/health', requirement: 'public' }] } });

// Hono: the claims are there behind a guard, and nowhere else.
new Hono()
  .use('/a', guardHono(gate, requirement))
  .get('/a', (c) => c.text(`${c.var.jwtPayload.sub}, ${c.get('jwtPayload').exp}`));
const hono = new Hono();
hono.get('/a', guardHono(gate), (c) => {
  const subject: string | undefined = c.var.jwtPayload.sub;
  // @ts-expect-error: a custom claim is unknown until it is looked at
  const tenant: string = c.var.jwtPayload.tenant;
  return c.text(subject ?? tenant);
});
hono.get('/b', guardHono(gate, { anonymous: true }), (c) => {
  // @ts-expect-error: nobody may have come
  c.var.jwtPayload.sub;
  return c.text(c.var.jwtPayload?.sub ?? 'nobody');
});
// @ts-expect-error: the policy has a public route, and no requirement takes its place
hono.get('/c', guardHono(open), (c) => c.text(`${c.var.jwtPayload.sub}`));
hono.get('/c', guardHono(open, requirement), (c) => c.text(`${c.var.jwtPayload.sub}`));
hono.get('/d', guardHono(own, undefined, { key: 'user' }), (c) => c.text(c.var.user.tenant));
// @ts-expect-error: without a guard there are no claims
hono.get('/e', (c) => c.text(c.var.jwtPayload));
hono.use(
  guardHono(gate, requirement, {
    clientAddress: (c: Parameters<typeof getConnInfo>[0]) => getConnInfo(c).remote.address,
  }),
);
const named = new Hono<{ Variables: GateVariables<Own, 'user'> }>();
named.use(guardHono(own, requirement, { key: 'user' }));
named.get('/a', (c) => c.text(c.var.user.tenant));

const app = express();
app.use(guardExpress(gate));
app.use(guardExpress(open));
app.get('/a', guardExpress(gate, requirement), (req, res) => {
  const via: 'token' = req.auth.via;
  const issuer: string = req.auth.issuer;
  res.send(req.auth.claims.sub ?? via + issuer);
});
app.get('/b', guardExpress(own), (req, res) => res.send(`Hello, ${req.auth.claims.sub}`));

const server = fastify();
server.addHook('onRequest', guardFastify(gate));
server.get('/a', { onRequest: guardFastify(gate, requirement) }, async (request) => request.auth.claims.sub);
server.get('/b', (request) => `Hello, ${request.auth.claims.sub}`);

export const handle: Handle = guardSvelteKit(gate);
export const load = ({ locals }: { locals: App.Locals }) => ({ name: locals.auth.claims.sub });

declare const NextResponse: {
  next(init?: { request?: { headers?: Headers } }): Response & { cookies: unknown };
};
export const proxy: (request: Request) => Promise<Response> = guardNext(gate, NextResponse);

// @ts-expect-error: a requirement is no policy
guardExpress(gate, { realm: 'x' });
// @ts-expect-error: an empty list of scopes requires nothing
guardExpress(gate, { scopes: [] });
// @ts-expect-error: scopes are a list
guardFastify(gate, { scopes: 'admin' });
// @ts-expect-error: the same
guardHono(gate, { scopes: 'admin' });
