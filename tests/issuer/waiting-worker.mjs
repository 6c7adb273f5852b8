// A worker that starts sessions in process. Its store sweeps more slowly than it answers.
import { createIssuer, generateSigningKey } from 'portcullis/issuer';
import { memoryStore } from 'portcullis/stores';

let issuer;
let swept = 0;

function issuerOf() {
  const store = memoryStore();
  const page = { clientId: 'page', authentication: 'none', grants: ['refresh_token'] };
  return createIssuer({
    config: { issuer: 'https://issuer.example', audience: 'https://api.example', clients: [page] },
    signingKeys: [{ jwk: generateSigningKey('ES256').privateJwk() }],
    rootKeys: [{ secret: new Uint8Array(32).fill(7) }],
    store: {
      ...store,
      async sweep(now, limit) {
        // Longer than the response needs, so that the sweep ends behind it, or never.
        await new Promise((resolve) => setTimeout(resolve, 200));
        swept += 1;
        return store.sweep(now, limit);
      },
    },
  });
}

export default {
  async fetch(request, _env, context) {
    const { command, bound } = await request.json();
    if (command === 'swept') return Response.json({ swept });
    // Each has an issuer of its own, which sweeps beside its first answer.
    swept = 0;
    issuer = issuerOf();
    const own = bound ? issuer.with(context) : issuer;
    if (command === 'start') await own.startSession('alice', { clientId: 'page' });
    else if (command === 'end') await own.endSession('A'.repeat(22));
    else await own.endSessionsOf('alice');
    return Response.json({ swept });
  },
};
