// How the suite calls portcullis: the package as installed, by the names a user imports.
import { createVerifier, inspect, verifyJws } from 'portcullis';
import { createGate, createVerifier as createGatesVerifier } from 'portcullis/gate';
import {
  createVerifier as createIssuersVerifier,
  generateSigningKey,
  importSigningKey,
} from 'portcullis/issuer';

// One verifier a policy, as in a server: the vectors of one policy follow each other on the same
// instance.
const verifiers = new WeakMap();

export const library = {
  name: 'portcullis',
  synchronous: true,
  exact: true,
  kinds: ['verify', 'authorization', 'jws', 'inspect', 'policy', 'gate'],
  verify: (policy, token, now, ...steps) => verifierFor(policy, ...steps).verify(token, { now }),
  verifyAuthorization: (policy, value, now, binding) =>
    verifierFor(policy).verifyAuthorization(value, { now, ...(binding && { binding }) }),
  verifyJws,
  inspect,
  decide,
  acceptPolicy(policy, ...steps) {
    verifierWith(policy, ...steps);
    return { ok: true };
  },
  properties: {
    'property-the-issuer-entry-mints-what-both-entries-verify': mintedTokens,
  },
};

function verifierFor(policy, remoteKeys, revocations) {
  if (remoteKeys || revocations || policy?.revocation || policy === null || typeof policy !== 'object')
    return verifierWith(policy, remoteKeys, revocations);
  if (!verifiers.has(policy)) verifiers.set(policy, createVerifier(policy));
  return verifiers.get(policy);
}

/**
 * A verifier that was handed what issuers publish, one set after the other, and lists of
 * revocations.
 */
function verifierWith(policy, remoteKeys = [], revocations) {
  // The main entry knows nothing of revocation.
  const verifier = revocations || policy?.revocation ? createGatesVerifier(policy) : createVerifier(policy);
  for (const step of remoteKeys) takeKeys(verifier, step);
  for (const step of revocations ?? []) takeList(verifier, step);
  return verifier;
}

function takeList(verifier, { uri, document, now, error, changed }) {
  const update = uri
    ? verifier.applyStatusList(uri, document, { now })
    : verifier.applyRevocations(document, { now });
  const asSaid = update.ok ? (changed ?? update.changed) === update.changed : update.code === error;
  if (update.ok !== (error === undefined) || !asSaid) throw new Error(`a list: ${JSON.stringify(update)}`);
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

const gates = new WeakMap();

/**
 * A decision about a request, as data. The second time a request is put, the same gate is asked.
 */
async function decide(question) {
  if (!gates.has(question)) gates.set(question, gateFor(question));
  const { clientAddress, certificate, urlVouched, served, ...facts } = question.request;
  const context = { clientAddress, certificate, urlVouched, served };
  const decision = await gates.get(question).check(facts, question.requirement, context);
  if (decision.via === 'preflight' && !decision.ok) {
    const { via: step, headers: forward, status, response } = decision;
    return { ok: true, step, forward, answer: { status, headers: Object.fromEntries(response.headers) } };
  }
  if (decision.ok) {
    const { via, headers, apply, header, ...rest } = decision;
    return { ...rest, step: via === 'token' ? 'allowed' : via, header: header ?? null, forward: headers };
  }
  const { headers, response, ...rest } = decision;
  expectTold(response, decision);
  return { ...rest, forward: headers };
}

/** What a vector says was found out elsewhere, the gate finds out there. */
function gateFor({ policy, now, nonceSecret, remoteKeys = [], evidence = {}, revocations = [] }) {
  const issuers = policy.issuers ?? [];
  const serve = async (input) => {
    const url = String(input.url ?? input);
    const whose = issuers.find(({ remote, introspection }) =>
      [remote?.jwksUri, introspection?.endpoint].includes(url),
    );
    const jwks = remoteKeys.find(({ issuer }) => issuer === whose?.issuer)?.jwks;
    const text = whose?.introspection ? evidence.introspection : jwks && JSON.stringify(jwks);
    const headers = { 'content-type': 'application/json' };
    return text === undefined ? new Response('down', { status: 503 }) : new Response(text, { headers });
  };
  const firstUse = () => {
    if (evidence.replay === 'unavailable') throw new Error('the store is down');
    return evidence.replay === 'first';
  };
  const asked = issuers.filter(({ introspection }) => introspection);
  const gate = createGate(policy, {
    now: () => now,
    platform: 'none',
    fetch: serve,
    replay: { firstUse },
    introspection: Object.fromEntries(asked.map(({ issuer }) => [issuer, { clientSecret: 'a secret' }])),
    ...(nonceSecret && { nonceSecret: bytes(nonceSecret) }),
    ...(evidence.check && { narrow: () => evidence.check }),
  });
  for (const step of revocations) takeList(gate.verifier, step);
  return gate;
}

function expectTold(response, { status, challenges, nonce, retryAfter }) {
  const told = {
    status: response.status,
    'cache-control': response.headers.get('cache-control'),
    'content-type': response.headers.get('content-type'),
    'www-authenticate': response.headers.get('www-authenticate') ?? '',
    'dpop-nonce': response.headers.get('dpop-nonce') ?? undefined,
    'retry-after': response.headers.get('retry-after') ?? undefined,
  };
  const expected = {
    status,
    'cache-control': 'no-store',
    'content-type': 'application/problem+json',
    'www-authenticate': challenges.join(', '),
    'dpop-nonce': nonce,
    'retry-after': retryAfter?.toString(),
  };
  if (JSON.stringify(told) !== JSON.stringify(expected)) throw new Error(`told ${JSON.stringify(told)}`);
}

function bytes(base64url) {
  return Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
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
