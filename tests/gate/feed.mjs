// A feed of revocations in the test's hand: signed by the description in
// src/revocation/snapshot.rs and served as the issuer serves it.

import { ISSUER } from '../support/issuer.mjs';
import { headOf, list, nameOf } from '../vectors/generate/revocation-list.mjs';
import { encode, publicJwk } from '../vectors/generate/signing.mjs';

export const hashKey = Buffer.alloc(16, 9);
export const feedJwks = { keys: [publicJwk('ed25519', { kid: 'list', alg: 'EdDSA' })] };
export const named = (claim, value) => nameOf(hashKey, claim, ISSUER, value);

/** A log of batches of hashes, and its documents as of the clock. */
export function feed(time) {
  const log = { deltas: [], tokens: [], head: encode(Buffer.alloc(32)), forgotten: 0 };
  const times = () => ({ iat: time.now, not_after: time.now + 86_400 });
  const version = () => log.deltas.length;
  const signed = (members) => list({ hashKey, ...times(), version: version(), ...members });
  return Object.assign(log, {
    version,
    revoke(...tokens) {
      const delta = list({ hashKey, ...times(), version: version() + 1, previous: log.head, tokens });
      log.deltas.push(delta);
      log.tokens.push(...tokens);
      log.head = headOf(delta);
    },
    snapshot: (members) => signed({ tokens: log.tokens, head: log.head, ...members }),
    renewal: () => signed({ current: log.head }),
    /** Serves `/revocations`, with `?since=`. */
    serve(request, response) {
      const since = new URL(request.url, 'http://feed').searchParams.get('since');
      if (since !== null && Number(since) < log.forgotten) {
        response.writeHead(410);
        return response.end();
      }
      response.writeHead(200);
      const deltas = since === null ? [log.snapshot()] : [...log.deltas.slice(Number(since)), log.renewal()];
      response.end(deltas.join('\n'));
    },
  });
}
