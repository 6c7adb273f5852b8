import { createBff } from 'portcullis/bff';

const bff = createBff({
  issuer: 'https://issuer.example',
  clientId: 'app',
  clientSecret: process.env.CLIENT_SECRET ?? '',
  scope: 'notes:read',
  // Draw one with `openssl rand -hex 32`.
  secrets: [{ hex: process.env.BFF_SECRET ?? '' }],
  upstream: { '/api/*': 'https://api.example' },
});

export default {
  async fetch(request) {
    return (await bff.fetch(request)) ?? new Response('not found', { status: 404 });
  },
};
