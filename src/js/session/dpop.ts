// Proofs that the sender holds a key (RFC 9449), with a key that no script can read.
import { DPOP_ALGORITHM, dpopProof, publicJwkOf, sha256 } from '../shared/dpop-proof.js';
import type { KeyPair, Request, Response } from '../shared/web.js';
import { challengeOf } from './challenge.js';
import { type Clock, createClock } from './clock.js';

const STORE = 'keys';

/**
 * Which key proves possession, and by which clock. Everything is optional.
 * @example
 * ```ts
 * import { createDpop } from 'portcullis/session/dpop';
 *
 * const dpop = createDpop({ name: 'app', clock: session.clock });
 * ```
 */
export interface DpopOptions {
  /**
   * Keys of one name are one, in all tabs of this origin, and stay in IndexedDB. Default:
   * `portcullis`.
   */
  name?: string;
  /** The session's, so that a proof is not refused for this device's wrong clock. */
  clock?: Clock;
  /** Default: one that is made once and kept. */
  keys?(name: string): Promise<KeyPair>;
}

/** A key of this origin that no script can read, and the requests that prove its possession. */
export interface Dpop {
  /**
   * Sends a request with a proof, and with the token it goes with; once more when the server wants
   * its nonce in it (RFC 9449 §8, §9).
   */
  fetch(request: Request, accessToken?: string): Promise<Response>;
  /** The JWK SHA-256 thumbprint of the key (RFC 7638), to which tokens are bound. */
  thumbprint(): Promise<string>;
  /** Destroys the key, with the session that was bound to it. */
  forget(): Promise<void>;
}

/**
 * Makes the part of a session that proves possession: its `fetch` for `tokenEndpoint`, and itself
 * for `createSession({ dpop })`.
 * @example
 * ```ts
 * import { createSession, createClock, tokenEndpoint } from 'portcullis/session';
 * import { createDpop } from 'portcullis/session/dpop';
 *
 * const clock = createClock();
 * const dpop = createDpop({ clock });
 * const session = createSession({
 *   clock,
 *   dpop,
 *   refresh: tokenEndpoint('https://issuer.example/token', { clientId: 'app', fetch: dpop.fetch }),
 * });
 * ```
 */
export function createDpop({ name = 'portcullis', clock: shared, keys = keptKeys }: DpopOptions = {}): Dpop {
  const clock = shared ?? createClock();
  let pair: Promise<CryptoKeyPair> | undefined;
  const nonces = new Map<string, string>();
  const key = () => {
    pair ??= keys(name);
    return pair;
  };
  const jwk = async () => publicJwkOf((await key()).publicKey);

  const proof = async (request: Request, accessToken: string | undefined) => {
    const nonce = nonces.get(new URL(request.url).origin);
    return dpopProof((await key()).privateKey, await jwk(), request, clock.now().seconds, nonce, accessToken);
  };

  const send = async (request: Request, accessToken?: string, again = true): Promise<Response> => {
    const { origin } = new URL(request.url);
    const own = request.clone();
    own.headers.set('dpop', await proof(request, accessToken));
    if (accessToken !== undefined) own.headers.set('authorization', `DPoP ${accessToken}`);
    const sent = clock.mark();
    const response = await fetch(own);
    // By a session's clock tokens expire: there only the token endpoint, to which no access token
    // goes, tells the time.
    if (!shared || accessToken === undefined) clock.observe(response, sent);
    const nonce = response.headers.get('dpop-nonce');
    if (nonce === null) return response;
    const before = nonces.get(origin);
    nonces.set(origin, nonce);
    return again && nonce !== before && (await wantsNonce(response))
      ? send(request, accessToken, false)
      : response;
  };

  return {
    fetch: (request, accessToken) => send(request, accessToken),
    thumbprint: async () => sha256(JSON.stringify(await jwk())),
    async forget() {
      pair = undefined;
      nonces.clear();
      await inStore(name, 'readwrite', (store) => store.delete(name));
    },
  };
}

/** An API says so in its challenge (RFC 9449 §9), a token endpoint in its body (§8). */
async function wantsNonce(response: Response): Promise<boolean> {
  const wanted = 'use_dpop_nonce';
  if (response.status === 401 && challengeOf(response).error === wanted) return true;
  if (response.status !== 400) return false;
  const body = await response
    .clone()
    .json()
    .catch(() => undefined);
  return body?.error === wanted;
}

/**
 * A pair of its own for each name, made once: of two tabs that make one at the same time, the
 * first to write has it.
 */
async function keptKeys(name: string): Promise<CryptoKeyPair> {
  const kept = await inStore(name, 'readonly', (store) => store.get(name));
  if (kept !== undefined) return kept;
  const made = await crypto.subtle.generateKey(DPOP_ALGORITHM, false, ['sign', 'verify']);
  await inStore(name, 'readwrite', (store) => store.add(made, name)).catch(() => undefined);
  return inStore(name, 'readonly', (store) => store.get(name));
}

function inStore<T>(
  name: string,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(`${name}-dpop`, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(STORE, mode, { durability: 'strict' });
      const asked = work(transaction.objectStore(STORE));
      const end = (settle: () => void) => () => {
        database.close();
        settle();
      };
      transaction.oncomplete = end(() => resolve(asked.result));
      transaction.onabort = end(() => reject(transaction.error));
    };
  });
}
