// The issuer: sessions in a Durable Object, and the log of what was revoked.
import { env } from 'cloudflare:workers';
import { createIssuer } from 'portcullis/issuer';
import { durableObjectStore } from 'portcullis/stores';

import { optionsOf } from './options.mjs';

export { SessionStoreObject } from 'portcullis/stores';

const issuer = createIssuer(optionsOf(env, durableObjectStore(env.SESSIONS)));

export default {
  async fetch(request, _, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/start') {
      return Response.json(await issuer.startSession(searchParams.get('subject'), { clientId: 'page' }));
    }
    if (pathname !== '/revoke-session') return issuer.fetch(request, context);
    await issuer.endSession(searchParams.get('sid'));
    return new Response('done');
  },
};
