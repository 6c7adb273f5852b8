// Whole requests in Node: what `gates.mjs` has, and middlewares for Express, handed what Express
// hands them.
import { createServer } from 'node:http';

import { auth } from 'express-oauth2-jwt-bearer';
import { guard } from 'portcullis/express';
import { createGate } from 'portcullis/gate';

import { gates, requestWith, URL_ASKED } from './gates.mjs';
import { check, rounds, timed } from './node.mjs';
import { AUDIENCE, ISSUER, JWT } from './tokens.mjs';

/** Rows of one algorithm: the median microseconds a request. */
export async function benchGatesNode(alg, tokens, { batch }) {
  const jwks = await serveJwks(tokens.jwk);
  try {
    const runners = makeRunners(alg, tokens.jwk, jwks.url);
    for (const { name, verify, of } of runners) {
      const requests = { warmup: of(tokens.warmup), forged: of([tokens.forged])[0] };
      if (name !== 'nothing') await check(`${name} in Node`, verify, requests);
      await timed(verify, requests.warmup);
    }
    const fresh = await rounds(runners, tokens.node);
    const again = tokens.node.map(() => Array(batch).fill(tokens.repeat));
    for (const { verify, of } of runners) await timed(verify, of(again[0]));
    const repeat = await rounds(runners, again);
    const row = (kind) => (row) => ({ runtime: 'Node', alg, case: kind, ...row });
    return [...fresh.map(row('gate fresh')), ...repeat.map(row('gate repeat'))];
  } finally {
    jwks.stop();
  }
}

function makeRunners(alg, jwk, jwksUri) {
  const made = gates({ alg, jwk, issuer: ISSUER, audience: AUDIENCE, type: JWT });
  const ofHono = Object.entries(made).map(([name, accepts]) => ({
    name,
    verify: async (request) => demand(await accepts(request)),
    of: (list) => list.map(requestWith),
  }));
  const policy = { issuers: [{ issuer: ISSUER, audience: AUDIENCE, types: [JWT], jwks: { keys: [jwk] } }] };
  const middlewares = {
    'portcullis/express': guard(createGate(policy)),
    'express-oauth2-jwt-bearer': auth({ issuer: ISSUER, audience: AUDIENCE, jwksUri, tokenSigningAlg: alg }),
  };
  const ofExpress = Object.entries(middlewares).map(([name, middleware]) => ({
    name,
    verify: (request) => through(middleware, request),
    of: (list) => list.map(expressRequest),
  }));
  return [...ofHono, ...ofExpress];
}

/** What both middlewares read of a request that Express has taken up. */
function expressRequest(token) {
  const { host, pathname } = new URL(URL_ASKED);
  const headers = { host, authorization: `Bearer ${token}` };
  return {
    method: 'GET',
    protocol: 'https',
    url: pathname,
    originalUrl: pathname,
    headers,
    rawHeaders: Object.entries(headers).flat(),
    socket: { encrypted: true, remoteAddress: '192.0.2.1' },
    query: {},
    body: undefined,
    get: (name) => headers[name.toLowerCase()],
    is: () => false,
  };
}

function through(middleware, request) {
  return new Promise((resolve, reject) => {
    const response = {
      writeHead: (status) => reject(new Error(`refused: ${status}`)),
      end: () => {},
      setHeader: () => {},
    };
    middleware(request, response, (error) => (error ? reject(error) : resolve()));
  });
}

function demand(accepted) {
  if (!accepted) throw new Error('refused');
}

async function serveJwks(jwk) {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}/jwks`, stop };
}
