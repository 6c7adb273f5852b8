// What a browser has and Node lacks, for tabs that are sessions of one process: Web Locks and BroadcastChannel, and a server that is a function.
import { generateSigningKey } from 'portcullis/issuer';

/** Web Locks (W3C): a queue for each name, stealing included. */
export function fakeLocks() {
  const held = new Map();
  const queues = new Map();
  const grant = (name) => {
    const queue = queues.get(name) ?? [];
    if (held.has(name) || queue.length === 0) return;
    const { callback, resolve, reject, clientId } = queue.shift();
    const lock = { name, clientId, reject };
    held.set(name, lock);
    Promise.resolve()
      .then(() => callback(lock))
      .then(resolve, reject)
      .finally(() => {
        if (held.get(name) === lock) held.delete(name);
        grant(name);
      });
  };
  /** The locks as one tab sees them. */
  return (clientId) => ({
    query: async () => ({
      held: [...held.values()].map(({ name, clientId }) => ({ name, clientId })),
      pending: [],
    }),
    request(name, { signal, steal = false }, callback) {
      return new Promise((resolve, reject) => {
        const request = { callback, resolve, reject, clientId };
        const queue = queues.get(name) ?? [];
        queues.set(name, queue);
        signal?.addEventListener('abort', () => {
          const at = queue.indexOf(request);
          if (at < 0) return;
          queue.splice(at, 1);
          reject(new DOMException('it took too long', 'AbortError'));
        });
        if (steal) {
          held.get(name)?.reject(new DOMException('stolen', 'AbortError'));
          held.delete(name);
          queue.unshift(request);
        } else queue.push(request);
        grant(name);
      });
    },
  });
}

const key = generateSigningKey('ES256');
const request = {
  issuer: 'https://issuer.example',
  audience: 'https://api.example',
  subject: 'ada',
  clientId: 'app',
};
export const jwks = key.jwks();

/** A real access token. */
export const mint = (nowSeconds, lifetimeSeconds = 300) =>
  key.mintAccessToken({ ...request, lifetimeSeconds }, { now: nowSeconds });

/** The answer of a token endpoint. */
export const tokens = (nowSeconds, more = {}, headers = {}) =>
  Response.json(
    { access_token: mint(nowSeconds), token_type: 'Bearer', expires_in: 300, ...more },
    { headers: { date: new Date(nowSeconds * 1000).toUTCString(), ...headers } },
  );
