// The demonstration in workerd: www/demo/workers/ bundled as wrangler does it, and started through
// miniflare.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { makePages, SITE } from '../../src/build/pages.mjs';
import { freePort, Plain, ROOT } from '../../src/build/steps.mjs';
import { bundleWorker } from '../../src/build/worker-bundle.mjs';

const HOST = '127.0.0.1';
const COMPATIBILITY_DATE = '2026-01-01';

/** How long a revoked token may still pass: what "instantly" means here. */
const MAX_STALENESS_SECONDS = 5;
/** How old the edge's list gets before it asks again. */
const PULL_SECONDS = 1;
/** Wr and Wc of the sessions, short enough to be watched. */
const WINDOWS = { replaySeconds: 2, rotationSeconds: 4 };

export const LEGACY_ISSUER = 'https://legacy.example';
export const AUDIENCE = 'https://api.example';

/** One sentence, before anything is built, when the port cannot be had. */
export async function assertFree(port) {
  const server = createServer();
  const code = await new Promise((resolve) => {
    server.once('error', (error) => resolve(error.code));
    server.listen(port, HOST, () => server.close(() => resolve(undefined)));
  });
  if (code === 'EADDRINUSE')
    throw new Plain(
      `Port ${port} is in use: stop what holds it, or choose another with PORT=${port + 1} npm start`,
    );
  if (code)
    throw new Plain(`Port ${port} cannot be opened (${code}): choose another with PORT=8787 npm start`);
}

/** Starts the issuer, the API and the front. Port 0 is any free one. */
export async function serve(wanted) {
  const { Miniflare, Log, LogLevel } = await import('miniflare');
  const { generateSigningKey } = await import('portcullis/issuer');
  await makePages();
  // The issuer's name has the port in it, and has to be known before anything is started.
  const port = wanted === 0 ? await freePort() : wanted;
  const issuer = `http://${HOST}:${port}`;
  const [key, feedKey] = [generateSigningKey('ES256'), generateSigningKey('EdDSA')];
  const legacy = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const legacyJwk = {
    ...legacy.publicKey.export({ format: 'jwk' }),
    kid: 'legacy',
    alg: 'RS256',
    use: 'sig',
  };
  const edgeSecret = randomBytes(32).toString('base64url');
  const policy = {
    issuers: [
      { issuer, audience: AUDIENCE, jwks: key.jwks() },
      { issuer: LEGACY_ISSUER, audience: AUDIENCE, jwks: { keys: [legacyJwk] } },
    ],
    revocation: {
      jwks: feedKey.jwks(),
      feed: `${issuer}/revocations`,
      clientId: 'edge',
      maxStalenessSeconds: MAX_STALENESS_SECONDS,
      pullSeconds: PULL_SECONDS,
    },
    // workerd does not say where a connection begins; the address that we listen on is loopback's.
    gate: { origins: [issuer, `http://localhost:${port}`] },
  };
  const miniflare = new Miniflare({
    host: HOST,
    port,
    // Otherwise miniflare asks the internet where it is.
    cf: false,
    log: new Log(LogLevel.ERROR),
    workers: await Promise.all([
      // The first one is the door.
      worker('front', {
        serviceBindings: { ISSUER: 'issuer', API: 'api', SITE: { disk: { path: SITE, writable: false } } },
      }),
      worker('issuer', {
        durableObjects: { SESSIONS: { className: 'SessionStoreObject', useSQLite: true } },
        bindings: {
          ISSUER: issuer,
          AUDIENCE,
          WINDOWS,
          MAX_STALENESS_SECONDS,
          SIGNING_KEY: key.privateJwk(),
          FEED_KEY: feedKey.privateJwk(),
          ROOT_SECRET: randomBytes(32).toString('base64url'),
          EDGE_SECRET: edgeSecret,
        },
      }),
      worker('api', {
        bindings: { POLICY: policy, EDGE_SECRET: edgeSecret },
        serviceBindings: { ISSUER: 'issuer' },
      }),
    ]),
  });
  const origin = (await miniflare.ready).origin;
  return { origin, issuer, key, policy, legacyKey: legacy.privateKey, stop: () => miniflare.dispose() };
}

/** One worker of www/demo/workers. */
async function worker(name, options) {
  const bundle = await bundleWorker(join(ROOT, 'www', 'demo', 'workers', `${name}.js`));
  return { name, compatibilityDate: COMPATIBILITY_DATE, ...bundle, ...options };
}
