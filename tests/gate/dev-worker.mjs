// A gate in `wrangler dev`, under a policy that comes with the request.
import { createGate } from 'portcullis/gate';

const jwks = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }] };

export default {
  async fetch(request) {
    const gate = createGate({
      issuers: [{ issuer: 'https://issuer.example', audience: 'a', jwks }],
      gate: JSON.parse(request.headers.get('x-policy')),
    });
    const decision = await gate.check(request);
    const { code, message } = decision;
    return Response.json({ url: request.url, code, message });
  },
};
