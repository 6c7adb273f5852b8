import { createBff } from 'portcullis/bff';

let bff;

export default {
  async fetch(request, env) {
    bff ??= createBff({
      issuer: 'https://issuer.example',
      clientId: 'app',
      clientSecret: env.CLIENT_SECRET,
      scope: 'notes:read',
      // Draw one with `openssl rand -hex 32`.
      secrets: [{ hex: env.BFF_SECRET }],
      upstream: { '/api/*': 'https://api.example' },
    });
    return (await bff.fetch(request)) ?? new Response('not found', { status: 404 });
  },
};
