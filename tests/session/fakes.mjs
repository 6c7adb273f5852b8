// What a browser has and Node lacks, for tabs that are sessions of one process: Web Locks and
// BroadcastChannel, and a server that is a function.
import { createPrivateKey } from 'node:crypto';

import { SignJWT } from 'jose';
import { generateSigningKey } from 'portcullis/issuer';
import { SessionError } from 'portcullis/session';

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

/**
 * As much of IndexedDB as a lease needs: transactions one after the other. `kept` is what is in
 * its only store.
 */
export function fakeIndexedDb(kept) {
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  let before = Promise.resolve();
  const begin = () => {
    const transaction = { objectStore: () => store };
    const asked = [];
    const store = {
      get(name) {
        const request = {};
        asked.push(() => {
          request.result = structuredClone(kept.get(name));
          request.onsuccess?.();
        });
        return request;
      },
      put: (value, name) => asked.push(() => kept.set(name, structuredClone(value))),
      delete: (name) => asked.push(() => kept.delete(name)),
    };
    before = before.then(turn).then(() => {
      while (asked.length > 0) asked.shift()();
      transaction.oncomplete?.();
    });
    return transaction;
  };
  return {
    open() {
      const opening = { result: { createObjectStore() {}, transaction: () => begin(), close() {} } };
      setImmediate(() => {
        opening.onupgradeneeded?.();
        opening.onsuccess?.();
      });
      return opening;
    },
  };
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

/** One that is bound to a key (RFC 9449 §6). */
export const mintBound = (nowSeconds, jkt) =>
  new SignJWT({ client_id: 'app', cnf: { jkt } })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: jwks.keys[0].kid })
    .setIssuer(request.issuer)
    .setAudience(request.audience)
    .setSubject('ada')
    .setJti(crypto.randomUUID())
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + 300)
    .sign(createPrivateKey({ key: key.privateJwk(), format: 'jwk' }));

/** The answer of a token endpoint. */
export const tokens = (nowSeconds, more = {}, headers = {}) =>
  Response.json(
    { access_token: mint(nowSeconds), token_type: 'Bearer', expires_in: 300, ...more },
    { headers: { date: new Date(nowSeconds * 1000).toUTCString(), ...headers } },
  );

/** The access token; undefined where the session says by a `SessionError` that there is none. */
export const tokenOf = (session, refused) =>
  session.accessToken(refused).catch((error) => {
    if (!(error instanceof SessionError)) throw error;
  });
