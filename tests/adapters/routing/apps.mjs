// An app of each framework for a table: every handler says which it is and what parameters it was
// given.
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

import { getRequestListener } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { guard as guardExpress } from 'portcullis/express';
import { guard as guardFastify } from 'portcullis/fastify';

import { startWorker } from '../../support/workerd.mjs';
import { listen } from '../cases.mjs';
import { decoded, honoApp, REST, SERVED, told } from './hono-app.mjs';

export { SERVED } from './hono-app.mjs';

/**
 * Express folds case and takes a slash at the end, unless it is told otherwise; what is mounted
 * lies under a prefix.
 */
async function inExpress(gate, { handlers }, strict) {
  const app = express();
  if (strict) app.set('case sensitive routing', true).set('strict routing', true);
  app.use(guardExpress(gate));
  for (const { path, method, name } of handlers) {
    const answer = (req, res) => {
      const rest = path.endsWith('/*') ? { '*': req.url.replace(/^\//, '').replace(/\?.*$/, '') } : {};
      res.set(SERVED, told(name, { ...req.params, ...rest })).end();
    };
    if (path.endsWith('/*')) app.use(path.slice(0, -2), answer);
    else if (method) app.get(path, answer);
    else app.all(path, answer);
  }
  app.use((req, res) => res.set(SERVED, told(REST, { path: req.path })).end());
  app.use((_error, _req, res, _next) => res.status(400).end());
  return listen(createServer(app));
}

async function inFastify(gate, { handlers }, lax) {
  const app = fastify({ routerOptions: { ignoreTrailingSlash: lax, caseSensitive: !lax } });
  app.addHook('onRequest', guardFastify(gate));
  const seen = new Set();
  for (const { path, method, name } of handlers) {
    const plain = decoded(path).replace(/\*$/, '*');
    const folded = `${method ?? ''}${lax ? plain.toLowerCase().replace(/\/$/, '') : plain}`;
    if (seen.has(folded)) continue;
    seen.add(folded);
    const url = plain;
    const methods = method
      ? [method]
      : ['GET', 'HEAD', 'POST', 'OPTIONS'].filter((one) => !taken(handlers, path, one));
    app.route({
      method: methods,
      url,
      exposeHeadRoute: method === 'GET',
      handler: (request, reply) => reply.header(SERVED, told(name, request.params)).send(''),
    });
  }
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.replace(/^https?:\/\/[^/]*/i, '').replace(/[?#].*$/, '');
    return reply.header(SERVED, told(REST, { path })).send('');
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { origin: `http://127.0.0.1:${app.server.address().port}`, stop: () => app.close() };
}

/** Has another handler of the path taken the method? */
function taken(handlers, path, method) {
  const of = (own) => own === method || (own === 'GET' && method === 'HEAD');
  return handlers.some((other) => other.path === path && other.method !== undefined && of(other.method));
}

async function inHono(gate, table, lax) {
  return listen(createServer(getRequestListener(honoApp(gate, table, lax).fetch)));
}

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));

/** A worker takes long to start: a few tables must do. */
const inWorkerd = (bindings) =>
  Object.assign(
    (_gate, table, policy) =>
      startWorker(WORKER, { bindings: { POLICY: policy, TABLE: table, ...bindings } }),
    {
      tables: 2,
      // The socket of a workerd on one's own machine fails where a target is absolute.
      originForm: true,
    },
  );

/**
 * The most lenient origin behind the plain gate: it decodes until there is nothing to decode,
 * takes backslashes for slashes, drops parameters, empty and dot segments, and folds case.
 */
async function inLenientOrigin(gate, { handlers }) {
  const match = (pattern, path) => {
    const source = decoded(pattern)
      .replace(/\/$/, '')
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/\/\*$/, '(?:/(?<rest>.*))?')
      .replace(/:(\w+)/g, '(?<$1>[^/]+)');
    const found = new RegExp(`^${source}$`, 'i').exec(path);
    return found && { ...found.groups };
  };
  const answer = (name, params) => new Response('', { headers: { [SERVED]: told(name, params) } });
  const serve = gate.protect((request) => {
    let path = new URL(request.url).pathname;
    for (let layer = 0; layer < 6; layer++) {
      try {
        path = decodeURIComponent(path);
      } catch {
        break;
      }
    }
    const kept = [];
    for (const segment of path
      .replaceAll('\\', '/')
      .split('/')
      .map((one) => one.split(';')[0])) {
      if (segment === '..') kept.pop();
      else if (segment !== '' && segment !== '.') kept.push(segment);
    }
    const plain = kept.length === 0 ? '' : `/${kept.join('/')}`;
    const handler = handlers.find(
      ({ path, method }) =>
        (method === undefined || method === request.method || request.method === 'HEAD') &&
        match(path, plain),
    );
    if (handler === undefined) return answer(REST, { path: new URL(request.url).pathname });
    const { rest, ...params } = match(handler.path, plain);
    return answer(
      handler.name,
      handler.path.endsWith('/*') ? { ...params, '*': encodeURI(rest ?? '') } : params,
    );
  });
  return listen(createServer(getRequestListener(serve)));
}

/** Servers by name: `(gate, table, policy) → { origin, stop }`. */
export const APPS = {
  'Express 5': (gate, table) => inExpress(gate, table, false),
  'Express 5, strict and case-sensitive': (gate, table) => inExpress(gate, table, true),
  'Fastify 5': (gate, table) => inFastify(gate, table, false),
  'Fastify 5, lax': (gate, table) => inFastify(gate, table, true),
  'Hono 4': (gate, table) => inHono(gate, table, false),
  'Hono 4, lax': (gate, table) => inHono(gate, table, true),
  'Hono 4 in workerd': inWorkerd({ KIND: 'hono', LAX: false }),
  'the plain gate before URLPattern in workerd': inWorkerd({ KIND: 'patterns' }),
  'an origin that decodes and splits all it can': inLenientOrigin,
};
