// The issuer: it signs access tokens with the one key this demonstration was started with.
import { env } from 'cloudflare:workers';
import { importSigningKey, PolicyError } from 'portcullis/issuer';

const key = importSigningKey(env.PRIVATE_JWK);

const MOST_PADDING = 16 * 1024;

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === '/issuer/jwks.json') return json(key.jwks());
    if (pathname !== '/issuer/token') return json({ error: 'not_found' }, 404);
    if (request.method !== 'POST') return json({ error: 'method_not_allowed' }, 405, { allow: 'POST' });
    try {
      return json({ access_token: mint(await request.json()), token_type: 'Bearer' });
    } catch (error) {
      if (!(error instanceof PolicyError || error instanceof SyntaxError)) throw error;
      return json({ error: 'invalid_request', error_description: error.message }, 400);
    }
  },
};

// A real issuer decides these for itself. This one signs what it is asked for, so that the gate can be shown tokens that are genuine
// and still no good.
function mint({ issuer, audience, issuedSecondsAgo = 0, padding = 0 }) {
  const now = Math.floor(Date.now() / 1000) - issuedSecondsAgo;
  const claims = padding > 0 ? { padding: 'x'.repeat(Math.min(padding, MOST_PADDING)) } : {};
  const request = {
    issuer: issuer ?? env.ISSUER,
    audience: audience ?? env.AUDIENCE,
    subject: 'ada',
    clientId: 'demonstration',
    scope: 'notes:read',
    claims,
  };
  return key.mintAccessToken(request, { now });
}

function json(body, status = 200, headers = {}) {
  return Response.json(body, { status, headers: { 'cache-control': 'no-store', ...headers } });
}
