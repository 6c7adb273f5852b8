// An authorization server for the test, by Node's own cryptography: metadata (RFC 8414), JWKS, and
// a token endpoint that grants client credentials and binds what it issues to the client's DPoP
// key (RFC 9449), with a nonce of its own. A fixture: it knows one client and keeps everything in
// memory.
import crypto from 'node:crypto';
import { createServer } from 'node:http';

const P1363 = { dsaEncoding: 'ieee-p1363' };
const SECONDS = 60;

// Hexadecimal: RFC 6749 §2.3.1 encodes what else there is, and clients differ in how.
export const CLIENT = { id: 'worker', secret: crypto.randomBytes(24).toString('hex') };

/** `{ issuer, requests, stop }`; `requests` counts what was asked for, by path. */
export async function startAuthorizationServer({ audience }) {
  const key = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...key.publicKey.export({ format: 'jwk' }), kid: 'as-1', alg: 'ES256', use: 'sig' };
  const nonces = new Set();
  const proofs = new Set();
  const requests = {};
  let issuer;

  const routes = {
    '/.well-known/oauth-authorization-server': () => [
      200,
      {
        issuer,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: [],
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
        dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'RS256'],
      },
    ],
    '/jwks': () => [200, { keys: [jwk] }, { 'cache-control': 'max-age=300' }],
    '/token': token,
  };

  function token({ method, headers }, body) {
    if (method !== 'POST') return [405, {}, { allow: 'POST' }];
    if (headers.authorization !== basic(CLIENT))
      return [401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic realm="as"' }];
    const parameters = new URLSearchParams(body);
    if (parameters.get('grant_type') !== 'client_credentials')
      return [400, { error: 'unsupported_grant_type' }];
    const scope = parameters.get('scope') ?? '';
    if (headers.dpop === undefined) return [200, grant(scope, 'Bearer', {})];
    const proof = proofOf(headers.dpop, { htm: 'POST', htu: `${issuer}/token` });
    if (proof === undefined || proofs.has(proof.jti)) return [400, { error: 'invalid_dpop_proof' }];
    if (!nonces.has(proof.nonce)) {
      const nonce = crypto.randomUUID();
      nonces.add(nonce);
      return [400, { error: 'use_dpop_nonce' }, { 'dpop-nonce': nonce }];
    }
    proofs.add(proof.jti);
    return [200, grant(scope, 'DPoP', { cnf: { jkt: proof.jkt } })];
  }

  function grant(scope, type, binding) {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: issuer,
      aud: audience,
      sub: CLIENT.id,
      client_id: CLIENT.id,
      scope,
      jti: crypto.randomUUID(),
    };
    const access_token = signed(
      { typ: 'at+jwt', alg: 'ES256', kid: jwk.kid },
      { ...claims, iat: now, exp: now + SECONDS, ...binding },
      key.privateKey,
    );
    return { access_token, token_type: type, expires_in: SECONDS, scope };
  }

  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { pathname } = new URL(request.url, 'http://loopback');
    requests[pathname] = (requests[pathname] ?? 0) + 1;
    const [status, json, headers] = routes[pathname]?.(request, body) ?? [404, {}];
    response.writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...headers,
    });
    response.end(JSON.stringify(json));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${server.address().port}`;
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { issuer, requests, stop };
}

/** A compact JWS by ES256. */
export function signed(header, claims, privateKey) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${crypto.sign('sha256', Buffer.from(input), { key: privateKey, ...P1363 }).toString('base64url')}`;
}

function basic({ id, secret }) {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

/**
 * The claims of a proof (RFC 9449 §4.3) with the thumbprint of its key; `undefined` when anything
 * is wrong with it.
 */
function proofOf(text, { htm, htu }) {
  try {
    const [header, claims, signature] = text.split('.');
    const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());
    const { typ, alg, jwk } = decode(header);
    const key = crypto.createPublicKey({ key: jwk, format: 'jwk' });
    const [hash, options] = {
      ES256: ['sha256', P1363],
      EdDSA: [null, {}],
      Ed25519: [null, {}],
      RS256: ['sha256', {}],
    }[alg];
    const bytes = Buffer.from(signature, 'base64url');
    const holds = crypto.verify(hash, Buffer.from(`${header}.${claims}`), { key, ...options }, bytes);
    const proof = decode(claims);
    const age = Math.abs(Date.now() / 1000 - proof.iat);
    if (!holds || typ !== 'dpop+jwt' || proof.htm !== htm || proof.htu !== htu || age > SECONDS)
      return undefined;
    return { ...proof, jkt: thumbprint(jwk) };
  } catch {
    return undefined;
  }
}

/** RFC 7638: the required members in lexicographic order. */
export function thumbprint(jwk) {
  const members = { EC: ['crv', 'kty', 'x', 'y'], OKP: ['crv', 'kty', 'x'], RSA: ['e', 'kty', 'n'] }[jwk.kty];
  const text = JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])));
  return crypto.createHash('sha256').update(text).digest('base64url');
}
