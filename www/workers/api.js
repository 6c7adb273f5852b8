// The API behind the gate. One verifier, made when the isolate starts; from then on a decision is one synchronous call.
import { env } from 'cloudflare:workers';
import { createVerifier } from 'portcullis';

const verifier = createVerifier(env.POLICY);

export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    // The policy holds public keys only: the page reads it to verify for itself.
    if (pathname === '/api/policy') return json(env.POLICY);
    if (pathname !== '/api/notes') return json({ error: 'not_found' }, 404);

    const verdict = verifier.verifyAuthorization(request.headers.get('authorization'));
    if (!verdict.ok) return json(verdict, 401, { 'www-authenticate': challenge(verdict) });
    return json(verdict);
  },
};

/** RFC 6750 §3: no error code for a request that brought no credentials. */
function challenge({ code, stage }) {
  if (code === 'authorization-missing') return 'Bearer realm="notes"';
  const error = stage === 'bearer' ? 'invalid_request' : 'invalid_token';
  return `Bearer realm="notes", error="${error}", error_description="${code}"`;
}

function json(body, status = 200, headers = {}) {
  return Response.json(body, { status, headers: { 'cache-control': 'no-store', ...headers } });
}
