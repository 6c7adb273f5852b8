import { createTokenMediatingBackend } from 'portcullis/bff';

const bff = createTokenMediatingBackend({
  tokenEndpoint: 'https://issuer.example/token',
  revocationEndpoint: 'https://issuer.example/revoke',
  clientId: 'app',
});

export default {
  async fetch(request) {
    // After your own sign-in: `return bff.start(tokens, request)`, with what the token endpoint
    // answered.
    return (await bff.fetch(request)) ?? new Response('not found', { status: 404 });
  },
};
