// The feed: another worker on the same log, which serves nothing else.
import { env } from 'cloudflare:workers';
import { createIssuer } from 'portcullis/issuer';
import { durableObjectStore } from 'portcullis/stores';

import { optionsOf } from './options.mjs';

const issuer = createIssuer(optionsOf(env, durableObjectStore(env.SESSIONS)));

export default {
  async fetch(request, _, context) {
    if (new URL(request.url).pathname !== '/revocations') return new Response('no', { status: 404 });
    return issuer.fetch(request, context);
  },
};
