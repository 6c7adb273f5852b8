// How the suite calls portcullis: the package as installed, by the names a user imports.
import { createVerifier, inspect, verifyJws } from 'portcullis';
import {
  createVerifier as createIssuersVerifier,
  generateSigningKey,
  importSigningKey,
} from 'portcullis/issuer';

// One verifier a policy, as in a server: the vectors of one policy follow each other on the same instance.
const verifiers = new WeakMap();

export const library = {
  name: 'portcullis',
  synchronous: true,
  exact: true,
  kinds: ['verify', 'authorization', 'jws', 'inspect', 'policy'],
  verify: (policy, token, now, remoteKeys) => verifierFor(policy, remoteKeys).verify(token, { now }),
  verifyAuthorization: (policy, value, now) => verifierFor(policy).verifyAuthorization(value, { now }),
  verifyJws,
  inspect,
  acceptPolicy(policy, remoteKeys) {
    verifierWith(policy, remoteKeys);
    return { ok: true };
  },
  properties: {
    'property-the-issuer-entry-mints-what-both-entries-verify': mintedTokens,
  },
};

function verifierFor(policy, remoteKeys) {
  if (remoteKeys || policy === null || typeof policy !== 'object') return verifierWith(policy, remoteKeys);
  if (!verifiers.has(policy)) verifiers.set(policy, createVerifier(policy));
  return verifiers.get(policy);
}

/** A verifier that was handed what issuers publish, one set after the other. */
function verifierWith(policy, remoteKeys = []) {
  const verifier = createVerifier(policy);
  for (const step of remoteKeys) takeKeys(verifier, step);
  return verifier;
}

function takeKeys(verifier, { issuer, jwks, error, changed }) {
  try {
    const report = verifier.setRemoteKeys(issuer, jwks);
    if (error === undefined && (changed ?? report.changed) === report.changed) return;
    throw new Error(`keys of ${issuer}: ${JSON.stringify(report)}`);
  } catch (thrown) {
    if (error === undefined || thrown.pointer !== error) throw thrown;
  }
}

// Signing needs randomness and a second wasm file: both differ by runtime.
function mintedTokens(_library, { NOW }) {
  const request = {
    issuer: 'https://issuer.example',
    audience: 'https://api.example',
    subject: 's',
    clientId: 'c',
  };
  for (const alg of ['ES256', 'EdDSA']) {
    const key = generateSigningKey(alg);
    const again = importSigningKey(key.privateJwk());
    if (again.kid !== key.kid) throw new Error(`${alg}: an imported key has another kid`);
    const policy = { issuers: [{ issuer: request.issuer, audience: request.audience, jwks: key.jwks() }] };
    const ids = new Set();
    for (const create of [createVerifier, createIssuersVerifier]) {
      for (const signer of [key, again]) {
        const verdict = create(policy).verify(signer.mintAccessToken(request, { now: NOW }), { now: NOW });
        if (!verdict.ok) throw new Error(`${alg}: ${JSON.stringify(verdict)}`);
        ids.add(verdict.claims.jti);
      }
    }
    if (ids.size !== 4) throw new Error(`${alg}: ${ids.size} different jti in 4 tokens`);
    const other = { issuers: [{ ...policy.issuers[0], jwks: generateSigningKey(alg).jwks() }] };
    if (createVerifier(other).verify(key.mintAccessToken(request, { now: NOW }), { now: NOW }).ok) {
      throw new Error(`${alg}: held under another key`);
    }
  }
}
