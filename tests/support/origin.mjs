// A server on the loopback that behaves as it is told, and everything of the outer world that a
// test wants to hold in its hand.
import { once } from 'node:events';
import { createServer } from 'node:http';

export { stubCore } from '../gate/stub-core.mjs';

/**
 * Starts a server; `behave` may be changed while it runs. Every request is noted, its body with
 * it.
 */
export async function origin(behave = status(404)) {
  const seen = { behave, requests: [] };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { method, url, headers } = request;
      seen.requests.push({ method, url, headers, body });
      seen.behave(request, response, body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  seen.url = `http://127.0.0.1:${server.address().port}`;
  seen.close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return seen;
}

export const json =
  (value, headers = {}) =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    response.end(typeof value === 'string' ? value : JSON.stringify(value));
  };
export const status =
  (code, headers = {}) =>
  (_, response) => {
    response.writeHead(code, headers);
    response.end('{"keys":[]}');
  };
export const reset = (request) => request.socket.destroy();
export const hang = () => {};
/** The header at once, and then nothing more of the body than this. */
export const hangAfter = (text) => (_, response) => {
  response.writeHead(200);
  response.write(text);
};
/** A byte now and then, for ever. */
export const drip = (_, response) => {
  response.writeHead(200);
  const timer = setInterval(() => response.write(' '), 10);
  response.on('close', () => clearInterval(timer));
};
/** As many bytes, in pieces, without saying how many. */
export const huge =
  (bytes, noted = {}) =>
  (_, response) => {
    const piece = Buffer.alloc(65_536, ' ');
    noted.sent = 0;
    const more = () => {
      while (noted.sent < bytes && !response.destroyed) {
        noted.sent += piece.length;
        if (!response.write(piece)) return response.once('drain', more);
      }
      response.end();
    };
    response.writeHead(200);
    more();
  };
/** By path. */
export const paths = (behaviours) => (request, response, body) =>
  (behaviours[request.url] ?? status(404))(request, response, body);

export const jwk = (kid) => ({ kty: 'OKP', crv: 'Ed25519', kid, x: kid });
export const jwks = (...kids) => ({ keys: kids.map(jwk) });

/** A clock that is set by hand, in seconds. */
export function clock(now = 1_800_000_000) {
  const hands = { now, read: () => hands.now, pass: (seconds) => (hands.now += seconds) };
  return hands;
}

/** A shared store in memory, with faults on request. */
export function memoryStore() {
  const store = {
    values: new Map(),
    gets: 0,
    puts: [],
    get: async (key) => {
      store.gets += 1;
      return store.values.get(key);
    },
    put: async (key, value, options) => {
      store.puts.push({ key, value, options });
      store.values.set(key, value);
    },
  };
  return store;
}

/** A request's context: what was left to `waitUntil`. */
export function context() {
  const left = [];
  return { waitUntil: (promise) => left.push(promise), left, settled: () => Promise.all(left) };
}
